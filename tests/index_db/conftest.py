"""A model and tools that all tests of the index's tables share."""

from collections.abc import Sequence

import pytest

from gateway.index import service
from gateway.index.arrivals import Absorbed, Arrival, IndexTools, Origin
from gateway.index.links import Reconciled
from gateway.index.scoring import Model
from schemas.profile import Profile
from tests.conftest import Database
from tests.index_db import people
from tests.index_db.people import Said


@pytest.fixture(scope="session")
def town() -> list[Said]:
    return people.town()


@pytest.fixture(scope="session")
def model(town: Sequence[Said]) -> Model:
    return people.model_of(town)


@pytest.fixture
def tools(fresh_database: Database, model: Model) -> IndexTools:
    return IndexTools(fresh_database.vault, Profile.load("payakumbuh"), model)


def absorb(
    database: Database, tools: IndexTools, origin: Origin, arrivals: Sequence[Arrival]
) -> Absorbed:
    with database.session() as session:
        done = service.absorb(session, origin, arrivals, tools)
        session.commit()
    return done


def reconcile(database: Database, tools: IndexTools, origin: Origin) -> Reconciled:
    with database.session() as session:
        done = service.reconcile(session, origin.batch_id, tools)
        session.commit()
    return done


def load(
    database: Database, tools: IndexTools, batches: Sequence[tuple[Origin, list[Arrival]]]
) -> None:
    """Absorb and reconcile batch by batch, each in transactions of its own."""
    for origin, arrivals in batches:
        absorb(database, tools, origin, arrivals)
        reconcile(database, tools, origin)
