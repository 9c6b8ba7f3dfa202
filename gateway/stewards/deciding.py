"""Decisions: one task, one judgement, one leaf of the log; carried out by a worker, undone at will.

A decision moves nothing by itself: it is written with its reason, its records are promised to the
worker, and linking them anew is the same step as for any batch. So undoing it restores what was.

Source: design/domain.md 6.3; linkage.md 6 (7).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.access import decisions
from gateway.access.decisions import Statement
from gateway.access.model import Action, Officer, Purpose, Role, decide
from gateway.errors import Conflict, Forbidden, NotFound, Refused
from gateway.index import conflicts, judgements
from gateway.index.judgements import Judged, Row
from gateway.index.verdict import Verdict
from gateway.jobs import Job
from gateway.stewards import breakers, store
from gateway.stewards.model import State, Task
from gateway.storage import ids, outbox
from keys.vault import Vault

SHORTEST_REASON = 5
_NEXT = {Verdict.UNSURE: State.UNSURE, Verdict.AT_SOURCE: State.AT_SOURCE}
_GONE = "Data tugas ini sudah berubah sehingga tidak perlu diputuskan lagi. Tidak ada yang diubah."


@dataclass(frozen=True, slots=True)
class Decision:
    """What an officer decides of a task, and why, in his own words."""

    task_id: UUID
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Who sits at the desk, with what, and when."""

    officer: Officer
    vault: Vault
    now: datetime


def judge(session: Session, decision: Decision, desk: Desk) -> UUID:
    """Decide a task; returns the judgement, by which it can be undone. The caller commits.

    Raises:
        Forbidden: his roles may not judge.
        NotFound: no such task.
        Conflict: it closed meanwhile, or somebody else decided it (`task.closed`).
        Refused: no reason, or a decision that this kind does not know.
        TooMany: he merges faster than anybody reads; see `breakers.tell`.
    """
    role = decide(desk.officer, Action.JUDGE, Purpose.DATA_REVIEW)
    task = find(session, decision.task_id, lock=True)
    reason = _reason(decision.reason)
    if task.closed_at is not None or task.state in (State.DECIDED, State.SECOND):
        raise Conflict("task.closed", _GONE)
    if decision.verdict not in task.kind.decisions:
        raise Refused("task.verdict", "Keputusan itu tidak berlaku untuk jenis tugas ini.")
    if decision.verdict is Verdict.SAME:
        breakers.check_haste(session, desk.officer.id, desk.now)
    body = {"verdict": decision.verdict.value, "cause": task.kind.code, "reason": reason}
    made = ids.new()
    leaf = _write(session, desk, ("judge", role, made), {"task": ids.show(task.id), **body})
    of_two = decision.verdict is Verdict.SAME and conflicts.takes_two(session, task.persons)
    judged = Judged(
        made, task.kind.code, decision.verdict, *task.records, desk.officer.id, leaf, of_two
    )
    if task.kind.code[0] != "B" and not judgements.judge(session, judged, desk.vault, desk.now):
        raise Conflict("task.closed", _GONE)
    state = State.SECOND if of_two else _NEXT.get(decision.verdict, State.DECIDED)
    store.decide(session, task.id, state, made)
    outbox.promise(session, Job.RECONCILE, {"batch": str(made)})
    return made


def second(session: Session, judgement_id: UUID, reason: str, desk: Desk) -> None:
    """A second person stands behind a merge across registered NIKs: it is carried out now.

    Raises:
        Forbidden: his roles may not judge, or he is the first person himself.
        NotFound: no such judgement.
        Conflict: it does not wait for a second person (any more).
    """
    role = decide(desk.officer, Action.JUDGE, Purpose.DATA_REVIEW)
    row = _row(session, judgement_id)
    if row.officer_id == desk.officer.id:
        raise Forbidden(
            "stewards.same_person",
            "Penyatuan dua NIK terdaftar memerlukan dua orang. Mintalah rekan Anda; usulan tetap "
            "tersimpan.",
        )
    if not row.of_two or row.second_id is not None or row.undone_at is not None:
        raise Conflict("task.closed", _GONE)
    body = {"of": ids.show(judgement_id), "verdict": row.verdict, "reason": _reason(reason)}
    leaf = _write(session, desk, ("second_judgement", role, judgement_id), body)
    judgements.second(session, row, desk.officer.id, leaf)
    for task in store.of_judgement(session, judgement_id):
        store.decide(session, task.id, State.DECIDED, judgement_id)
    outbox.promise(session, Job.RECONCILE, {"batch": str(judgement_id)})


def undo(session: Session, judgement_id: UUID, reason: str, desk: Desk) -> None:
    """A judgement counts no more; a worker restores what was before it.

    Raises:
        Forbidden: his roles may not judge.
        NotFound: no such judgement.
        Conflict: it is undone already.
    """
    role = decide(desk.officer, Action.JUDGE, Purpose.DATA_REVIEW)
    row = _row(session, judgement_id)
    if row.undone_at is not None:
        raise Conflict("task.undone", "Keputusan ini sudah dibatalkan. Tidak ada yang diubah.")
    body = {"of": ids.show(judgement_id), "verdict": row.verdict, "reason": _reason(reason)}
    leaf = _write(session, desk, ("undo_judgement", role, judgement_id), body)
    judgements.undo(session, row, leaf, desk.now)
    for task in store.of_judgement(session, judgement_id):
        if task.closed_at is None:
            store.decide(session, task.id, State.OPEN, None)
    outbox.promise(session, Job.RECONCILE, {"batch": str(judgement_id)})


def find(session: Session, task_id: UUID, *, lock: bool = False) -> Task:
    """A task.

    Raises:
        NotFound: there is none.
    """
    task = store.get(session, task_id, lock=lock)
    if task is None:
        raise NotFound("task.unknown", "Tugas itu tidak ada. Kembali ke meja data.")
    return task


def _row(session: Session, judgement_id: UUID) -> Row:
    row = judgements.find(session, judgement_id, lock=True)
    if row is None:
        raise NotFound("judgement.unknown", "Keputusan itu tidak ada. Kembali ke meja data.")
    return row


def _reason(given: str) -> str:
    reason = " ".join(given.split())
    if len(reason) < SHORTEST_REASON:
        raise Refused("reason.missing", "Tuliskan alasan keputusan Anda dalam beberapa kata.")
    return reason[:200]


def _write(
    session: Session, desk: Desk, what: tuple[str, Role, UUID], body: dict[str, str]
) -> bytes:
    kind, role, judgement_id = what
    subject = f"judgement/{ids.show(judgement_id)}"
    statement = Statement(kind, role.value, body, subject)
    return decisions.record(session, desk.officer, statement, desk.vault, desk.now).leaf
