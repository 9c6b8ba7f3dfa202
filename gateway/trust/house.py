"""The house itself as an agency: its key from the vault comes in by the same ticket as all others.

Two persons approve it, as they approve every agency's; nothing is shortened but the way of the
ticket, since the centre hands it to itself.

Source: decisions.md (Keys: UPT-KAN).
"""

import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from gateway.settings import Settings
from gateway.trust import service
from gateway.trust.anchors import anchors
from gateway.trust.model import AgencyDraft, Gate, Pending
from keys import dsse
from keys.enrolment import seal_enrolment
from keys.keyset import PAYLOAD_TYPE, build, entry_of
from keys.vault import Vault

RECORDS = ("person", "household", "listing")
INSTANCE = "house"


def enrol(
    session: Session, draft: AgencyDraft, settings: Settings, vault: Vault, now: datetime
) -> Pending:
    """Create the house's agency and send its key in; it waits for two approvals.

    Raises:
        Conflict: it has come already (`agency.exists`).
        Refused: no agency may have this code.
    """
    signer, moment = vault.signer("house"), now.replace(microsecond=0)
    ticket = service.create_agency(session, draft, anchors(settings, vault), now)
    nonce = service.challenge(session, draft.code, ticket.ticket_id, now)
    entry = entry_of(draft.code, signer.public, instance=INSTANCE, not_before=moment)
    payload = build(settings.aud, draft.code, [entry], issued=moment)
    keyset = dsse.seal(PAYLOAD_TYPE, payload, [signer])
    proof = seal_enrolment(ticket, nonce, hashlib.sha256(payload).digest(), [signer])
    gate = Gate(settings.aud, vault.signer("receipt"))
    return service.enrol(session, draft.code, (keyset, proof), gate, now)
