"""`work`: records a second that one worker applies and reconciles, on the demo city's persons.

The five connectors publish once; then one process carries out the promises as a Celery task does,
through `workers.duty`, with no broker between. Only batches of person records count.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy import text

from bench import agency, clients
from bench.figure import Figure
from bench.lab import PROFILE, BenchFailed, House, Lab, fresh_database, house, process, serving
from bench.people import line, people
from demo import enrol
from demo.city.build import build_city
from demo.city.load import sources
from demo.enrol import AGENCIES, Host
from gateway.jobs import Job
from gateway.trust.anchors import anchors
from schemas.profile import Profile
from workers import apply, reconcile
from workers.app import Tools
from workers.duty import Duty, carry_out

BAR = 1_500
SEED = 7
_DUTIES = {Job.APPLY: apply.DUTY, Job.RECONCILE: reconcile.DUTY}
_OPEN = text(
    "select o.id from outbox o join batch b on b.id = (o.args->>'batch')::uuid"
    " where o.job = :job and o.done is null and o.parked is null and b.record_type = 'person'"
    " order by o.id"
)


@dataclass(slots=True)
class Spent:
    """Wall-clock and processor seconds of this process."""

    seconds: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Count what happens inside."""
        began, cpu = time.monotonic(), time.process_time()
        yield
        self.seconds += time.monotonic() - began
        self.cpu += time.process_time() - cpu


def run(lab: Lab) -> list[Figure]:
    """Rate and processor time."""
    with house(lab, "work") as centre:
        if lab.quick:
            _publish_few(centre)
        else:
            _publish_city(lab, centre)
        spent, records = _carry_out(centre)
    rate = records / spent.seconds
    return [
        Figure("work", round(rate), "records/s", bar=BAR, holds=rate >= BAR),
        Figure("work_cpu", round(spent.cpu / records * 1000, 3), "CPU ms/record"),
    ]


def _carry_out(centre: House) -> tuple[Spent, int]:
    """Every promise about person batches, applications first, as the relay hands them out."""
    tools, spent = Tools.of(centre.settings), Spent()
    for job, duty in _DUTIES.items():
        with centre.sessions() as session:
            promises = [str(i) for i in session.scalars(_OPEN, {"job": job.value})]
        with spent.measured():
            for promise in promises:
                _keep(duty, promise, tools)
    with centre.sessions() as session:
        asked = text("select count(*) from source_record where record_type = 'person'")
        records = int(session.scalar(asked) or 0)
    tools.sessions.kw["bind"].dispose()
    return spent, records


def _keep(duty: Duty, promise: str, tools: Tools) -> None:
    became = carry_out(duty, promise, tools, datetime.now(UTC))
    if became != "done":
        raise BenchFailed(f"{duty.name} became {became}")


def _publish_city(lab: Lab, centre: House) -> None:
    """The demo city's agencies publish, as in the demo; no worker runs."""
    profile = Profile.load(PROFILE)
    city = build_city(SEED, centre.folder / "city", profile)
    given = sources(
        city, lambda name: lab.servers.database_url(fresh_database(lab, f"bench_{name}"))
    )
    host = Host(centre.folder / "connectors", given)
    with serving(centre), process(centre, "relay", ["-m", "workers", "relay"]):
        trusted = anchors(centre.settings, centre.vault)
        tickets = enrol.invite(centre.sessions, profile, trusted, centre.folder / "tickets")
        host.each(AGENCIES, "init", "--unattended")
        host.enrol(tickets, waiting=True)
        enrol.approve_all(centre.sessions)
        host.enrol(tickets, "--wait", "30")
        host.each(AGENCIES, "publish")


def _publish_few(centre: House) -> None:
    """Two small batches of one agency."""
    who = agency.enrol(centre, "bench")
    persons = enumerate(people(200))
    chunks = (
        [line(f"p.{n:07d}", agency.version(seq), v) for n, v in islice(persons, 100)]
        for seq in (1, 2)
    )
    path = agency.keep(centre.folder / "few.puts", who, list(agency.sealed(who, chunks)))
    with serving(centre):
        clients.together(clients.put_all, [(centre.settings.origin, [path])])
