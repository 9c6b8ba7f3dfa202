"""What people do on a ticket beside moving it: notes, hands, clocks. Each is a line of history.

Source: design/domain.md §2.5 (extension, emergency), §2.7 (sample), §5.5 (desks).
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.access.model import Role
from gateway.complaints import clock, journal, numbers, registering, store
from gateway.complaints.effects import CONTACT_DAYS
from gateway.complaints.journal import Line
from gateway.complaints.lifecycle import Kind
from gateway.complaints.model import Case, Desk, Need, NeedId, TicketId
from gateway.complaints.service import due_in, find, machines
from gateway.complaints.visibility import HOUSE
from gateway.errors import Conflict, Forbidden, NotFound, Refused

SHORTEST = 3
MOST_EXTENDED = 30
_OFFICERS = (Role.COUNTER_OFFICER, Role.UPT_COORDINATOR)


def note(session: Session, ticket_id: TicketId, said: str, desk: Desk) -> None:
    """Add a note.

    Raises:
        Refused: it is empty.
    """
    case = _open(session, ticket_id, desk, HOUSE)
    _line(session, case, ("note", None), desk, (_said(said), None))


def assign(session: Session, ticket_id: TicketId, desk: Desk) -> None:
    """Take a ticket over: it stands in one's own queue from now on."""
    case = _open(session, ticket_id, desk, HOUSE)
    store.set_ticket(session, ticket_id, {"owner_id": desk.actor.officer_id})
    _line(session, case, ("assign", None), desk)


def pass_on(session: Session, where: tuple[TicketId, NeedId], counter: str, desk: Desk) -> None:
    """Hand a need to another desk; nothing is typed again.

    Raises:
        Refused: there is no such desk.
    """
    case = _open(session, where[0], desk, HOUSE)
    if counter not in desk.profile.counters:
        raise Refused("need.no_counter", "Pilih loket yang dituju.")
    need = _need(case, where[1])
    store.set_need(session, need.id, {"counter": counter})
    _line(session, case, ("pass_on", need), desk, ("", {"counter": counter}))


def flag_emergency(session: Session, ticket_id: TicketId, reason: str, desk: Desk) -> None:
    """From now on the ticket and its needs run by the clock of emergencies.

    Raises:
        Refused: no reason.
        Conflict: it is one already.
    """
    case = _open(session, ticket_id, desk, _OFFICERS)
    if case.ticket.emergency:
        raise Conflict("ticket.emergency", "Tiket ini sudah ditandai darurat.")
    complaint, needs = machines()[Kind.COMPLAINT].states, machines()[Kind.NEED].states
    due = due_in(complaint[case.ticket.state], desk, emergency=True)
    store.set_ticket(session, ticket_id, {"emergency": True, **due})
    for need in case.needs:
        store.set_need(session, need.id, due_in(needs[need.state], desk, emergency=True))
    _line(session, case, ("emergency", None), desk, (_said(reason), None))


def extend(
    session: Session, where: tuple[TicketId, NeedId | None], given: tuple[int, str], desk: Desk
) -> None:
    """Put a deadline off by some working days (`given`: how many, and why); it is reported.

    Raises:
        Forbidden: only the coordinator may.
        Refused: no reason, no deadline, or too many days.
    """
    days, reason = given
    case = _open(session, where[0], desk, (Role.UPT_COORDINATOR,))
    need = None if where[1] is None else _need(case, where[1])
    due = case.ticket.due if need is None else need.due
    if due.on is None or not 1 <= days <= MOST_EXTENDED:
        raise Refused("ticket.no_extension", "Perpanjangan 1 sampai 30 hari kerja.")
    later = clock.add_days(desk.profile, max(due.on, desk.now.today), days)
    values = {"due_on": later, "escalated_at": None}
    if need is None:
        store.set_ticket(session, case.ticket.id, values)
    else:
        store.set_need(session, need.id, values)
    _line(session, case, ("extend", need), desk, (_said(reason), {"days": days}))


def contact(
    session: Session, where: tuple[TicketId, NeedId], given: tuple[str, str], desk: Desk
) -> None:
    """A waiting person was contacted (`given`: `reached` or `not_reached`, and what was said).

    Raises:
        Refused: the need does not wait.
    """
    outcome, said = given
    case = _open(session, where[0], desk, HOUSE)
    need = _need(case, where[1])
    if need.contact_on is None:
        raise Refused("need.not_waiting", "Kebutuhan ini tidak sedang menunggu.")
    later = desk.now.today + timedelta(days=CONTACT_DAYS)
    store.set_need(session, need.id, {"contact_on": later})
    _line(session, case, ("contact", need), desk, (_said(said), {"outcome": outcome}))


def new_pin(session: Session, ticket_id: TicketId, desk: Desk) -> str:
    """A new PIN for whoever lost his; the old one holds no more. It is shown once."""
    case = _open(session, ticket_id, desk, _OFFICERS)
    if case.ticket.body is None:
        raise NotFound("ticket.unknown", "Tiket itu tidak ada. Periksa nomornya.")
    pin, salt = numbers.new_pin(), secrets.token_bytes(16)
    hashed = {"salt": salt.hex(), "hash": numbers.pin_hash(pin, salt).hex()}
    body = replace(case.ticket.body, pin=hashed)
    registering.keep_body(session, case.ticket, body, desk)
    _line(session, case, ("new_pin", None), desk)
    return pin


def review(session: Session, event_id: UUID, said: str, desk: Desk) -> None:
    """Look at a single-handed decision that was drawn for the sample (§2.7).

    Raises:
        NotFound: no such line waits.
        Forbidden: who decided does not review it himself.
    """
    row = store.event_row(session, event_id, lock=True)
    if row is None or not row.sampled or row.reviewed_at is not None:
        raise NotFound("sample.unknown", "Keputusan itu tidak menunggu uji petik.")
    if row.officer_id == desk.actor.officer_id or not desk.actor.holds(
        Role.UPT_COORDINATOR, Role.STEERING
    ):
        raise Forbidden("sample.own", "Keputusan ini harus ditelaah orang lain yang berwenang.")
    values = {"reviewed_by": desk.actor.officer_id, "reviewed_at": desk.now.moment}
    store.set_event(session, event_id, values)
    case = store.get(session, TicketId(row.ticket_id), desk.vault, lock=True)
    if case is not None:
        _line(session, case, ("review", None), desk, (_said(said), None))


def _open(session: Session, ticket_id: TicketId, desk: Desk, roles: tuple[Role, ...]) -> Case:
    case = find(session, ticket_id, desk, lock=True)
    if not desk.actor.holds(*roles):
        raise Forbidden("ticket.role", "Peran Anda tidak mencakup langkah ini.")
    return case


def _need(case: Case, need_id: NeedId) -> Need:
    found = case.need(need_id)
    if found is None:
        raise NotFound("need.unknown", "Kebutuhan itu tidak ada pada tiket ini.")
    return found


def _said(given: str) -> str:
    said = given.strip()
    if len(said) < SHORTEST:
        raise Refused("ticket.asks_reason", "Tuliskan beberapa kata.")
    return said[:2000]


def _line(
    session: Session,
    case: Case,
    what: tuple[str, Need | None],
    desk: Desk,
    said: tuple[str, Mapping[str, Any] | None] = ("", None),
) -> None:
    event, need = what
    reason, data = said
    state = case.ticket.state if need is None else need.state
    need_id = None if need is None else need.id
    line = Line(event, state, state, desk.actor.roles[0], None, need_id, reason, data)
    journal.write(session, case.ticket, line, desk)
