"""The worst that people do, against real processes: what a thief, a liar or a careless hand leaves.

Source: trust.md 5, rows 4, 7, 9, 10, 38, 39; the same in process stand beside their modules.
"""

import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from connectors.errors import CallCentre, FixSettings, Wait
from demo.processes import ROOT, environment
from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.trust import query as trust
from keys.canonical import to_moment
from tests.line.village import AGENCY, Village, villager
from tests.stack.running import Publisher, Stack, batches, number, persons, until

PEOPLE = 40
PASSWORD = "jembatan-kecil-1"
LIVE = "select count(*) from source_record where assertion_id is not null"
BY_THIEF = "select count(*) from person_feature where core like '%palsu%'"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def line(stack: Stack, tmp_path: Path) -> Stack:
    """An agency whose people stand in the index, and two officers who may decide on keys."""
    stack.publisher.village.settle((villager(n) for n in range(PEOPLE)), batch_records=20)
    stack.centre.serve(port=stack.port)
    stack.centre.relay()
    stack.centre.worker()
    stack.publisher.enrol(stack.database, tmp_path)
    # Whatever a witness has seen by a moment, nobody can say later that it came after.
    until(lambda: "waiting: 0" in stack.publisher.run("publish"), "all of it is in the log")
    stack.publisher.run("run", "--cycles", "1")
    until(lambda: stack.settled() and persons(stack.database) == PEOPLE, "the people are known")
    officers(stack, kunci=Role.KEY_ADMIN, wakil=Role.MAYOR_DELEGATE)
    return stack


def thief_of(line: Stack, folder: Path) -> Publisher:
    """Whoever copied the connector's folder, keys and memory and all, and invents people."""
    thief = Village(folder / "thief")
    thief.settle((), batch_records=20)
    shutil.copy(line.publisher.village.source, thief.source)
    shutil.copytree(line.publisher.village.state, thief.state)
    thief.admit(
        replace(villager(n), id=1000 + n, name=f"Palsu {villager(n).name}")
        for n in range(PEOPLE, PEOPLE + 7)
    )
    return Publisher(thief)


def kids(line: Stack) -> set[str]:
    with line.database.engine.connect() as c:
        return set(c.exec_driver_sql("select kid from key").scalars())


def test_a_stolen_key_that_rotates_itself_leaves_nothing_behind(line: Stack, tmp_path: Path):
    time.sleep(1.1)  # a moment has whole seconds
    began, (lost,) = datetime.now(UTC), kids(line)
    thief = thief_of(line, tmp_path)
    thief.run("publish")
    thief.run("keys", "rotate", "--yes")
    until(lambda: line.settled() and number(line.database, BY_THIEF) == 7, "the lies are believed")
    assert len(kids(line)) == 2
    # The owner's connector sees a key in the log that it never made, and silences it.
    said = line.publisher.run("publish", code=CallCentre.exit_code)
    assert "Traceback" not in said
    suspended = "select count(*) from key where suspended_at is not null"
    until(lambda: number(line.database, suspended) >= 1, "the foreign key is silent")
    thief.village.admit([replace(villager(99), id=2000)])
    before = batches(line.database)
    thief.run("publish", code=CallCentre.exit_code)
    assert batches(line.database) == before
    # Two persons revoke what was lost, since before it was.
    asked = ("--since", to_moment(began), "--as", "kunci", "--reason", "key_compromise")
    said = line.titian("keys", "revoke", AGENCY, lost, *asked, typed=f"{PASSWORD}\n")
    assert said.count("revoked: ") == 2, "the key that the thief made goes with the one he stole"
    groups = " ".join(line.titian("keys", "fingerprint", AGENCY).split()[-2:])
    typed = f"{PASSWORD}\n{groups}\n"
    assert "it counts" in line.titian("keys", "approve", AGENCY, "--as", "wakil", typed=typed)
    until(lambda: line.settled() and number(line.database, BY_THIEF) == 0, "no lie is left")
    assert number(line.database, LIVE) == PEOPLE


def test_two_connectors_with_one_key_stop_the_stream_and_keep_both(line: Stack, tmp_path: Path):
    twin = thief_of(line, tmp_path)
    twin.run("publish")
    until(lambda: line.settled() and number(line.database, BY_THIEF) == 7, "the lies are believed")
    # Once it looks like a folder restored from a backup: all is sent again, and a warning stays.
    line.publisher.run("publish")
    assert "somebody else may hold your key" in line.publisher.run("alarms")
    until(lambda: line.settled() and number(line.database, BY_THIEF) == 0, "what is not ours went")
    twin.run("publish")
    said = line.publisher.run("publish", code=CallCentre.exit_code)
    assert "Traceback" not in said
    before = batches(line.database)
    line.publisher.run("publish", code=CallCentre.exit_code)
    assert batches(line.database) == before
    assert "suspend" in said


