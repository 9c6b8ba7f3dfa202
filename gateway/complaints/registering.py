"""A complaint becomes a ticket: number, PIN, needs, verification; and what is found open already.

Source: design/domain.md §2.2 (C01–C04), §2.8, §2.9.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.complaints import clock, journal, needs, numbers, query, sealing, store, verification
from gateway.complaints.journal import Line
from gateway.complaints.lifecycle import Kind
from gateway.complaints.model import SYSTEM_ACTOR, Act, Body, Case, Channel, Desk, Ticket, TicketId
from gateway.complaints.needs import Wanted
from gateway.complaints.service import Target, due_in, find, handle, machines, role_for
from gateway.errors import Conflict, Forbidden, Refused
from gateway.storage import ids

LISTED_DAYS = 14
"""Working days for the whole case of a listed person. Source: design/domain.md §2.5."""
_SHORTEST_NAME = 2


@dataclass(frozen=True, slots=True)
class Registration:
    """What the counter wrote down.

    Attributes:
        body: who, how to reach him, what he said; `body.check` is the verification.
        received_on: when he came; today unless a backlog form is entered.
        person_id: the person of the index whom the officer chose.
        note: why a new ticket is opened although one is open for the same need.
    """

    body: Body
    wanted: Sequence[Wanted]
    channel: Channel
    received_on: date
    person_id: UUID | None = None
    emergency: str = ""
    restricted: bool = False
    note: str = ""
    historical: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Registered:
    """A new ticket, and its PIN in the clear: it is shown once and never kept."""

    case: Case
    pin: str


def register(session: Session, given: Registration, desk: Desk) -> Registered:
    """Make the ticket and verify it; the caller commits.

    Raises:
        Forbidden: none of his roles may register.
        Refused: the form lacks something (`form.…`).
        Conflict: the person has an open ticket for such a need, and no reason was given for
            another (`ticket.open_already`; `number` names it).
    """
    move = machines()[Kind.COMPLAINT].move("draft", "submit")
    role = None if move is None else role_for(desk.actor, move)
    if move is None or role is None:
        raise Forbidden("ticket.role", "Peran Anda tidak mencakup langkah ini.")
    check_form(given, desk)
    if not given.note:
        check_open(session, given, desk)
    pin, ticket = _add(session, given, desk)
    line = Line(move.event, move.source, move.target, role, move.id)
    journal.write(session, ticket, replace(line, reason=given.note, data=given.data), desk)
    if given.emergency:
        flag = Line("emergency", move.target, move.target, role, reason=given.emergency)
        journal.write(session, ticket, flag, desk)
    if not given.historical:
        verify(session, ticket.id, desk)
    return Registered(find(session, ticket.id, desk.by(SYSTEM_ACTOR)), pin)


def verify(session: Session, ticket_id: TicketId, desk: Desk) -> None:
    """Move a registered ticket by its snapshot; with stale data and nobody found it waits."""
    system = desk.by(SYSTEM_ACTOR)
    case = find(session, ticket_id, system)
    if case.ticket.body is None or not case.ticket.body.check:
        return
    check = case.ticket.body.check
    if check["verdict"] == "unlisted" and check.get("stale"):
        return
    handle(session, Target(ticket_id), Act(verification.event_of(check)), system)


def check_again(session: Session, case: Case, check: Mapping[str, Any], desk: Desk) -> None:
    """A ticket that waited is verified anew: the new snapshot stands beside what happened."""
    ticket = case.ticket
    if ticket.state != "registered" or ticket.body is None:
        raise Conflict("ticket.moved_on", "Tiket ini sudah dicek. Muat ulang halaman.")
    person = ids.parse(str(check.get("person", "")))
    keep_body(session, ticket, replace(ticket.body, check=check), desk)
    store.set_ticket(session, ticket.id, {"person_id": person or ticket.person_id})
    role = desk.actor.roles[0]
    journal.write(session, ticket, Line("check", ticket.state, ticket.state, role), desk)
    verify(session, ticket.id, desk)


def keep_body(session: Session, ticket: Ticket, body: Body, desk: Desk) -> None:
    """Seal a ticket's body anew, and its keys with it."""
    place = ("complaint", ticket.id, store.made_at(session, ticket.id))
    values = {
        "sealed": sealing.seal(desk.vault, place, asdict(body)),
        "found_by": sealing.keys_of(desk.vault, body, desk.profile),
    }
    store.set_ticket(session, ticket.id, values)


