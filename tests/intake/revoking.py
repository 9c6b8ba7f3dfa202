"""Keys beside an agency's first, their revocation, and a worker that may be killed at any step."""

import random
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update

from gateway.intake.model import IntakeTools
from gateway.jobs import Job
from gateway.ledger import service as ledger
from gateway.ledger import store as log
from gateway.storage import outbox
from gateway.trust import store, store_revocations
from gateway.trust.store_revocations import Revocation
from keys.signers import Ed25519Signer
from tests.conftest import Database
from tests.intake.factory import NOW, Agency
from workers import apply, examine, reconcile, reevaluate
from workers.app import Tools

EFFECTS = {
    Job.APPLY: apply.DUTY.effect,
    Job.RECONCILE: reconcile.DUTY.effect,
    Job.EXAMINE: examine.DUTY.effect,
    Job.REEVALUATE: reevaluate.DUTY.effect,
}
INDEXING = (Job.APPLY, Job.REEVALUATE)


def another_key(database: Database, agency: Agency, **other: str) -> Ed25519Signer:
    """One more key of the agency, as its keyset would add it."""
    signer = Ed25519Signer.generate(agency.code)
    with database.session() as session:
        row = session.execute(select(store.key).where(store.key.c.kid == agency.signer.kid)).one()
        values = {**row._mapping, "kid": signer.kid, "raw": signer.public.raw, **other}
        session.execute(insert(store.key).values(**values))
        session.commit()
    return signer


def integrate(database: Database) -> int:
    """Give every waiting entry its index; how many the log has then."""
    with database.session() as session:
        while ledger.sequence(session):
            pass
        size = log.size(session)
        session.commit()
    return size


def revoke(database: Database, agency: Agency, kid: str, size: int, since: datetime = NOW) -> int:
    """What the act of revoking leaves behind: the key's end, the revocation and the promise."""
    row = Revocation(0, agency.code, kid, since, size, "stolen", NOW, b"\0" * 32)
    with database.session() as session:
        session.execute(update(store.key).where(store.key.c.kid == kid).values(sign_until=NOW))
        number = store_revocations.add(session, row)
        outbox.promise(session, Job.REEVALUATE, {"revocation": str(number)})
        session.commit()
    return number


def tools_of_worker(database: Database, tools: IntakeTools) -> Tools:
    return Tools(
        database.settings, database.session, tools.vault, tools.profile, tools.index, tools
    )  # type: ignore[arg-type]


def work(
    database: Database,
    tools: IntakeTools,
    jobs: Sequence[Job] = tuple(EFFECTS),
    *,
    rng: random.Random | None = None,
    steps: int = 10_000,
) -> int:
    """Carry out open promises, at most `steps`; with `rng` in any order, and some killed before
    their commit. Returns how many were carried out.
    """
    held, done = tools_of_worker(database, tools), 0
    while done < steps:
        waiting = promises(database, jobs)
        if not waiting:
            return done
        number = waiting[0] if rng is None else rng.choice(waiting)
        with database.session() as session:
            promise = outbox.lock(session, number)
            assert promise is not None
            EFFECTS[promise.job](session, promise.args, held, NOW)
            if rng is not None and rng.random() < 0.25:
                session.rollback()
                continue
            outbox.done(session, number)
            session.commit()
        done += 1
    return done


def promises(database: Database, jobs: Sequence[Job]) -> list[UUID]:
    """Open promises, oldest first."""
    table = outbox.outbox
    with database.session() as session:
        return list(
            session.scalars(
                select(table.c.id)
                .where(table.c.done.is_(None), table.c.job.in_([job.value for job in jobs]))
                .order_by(table.c.id)
            )
        )
