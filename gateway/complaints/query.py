"""What can be asked of tickets: by number, by person, and what somebody has to do next."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateway.complaints import numbers, store, visibility
from gateway.complaints.lifecycle import Kind, lifecycle
from gateway.complaints.model import Case, Desk, Happened
from gateway.errors import NotFound
from keys.vault import Vault

_MOST = 20


def by_number(session: Session, typed: str, desk: Desk) -> Case:
    """A ticket by its printed number.

    Raises:
        NotFound: there is none, or none for this actor: the two look alike.
    """
    number = numbers.read(typed)
    ticket_id = None if number is None else store.id_of(session, number)
    case = None if ticket_id is None else store.get(session, ticket_id, desk.vault)
    if case is None or not visibility.sees(desk.actor, case):
        raise NotFound("ticket.unknown", "Tiket itu tidak ada. Periksa nomornya.")
    return case


def history_of(session: Session, case: Case, desk: Desk) -> list[Happened]:
    """What happened, oldest first; to an agency, of its own needs and of the ticket's states."""
    rows = store.history(session, case.ticket.id, desk.vault)
    seen = {n.id for n in visibility.needs_seen(desk.actor, case)}
    if len(seen) == len(case.needs):
        return rows
    return [r for r in rows if r.need_id in seen or (r.need_id is None and r.move is not None)]


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
