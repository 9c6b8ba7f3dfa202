"""What the desk reserves of programmes: places and money, until the agency publishes them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "program_gate",
        sa.Column("program_code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("program_code", name=op.f("pk_program_gate")),
    )
    op.create_table(
        "reservation",
        sa.Column("need_id", sa.Uuid(), nullable=False),
        sa.Column("program_code", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("amount_idr", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("exclusive_key", sa.Text(), nullable=True),
        sa.Column("overridden", sa.Boolean(), nullable=False),
        sa.Column("beside", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_idr >= 0", name=op.f("ck_reservation_amount")),
        sa.PrimaryKeyConstraint("need_id", name=op.f("pk_reservation")),
    )
    op.create_index(
        "ix_reservation_open",
        "reservation",
        ["program_code"],
        postgresql_where=sa.text("released_at is null"),
    )
    op.create_index(
        "uq_reservation_exclusive",
        "reservation",
        ["person_id", "exclusive_key"],
        unique=True,
        postgresql_where=sa.text("released_at is null and not overridden"),
    )


def downgrade() -> None:
    op.drop_table("reservation")
    op.drop_table("program_gate")
