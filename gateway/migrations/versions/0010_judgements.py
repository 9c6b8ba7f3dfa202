"""People decide about pairs; merged ids can come back; conflicts are looked for and become tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "judgement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("a", sa.BigInteger(), nullable=False),
        sa.Column("b", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("of_two", sa.Boolean(), nullable=False),
        sa.Column("second_id", sa.Uuid(), nullable=True),
        sa.Column("second_leaf", sa.LargeBinary(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_leaf", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judgement")),
    )
    op.create_index("ix_judgement_a", "judgement", ["a"])
    op.create_index("ix_judgement_b", "judgement", ["b"])
    op.create_index("ix_judgement_officer_id", "judgement", ["officer_id", "at"])
    op.create_table(
        "former",
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_former")),
    )
    op.create_index("ix_former_person_id", "former", ["person_id"])
    op.create_table(
        "stirred",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stirred")),
    )
    op.create_index("ix_stirred_record_id", "stirred", ["record_id"])


def downgrade() -> None:
    op.drop_table("stirred")
    op.drop_table("former")
    op.drop_table("judgement")
