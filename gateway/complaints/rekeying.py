"""A ticket's blind indexes follow the vault: written anew when its key of the index is replaced."""

from sqlalchemy.orm import Session

from gateway.complaints import sealing, store
from gateway.complaints.model import TicketId
from keys.vault import Vault
from schemas.profile import Profile

_CHUNK = 200


def rekey(
    session: Session, vault: Vault, profile: Profile, after: TicketId | None
) -> TicketId | None:
    """Write the blind indexes of the next 200 tickets under every key that the vault holds now.

    Tickets are taken in the order of their ids, after `after`, and locked. Returns the last one's
    id, or None where there were no more. The caller commits and goes on.
    """
    found = store.lock_bodies(session, vault, after, _CHUNK)
    for ticket_id, body in found:
        keys = sealing.keys_of(vault, body, profile)
        store.set_ticket(session, ticket_id, {"found_by": keys})
    return found[-1][0] if found else None
