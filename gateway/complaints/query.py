"""What can be asked of tickets: by number, by person, and what somebody has to do next."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateway.complaints import store
from gateway.complaints.lifecycle import Kind, lifecycle
from gateway.complaints.model import Case
from keys.vault import Vault

_MOST = 20


def open_of(
    session: Session, person: UUID | None, keys: Sequence[bytes], vault: Vault
) -> list[Case]:
    """Open tickets of a person: by his id in the index, or by one of his blind indexes."""
    t, n = store.ticket.c, store.need.c
    of_need = select(n.ticket_id).where(n.person_id == person)
    told = [t.found_by.overlap(list(keys))] if keys else []
    known = [] if person is None else [t.person_id == person, t.id.in_(of_need)]
    if not (told or known):
        return []
    states = lifecycle()[Kind.COMPLAINT].states.values()
    closed = [s.code for s in states if s.closed]
    query = select(t.id).where(t.state.not_in(closed), or_(*told, *known)).order_by(t.id)
    found = (store.get(session, i, vault) for i in session.scalars(query.limit(_MOST)))
    return [case for case in found if case is not None]
