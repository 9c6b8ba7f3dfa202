"""Alembic migrations, numbered NNNN_what."""