def test_a_restored_old_backup_neither_signs_nor_is_believed(line: Stack):
    """The database of yesterday, with today's signer; and what the agency's connector says of it."""
    backup = _copy(line, "backup")
    line.publisher.village.admit(villager(n) for n in range(PEOPLE, PEOPLE + 30))
    until(lambda: "waiting: 0" in line.publisher.run("publish"), "all of it is in the log")
    for name in ("gateway", "relay", "worker"):
        line.centre.kill(name)
    _restore(line, backup)
    line.centre.serve(port=line.port)
    line.centre.relay()
    said = line.publisher.run("publish", code=CallCentre.exit_code)
    assert "Traceback" not in said
    assert "trust.log_shrank" in line.publisher.run("alarms", code=CallCentre.exit_code)
    assert list((line.publisher.village.state / "fork-evidence").rglob("*.note"))
    # Nor does our own signer take part: it remembers that it signed more.
    assert "is an older copy" in line.titian("log", "verify", code=1)


def test_a_clock_off_by_hours_changes_no_key(line: Stack):
    known, config = kids(line), line.publisher.village.settings_file
    late = (
        "import connectors.cli as c; from datetime import datetime, timedelta, UTC;"
        "c._now = lambda: datetime.now(UTC) + timedelta(hours=6); c.main()"
    )
    options = ["--config", str(config), "--state", str(line.publisher.village.state)]
    done = subprocess.run(
        [sys.executable, "-c", late, *options, "--lang", "en", "run", "--cycles", "1"],
        cwd=ROOT,
        env=environment({}),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr
    assert kids(line) == known
    said = line.publisher.run("status", code=FixSettings.exit_code)
    assert re.search("clock", said)


def test_a_single_administrator_lets_nobody_in(stack: Stack, tmp_path: Path):
    stack.publisher.village.settle([villager(1)])
    stack.centre.serve(port=stack.port)
    stack.centre.relay()
    officers(stack, kunci=Role.KEY_ADMIN, kedua=Role.KEY_ADMIN)
    ticket = tmp_path / "ticket.json"
    made = ("--label", "BAZ", "--records", "person", "--basis", "PKS-UJI", "--out", str(ticket))
    typed = f"{PASSWORD}\n"
    stack.titian("agency", "create", AGENCY, *made, "--by", "kunci", typed=typed)
    stack.publisher.run("init", "--unattended")
    stack.publisher.run("enrol", "--ticket", str(ticket), code=Wait.exit_code)
    with stack.database.session() as session:
        groups = " ".join(str(trust.agency(session, AGENCY).fingerprint).split()[-2:])
    typed = f"{PASSWORD}\n{groups}\n"
    approve = ("agency", "approve", AGENCY, "--as")
    stack.titian(*approve, "kunci", typed=typed, code=1)  # his own
    stack.titian(*approve, "kedua", typed=typed)
    stack.titian(*approve, "kedua", typed=typed, code=1)  # once more
    assert number(stack.database, "select count(*) from approval") == 1
    stack.publisher.run("publish", code=Wait.exit_code)
    assert batches(stack.database) == 0


def officers(stack: Stack, **roles: Role) -> None:
    with stack.database.session() as session:
        for name, role in roles.items():
            sessions.add_officer(session, NewOfficer(name, name, "upt-kan", (role,), PASSWORD))
        session.commit()


def _copy(line: Stack, name: str) -> str:
    made = f"{line.database.engine.url.database}_{name}"
    for process in ("gateway", "relay", "worker"):
        line.centre.kill(process)
    _copy_database(line, str(line.database.engine.url.database), made)
    line.centre.serve(port=line.port)
    line.centre.relay()
    line.centre.worker()
    return made


def _restore(line: Stack, backup: str) -> None:
    _copy_database(line, backup, str(line.database.engine.url.database))


def _copy_database(line: Stack, source: str, made: str) -> None:
    line.database.engine.dispose()
    with psycopg.connect(line.servers.database_url(), autocommit=True) as admin:
        admin.execute(f"drop database if exists {made} with (force)")
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (source,)
        )
        admin.execute(f"create database {made} template {source}")
