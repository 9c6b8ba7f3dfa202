"""What can be asked of the stewards' desk: causes, tasks and decisions; no person's data."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.access import decisions
from gateway.access.decisions import Decided
from gateway.index import judgements
from gateway.index.judgements import Row
from gateway.stewards import store
from gateway.stewards.breakers import FLOODING
from gateway.stewards.model import AGENCY_DISTRUSTED, WAITING, Kind, State, Task, kinds
from gateway.storage import ids

SHOWN = 100
RECENT = 10
OURS = frozenset(("steward", "coordinator", "verifier"))
"""Who acts on a task in this house; all others wait for an agency."""


@dataclass(frozen=True, slots=True)
class Cause:
    """All tasks of one kind at one agency.

    Attributes:
        waiting: that somebody has to decide; `set_aside` those that wait for data or an agency.
        hidden: they stand behind the one task of a flood.
    """

    kind: Kind
    agency: str
    waiting: int
    set_aside: int
    since: datetime
    hidden: bool


@dataclass(frozen=True, slots=True)
class Past:
    """A task that was decided, its judgement, and what the log says of it."""

    task: Task
    judgement: Row
    decided: tuple[Decided, ...]


def causes(session: Session) -> list[Cause]:
    """Every cause that stands, the most useful first."""
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    since: dict[tuple[str, str], datetime] = {}
    for row in store.by_cause(session):
        key = (row.kind, row.agency)
        counts[key][row.state] = row.n
        since[key] = min(row.since, since.get(key, row.since))
    flooded = {agency for kind, agency in counts if kind == AGENCY_DISTRUSTED}
    made = [
        Cause(
            kind=kinds()[kind],
            agency=agency,
            waiting=sum(n for s, n in by_state.items() if s in WAITING),
            set_aside=sum(by_state.get(s, 0) for s in (State.UNSURE, State.AT_SOURCE)),
            since=since[kind, agency],
            hidden=kind in FLOODING and agency in flooded,
        )
        for (kind, agency), by_state in counts.items()
    ]
    return sorted(made, key=lambda c: (c.kind.rank, -c.waiting, c.kind.code, c.agency))


def tasks(session: Session, kind: str, agency: str | None, *, aside: bool = False) -> list[Task]:
    """Tasks of a cause, the most useful first; `aside` those that were set aside."""
    states = (State.UNSURE, State.AT_SOURCE) if aside else WAITING
    return store.newest(session, kind, agency, states, SHOWN)


def kinds_about(session: Session, person: UUID) -> list[Kind]:
    """What does not fit about a person and waits for somebody, each kind once."""
    standing = store.standing(session, [person], ())
    return list({t.kind.code: t.kind for t in standing if t.state is not State.UNSURE}.values())


def past_of(session: Session, task: Task) -> list[Past]:
    """What was judged about the records of a task before, the newest first."""
    rows = judgements.about(session, sorted({*task.records} - {0}))
    return [Past(task, row, _said(session, row.id)) for row in rows]


def recent(session: Session) -> list[Past]:
    """The newest decisions."""
    found = []
    for task in store.decided(session, RECENT):
        row = judgements.find(session, task.judgement_id) if task.judgement_id else None
        if row is not None:
            found.append(Past(task, row, _said(session, row.id)))
    return found


def new_a_week(session: Session, now: datetime) -> int:
    """How many tasks for this house were opened in the last seven days."""
    ours = [k.code for k in kinds().values() if k.to in OURS]
    return store.opened_since(session, ours, now - timedelta(days=7))


def _said(session: Session, judgement_id: UUID) -> tuple[Decided, ...]:
    return tuple(decisions.about(session, f"judgement/{ids.show(judgement_id)}"))