def check_form(given: Registration, desk: Desk) -> None:
    """Return if the form is whole.

    Raises:
        Refused: the first thing that is missing or impossible.
    """
    person, kinds = given.body.person, desk.profile.need_kinds
    if len(person.get("name", "").strip()) < _SHORTEST_NAME:
        raise Refused("form.name", "Tuliskan nama pengadu.")
    if not (person.get("nik") or person.get("birth_date") or person.get("no_id_reason")):
        raise Refused("form.identity", "Isi NIK atau tanggal lahir, atau alasan tanpa identitas.")
    if not person.get("kelurahan"):
        raise Refused("form.kelurahan", "Pilih kelurahan.")
    if not given.wanted or any(w.kind not in kinds for w in given.wanted):
        raise Refused("form.needs", "Pilih sedikitnya satu kebutuhan.")
    if given.received_on > desk.now.today:
        raise Refused("form.received", "Tanggal terima tidak boleh di masa depan.")


def check_open(session: Session, given: Registration, desk: Desk) -> None:
    """Return if no open ticket of the same person asks for the same.

    Raises:
        Conflict: one does (`ticket.open_already`).
    """
    kinds = {w.kind for w in given.wanted}
    keys = sealing.identity_keys(desk.vault, given.body, desk.profile)
    for case in query.open_of(session, given.person_id, keys, desk.vault):
        if kinds & {n.kind for n in case.needs}:
            raise Conflict(
                "ticket.open_already",
                f"Sudah ada tiket {case.ticket.number} untuk kebutuhan yang sama. Tambahkan catatan"
                " pada tiket itu, atau tuliskan alasan untuk tiket baru.",
                number=case.ticket.number,
            )


def _add(session: Session, given: Registration, desk: Desk) -> tuple[str, Ticket]:
    now, profile = desk.now, desk.profile
    pin, salt, ticket_id = numbers.new_pin(), secrets.token_bytes(16), TicketId(ids.new())
    hashed = {"salt": salt.hex(), "hash": numbers.pin_hash(pin, salt).hex()}
    body = replace(given.body, pin=hashed)
    year = given.received_on.year if given.historical else now.today.year
    running = store.next_running(session, year)
    emergency = bool(given.emergency)
    restricted = given.restricted or any(
        profile.need_kinds[w.kind].restricted for w in given.wanted
    )
    state = machines()[Kind.COMPLAINT].states["registered"]
    row = {
        "id": ticket_id,
        "year": year,
        "running": running,
        "number": numbers.ticket_number(year, running),
        "state": state.code,
        "since_on": now.today,
        "since_at": now.moment,
        **due_in(state, desk, emergency=emergency),
        "case_due": clock.add_days(profile, now.today, LISTED_DAYS),
        "received_on": given.received_on,
        "entered_on": now.today,
        "made_at": now.moment,
        "channel": given.channel.value,
        "person_id": given.person_id,
        "owner_id": desk.actor.officer_id,
        "kelurahan": body.person.get("kelurahan"),
        "emergency": emergency,
        "restricted": restricted,
        "historical": given.historical,
        "found_by": sealing.keys_of(desk.vault, body, profile),
        "sealed": sealing.seal(desk.vault, ("complaint", ticket_id, now.moment), asdict(body)),
    }
    store.add_ticket(session, row)
    case = find(session, ticket_id, desk.by(SYSTEM_ACTOR))
    store.add_needs(session, needs.rows(given.wanted, 0, case.ticket, desk))
    return pin, case.ticket
