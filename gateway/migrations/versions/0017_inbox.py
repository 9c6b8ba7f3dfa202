"""Requests that wait in the agencies' inboxes, and their signed answers."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "inbox_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("query_id", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("issued_at", _MOMENT, nullable=False),
        sa.Column("deadline", _MOMENT, nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("request_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("query_leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answer_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("answer_leaf", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", _MOMENT, nullable=True),
        sa.Column("receipt", sa.LargeBinary(), nullable=True),
        sa.Column("conflict", sa.LargeBinary(), nullable=True),
        sa.Column("shown_at", _MOMENT, nullable=True),
        sa.CheckConstraint(
            "(answered_at is null) = (answer is null)", name=op.f("ck_inbox_request_answered")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_request")),
        sa.UniqueConstraint("n", name=op.f("uq_inbox_request_n")),
    )
    op.create_index(op.f("ix_inbox_request_query_id"), "inbox_request", ["query_id"])
    op.create_index(
        "ix_inbox_request_open",
        "inbox_request",
        ["agency", "n"],
        postgresql_where=sa.text("answered_at is null"),
    )
    op.create_index("ix_inbox_request_issued", "inbox_request", ["agency", "issued_at"])
    op.create_table(
        "inbox_seen",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("agency", name=op.f("pk_inbox_seen")),
    )


def downgrade() -> None:
    op.drop_table("inbox_seen")
    op.drop_table("inbox_request")
