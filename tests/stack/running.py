"""An agency's connector as a process of its own, and the questions one asks of the whole."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select, text

from connectors.errors import Wait
from demo.enrol import approve_all
from demo.processes import ROOT, Centre, environment
from demo.servers import Servers
from gateway.storage import outbox
from gateway.storage.engine import sessions
from gateway.trust import service as trust
from gateway.trust.anchors import anchors
from gateway.trust.model import AgencyDraft
from keys.enrolment import format_ticket
from tests.conftest import Database
from tests.line.village import AGENCY, Village


def until(true: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Wait until it is true."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not in time: {what}"
        time.sleep(0.02)


@dataclass(frozen=True)
class Publisher:
    """The connector of one village, started as its administrator would."""

    village: Village

    def start(self, command: str, *arguments: str) -> subprocess.Popen[str]:
        config, state = str(self.village.settings_file), str(self.village.state)
        options = ["--config", config, "--state", state, "--lang", "en"]
        return subprocess.Popen(
            [sys.executable, "-m", "connectors", *options, command, *arguments],
            cwd=ROOT,
            env=environment({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str, *arguments: str, code: int = 0) -> str:
        with self.start(command, *arguments) as process:
            said, _ = process.communicate(timeout=120)
        assert process.returncode == code, said
        return said

    def enrol(self, database: Database, folder: Path) -> None:
        """Ticket, key, proof, two persons; the relay must be running."""
        draft = AgencyDraft(AGENCY, "BAZ", ("person",), "PKS-UJI", "clerk")
        with database.session() as session:
            trusted = anchors(database.settings, database.vault)
            ticket = trust.create_agency(session, draft, trusted, datetime.now(UTC))
            session.commit()
        path = folder / "ticket.json"
        path.write_text(format_ticket(ticket), encoding="utf-8")
        path.chmod(0o600)
        self.run("init", "--unattended")
        self.run("enrol", "--ticket", str(path), code=Wait.exit_code)
        assert approve_all(sessions(database.engine)) == 1
        self.run("enrol", "--ticket", str(path), "--wait", "30")


@dataclass(frozen=True)
class Stack:
    """The centre's processes and one agency."""

    database: Database
    servers: Servers
    centre: Centre
    publisher: Publisher
    port: int

    def settled(self) -> bool:
        self.centre.check()
        return queue(self.database)["open"] == 0

    def titian(self, *arguments: str, typed: str = "", code: int = 0) -> str:
        """A command of the centre, in a process of its own; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            cwd=ROOT,
            env=environment(self.database.settings.environ()),
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,  # no terminal, so passwords are read from where we type them
            timeout=60,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


def number(database: Database, query: str) -> int:
    """The one number that a query gives."""
    with database.session() as session:
        return session.scalar(text(query)) or 0


def batches(database: Database) -> int:
    return number(database, "select count(*) from batch")


def persons(database: Database) -> int:
    return number(database, "select count(*) from membership")


def queue(database: Database) -> dict[str, int]:
    with database.session() as session:
        return outbox.open_count(session)


def being_applied(database: Database) -> int:
    """How many batches a worker is in the middle of: their promise's row is locked."""
    o = outbox.outbox.c
    waiting = select(o.id).where(o.done.is_(None), o.parked.is_(None), o.job == "apply")
    with database.session() as session:
        all_of_them = set(session.scalars(waiting))
        free = set(session.scalars(waiting.with_for_update(skip_locked=True)))
    return len(all_of_them - free)
