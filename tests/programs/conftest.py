"""Programmes published into a real index, and a business date on which they run."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count

import pytest

from gateway.index import modelfile
from gateway.index import service as index
from gateway.index.arrivals import Arrival, IndexTools, Origin
from schemas.line import content_hash
from schemas.profile import Profile
from tests.conftest import Database
from tests.index_db import people

NOW = datetime(2025, 11, 3, 3, tzinfo=UTC)
TODAY = date(2025, 11, 3)
_NUMBERS = count(10**7)

PROGRAM = {
    "program_code": "disdik-2025-04",
    "name": "Perlengkapan Sekolah",
    "bidang": "PENDIDIKAN",
    "need_kinds": ["perlengkapan_sekolah"],
    "funder": "APBD_KOTA",
    "fiscal_year": 2025,
    "period_start": "2025-07-01",
    "period_end": "2025-11-28",
    "budget_total": 60_000_000,
    "budget_spent": 0,
    "quota_total": 100,
    "quota_used": 0,
    "amount_min": 400_000,
    "amount_max": 750_000,
    "status": "open",
}

Publish = Callable[..., None]


@pytest.fixture(scope="module")
def index_tools(database: Database) -> IndexTools:
    return IndexTools(database.vault, Profile.load("payakumbuh"), modelfile.load())


@pytest.fixture(scope="module")
def publish(database: Database, index_tools: IndexTools) -> Publish:
    """Publish one record that is no person; the id is the programme's code, or is given."""

    def say(values: dict, agency: str = "", kind: str = "program", name: str = "", op: str = "put"):
        agency = agency or values["program_code"].partition("-2")[0]
        number = next(_NUMBERS)
        origin = Origin(agency, kind, people.batch_id(number), people.AS_OF)
        source_id = name or values["program_code"]
        arrival = Arrival(
            0, op, source_id, number, None, content_hash(values, op), values, b"x" * 32
        )
        with database.session() as session:
            index.absorb(session, replace(origin, as_of=NOW), [arrival], index_tools)
            session.commit()

    return say
