"""Which findings stand: those about the version of a record that counts now.

Nobody closes a finding. Once the agency sends the record anew, its old line no longer counts, and
with it goes what was found about it; what is still wrong was found again about the new line.

Source: domain.md 5.9 (quality feedback); 7, scenario 38.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from gateway.index import census
from gateway.intake import store_quality

WEEKS = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A line by its position, never by a key: batch `seq` of a stream, line `i` from 0."""

    stream: str
    epoch: int
    seq: int
    i: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One finding that stands; `other` is the line that it is a double of, if it is one."""

    place: Place
    code: str
    field: str | None
    other: Place | None = None


def standing(session: Session, agency: str) -> list[Standing]:
    """The findings about what the agency says now, in the order in which it was sent."""
    rows = store_quality.told(session, agency)
    live = census.live_lines(session, agency, {r.batch_id for r in rows})
    return [
        Standing(Place(r.stream, r.epoch, r.seq, r.i), r.code, r.field)
        for r in rows
        if (r.batch_id, r.i) in live
    ]


def trend(session: Session, agency: str, now: datetime) -> dict[str, dict[datetime, int]]:
    """By code: how many findings the batches of each of the last eight weeks brought."""
    found: dict[str, dict[datetime, int]] = {}
    for row in store_quality.by_week(session, agency, now - timedelta(weeks=WEEKS)):
        found.setdefault(row.code, {})[row.week] = row.n
    return found


def places(session: Session, records: Collection[int]) -> dict[int, Place]:
    """Where the versions of these records that count now were sent."""
    lines = census.lines_of(session, records)
    known = store_quality.places(session, {batch_id for batch_id, _ in lines.values()})
    return {
        record: Place(*known[batch_id], i)
        for record, (batch_id, i) in lines.items()
        if batch_id in known
    }
