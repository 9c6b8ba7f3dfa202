"""What somebody has to do next: mine, my desk's, the unit's; late, today, this week, with others.

An item is a ticket that is not in service yet, or a need of one that is. Order: emergencies, then
what is due soonest, then the oldest.

Source: design/domain.md §2.6, §5.4 (6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from gateway.access.model import Role
from gateway.complaints import clock, store_queues
from gateway.complaints.clock import Due, Light, Now
from gateway.complaints.lifecycle import Clock, Kind, State, lifecycle
from gateway.complaints.model import Desk, NeedId, TicketId
from gateway.complaints.visibility import HOUSE
from gateway.errors import Forbidden

SHOWN = 100
_WEEK = timedelta(days=7)
_OURS = frozenset(
    (
        *("registered", "identity_review", "survey_queued", "surveying", "survey_review"),
        *("verified", "proposed", "returned"),
    )
)
"""States in which the house has to act; in all other open ones it waits for somebody."""


class Whose(StrEnum):
    """Which queue."""

    MINE = "saya"
    COUNTER = "loket"
    UNIT = "unit"


class Bucket(StrEnum):
    """When something is to be done."""

    LATE = "late"
    TODAY = "today"
    WEEK = "week"
    LATER = "later"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do.

    Attributes:
        counters: desks that have something of it.
        late_entry: *data lama*.
        contact: a waiting person is to be contacted.
    """

    ticket_id: TicketId
    need_id: NeedId | None
    number: str
    state: State
    kinds: tuple[str, ...]
    agency: str | None
    kelurahan: str | None
    since: Now
    due: Due
    light: Light | None
    bucket: Bucket
    emergency: bool
    escalated: bool
    late_entry: bool
    contact: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """The items shown, and how many there are in each bucket."""

    items: tuple[Item, ...]
    counts: Mapping[Bucket, int]

    def of(self, bucket: Bucket) -> list[Item]:
        """The items of one bucket."""
        return [i for i in self.items if i.bucket is bucket]


def queue(session: Session, whose: Whose, counter: str | None, desk: Desk) -> Queue:
    """A queue, for people of the house and for those who steer it.

    Raises:
        Forbidden: none of his roles has queues.
    """
    actor = desk.actor
    if not actor.holds(*HOUSE, Role.STEERING):
        raise Forbidden("ticket.role", "Peran Anda tidak mencakup antrean ini.")
    asked = {
        **_open(),
        "all_restricted": actor.holds(Role.UPT_COORDINATOR),
        "me": actor.officer_id,
        "owner": actor.officer_id if whose is Whose.MINE else None,
        "counter": counter if whose is Whose.COUNTER else None,
        **_times(desk.now),
        "limit": SHOWN,
    }
    items = tuple(_item(row, desk) for row in store_queues.waiting(session, asked))
    counts: dict[Bucket, int] = dict.fromkeys(Bucket, 0)
    for row in store_queues.counts(session, asked):
        counts[_place(row.state, Bucket(row.bucket), contact=row.contact)] += row.n
    return Queue(items, counts)


def late(session: Session, desk: Desk, limit: int) -> list[Item]:
    """What is late and has not been told to anybody: for the duty that escalates."""
    asked = {**_open(), **_times(desk.now), "limit": limit}
    return [_item(row, desk) for row in store_queues.overdue(session, asked)]


def samples(session: Session, desk: Desk) -> Sequence[Any]:
    """Single-handed decisions to be looked at: (id, event, on_day, number), oldest first."""
    if not desk.actor.holds(Role.UPT_COORDINATOR, Role.STEERING):
        return ()
    return store_queues.samples(session, SHOWN)


def states(session: Session) -> Mapping[str, int]:
    """How many tickets stand in each state."""
    return store_queues.states(session)


def _open() -> dict[str, list[str]]:
    tickets, needs = (lifecycle()[kind].states.values() for kind in Kind)
    never = (Clock.NONE, Clock.NEEDS)
    return {
        "open_tickets": [s.code for s in tickets if not s.closed and s.clock not in never],
        "open_needs": [s.code for s in needs if not s.closed],
    }


def _times(now: Now) -> dict[str, Any]:
    return {"now": now.moment, "today": now.today, "week": now.today + _WEEK}


def _item(row: Any, desk: Desk) -> Item:
    kind = Kind.COMPLAINT if row.need_id is None else Kind.NEED
    since, due = Now(row.since_on, row.since_at), Due(row.due_on, row.due_at)
    light = clock.light(desk.profile, due, since, desk.now)
    contact = row.contact_on is not None and row.contact_on <= desk.now.today
    return Item(
        ticket_id=TicketId(row.ticket_id),
        need_id=None if row.need_id is None else NeedId(row.need_id),
        number=row.number,
        state=lifecycle()[kind].states[row.state],
        kinds=tuple(row.kinds or ()),
        agency=row.agency,
        kelurahan=row.kelurahan,
        since=since,
        due=due,
        light=light,
        bucket=_place(row.state, _when(due, light, desk.now.today), contact=contact),
        emergency=row.emergency,
        escalated=row.escalated_at is not None,
        late_entry=row.received_on < row.entered_on,
        contact=contact,
    )


def _when(due: Due, light: Light | None, today: date) -> Bucket:
    if light is Light.RED:
        return Bucket.LATE
    day = due.on if due.at is None else due.at.date()
    if day is None:
        return Bucket.LATER
    return Bucket.TODAY if day <= today else Bucket.WEEK if day <= today + _WEEK else Bucket.LATER


def _place(state: str, when: Bucket, *, contact: bool) -> Bucket:
    """With others, unless it is late, or a waiting person is to be contacted: that is ours."""
    if contact:
        return Bucket.TODAY
    return when if state in _OURS or when is Bucket.LATE else Bucket.OTHERS
