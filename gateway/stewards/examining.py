"""Tasks follow the data: what the index finds is opened, what it finds no more closes by itself.

One task stands for each cause and what it is about. What was judged before keeps its place: a pair
judged to be two persons is not proposed again until the data of one of the two change.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.index import conflicts
from gateway.index.arrivals import IndexTools
from gateway.index.conflicts import Examined, Watch
from gateway.index.contradictions import Conflict
from gateway.index.verdict import Verdict
from gateway.stewards import breakers, store
from gateway.stewards.model import PAIR_KINDS, PLACE_KIND, PROGRAM_KIND, State, Task, excluded_work

AT_ONCE = 2_000
"""Entries examined in one transaction; a record that stirred often is looked at once."""

_STATES = {Verdict.UNSURE: State.UNSURE, Verdict.AT_SOURCE: State.AT_SOURCE}


def examine(session: Session, tools: IndexTools, now: datetime, limit: int = AT_ONCE) -> int:
    """Look at what has stirred; returns how many entries that was, 0 when nothing is left.

    Repeating it changes nothing; the caller commits.
    """
    programs, places = (store.abouts(session, kind) for kind in (PROGRAM_KIND, PLACE_KIND))
    watch = Watch(excluded_work(), programs, places)
    found = conflicts.examine(session, tools, limit, watch)
    if not found.entries:
        return 0
    standing = {(t.kind.code, t.about): t for t in _standing(session, found)}
    wanted = [c for c in found.conflicts if not _is_settled(c, found)]
    rows = [_row(c, standing.get((c.kind, c.about)), found, now) for c in wanted]
    store.put(session, sorted(rows, key=lambda r: (str(r["kind"]), str(r["about"]))))
    keep = {(c.kind, c.about) for c in wanted}
    gone = [t for key, t in standing.items() if key not in keep]
    store.close(session, _ids(gone, decided=False), "data", now)
    store.close(session, _ids(gone, decided=True), "decision", now)
    agencies = {c.agency for c in wanted} | {t.agency for t in gone}
    breakers.watch(session, agencies, tools.profile, now)
    return found.entries


def _standing(session: Session, found: Examined) -> list[Task]:
    """Tasks that the examination could have found again."""
    tasks = store.standing(session, found.persons, found.abouts, found.taken)
    return [t for t in tasks if t.persons not in found.passed and t.kind.code[0] in "KD"]


def _ids(tasks: Sequence[Task], *, decided: bool) -> list[UUID]:
    return [t.id for t in tasks if (t.judgement_id is not None) == decided]


def _is_settled(conflict: Conflict, found: Examined) -> bool:
    """Judged to be no conflict: remembered as long as the data stand."""
    return found.decided.get((conflict.kind, conflict.about)) is Verdict.DIFFERENT


def _row(
    conflict: Conflict, before: Task | None, found: Examined, now: datetime
) -> dict[str, object]:
    persons = (*conflict.persons, None, None)
    judged = found.decided.get((conflict.kind, conflict.about))
    state = _STATES.get(judged, State.OPEN) if judged is not None else State.OPEN
    if before is not None and before.state is State.SECOND and judged is None:
        state = State.SECOND
    records = conflict.records
    if before is not None and conflict.kind in PAIR_KINDS and state is State.SECOND:
        records = before.records
    return {
        "kind": conflict.kind,
        "about": conflict.about,
        "person_a": persons[0],
        "person_b": persons[1],
        "record_a": records[0],
        "record_b": records[1],
        "agency": conflict.agency,
        "bits": conflict.bits,
        "worth": conflict.worth,
        "state": state.value,
        "opened_at": now,
    }
