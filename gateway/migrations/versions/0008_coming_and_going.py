"""Agencies come again and leave: tickets name what came under them, grants may be drawn up anew."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("made_by", sa.Text(), nullable=True))
    op.add_column("ticket", sa.Column("keyset_sha256", sa.LargeBinary(), nullable=True))
    op.execute(
        "update ticket t set keyset_sha256 = (select k.payload_sha256 from keyset k"
        " where k.agency = t.agency and k.version = 1 and k.rejected_at is null)"
        " where t.used_at is not null"
    )
    op.drop_constraint(op.f("uq_grant__agency"), "grant_")
    op.create_index(
        "uq_grant_open",
        "grant_",
        ["agency", "record_type", "action"],
        unique=True,
        postgresql_where=sa.text("valid_until is null"),
    )


def downgrade() -> None:
    op.drop_index("uq_grant_open", "grant_")
    op.create_unique_constraint(
        op.f("uq_grant__agency"), "grant_", ["agency", "record_type", "action"]
    )
    op.drop_column("ticket", "keyset_sha256")
    op.drop_column("ticket", "made_by")
