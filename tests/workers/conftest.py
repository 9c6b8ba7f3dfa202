"""Real processes on a real database and a real broker."""

import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from demo.processes import Centre
from gateway.intake import store
from gateway.intake.model import IntakeTools, State
from gateway.storage import outbox
from tests.conftest import Database
from tests.intake.factory import Agency, Parcel, enrol, tools_of


@pytest.fixture(scope="module")
def tools(database: Database) -> IntakeTools:
    return tools_of(database)


@pytest.fixture
def agency(database: Database) -> Agency:
    return enrol(database)


@pytest.fixture(scope="module")
def busy(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A relay and a worker that run through the module."""
    made = Centre(database.settings, tmp_path_factory.mktemp("logs"))
    made.relay()
    made.worker()
    yield made
    made.stop()


@pytest.fixture
def centre(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """None runs yet; all are ended afterwards."""
    made = Centre(database.settings, tmp_path_factory.mktemp("logs"))
    yield made
    made.stop()


def until(true: Callable[[], object], seconds: float = 40) -> float:
    """Wait until it is true; how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        time.sleep(0.03)
    return time.monotonic() - began


def open_promises(database: Database) -> int:
    with database.session() as session:
        return outbox.open_count(session)["open"]


def settled(database: Database) -> bool:
    return open_promises(database) == 0


def is_applied(database: Database, parcel: Parcel) -> bool:
    with database.session() as session:
        batch = store.find(session, parcel.place)
    return batch is not None and batch.state is not State.ACCEPTED


def attempts(database: Database, parcel, job: str = "apply") -> int:
    o = outbox.outbox.c
    with database.session() as session:
        batch = store.find(session, parcel.place)
        query = select(o.attempts).where(o.args["batch"].astext == str(batch.id), o.job == job)
        return session.scalar(query)
