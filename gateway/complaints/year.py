"""The turn of the fiscal year: what was put off waits in this year's list, with its old place.

It may run late, twice or in parts: a need moves once, since afterwards it no longer stands where
the job looks for it. What the year waits for is the list for the budget.

Source: design/domain.md §2.4 (N15), §5.9 (fiscal-year job).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from gateway.complaints import store_inbox
from gateway.complaints.model import SYSTEM_ACTOR, Act, Desk, NeedId, TicketId
from gateway.complaints.service import Target, handle

AT_ONCE = 200
"""Needs that are moved in one transaction."""


@dataclass(frozen=True, slots=True)
class Wished:
    """What a kind of need at one agency waits for; money in whole rupiah.

    Attributes:
        unknown: needs of which nobody has said an amount; they are not in `amount_idr`.
        since: the oldest day in the queue.
    """

    agency: str
    kind: str
    needs: int
    amount_idr: int
    unknown: int
    since: date | None


def turn(session: Session, desk: Desk, limit: int = AT_ONCE) -> Mapping[str, int]:
    """Move at most `limit` needs into this year: how many moved, how many waiting were carried.

    The caller commits, and calls again while `moved` is the limit.
    """
    system, year = desk.by(SYSTEM_ACTOR), desk.now.today.year
    rows = store_inbox.rolling(session, year, limit)
    for row in rows:
        act = Act("fy_rollover", data={"target_fy": year})
        handle(session, Target(TicketId(row.ticket_id), NeedId(row.id)), act, system)
    return {"moved": len(rows), "carried": store_inbox.carry(session, year)}


def budget(session: Session, year: int) -> list[Wished]:
    """What waits for a fiscal year, by agency and kind of need."""
    return [
        Wished(r.agency, r.kind, r.n, int(r.amount_idr), r.unknown, r.since)
        for r in store_inbox.budget(session, year)
    ]
