"""Tasks of the stewards, and rounds of tasks that are accepted together."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "task",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("person_a", sa.Uuid(), nullable=True),
        sa.Column("person_b", sa.Uuid(), nullable=True),
        sa.Column("record_a", sa.BigInteger(), nullable=False),
        sa.Column("record_b", sa.BigInteger(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("bits", sa.Double(), nullable=True),
        sa.Column("worth", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_why", sa.Text(), nullable=True),
        sa.Column("judgement_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    stands = sa.text("closed_at is null")
    op.create_index("uq_task_open", "task", ["kind", "about"], unique=True, postgresql_where=stands)
    for name in ("person_a", "person_b"):
        op.create_index(f"ix_task_{name}", "task", [name], postgresql_where=stands)
    op.create_index("ix_task_opened_at", "task", ["opened_at"])
    op.create_table(
        "bulk_round",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("least", sa.Double(), nullable=False),
        sa.Column("tasks", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("sample", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_round")),
    )


def downgrade() -> None:
    op.drop_table("bulk_round")
    op.drop_table("task")
