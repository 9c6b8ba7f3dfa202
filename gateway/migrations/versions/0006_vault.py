"""Data keys lie in the database, wrapped; the blind index knows under which key it was made."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dek",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("kek_version", sa.Integer(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dek")),
        sa.UniqueConstraint("scope", name=op.f("uq_dek_scope")),
    )
    op.create_table(
        "index_key",
        sa.Column("one", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("current", sa.Integer(), nullable=False),
        sa.Column("next", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_index_key")),
        sa.CheckConstraint("one", name=op.f("ck_index_key_one")),
    )
    op.add_column(
        "person_feature",
        sa.Column("bix_v", sa.Integer(), server_default="1", nullable=False),
    )
    op.add_column(
        "person_feature",
        sa.Column("keys_next", postgresql.ARRAY(sa.BigInteger()), nullable=True),
    )


def downgrade() -> None:
    op.drop_column("person_feature", "keys_next")
    op.drop_column("person_feature", "bix_v")
    op.drop_table("index_key")
    op.drop_table("dek")
