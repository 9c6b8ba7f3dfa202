"""A second factor, sessions that lock, resets by two persons, confirmed statements."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    columns: dict[str, tuple[sa.Column[Any], ...]] = {
        "officer": (
            sa.Column(
                "password_due", sa.Boolean(), server_default=sa.text("false"), nullable=False
            ),
            sa.Column("logins", sa.Integer(), server_default=sa.text("0"), nullable=False),
            sa.Column("totp", sa.LargeBinary()),
            sa.Column("totp_at", _MOMENT),
            sa.Column("totp_step", sa.BigInteger()),
            sa.Column("pin", sa.Text()),
        ),
        "login_session": (
            sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
            sa.Column("device", sa.LargeBinary()),
            sa.Column("locked_at", _MOMENT),
            sa.Column("wrong", sa.Integer(), server_default=sa.text("0"), nullable=False),
            sa.Column("confirmed_at", _MOMENT),
        ),
    }
    for table, added in columns.items():
        for column in added:
            op.add_column(table, column)
    op.create_unique_constraint(op.f("uq_login_session_id"), "login_session", ["id"])
    op.create_index(op.f("ix_login_session_device"), "login_session", ["device"])
    op.create_table(
        "workstation",
        sa.Column("device", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        _officer("workstation", "made_by"),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_workstation")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        _officer("recovery_code", "officer_id"),
        sa.PrimaryKeyConstraint("officer_id", "code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "officer_reset",
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("first_by", sa.Uuid(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        _officer("officer_reset", "officer_id"),
        _officer("officer_reset", "first_by"),
        sa.PrimaryKeyConstraint("officer_id", name=op.f("pk_officer_reset")),
    )
    op.create_table(
        "confirmation",
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        _officer("confirmation", "officer_id"),
        sa.PrimaryKeyConstraint("leaf", name=op.f("pk_confirmation")),
    )
    op.create_index(op.f("ix_confirmation_officer_id"), "confirmation", ["officer_id"])
    op.create_index(op.f("ix_confirmation_subject"), "confirmation", ["subject"])


def downgrade() -> None:
    for table in ("confirmation", "officer_reset", "recovery_code", "workstation"):
        op.drop_table(table)
    op.drop_index(op.f("ix_login_session_device"), "login_session")
    op.drop_constraint(op.f("uq_login_session_id"), "login_session")
    for name in ("id", "device", "locked_at", "wrong", "confirmed_at"):
        op.drop_column("login_session", name)
    for name in ("password_due", "logins", "totp", "totp_at", "totp_step", "pin"):
        op.drop_column("officer", name)


def _officer(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["officer.id"], name=op.f(f"fk_{table}_{column}_officer")
    )
