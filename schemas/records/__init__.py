"""The records that agencies exchange, and their registry."""
