"""Accepting many alike pairs at once, after a sample of them has been decided by hand.

A round is drawn above a threshold; a few of its tasks, chosen by the hash of their ids and so by
nobody, must each have been decided first. One that was not *sama* ends the round.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.access.model import Action, Purpose, decide
from gateway.errors import Conflict, NotFound, Refused
from gateway.index import judgements
from gateway.index.verdict import Verdict
from gateway.stewards import deciding, store
from gateway.stewards.deciding import Decision, Desk
from gateway.stewards.model import BULK_MOST, BULK_SAMPLE, State, Task
from gateway.storage import ids

KIND = "K00"


@dataclass(frozen=True, slots=True)
class Round:
    """A round as it stands.

    Attributes:
        least: average bits of its pairs.
        rest: tasks that would be accepted now.
        sample: those to be decided first, and what was decided of each.
    """

    id: UUID
    least: float
    rest: tuple[Task, ...]
    sample: tuple[tuple[Task, Verdict | None], ...]
    done_at: datetime | None

    @property
    def missing(self) -> int:
        """How many of the sample wait to be decided."""
        return sum(v is None and t.closed_at is None for t, v in self.sample)

    @property
    def is_spoilt(self) -> bool:
        """One of the sample was no *sama*."""
        return any(v not in (None, Verdict.SAME) for _, v in self.sample)


def draw(session: Session, least: float, desk: Desk) -> UUID:
    """Draw a round of at most fifty pairs that are at least so alike on average.

    Raises:
        Forbidden: the officer's roles may not judge.
        Refused: there are no more pairs than the sample.
    """
    decide(desk.officer, Action.JUDGE, Purpose.DATA_REVIEW)
    found = [t.id for t in store.likely(session, KIND, least, BULK_MOST)]
    if len(found) <= BULK_SAMPLE:
        raise Refused(
            "bulk.few",
            "Pasangan di atas ambang itu terlalu sedikit untuk diterima bersama. Putuskan satu "
            "per satu, atau pilih ambang lain.",
        )
    made = ids.new()
    ranked = sorted(found, key=lambda i: hashlib.sha256(made.bytes + i.bytes).digest())
    row = {
        "id": made,
        "officer_id": desk.officer.id,
        "least": least,
        "tasks": found,
        "sample": ranked[:BULK_SAMPLE],
        "made_at": desk.now,
    }
    store.add_round(session, row)
    return made


def look(session: Session, round_id: UUID, *, lock: bool = False) -> Round:
    """A round, and how far its sample is.

    Raises:
        NotFound: there is none.
    """
    row = store.get_round(session, round_id, lock=lock)
    if row is None:
        raise NotFound("bulk.unknown", "Putaran itu tidak ada. Kembali ke meja data.")
    found = {t.id: t for t in store.get_many(session, row.tasks)}
    sample = [found[i] for i in row.sample]
    rest = (t for i, t in found.items() if i not in row.sample)
    return Round(
        id=round_id,
        least=row.least,
        rest=tuple(t for t in rest if t.closed_at is None and t.state is State.OPEN),
        sample=tuple((t, _verdict(session, t)) for t in sample),
        done_at=row.done_at,
    )


def accept(session: Session, round_id: UUID, reason: str, desk: Desk) -> int:
    """Decide the rest of a round as *sama*; returns how many that were.

    Raises:
        Conflict: the sample is not decided yet, was no *sama*, or the round is over.
        Forbidden, Refused, TooMany: as for one task; then none is decided.
    """
    found = look(session, round_id, lock=True)
    if found.done_at is not None or found.missing or found.is_spoilt:
        raise Conflict(
            "bulk.sample",
            "Contoh dari putaran ini belum selesai diperiksa, ada yang bukan orang yang sama, atau "
            "putaran sudah selesai. Tidak ada yang diubah.",
        )
    for task in found.rest:
        deciding.judge(session, Decision(task.id, Verdict.SAME, reason), desk)
    store.end_round(session, round_id, desk.now)
    return len(found.rest)


def _verdict(session: Session, task: Task) -> Verdict | None:
    if task.judgement_id is None:
        return None
    row = judgements.find(session, task.judgement_id)
    return None if row is None or row.undone_at is not None else Verdict(row.verdict)
