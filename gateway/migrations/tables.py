"""Every slice's tables, on one metadata: what a migrated database must equal (a test holds it)."""

from gateway.index import store as index
from gateway.ledger import store as ledger
from gateway.storage import outbox
from gateway.storage.base import metadata

__all__ = ["metadata"]

SLICES = (outbox, ledger, index)
