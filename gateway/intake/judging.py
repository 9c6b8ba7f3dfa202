"""Bringing the world in line with what is believed: batches into quarantine, and back.

The judgement is taken anew each time from all that was signed, so it does not matter how often or
in which order revocations and attestations come; only what differs from it is moved.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.index import rejudging
from gateway.intake import judgement, store_reevaluation
from gateway.intake.judgement import Stood
from gateway.intake.store_reevaluation import Cause
from gateway.jobs import Job
from gateway.ledger import query as log
from gateway.storage import outbox
from gateway.trust import query as trust


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judgement moved: batches either way, and how many records must be judged anew."""

    quarantined: int
    restored: int
    records: int


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Why what a key signed does not count, from which size of the log on."""

    cause: Cause
    size: int


def judge(session: Session, agency: str) -> Judged:
    """Quarantine what is believed no more, and bring back what is; live versions follow by job.

    1. No batch of the agency is accepted or applied meanwhile.
    2. What is believed: see `judgement`.
    3. States; the index is told, and notes the records to look at. Streams may begin anew.
    4. What waited for a batch that is gone, or is back, goes on.
    """
    store_reevaluation.close(session, agency)  # 1
    doubts = _doubts(session, agency)
    stood, out = _stood(session, agency, doubts)
    bad = judgement.untrusted(stood, {kid: d.size for kid, d in doubts.items()})  # 2
    fallen = [b for b in stood if b.id in bad - out]
    back = sorted(out - bad)
    noted = _quarantine(session, fallen, doubts)  # 3
    noted |= _restore(session, back)
    _go_on(session, agency, noted)  # 4
    return Judged(len(fallen), len(back), sum(noted.values()))


def _doubts(session: Session, agency: str) -> dict[str, _Doubt]:
    """By key id: revoked since a size of the log, or of an agency that took all of it back."""
    withdrawn = {
        kid: _Doubt(Cause(left.id, left.at, is_departure=True), 0)
        for kid, left in trust.withdrawn_keys(session, agency).items()
    }
    revoked = {
        r.kid: _Doubt(Cause(r.id, r.since), r.size_at_since)
        for r in trust.revocations(session, agency)
    }
    return {**revoked, **withdrawn}


def _stood(
    session: Session, agency: str, revoked: Collection[str]
) -> tuple[list[Stood], frozenset[UUID]]:
    """The batches that matter, and which of them are in quarantine."""
    rows = store_reevaluation.stood(session, agency, revoked)
    places = log.indexes(session, [row.leaf for row in rows])
    attested = store_reevaluation.attested(session, agency)
    stood = [
        store_reevaluation.to_stood(row, places.get(row.leaf), attested.get(row.id, ()))
        for row in rows
    ]
    return stood, frozenset(row.id for row in rows if row.out)


def _quarantine(
    session: Session, fallen: Sequence[Stood], doubts: Mapping[str, _Doubt]
) -> dict[UUID, int]:
    """Each batch on account of its own key, or else of the latest cause."""
    if not fallen:
        return {}
    latest = max((d.cause for d in doubts.values()), key=lambda cause: cause.since)
    sizes = {kid: d.size for kid, d in doubts.items()}
    by_cause: dict[Cause, list[UUID]] = {}
    for b in fallen:
        cause = doubts[b.kid].cause if judgement.is_suspect(b, sizes) else latest
        by_cause.setdefault(cause, []).append(b.id)
    noted: dict[UUID, int] = {}
    for cause, chosen in by_cause.items():
        store_reevaluation.quarantine(session, chosen, cause)
        take = rejudging.withdraw if cause.is_departure else rejudging.distrust
        noted |= take(session, dict.fromkeys(chosen, cause.since))
    return noted


def _restore(session: Session, back: Sequence[UUID]) -> dict[UUID, int]:
    if not back:
        return {}
    for batch_id in store_reevaluation.restore(session, back):
        outbox.promise(session, Job.APPLY, {"batch": str(batch_id)})
    store_reevaluation.reopen(session, back)
    return rejudging.trust(session, back)


def _go_on(session: Session, agency: str, noted: Mapping[UUID, int]) -> None:
    for batch_id in store_reevaluation.waiting_ends(session, agency):
        outbox.promise(session, Job.APPLY, {"batch": str(batch_id)})
    for batch_id in sorted(noted):
        outbox.promise(session, Job.REEVALUATE, {"batch": str(batch_id)})
    if not noted:
        outbox.promise(session, Job.REEVALUATE, {"agency": agency})
