"""An agency that left takes back what it said: by the steps of `reevaluation`, for all its batches.

Nothing is deleted: the batches stay provable, and come back when the agency, enrolled anew, attests
them or publishes again.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from gateway.index import rejudging
from gateway.intake import judging, store_withdrawals
from gateway.trust import query as trust


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """How far a withdrawal has come.

    Attributes:
        batches: taken back.
        records: whose live version had to be found anew, and `done` those for which that is done.
        links_left: records whose links still wait for a worker.
        finished: when the live view stood.
    """

    departure: int
    agency: str
    batches: int
    records: int
    done: int
    links_left: int
    started: datetime
    finished: datetime | None


def begin(session: Session, departure: int, now: datetime) -> None:
    """Take back all that the agency said up to its departure; repeating it changes nothing.

    Raises:
        NotFound: there is no such departure.
    """
    left = trust.departure(session, departure)
    if not store_withdrawals.begin(session, departure, left.agency, now):
        return
    judged = judging.judge(session, left.agency)
    store_withdrawals.set_records(session, departure, judged.records)


def progress(session: Session, agency: str | None = None) -> list[Withdrawn]:
    """Every withdrawal, or those of one agency, oldest first."""
    found = []
    for row in store_withdrawals.every(session, agency):
        ids = store_withdrawals.batches(session, row.departure)
        unjudged, links = rejudging.waiting(session, ids)
        done = max(0, row.records - unjudged)
        at = (row.started, row.finished)
        found.append(Withdrawn(row.departure, row.agency, len(ids), row.records, done, links, *at))
    return found
