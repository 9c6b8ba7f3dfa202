"""The last login is shown; two persons let a key speak again one after the other."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("officer", sa.Column("last_login", moment, nullable=True))
    op.add_column("officer", sa.Column("login_before", moment, nullable=True))
    op.create_table(
        "resumption",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("officer_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.ForeignKeyConstraint(["kid"], ["key.kid"], name=op.f("fk_resumption_kid_key")),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_resumption")),
    )


def downgrade() -> None:
    op.drop_table("resumption")
    op.drop_column("officer", "login_before")
    op.drop_column("officer", "last_login")
