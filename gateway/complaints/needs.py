"""Rows of needs: made at registration, or asked for anew."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from gateway.complaints import clock, sealing
from gateway.complaints.lifecycle import Kind, lifecycle
from gateway.complaints.model import Desk, Need, Ticket
from gateway.storage import ids


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing asked for, as the counter writes it down.

    Attributes:
        kind: a code of the profile's need kinds.
        subject: name, birth_date, relation of whom it is for; empty for the complainant himself.
        person_id: the person of the index for whom it is.
        agency: which is to be asked; the first of the kind where nobody chose.
    """

    kind: str
    subject: Mapping[str, str] = field(default_factory=dict)
    person_id: UUID | None = None
    agency: str | None = None


def rows(wanted: Iterable[Wanted], last: int, ticket: Ticket, desk: Desk) -> list[dict[str, Any]]:
    """The rows of needs whose places follow on `last`, all in the first state."""
    return [_row(each, n, ticket, desk) for n, each in enumerate(wanted, last + 1)]


def renewed(needs: Iterable[Need], last: int, ticket: Ticket, desk: Desk) -> list[dict[str, Any]]:
    """The same things asked for once more."""
    again = (Wanted(n.kind, n.subject, n.person_id, n.agency) for n in needs)
    return rows(again, last, ticket, desk)


def _row(wanted: Wanted, n: int, ticket: Ticket, desk: Desk) -> dict[str, Any]:
    kind = desk.profile.need_kinds[wanted.kind]
    machine = lifecycle()[Kind.NEED]
    limit = machine.states[machine.initial].limit
    due = clock.limit(desk.profile, limit, desk.now, emergency=ticket.emergency)
    need_id = ids.new()
    place = ("need", need_id, desk.now.moment)
    return {
        "id": need_id,
        "ticket_id": ticket.id,
        "n": n,
        "kind": wanted.kind,
        "state": machine.initial,
        "since_on": desk.now.today,
        "since_at": desk.now.moment,
        "due_on": due.on,
        "due_at": due.at,
        "made_at": desk.now.moment,
        "counter": desk.profile.counter_of(kind.bidang),
        "agency": wanted.agency or kind.agencies[0],
        "person_id": wanted.person_id,
        "sealed": sealing.seal(desk.vault, place, wanted.subject),
    }
