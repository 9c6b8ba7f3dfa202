"""The engine, the outbox and bulk copy: everything about PostgreSQL that no slice owns."""
