"""Keysets follow one another: rules, approvals needed, waits; keys are suspended and revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATES = "state in ('invited', 'pending', 'active', 'suspended'{})"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.drop_constraint(op.f("ck_agency_state"), "agency")
    op.create_check_constraint(op.f("ck_agency_state"), "agency", _STATES.format(", 'left'"))
    op.add_column("keyset", sa.Column("rule", sa.Text(), server_default="enrol", nullable=False))
    op.add_column("keyset", sa.Column("persons", sa.Integer(), server_default="2", nullable=False))
    op.add_column("keyset", sa.Column("counts_from", moment, nullable=True))
    op.add_column("key", sa.Column("revoked_at", moment, nullable=True))
    op.create_table(
        "known_key",
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("keyset_sha256", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency"], ["agency.code"], name=op.f("fk_known_key_agency_agency")
        ),
        sa.PrimaryKeyConstraint("raw", name=op.f("pk_known_key")),
    )
    op.execute("insert into known_key select raw, agency, keyset_sha256 from key")
    op.create_table(
        "suspension",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("payload_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("issued", moment, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency"], ["agency.code"], name=op.f("fk_suspension_agency_agency")
        ),
        sa.ForeignKeyConstraint(["kid"], ["key.kid"], name=op.f("fk_suspension_kid_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspension")),
        sa.UniqueConstraint("agency", "payload_sha256", name=op.f("uq_suspension_agency")),
    )
    op.create_index(op.f("ix_suspension_agency"), "suspension", ["agency"])


def downgrade() -> None:
    op.drop_table("suspension")
    op.drop_table("known_key")
    op.drop_column("key", "revoked_at")
    for column in ("counts_from", "persons", "rule"):
        op.drop_column("keyset", column)
    op.drop_constraint(op.f("ck_agency_state"), "agency")
    op.create_check_constraint(op.f("ck_agency_state"), "agency", _STATES.format(""))
