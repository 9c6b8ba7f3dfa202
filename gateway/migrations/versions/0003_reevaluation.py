"""Batches can go into quarantine and come back; the index keeps every version's witness."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batch", sa.Column("was", sa.Text(), nullable=True))
    op.add_column("batch", sa.Column("quarantined_by", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_batch_quarantined_by"), "batch", ["quarantined_by"])
    op.add_column(
        "snapshot_member",
        sa.Column("refused", sa.Boolean(), server_default="false", nullable=False),
    )
    op.add_column(
        "source_batch", sa.Column("suspect_since", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "result",
        sa.Column(
            "batches", postgresql.ARRAY(sa.LargeBinary()), server_default="{}", nullable=False
        ),
    )
    op.create_index(op.f("ix_result_batches"), "result", ["batches"], postgresql_using="gin")
    op.create_table(
        "repetition",
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("v", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("line_i", sa.Integer(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "v", name=op.f("pk_repetition")),
    )
    op.create_index(op.f("ix_repetition_batch_id"), "repetition", ["batch_id"])
    op.create_table(
        "unjudged",
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_unjudged")),
    )
    op.create_index(op.f("ix_unjudged_batch_id"), "unjudged", ["batch_id"])
    op.create_table(
        "reevaluation",
        sa.Column("revocation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("revocation", name=op.f("pk_reevaluation")),
    )
    op.create_table(
        "attestation",
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batch.id"], name=op.f("fk_attestation_batch_id_batch")
        ),
        sa.ForeignKeyConstraint(["by"], ["batch.id"], name=op.f("fk_attestation_by_batch")),
        sa.PrimaryKeyConstraint("by", "batch_id", name=op.f("pk_attestation")),
    )
    op.create_table(
        "reeval_report",
        sa.Column("revocation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("revocation", name=op.f("pk_reeval_report")),
    )


def downgrade() -> None:
    op.drop_table("reeval_report")
    op.drop_table("attestation")
    op.drop_table("reevaluation")
    op.drop_table("unjudged")
    op.drop_table("repetition")
    op.drop_index(op.f("ix_result_batches"), "result")
    op.drop_column("result", "batches")
    op.drop_column("source_batch", "suspect_since")
    op.drop_column("snapshot_member", "refused")
    op.drop_index(op.f("ix_batch_quarantined_by"), "batch")
    op.drop_column("batch", "quarantined_by")
    op.drop_column("batch", "was")
