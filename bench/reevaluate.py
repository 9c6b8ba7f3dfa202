"""`reevaluate`: seconds from a revocation's job to the live view standing, on a million records.

One agency published 1,000 batches of 1,000 persons; the last 200 were accepted after T. Half of
their records change earlier ones, which fall back to their last trusted version; half are new, and
go. Two processes carry out the promises as Celery tasks do, through `workers.duty`, with no broker
between. Links follow afterwards and are not counted.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import BytesIO
from itertools import islice
from typing import Any

from sqlalchemy import text

from bench import agency, clients
from bench.agency import Agency
from bench.clients import Span
from bench.figure import Figure
from bench.lab import BenchFailed, House, Lab, house
from bench.people import line, people
from gateway.intake import reevaluation
from gateway.intake import service as intake
from gateway.intake.model import PutBatch
from gateway.jobs import Job
from gateway.ledger import query as log
from gateway.ledger import service as ledger
from gateway.settings import Settings
from gateway.storage import outbox
from gateway.trust import store_revocations
from gateway.trust.store_revocations import Revocation
from workers import apply, reevaluate
from workers.app import Tools
from workers.duty import Duty, carry_out

WORKERS = 2
BAR = 60
_AT_ONCE = 50
_DUTIES: dict[Job, Duty] = {Job.APPLY: apply.DUTY, Job.REEVALUATE: reevaluate.DUTY}
_WAITING = text("select count(*) from outbox where job = :job and done is null")
_LIVE = text(
    "select count(*), count(*) filter (where b.state <> 'quarantined') from source_record r"
    " join assertion a on a.id = r.assertion_id join batch b on b.id = a.batch_id"
)


def run(lab: Lab) -> list[Figure]:
    """Publish, revoke, and wait until the live view stands."""
    size, batches = lab.size(1_000, 50), lab.size(1_000, 10)
    trusted = batches * 4 // 5
    with house(lab, "reevaluate") as centre:
        who = agency.enrol(centre, "bench")
        sealed = agency.sealed(who, _batches(size, batches, trusted))
        _publish(centre, who, islice(sealed, trusted))
        log_size = _sequence(centre)
        _publish(centre, who, sealed)
        _sequence(centre)
        number = _revoke(centre, who, log_size)
        seconds = _together(centre, Job.REEVALUATE)
        _check(centre, number, (batches - trusted, size * trusted))
    return [Figure("reevaluate", round(seconds, 1), "s", bar=BAR, holds=seconds <= BAR)]


def _batches(size: int, batches: int, trusted: int) -> Iterator[Sequence[bytes]]:
    """The lines of each batch; from number `trusted` on, half are earlier records changed."""
    persons = people(size * batches)
    for number in range(batches):
        first = number * size
        ids: Sequence[int] = range(first, first + size)
        if number >= trusted:
            again = (number - trusted) * (size // 2)
            ids = [*range(again, again + size // 2), *range(first + size // 2, first + size)]
        version = agency.version(number + 1)
        yield [
            line(f"p.{n:07d}", version, values)
            for n, values in zip(ids, islice(persons, size), strict=True)
        ]


def _publish(centre: House, who: Agency, puts: Iterator[agency.Put]) -> None:
    """Accept the batches and apply them, some at a time."""
    tools = Tools.of(centre.settings)
    while some := list(islice(puts, _AT_ONCE)):
        for put in some:
            epoch, seq = map(int, put.path.rsplit("/", 2)[1:])
            request = PutBatch(who.code, "target", epoch, seq, BytesIO(put.body))
            with tools.sessions.begin() as session:
                intake.accept(session, request, tools.intake, datetime.now(UTC))
        tools.sessions.kw["bind"].dispose()
        _together(centre, Job.APPLY)


def _sequence(centre: House) -> int:
    """Give every entry its index and sign; the log's size."""
    signer = centre.vault.log_signer(centre.settings.log_origin)
    while True:
        with centre.sessions.begin() as session:
            if not ledger.sequence(session):
                break
    with centre.sessions.begin() as session:
        ledger.publish(session, signer)
        return log.state(session).size


def _revoke(centre: House, who: Agency, size: int) -> int:
    """What the act of revoking leaves behind."""
    now = datetime.now(UTC)
    revoked = Revocation(0, who.code, who.signer.kid, now, size, "bench", now, bytes(32))
    with centre.sessions.begin() as session:
        number = store_revocations.add(session, revoked)
        outbox.promise(session, Job.REEVALUATE, {"revocation": str(number)})
    return number


def _together(centre: House, job: Job) -> float:
    return clients.together(keep, [(centre.settings, job.value, n) for n in range(WORKERS)])


def keep(settings: Settings, job: str, mine: int) -> Span:
    """A worker process: carry out promises of a job until none is open."""
    tools, duty = Tools.of(settings), _DUTIES[Job(job)]
    clients.wait_for_all()
    began = time.monotonic()
    while True:
        with tools.sessions() as session:
            waiting = int(session.scalar(_WAITING, {"job": job}) or 0)
            promises = _next(session, job, mine)
        if not waiting:
            return Span(began, time.monotonic())
        done = [carry_out(duty, promise, tools, datetime.now(UTC)) for promise in promises]
        if set(done) <= {"elsewhere"}:
            time.sleep(0.02)


def _next(session: Any, job: str, mine: int) -> list[str]:
    """Open promises, from this worker's end of the line, so that two seldom want the same."""
    order = "" if mine == 0 else " desc"
    asked = f"select id from outbox where job = :job and done is null order by id{order} limit 1"  # noqa: S608
    return [str(i) for i in session.scalars(text(asked), {"job": job})]


def _check(centre: House, number: int, expected: tuple[int, int]) -> None:
    """The figures of what must have come of it."""
    with centre.sessions() as session:
        told = reevaluation.progress(session, number)
        live, trusted = session.execute(_LIVE).one()
    batches, records = expected
    if told.finished is None or told.done != told.records or told.batches != batches:
        raise BenchFailed("the re-evaluation did not end")
    if live != trusted or live != records:
        raise BenchFailed(f"{live} records are live, {trusted} of them trusted, not {records}")
