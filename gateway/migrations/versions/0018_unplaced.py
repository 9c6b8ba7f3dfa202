"""Names of places without a kelurahan are counted by an index."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_ADDRESS = "coalesce(clear->'address_ktp', clear->'address_domicile')"


def upgrade() -> None:
    op.execute(
        f"create index ix_assertion_unplaced on assertion (({_ADDRESS}->>'kelurahan_raw'))"
        f" where {_ADDRESS}->>'kelurahan' is null and ({_ADDRESS}->>'kelurahan_raw') is not null"
    )


def downgrade() -> None:
    op.drop_index("ix_assertion_unplaced", table_name="assertion")
