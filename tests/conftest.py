"""Real servers for every test that wants one: started once, a fresh database per test module."""

import itertools
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import hypothesis
import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from demo.servers import Servers, running
from gateway.access import passwords
from gateway.migrations import schema
from gateway.settings import Settings
from gateway.storage.deks import PgDeks
from gateway.storage.engine import connect, sessions
from keys.vault import Vault
from tests.shared import ROOT

# A busy machine is no defect of ours; what hangs is ended by the timeout of each test.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")
_counter = itertools.count()
REAL_COST = (passwords.MEMORY_KIB, passwords.PASSES)
# A guess need not be dear here: thousands of logins would be most of the suite's time.
passwords.MEMORY_KIB, passwords.PASSES = 64, 1


@dataclass(frozen=True)
class Database:
    """A migrated, empty database with its settings, vault and engine."""

    settings: Settings
    engine: Engine
    vault: Vault

    def session(self) -> Session:
        return sessions(self.engine)()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """PostgreSQL 18 and Valkey from wheels, for this test process."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    var = ROOT / "var" / "tests" / f"{worker}-{os.getpid()}"
    with running(var) as started:
        yield started
        # Nothing of it is kept, so it need not be written down first.
        started.processes["postgres"].send_signal(signal.SIGQUIT)
    shutil.rmtree(started.folder, ignore_errors=True)
    shutil.rmtree(var, ignore_errors=True)


@pytest.fixture(scope="session")
def template(servers: Servers) -> str:
    """The name of a migrated database that others are copied from."""
    with psycopg.connect(servers.database_url(), autocommit=True) as admin:
        admin.execute("create database template_titian")
    engine = connect(Settings(database_url=servers.database_url("template_titian")))
    schema.upgrade(engine)
    engine.dispose()
    return "template_titian"


def make_database(servers: Servers, template: str, folder: Path) -> Database:
    """A fresh copy of the template and a vault of its own in `folder`."""
    name = f"t{next(_counter)}"
    with psycopg.connect(servers.database_url(), autocommit=True) as admin:
        admin.execute(f"create database {name} template {template}")
    vault_path = folder / "vault.json"
    settings = replace(
        Settings(),
        database_url=servers.database_url(name),
        broker_url=f"redis://127.0.0.1:{servers.valkey_port}/{next(_counter) % 15}",
        vault_path=str(vault_path),
        pool_size=4,
    )
    return Database(settings, connect(settings), Vault.create(vault_path, PgDeks(settings)))


@pytest.fixture(scope="module")
def database(
    servers: Servers, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """An empty database for one test module."""
    made = make_database(servers, template, tmp_path_factory.mktemp("vault"))
    yield made
    made.engine.dispose()


@pytest.fixture
def fresh_database(servers: Servers, template: str, tmp_path: Path) -> Iterator[Database]:
    """An empty database for one test."""
    made = make_database(servers, template, tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture
def dear_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed at the price that they have in the product."""
    monkeypatch.setattr(passwords, "MEMORY_KIB", REAL_COST[0])
    monkeypatch.setattr(passwords, "PASSES", REAL_COST[1])


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A session on the module's database whose work is rolled back."""
    with database.session() as opened:
        yield opened
        opened.rollback()
