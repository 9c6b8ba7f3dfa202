"""A city in the index: persons taken in and reconciled as a worker does, without the wire."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import text

from bench.lab import PROFILE, House, Lab, house
from bench.people import people
from bench.reference import TABLE
from gateway.index import modelfile
from gateway.index import service as index
from gateway.index.arrivals import Arrival, IndexTools, Origin
from schemas.line import content_hash
from schemas.profile import Profile

_BATCH = 5_000
_AGENCY = "dukcapil"


@dataclass(frozen=True, slots=True)
class City:
    """A centre with a full index, and what is known of each person in it."""

    centre: House
    persons: list[dict[str, Any]]


@cache
def city(lab: Lab) -> City:
    """100,000 persons; built once a run, and kept until its end."""
    centre = lab.stack.enter_context(house(lab, "city"))
    persons = list(people(lab.size(100_000, 200)))
    tools = IndexTools(centre.vault, Profile.load(PROFILE), modelfile.load())
    left = iter(enumerate(persons))
    while chunk := list(islice(left, _BATCH)):
        _take_in(centre, chunk, tools)
    with centre.sessions.begin() as session:
        session.execute(text(TABLE))
    with centre.engine.connect() as connection:
        auto = connection.execution_options(isolation_level="AUTOCOMMIT")
        auto.execute(text("vacuum analyze"))
    return City(centre, persons)


def _take_in(centre: House, chunk: Sequence[tuple[int, dict[str, Any]]], tools: IndexTools) -> None:
    with centre.sessions() as session:
        batch_id: uuid.UUID = session.execute(text("select uuidv7()")).scalar_one()
        origin = Origin(_AGENCY, "person", batch_id, datetime.now(UTC))
        arrivals = [
            Arrival(
                i=i,
                op="put",
                source_id=f"p.{n:07d}",
                v=1,
                as_of=None,
                content=content_hash(values, "put"),
                values=values,
                leaf=n.to_bytes(32),
            )
            for i, (n, values) in enumerate(chunk)
        ]
        index.absorb(session, origin, arrivals, tools)
        session.commit()
        index.reconcile(session, batch_id, tools)
        session.commit()
