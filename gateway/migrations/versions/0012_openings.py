"""What opens a commitment of the log lies in one place, also that of rejections and suspensions."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from keys.canonical import canonical, to_moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_APPROVALS = sa.text(
    "select a.leaf, a.salt, a.agency, a.officer_id, a.role, a.at, k.version, k.payload_sha256"
    " from approval a join keyset k on k.agency = a.agency and k.payload_sha256 = a.keyset_sha256"
)
_CONFIRMATIONS = sa.text(
    "select leaf, salt, officer_id, role, at, encode(sha256(statement), 'hex') as statement"
    " from confirmation"
)
_ADD = sa.text("insert into log_opening (leaf, words, salt) values (:leaf, :words, :salt)")


def upgrade() -> None:
    op.create_table(
        "log_opening",
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("leaf", name=op.f("pk_log_opening")),
    )
    if moved := list(_openings(op.get_bind())):
        op.get_bind().execute(_ADD, moved)
    op.drop_column("approval", "salt")
    op.drop_column("confirmation", "salt")


def downgrade() -> None:
    # The openings are lost to the older schema's columns, so they get a salt that opens nothing.
    for table in ("approval", "confirmation"):
        op.add_column(table, sa.Column("salt", sa.LargeBinary(), nullable=False, server_default=""))
        op.alter_column(table, "salt", server_default=None)
    op.drop_table("log_opening")


def _openings(bind: sa.Connection) -> Iterator[dict[str, bytes]]:
    """The details as they were hashed, out of the rows that kept their salts."""
    for row in bind.execute(_APPROVALS):
        detail = {
            "agency": row.agency,
            "version": row.version,
            "subject": row.payload_sha256.hex(),
            "kind": "approve_key",
            "officer": row.officer_id,
            "role": row.role,
            "at": to_moment(row.at),
        }
        yield {"leaf": row.leaf, "words": canonical(detail), "salt": row.salt}
    for row in bind.execute(_CONFIRMATIONS):
        detail = {
            "statement": row.statement,
            "officer": str(row.officer_id),
            "role": row.role,
            "at": to_moment(row.at),
        }
        yield {"leaf": row.leaf, "words": canonical(detail), "salt": row.salt}
