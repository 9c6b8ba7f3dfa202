"""How alembic runs here: on the connection it is handed, never on one of its own."""

from alembic import context

from gateway.migrations.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
