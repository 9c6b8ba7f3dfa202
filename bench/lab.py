"""Where benchmarks run: real servers, a fresh database each, and the product's own processes."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from demo.processes import ROOT, environment
from demo.servers import Servers
from gateway.migrations import schema
from gateway.settings import Settings
from gateway.storage.deks import PgDeks
from gateway.storage.engine import connect, sessions
from keys.vault import Vault

PROFILE = "payakumbuh"
_NO_LIMIT = 1_000_000_000
_READY_SECONDS = 60


class BenchFailed(Exception):
    """A benchmark could not be run; the sentence says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Lab:
    """What every benchmark is given.

    Attributes:
        quick: small sizes, to prove that the harness runs; its figures mean nothing.
    """

    servers: Servers
    var: Path
    quick: bool
    stack: ExitStack
    """What lives until the last benchmark has ended."""

    def size(self, whole: int, quick: int) -> int:
        """The size of a measurement."""
        return quick if self.quick else whole


@dataclass(frozen=True, slots=True)
class House:
    """A migrated, empty centre: its settings, database and vault."""

    folder: Path
    quick: bool
    settings: Settings
    engine: Engine
    vault: Vault
    sessions: sessionmaker[Session]


@contextmanager
def house(lab: Lab, name: str) -> Iterator[House]:
    """A fresh centre called `name`; its database is dropped in the end."""
    folder = lab.var.resolve() / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = replace(
        Settings(),
        database_url=lab.servers.database_url(fresh_database(lab, f"bench_{name}")),
        broker_url=lab.servers.broker_url,
        origin=f"http://127.0.0.1:{free_port()}",
        aud="bench.titian.local",
        log_origin=f"bench.titian.local/log/{datetime.now(UTC).year}",
        vault_path=str(folder / "vault.json"),
        profile=PROFILE,
        batches_per_minute=_NO_LIMIT,
        searches_per_hour=_NO_LIMIT,
        searches_per_day=_NO_LIMIT,
    )
    vault = Vault.create(settings.vault_file, PgDeks(settings))
    engine = connect(settings)
    schema.upgrade(engine)
    try:
        yield House(folder, lab.quick, settings, engine, vault, sessions(engine))
    finally:
        engine.dispose()
        drop_database(lab, f"bench_{name}")


def fresh_database(lab: Lab, name: str) -> str:
    """An empty database of that name; the name."""
    drop_database(lab, name)
    with psycopg.connect(lab.servers.database_url(), autocommit=True) as admin:
        admin.execute(f"create database {name}".encode())
    return name


def drop_database(lab: Lab, name: str) -> None:
    """Remove a database and whoever is connected to it."""
    with psycopg.connect(lab.servers.database_url(), autocommit=True) as admin:
        admin.execute(f"drop database if exists {name} with (force)".encode())


@contextmanager
def serving(centre: House, *, reference: bool = False) -> Iterator[None]:
    """The gateway as production runs it (two processes); `reference`: with one route more.

    A quick centre has one process: it starts sooner.
    """
    module, workers = "bench.reference" if reference else "gateway", 1 if centre.quick else 2
    port = centre.settings.origin.rpartition(":")[2]
    command = ["-m", module, "serve", "--workers", str(workers), "--port", port]
    with process(centre, "gateway", command) as gateway:
        _wait(centre, gateway, centre.settings.origin)
        yield


@contextmanager
def serving_alone(centre: House, name: str) -> Iterator[str]:
    """One gateway process more, on a port of its own; its address."""
    port = free_port()
    command = ["-m", "gateway", "serve", "--workers", "1", "--port", str(port)]
    with process(centre, name, command) as gateway:
        address = f"http://127.0.0.1:{port}"
        _wait(centre, gateway, address)
        yield address


@contextmanager
def process(centre: House, name: str, arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the product on this centre's settings; it is stopped in the end."""
    with ExitStack() as stack:
        log = stack.enter_context((centre.folder / f"{name}.log").open("ab"))
        started = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment(centre.settings.environ()),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        stack.callback(_stop, started)
        yield started


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def load() -> str:
    """How busy the machine is, for the reader of the figures."""
    one, five, _ = os.getloadavg()
    return f"load {one:.1f} (1 min), {five:.1f} (5 min) on {os.cpu_count()} processors"


def password() -> str:
    """A password nobody needs to know."""
    return secrets.token_urlsafe(18)


def _wait(centre: House, gateway: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and gateway.poll() is None:
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            urllib.request.urlopen(address + "/readyz", timeout=5) as answer,  # noqa: S310  (loopback)
        ):
            if answer.status == 200:
                return
        time.sleep(0.05)
    raise BenchFailed(f"the gateway is not ready; its log is {centre.folder / 'gateway.log'}")


def _stop(started: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        started.send_signal(signal.SIGTERM)
    try:
        started.wait(15)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait(10)
