"""`queues`: the pages of the desk with 50,000 tickets, one officer and twenty at once.

The tickets are rows, not moves: what is measured is reading. One in ten is open, as after years of
work; all that is sealed is really sealed.
"""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection
from itertools import cycle, islice
from time import perf_counter
from typing import Any

from bench.desk import Desk, open_desk, p95
from bench.figure import Figure
from bench.lab import PROFILE, BenchFailed, House, Lab, house, serving
from gateway.complaints import numbers, sealing, store
from gateway.complaints.model import Body
from gateway.storage import ids
from schemas.profile import Profile

ONE_BAR, TWENTY_BAR = 150.0, 500.0
OFFICERS = 20
_CHUNK = 5_000
_OPEN = ("registered", "survey_queued", "identity_review", "verified")
_NEEDS = ("referred", "under_review", "waiting_list", "returned", "approved")


def run(lab: Lab) -> list[Figure]:
    """p95 of the server for one officer, and for twenty at once, over the pages in turn."""
    count, asked = lab.size(50_000, 300), lab.size(40, 4)
    with house(lab, "queues") as centre:
        shown = _fill(centre, count)
        with serving(centre):
            pages = ["/antrean", "/antrean?siapa=saya", *(f"/tiket/{n}" for n in shown[:8])]
            desk = open_desk(centre)
            one = _walk(desk, pages, asked * 2)
            desks = [_beside(desk) for _ in range(lab.size(OFFICERS, 3))]
            with ThreadPoolExecutor(len(desks)) as pool:
                walks = pool.map(lambda desk: _walk(desk, pages, asked), desks)
                many = [taken for walk in walks for taken in walk]
    return [_figure("queues", p95(one), ONE_BAR), _figure("queues at once", p95(many), TWENTY_BAR)]


def _beside(desk: Desk) -> Desk:
    """The same session on a connection of its own."""
    kept = desk.connection
    return Desk(HTTPConnection(kept.host, kept.port, timeout=60), desk.headers)


def _figure(name: str, value: float, bar: float) -> Figure:
    return Figure(name=name, value=value, unit="ms (p95)", bar=bar, holds=value <= bar)


def _walk(desk: Desk, pages: Sequence[str], asked: int) -> list[float]:
    """Milliseconds of each page, the first round left out."""
    taken = []
    for path in islice(cycle(pages), len(pages) + asked):
        started = perf_counter()
        desk.connection.request("GET", path, headers=desk.headers)
        answer = desk.connection.getresponse()
        answer.read()
        taken.append((perf_counter() - started) * 1000)
        if answer.status != 200:
            raise BenchFailed(f"{path}: {answer.status}")
    return taken[len(pages) :]


def _fill(centre: House, count: int) -> list[str]:
    """Tickets of three years up to today; the numbers of some open ones."""
    rng, profile = random.Random(5), Profile.load(PROFILE)
    today = profile.today(datetime.now(UTC))
    shown: list[str] = []
    rows = _rows(centre, rng, today, count)
    while chunk := list(islice(rows, _CHUNK)):
        with centre.sessions.begin() as session:
            session.execute(store.ticket.insert(), [t for t, _ in chunk])
            store.add_needs(session, [n for _, n in chunk])
        shown += [t["number"] for t, _ in chunk if t["state"] == "in_service"]
    with centre.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("vacuum analyze")
    return shown


def _rows(
    centre: House, rng: random.Random, today: date, count: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    made_at = datetime.now(UTC)
    for n in range(1, count + 1):
        ticket_id, need_id = ids.new(), ids.new()
        is_open, in_service = n % 10 == 0, n % 20 == 0
        state = "in_service" if in_service else rng.choice(_OPEN) if is_open else "closed_unmet"
        need = rng.choice(_NEEDS) if in_service else "proposed" if is_open else "unmet"
        day = today - timedelta(days=rng.randint(0, 20 if is_open else 1000))
        body = Body({"name": f"Orang {n}", "kelurahan": "-"}, "", {}, "bantuan", {})
        common = {
            "since_on": day,
            "since_at": made_at,
            "due_on": day + timedelta(days=9) if is_open else None,
            "made_at": made_at,
        }
        place = ("complaint", ticket_id, made_at)
        yield (
            {
                **common,
                "id": ticket_id,
                "year": today.year,
                "running": n,
                "number": numbers.ticket_number(today.year, n),
                "state": state,
                "case_due": day + timedelta(days=20),
                "received_on": day,
                "entered_on": day,
                "channel": "loket",
                "emergency": False,
                "restricted": False,
                "historical": False,
                "found_by": [],
                "sealed": sealing.seal(centre.vault, place, asdict(body)),
            },
            {
                **common,
                "id": need_id,
                "ticket_id": ticket_id,
                "n": 1,
                "kind": "tunggakan_sekolah",
                "state": need,
                "counter": "pendidikan",
                "agency": "disdik",
                "sealed": sealing.seal(centre.vault, ("need", need_id, made_at), {}),
            },
        )
