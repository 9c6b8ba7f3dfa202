"""Letting the demo's agencies in: tickets, connectors that enrol, two persons who approve."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from connectors.errors import Wait
from demo.processes import ROOT, environment
from gateway.settings import Settings
from gateway.trust import house
from gateway.trust import query as trust_query
from gateway.trust import service as trust
from gateway.trust.model import AgencyDraft, Anchors, Approver
from keys.enrolment import format_ticket
from keys.vault import Vault
from schemas.profile import Profile
from schemas.records.registry import RECORD_TYPES

AGENCIES = ("dukcapil", "dstk", "disdik", "dinkes", "ppkb", "baz", "lks-mk", "csr-bri")
ANSWERING = ("dstk", "disdik", "baz")
"""Those whose connector looks into a database when it is asked about one person."""
CLERK, REGISTRAR, SECOND = "demo-clerk", "demo-registrar", "demo-mayor-delegate"


class ConnectorFailed(Exception):
    """A connector command failed; the sentence is its own last words."""


@dataclass(frozen=True, slots=True)
class Host:
    """Where the demo's connectors live, and what their TOML files need to know."""

    folder: Path
    sources: Mapping[str, str]
    """Agency to the URL or folder of its own database."""

    def state(self, agency: str) -> Path:
        """The state folder of one connector."""
        return self.folder / agency

    def memory(self, agency: str) -> Path:
        """The SQLite file in which a connector remembers what it sent."""
        return self.state(agency) / "data" / "memory.sqlite"

    def words(self, agency: str, command: str, *arguments: str) -> list[str]:
        """What stands behind Python's own name to run a command of an agency's connector."""
        config = ROOT / "connectors" / "agencies" / f"{agency}.toml"
        options = ["--config", str(config), "--state", str(self.state(agency)), "--lang", "en"]
        return ["-m", "connectors", *options, command, *arguments]

    def run(self, agency: str, command: str, *arguments: str, waiting: bool = False) -> str:
        """Run `titian-connector COMMAND` for an agency; returns what it printed.

        `waiting`: the exit code that says "not yet" is as good as 0.

        Raises:
            ConnectorFailed: it exited otherwise.
        """
        done = subprocess.run(
            [sys.executable, *self.words(agency, command, *arguments)],
            cwd=ROOT,
            env=environment({"TITIAN_SOURCE": self.sources[agency]}),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 and not (waiting and done.returncode == Wait.exit_code):
            said = (done.stderr or done.stdout).strip()
            raise ConnectorFailed(f"titian-connector {command} ({agency}): {said[-2000:]}")
        return done.stdout

    def each(self, agencies: Sequence[str], command: str, *arguments: str) -> dict[str, str]:
        """The same command for several agencies, two at a time."""
        with ThreadPoolExecutor(2) as pool:
            done = pool.map(lambda a: self.run(a, command, *arguments), agencies)
            return dict(zip(agencies, done, strict=True))

    def enrol(self, tickets: Mapping[str, Path], *more: str, waiting: bool = False) -> None:
        """Enrol with each agency's ticket, two at a time."""

        def one(item: tuple[str, Path]) -> str:
            return self.run(item[0], "enrol", "--ticket", str(item[1]), *more, waiting=waiting)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(one, tickets.items()))


def invite(
    sessions: sessionmaker[Session], profile: Profile, trusted: Anchors, folder: Path
) -> dict[str, Path]:
    """Create each agency and write its ticket; the clerk who does it may not approve."""
    folder.mkdir(parents=True, exist_ok=True)
    tickets = {}
    for code in AGENCIES:
        draft = AgencyDraft(
            code=code,
            label=profile.agencies[code].label,
            record_types=tuple(RECORD_TYPES),
            basis="mou-demo",
            by=CLERK,
            live=code in ANSWERING,
        )
        with sessions() as session:
            ticket = trust.create_agency(session, draft, trusted, datetime.now(UTC))
            session.commit()
        tickets[code] = folder / f"{code}.json"
        tickets[code].write_text(format_ticket(ticket), encoding="utf-8")
        tickets[code].chmod(0o600)
    return tickets


def invite_house(
    sessions: sessionmaker[Session], settings: Settings, vault: Vault, profile: Profile
) -> None:
    """The unit's own key comes in too; the same two persons approve it."""
    unit = profile.unit
    draft = AgencyDraft(unit.code, unit.name, house.RECORDS, "survei", CLERK)
    with sessions.begin() as session:
        house.enrol(session, draft, settings, vault, datetime.now(UTC))


def approve_all(sessions: sessionmaker[Session]) -> int:
    """Two persons type the end of each fingerprint, as read to them on the phone."""
    with sessions() as session:
        waiting = [a for a in trust_query.agencies(session) if a.state == "pending"]
    for row in waiting:
        for person, role in ((REGISTRAR, "key_admin"), (SECOND, "mayor_delegate")):
            with sessions() as session:
                groups = " ".join(str(row.fingerprint).split()[-2:])
                trust.approve(session, row.code, Approver(person, role), groups, datetime.now(UTC))
                session.commit()
    return len(waiting)
