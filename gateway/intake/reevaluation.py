"""Re-evaluation after a key was revoked with a time T: quarantine, live versions, then links.

Each step is one transaction and promises the next, so it may be killed between any two:

1. `begin`: batches go into quarantine, and the records to look at are noted; a promise per batch.
2. `fall_back`: the records of one batch show their last trusted version; their links follow by
   `reconcile`. Batches are independent, so all workers share them.
3. `finish`, once no record waits: snapshots are caught up with, and the time is noted.

An attestation brings batches back by the same steps. An agency that leaves and takes back what it
said goes through them too, from 2 on (`withdrawing`).

Source: design/trust.md 1.6, P7.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.errors import NotFound
from gateway.index import rejudging
from gateway.index.arrivals import PERSON, Origin
from gateway.intake import (
    applying,
    judging,
    snapshots,
    store,
    store_reevaluation,
    store_withdrawals,
)
from gateway.intake.model import IntakeTools, Progress
from gateway.jobs import Job
from gateway.storage import outbox
from gateway.trust import query as trust

AT_ONCE = 5_000
"""Records judged in one transaction; the rest is promised again."""


def begin(session: Session, revocation: int, now: datetime) -> None:
    """Quarantine all that the revoked key signed since T; repeating it changes nothing.

    Raises:
        NotFound: there is no such revocation.
    """
    revoked = trust.revocation(session, revocation)
    if not store_reevaluation.begin(session, revocation, revoked.agency, now):
        return
    judged = judging.judge(session, revoked.agency)
    store_reevaluation.set_records(session, revocation, judged.records)


def fall_back(session: Session, batch_id: UUID, tools: IntakeTools) -> None:
    """The records noted for a batch show the last trusted version, or none."""
    batch = store.get(session, batch_id)
    if batch is None:
        return
    store_reevaluation.share(session, batch.agency)
    origin = Origin(batch.agency, batch.record_type, batch.id, batch.as_of, batch.leaf)
    done = rejudging.rejudge(session, origin, tools.index, AT_ONCE)
    if done.changed and batch.record_type == PERSON:
        outbox.promise(session, Job.RECONCILE, {"batch": str(batch_id)})
    if done.left:
        outbox.promise(session, Job.REEVALUATE, {"batch": str(batch_id)})
        return
    store_reevaluation.line_up(session, batch.agency)
    if rejudging.is_judged(session, batch.agency):
        outbox.promise(session, Job.REEVALUATE, {"agency": batch.agency})


def finish(session: Session, agency: str, tools: IntakeTools, now: datetime) -> None:
    """Catch up with the snapshots, and note that the live view stands; early it does nothing."""
    store_reevaluation.close(session, agency)
    if not rejudging.is_judged(session, agency):
        return
    for row in store_reevaluation.done_snapshots(session, agency):
        since = snapshots.Snapshot(row.n, "", row.record_type, row.epoch, row.begin_seq, 0)
        applying.catch_up(session, row.end_id, since, tools)
    finished = store_reevaluation.open_of(session, agency)
    store_reevaluation.finish(session, finished, now)
    store_withdrawals.finish(session, agency, now)
    for revocation in finished:
        outbox.promise(session, Job.REEVALUATE, {"report": revocation})


def progress(session: Session, revocation: int) -> Progress:
    """How far the re-evaluation after a revocation has come.

    Raises:
        NotFound: none has begun (`reevaluation.none`).
    """
    row = store_reevaluation.find(session, revocation)
    if row is None:
        raise NotFound(
            "reevaluation.none",
            "No re-evaluation after this revocation has begun. Is a worker running?",
        )
    ids = [found.id for found in store_reevaluation.quarantined(session, revocation)]
    unjudged, links = rejudging.waiting(session, ids)
    done = max(0, row.records - unjudged)
    return Progress(
        revocation, row.agency, len(ids), row.records, done, links, row.started, row.finished
    )


def every(session: Session) -> list[Progress]:
    """Every re-evaluation, oldest first."""
    return [progress(session, n) for n in store_reevaluation.all_of(session)]


def suspect(session: Session, revocation: int) -> dict[bytes, str]:
    """The batches in quarantine on account of a revocation: accept leaf (32 bytes) to type."""
    rows = store_reevaluation.quarantined(session, revocation)
    return {row.leaf: row.record_type for row in rows}
