"""Every slice's tables, on one metadata: what a migrated database must equal (a test holds it)."""

from gateway.access import store as access
from gateway.access import store_blast as blast
from gateway.access import store_logins as logins
from gateway.complaints import store as complaints
from gateway.complaints import store_drafts as drafts
from gateway.complaints import store_surveys as surveys
from gateway.index import store as index
from gateway.index import store_history as history
from gateway.index import store_judgements as judgements
from gateway.intake import poison, snapshots, store_reevaluation, store_withdrawals
from gateway.intake import store as intake
from gateway.ledger import store as ledger
from gateway.ledger import store_cosignatures as cosignatures
from gateway.ledger import store_openings as openings
from gateway.letters import store as letters
from gateway.lookup import store as lookup
from gateway.programs import store as programs
from gateway.stewards import store as stewards
from gateway.storage import deks, heartbeat, outbox
from gateway.storage.base import metadata
from gateway.trust import store as trust
from gateway.trust import store_centre as centre
from gateway.trust import store_departures as departures
from gateway.trust import store_keys as trust_keys
from gateway.trust import store_requests as requests
from gateway.trust import store_revocations as revocations
from gateway.trust import store_wishes as wishes

__all__ = ["metadata"]

SLICES = (
    *(outbox, heartbeat, deks, ledger, cosignatures, openings),
    *(trust, trust_keys, requests, revocations, departures, centre, wishes),
    *(intake, snapshots, poison, store_reevaluation, store_withdrawals),
    *(index, history, judgements, access, blast, logins, stewards),
    *(programs, complaints, drafts, surveys, letters, lookup),
)
