"""Every slice's tables, on one metadata: what a migrated database must equal (a test holds it)."""

from gateway.access import store as access
from gateway.index import store as index
from gateway.intake import poison, snapshots
from gateway.intake import store as intake
from gateway.ledger import store as ledger
from gateway.ledger import store_cosignatures as cosignatures
from gateway.storage import deks, heartbeat, outbox
from gateway.storage.base import metadata
from gateway.trust import store as trust
from gateway.trust import store_revocations as revocations

__all__ = ["metadata"]

SLICES = (
    *(outbox, heartbeat, deks, ledger, cosignatures, trust, revocations, intake),
    *(snapshots, poison, index, access),
)
