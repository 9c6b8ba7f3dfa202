"""`year`: the turn of the fiscal year over 20,000 needs that wait for it, and again.

The value is the rate of the first run: each need is moved through the one door, with its line of
history and its leaf. The second run must find nothing, and no day in the queue may have changed.
The needs are written straight into the tables, as a state that the door would reach in hours.
"""

import time
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.figure import Figure
from bench.lab import BenchFailed, House, Lab, house
from gateway.complaints import registering, store, year
from gateway.complaints.clock import Now
from gateway.complaints.model import Actor, Body, Channel, Desk
from gateway.complaints.needs import Wanted
from gateway.complaints.registering import Registration
from schemas.profile import Profile

BEFORE, AFTER = date(2025, 11, 3), date(2026, 1, 1)
_EACH = 4
"""Needs on one ticket: the lock and the history of a ticket are then no rarer than at a desk."""
_SUM = text("select count(*), sum(queue_on - date '2000-01-01') from need where state = :state")


def run(lab: Lab) -> list[Figure]:
    """Needs moved in a second, and whether twice is once."""
    needs = lab.size(20_000, 40)
    with house(lab, "year") as centre:
        _fill(centre, needs)
        before = _days(centre, "next_fy")
        begun = time.perf_counter()
        moved = _turn(centre)
        seconds = time.perf_counter() - begun
        again, after = _turn(centre), _days(centre, "waiting_list")
    if (moved, again, before) != (needs, 0, after):
        raise BenchFailed("the year did not turn once")
    return [
        Figure(
            name="year",
            value=round(needs / seconds),
            unit="needs/s",
            peer=f"{needs:,} needs moved once; the second run:",
            peer_value=again,
            holds=True,
        )
    ]


def _turn(centre: House) -> int:
    desk, moved, all_moved = _desk(centre, AFTER), year.AT_ONCE, 0
    while moved == year.AT_ONCE:
        with centre.sessions.begin() as session:
            moved = year.turn(session, desk)["moved"]
        all_moved += moved
    return all_moved


def _fill(centre: House, needs: int) -> None:
    desk = _desk(centre, BEFORE)
    kinds = list(desk.profile.need_kinds)
    for n in range(needs // _EACH):
        person = {"name": f"Warga {n}", "no_id_reason": "tolok ukur", "kelurahan": "-"}
        wanted = [Wanted(kinds[i % 10]) for i in range(_EACH)]
        given = Registration(Body(person), wanted, Channel.COUNTER, BEFORE, note="tolok ukur")
        with centre.sessions.begin() as session:
            ticket = registering.register(session, given, desk).case.ticket
            store.set_ticket(session, ticket.id, {"state": "in_service"})
            _put_off(session, ticket.id)


def _put_off(session: Session, ticket_id: Any) -> None:
    session.execute(
        text(
            "update need set state = 'next_fy', target_fy = 2026,"
            " queue_on = date '2025-01-01' + n where ticket_id = :id"
        ),
        {"id": ticket_id},
    )


def _days(centre: House, state: str) -> Any:
    with centre.sessions() as session:
        return tuple(session.execute(_SUM, {"state": state}).one())


def _desk(centre: House, today: date) -> Desk:
    actor = Actor(("counter_officer",), "bench")
    profile = Profile.load(centre.settings.profile)
    return Desk(actor, centre.vault, profile, Now(today, datetime.now(UTC)))
