"""A model and tools that all tests of the index's tables share."""

from collections.abc import Sequence

import pytest

from gateway.index import service
from gateway.index.arrivals import IndexTools
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


def load(database: Database, tools: IndexTools, batches: Sequence) -> None:
    """Absorb and reconcile batch by batch, each in transactions of its own."""
    for origin, arrivals in batches:
        with database.session() as session:
            service.absorb(session, origin, arrivals, tools)
            session.commit()
        with database.session() as session:
            service.reconcile(session, origin.batch_id, tools)
            session.commit()
