"""`quota`: a thousand approvals at once against a quota of a hundred, each its own transaction.

The value is how many got a place; the bar is met only if that is the quota and every other was
refused for the quota, with what is possible instead.
"""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session, sessionmaker

from bench.figure import Figure
from bench.lab import House, Lab, house
from gateway.index import modelfile
from gateway.index import service as index
from gateway.index.arrivals import Arrival, IndexTools, Origin
from gateway.programs import service as programs
from gateway.programs.service import INSTEAD, NothingLeft, Wanted
from gateway.storage import ids
from gateway.storage.engine import connect, sessions
from schemas.line import content_hash
from schemas.profile import Profile

TODAY = date(2025, 11, 3)
CODE = "bench-2025-01"
AT_ONCE = 32


def run(lab: Lab) -> list[Figure]:
    """How many of all succeed, and how long they take together."""
    approvals, quota = lab.size(1_000, 60), lab.size(100, 6)
    with house(lab, "quota") as centre:
        _publish(centre, quota)
        engine = connect(replace(centre.settings, pool_size=AT_ONCE))
        try:
            begun = time.perf_counter()
            with ThreadPoolExecutor(AT_ONCE) as pool:
                found = Counter(pool.map(_approve, [sessions(engine)] * approvals))
            seconds = time.perf_counter() - begun
        finally:
            engine.dispose()
    return [
        Figure(
            name="quota",
            value=found["reserved"],
            unit=f"of {approvals:,} approved",
            peer="approvals/s:",
            peer_value=round(approvals / seconds),
            bar=quota,
            holds=found == {"reserved": quota, "told": approvals - quota},
        )
    ]


def _approve(open_session: sessionmaker[Session]) -> str:
    with open_session() as session:
        try:
            wanted = Wanted(ids.new(), CODE, 500_000)
            programs.reserve(session, wanted, TODAY, datetime.now(UTC))
            session.commit()
        except NothingLeft as full:
            return "told" if full.details["instead"] == INSTEAD else full.code
    return "reserved"


def _publish(centre: House, quota: int) -> None:
    values = {
        "program_code": CODE,
        "name": "Bantuan",
        "bidang": "PENDIDIKAN",
        "need_kinds": ["perlengkapan_sekolah"],
        "funder": "APBD_KOTA",
        "fiscal_year": TODAY.year,
        "quota_total": quota,
        "budget_total": 10**12,
        "status": "open",
    }
    tools = IndexTools(centre.vault, Profile.load(centre.settings.profile), modelfile.load())
    origin = Origin("bench", "program", ids.new(), datetime.now(UTC))
    arrival = Arrival(0, "put", CODE, 1, None, content_hash(values, "put"), values, bytes(32))
    with centre.sessions.begin() as session:
        index.absorb(session, origin, [arrival], tools)
