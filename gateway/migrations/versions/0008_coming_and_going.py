"""Agencies come again and leave: grants may be drawn up anew, what was said may be withdrawn."""

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
    moment = sa.DateTime(timezone=True)
    op.add_column("key", sa.Column("destroyed_at", moment, nullable=True))
    op.create_table(
        "departure",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("keyset_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("fate", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["agency"], ["agency.code"], name=op.f("fk_departure_agency_agency")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departure")),
        sa.UniqueConstraint("agency", "keyset_sha256", name=op.f("uq_departure_agency")),
    )
    op.create_table(
        "withdrawal",
        sa.Column("departure", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("started", moment, nullable=False),
        sa.Column("finished", moment, nullable=True),
        sa.PrimaryKeyConstraint("departure", name=op.f("pk_withdrawal")),
    )
    op.add_column("batch", sa.Column("withdrawn_by", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_batch_withdrawn_by"), "batch", ["withdrawn_by"])
    op.add_column(
        "source_batch",
        sa.Column("withdrawn", sa.Boolean(), server_default="false", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("source_batch", "withdrawn")
    op.drop_index(op.f("ix_batch_withdrawn_by"), "batch")
    op.drop_column("batch", "withdrawn_by")
    op.drop_table("withdrawal")
    op.drop_table("departure")
    op.drop_column("key", "destroyed_at")
    # Of several grants of one kind the newest is kept: the older shape has room for one.
    op.execute(
        "delete from grant_ g using grant_ n where n.agency = g.agency"
        " and n.record_type = g.record_type and n.action = g.action and n.id > g.id"
    )
    op.drop_index("uq_grant_open", "grant_")
    op.create_unique_constraint(
        op.f("uq_grant__agency"), "grant_", ["agency", "record_type", "action"]
    )
    op.drop_column("ticket", "keyset_sha256")
    op.drop_column("ticket", "made_by")
