"""`make demo`: the main job of Titian, start to end, on an invented city with real servers.

Phase by phase: servers, database, city, enrolment, publishing *without* any worker (nothing in the
index may change), applying and reconciling with one, settling, judging against the truth, looking
people up, verifying the log. Then it serves the pages, or stops everything.
"""

import json
import secrets
import shlex
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.orm import Session, sessionmaker

from demo import enrol, figures, halfyear, lookups, typists, week
from demo.city.build import City, build_city
from demo.city.load import sources
from demo.enrol import AGENCIES, Host
from demo.halfyear import Office
from demo.holding import hold
from demo.judge import found_persons, pairwise, true_persons
from demo.processes import Centre
from demo.servers import Servers, running
from demo.table import Table
from demo.week import Kept
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer, add_officer
from gateway.ledger import query as ledger
from gateway.migrations import schema
from gateway.settings import Settings
from gateway.storage import outbox
from gateway.storage.deks import PgDeks
from gateway.storage.engine import connect, sessions
from gateway.trust.anchors import anchors
from keys.vault import Vault
from schemas.profile import Profile

VAR = Path("var") / "demo"
PROFILE = "payakumbuh"
DATABASES = ("titian", "disdik", "ppkb")
OFFICERS = (
    ("petugas", "Petugas Loket", (Role.COUNTER_OFFICER,)),
    ("koordinator", "Koordinator UPT-KAN", (Role.UPT_COORDINATOR,)),
    ("lapangan", "Petugas Lapangan", (Role.FIELD_VERIFIER,)),
    ("data", "Penata Data", (Role.DATA_STEWARD,)),
    ("kunci", "Pengelola Kunci", (Role.KEY_ADMIN,)),
    ("auditor", "Auditor", (Role.AUDITOR,)),
)
_LOOKUPS = 60
_PATIENCE = 600
ROTATES = "baz"
"""The agency that has replaced its key, as a planted fact."""


class DemoFailed(Exception):
    """A phase did not do what it promises; the sentence says which and where to look."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose."""

    seed: int = 7
    serve: bool = True
    host: str = "127.0.0.1"
    port: int = 8000
    var: Path = VAR


@dataclass(slots=True)
class Stage:
    """Everything that stands while the demo runs."""

    options: Options
    servers: Servers
    settings: Settings
    vault: Vault
    sessions: sessionmaker[Session]
    centre: Centre
    host: Host
    profile: Profile
    table: Table
    passwords: dict[str, str]


def run(options: Options) -> dict[str, Any]:
    """Walk the straight line once, print the table, write `summary.json`; serve if asked to."""
    options.var.mkdir(parents=True, exist_ok=True)
    with hold(options.var / "demo.lock"), ExitStack() as stack:
        table = Table()
        table.head()
        stage = stack.enter_context(_staged(options, table))
        summary = _walk(stage)
        path = options.var / "summary.json"
        path.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
        print(figures.sentence(summary))
        print(f"\nsummary: {path}")
        if options.serve:
            _serve(stage)
        return summary


@contextmanager
def _staged(options: Options, table: Table) -> Iterator[Stage]:
    """Servers and a fresh database; on the way out everything that was started is stopped."""
    var = options.var.resolve()
    for old in ("city", "connectors", "tickets", "logs", "vault.json", "vault.json.head"):
        path = var / old
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    with ExitStack() as stack:
        with table.phase("servers") as phase:
            servers = stack.enter_context(running(var))
            phase.said = (
                f"PostgreSQL 18 on port {servers.postgres_port}, Valkey on {servers.valkey_port}"
            )
        with table.phase("database") as phase:
            settings = _settings(options, servers)
            _fresh_databases(servers)
            vault = Vault.create(settings.vault_file, PgDeks(settings))
            engine = connect(settings)
            stack.callback(engine.dispose)
            schema.upgrade(engine)
            passwords = _officers(sessions(engine))
            phase.said = f"schema {schema.newest()}, a vault, {len(OFFICERS)} officers"
        centre = Centre(settings, var / "logs")
        stack.callback(centre.stop)
        yield Stage(
            options=options,
            servers=servers,
            settings=settings,
            vault=vault,
            sessions=sessions(engine),
            centre=centre,
            host=Host(var / "connectors", {}),
            profile=Profile.load(PROFILE),
            table=table,
            passwords=passwords,
        )


def _walk(stage: Stage) -> dict[str, Any]:
    city = _build(stage)
    kept = week.hold_back(city)
    _enrol(stage, city)
    _publish(stage)
    _work(stage)
    _settle(stage)
    _rotate(stage)
    stewards = _week(stage, kept, city)
    tickets = _desk(stage, city)
    links = _judge(stage, city)
    looked = _look(stage, city)
    with stage.table.phase("verify") as phase, stage.sessions() as session:
        log = ledger.verify(session, stage.vault.log_signer(stage.settings.log_origin).vkey)
        phase.said = f"log of {log.size} entries recomputed; root {log.root.hex()[:16]}… is signed"
    with stage.sessions() as session:
        counted = figures.collect(session)
    return {
        "seed": stage.options.seed,
        **counted,
        **stewards,
        "tickets": tickets,
        "pairwise": links,
        "log": {"size": log.size, "root": log.root.hex(), "verified": True},
        "lookup_ms": looked,
        "seconds": {**stage.table.seconds, "total": round(sum(stage.table.seconds.values()), 2)},
    }


def _build(stage: Stage) -> City:
    with stage.table.phase("city") as phase:
        city = build_city(stage.options.seed, stage.options.var.resolve() / "city", stage.profile)
        stage.host = Host(stage.host.folder, sources(city, stage.servers.database_url))
        rows = sum(n for tables in city.counts.values() for n in tables.values())
        phase.said = (
            f"{city.persons} persons in {city.households} households; "
            f"{len(city.counts)} agencies' own databases, {rows} rows"
        )
    return city


def _enrol(stage: Stage, city: City) -> None:
    del city
    with stage.table.phase("enrol") as phase:
        stage.centre.serve(stage.options.host, stage.options.port)
        stage.centre.relay()
        trusted = anchors(stage.settings, stage.vault)
        folder = stage.options.var.resolve() / "tickets"
        tickets = enrol.invite(stage.sessions, stage.profile, trusted, folder)
        stage.host.each(AGENCIES, "init", "--unattended")
        stage.host.enrol(tickets, waiting=True)
        enrol.invite_house(stage.sessions, stage.settings, stage.vault, stage.profile)
        approved = enrol.approve_all(stage.sessions)
        stage.host.enrol(tickets, "--wait", "30")
        phase.said = f"{approved} agencies: key made at the agency, approved by two persons"


def _publish(stage: Stage) -> None:
    with stage.table.phase("publish") as phase:
        stage.host.each(AGENCIES, "publish")
        with stage.sessions() as session:
            counted = figures.collect(session)
        if counted["persons"] != 0:
            raise DemoFailed("the index changed although no worker runs")
        phase.said = (
            f"{counted['batches']} signed batches, {counted['records_read']} records accepted\n"
            "no worker runs yet: the index holds 0 persons"
        )


def _work(stage: Stage) -> None:
    with stage.table.phase("work") as phase:
        for name in ("worker-1", "worker-2"):
            stage.centre.worker(name)
        _drain(stage)
        with stage.sessions() as session:
            counted = figures.collect(session)
        phase.said = (
            f"{counted['records_accepted']} records applied, {counted['records_refused']} refused "
            f"with reasons; {counted['persons']} persons from {counted['person_records']} records\n"
            f"{counted['links']['auto']} links made, {counted['links']['steward']} left to stewards"
        )


def _drain(stage: Stage) -> None:
    """Wait until the workers have carried out every promise."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        with stage.sessions() as session:
            queue = outbox.open_count(session)
        if queue["open"] == 0:
            break
        if time.monotonic() > deadline:
            raise DemoFailed(f"the queue did not drain; logs: {stage.centre.logs}")
        stage.centre.check()
        time.sleep(0.2)
    if queue["parked"]:
        raise DemoFailed(f"{queue['parked']} jobs were parked; logs: {stage.centre.logs}")


def _week(stage: Stage, kept: Sequence[Kept], city: City) -> dict[str, Any]:
    """An ordinary week: what it gives the stewards to decide, and what typists mend in it."""
    with stage.table.phase("week") as phase:
        with stage.sessions() as session:
            waiting = week.standing_tasks(session)
        began = datetime.now(UTC)
        entered = week.enter(kept)
        wrong = typists.told(stage.host.memory(typists.AGENCY))
        typists.mend(city, wrong, stage.profile)
        stage.host.each(week.AGENCIES, "publish")
        _drain(stage)
        with stage.sessions() as session:
            new = week.new_tasks(session, began)
        mended = len(wrong - typists.told(stage.host.memory(typists.AGENCY)))
        phase.said = (
            f"{entered} rows entered anew at {len(week.AGENCIES)} agencies: {new} new tasks for "
            f"stewards, {sum(waiting.values())} of all kinds stood before\n"
            f"{mended} of {len(wrong)} findings told to {typists.AGENCY} were mended by its typists"
        )
    quality = {"told": len(wrong), "mended": mended, "share": round(mended / len(wrong), 3)}
    return {"steward_per_week": new, "tasks": waiting, "quality": quality}


def _settle(stage: Stage) -> None:
    with stage.table.phase("settle") as phase:
        said = stage.host.each(AGENCIES, "publish", "--json")
        told = [json.loads(s) for s in said.values()]
        if waiting := sum(t["open"] for t in told):
            raise DemoFailed(f"{waiting} batches have no proof in the log")
        if again := sum(t["sent"] for t in told):
            raise DemoFailed(f"{again} records were sent again although nothing had changed")
        phase.said = "every receipt was exchanged for a proof in the log; nothing new to send"


def _rotate(stage: Stage) -> None:
    """A planted fact: one agency has replaced its key."""
    with stage.table.phase("rotate") as phase:
        said = json.loads(stage.host.run(ROTATES, "keys", "rotate", "--yes", "--json"))
        phase.said = (
            f"{ROTATES} replaced its key with nobody's help; the old one may still speak until "
            f"{said['sign_until']}"
        )


def _desk(stage: Stage, city: City) -> dict[str, int]:
    """Half a year of tickets, made by moves."""
    with stage.table.phase("desk") as phase:
        office = Office(stage.sessions, stage.vault, stage.settings, stage.profile)
        play = halfyear.prepare(office, stage.passwords, stage.options.seed)
        found = halfyear.play(play, figures.some_numbers(city, halfyear.TICKETS))
        phase.said = f"{sum(found.values())} tickets in half a year, {play.moves} moves"
    return found


def _judge(stage: Stage, city: City) -> dict[str, Any]:
    with stage.table.phase("judge") as phase:
        states = {a: stage.host.memory(a) for a in AGENCIES}
        found = found_persons(stage.settings.database_url)
        result = pairwise(found, true_persons(city.truth, states))
        phase.said = (
            f"automatic links against the truth: precision {result['precision']}, "
            f"recall {result['recall']}, F1 {result['f1']} ({result['pairs']} true pairs)"
        )
    return result


def _look(stage: Stage, city: City) -> dict[str, Any]:
    with stage.table.phase("look up") as phase:
        desk = lookups.Desk(stage.settings.origin)
        desk.log_in("koordinator", stage.passwords["koordinator"])
        looked = lookups.measure(desk, figures.some_numbers(city, _LOOKUPS))
        phase.said = (
            f"{looked['n']} look-ups by NIK, logged: p50 {looked['p50']} ms, p95 {looked['p95']} ms"
        )
    return looked


def write_environment(path: Path, settings: Settings) -> None:
    """A file that points `titian` at the demo's centre: `. var/demo/centre.env`."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    lines = [f"export {name}={shlex.quote(v)}\n" for name, v in settings.environ().items()]
    path.write_text("".join(lines), encoding="utf-8")


def _serve(stage: Stage) -> None:
    for agency in AGENCIES:  # they publish what changes, watch the log, and witness it
        words = stage.host.words(agency, "run")
        stage.centre.connector(agency, words, stage.host.sources[agency])
    stage.centre.beat()
    environment = stage.options.var / "centre.env"
    write_environment(environment, stage.settings)
    print(f"\nopen  {stage.settings.origin}")
    for username, name, roles in OFFICERS:
        word = stage.passwords[username]
        print(f"  {username:<12} {word:<18} {name} ({', '.join(r.value for r in roles)})")
    print(f"\ncommands in another terminal: . {environment} && .venv/bin/titian keys list")
    print("\nCtrl-C stops everything.", flush=True)
    try:
        while True:
            time.sleep(1)
            stage.centre.check()
    except KeyboardInterrupt:
        print("\nstopping…")


def _settings(options: Options, servers: Servers) -> Settings:
    origin = f"http://127.0.0.1:{options.port}"
    year = datetime.now(UTC).year
    return replace(
        Settings(),
        database_url=servers.database_url("titian"),
        broker_url=servers.broker_url,
        origin=origin,
        aud="demo.titian.local",
        log_origin=f"demo.titian.local/log/{year}",
        vault_path=str(options.var.resolve() / "vault.json"),
        profile=PROFILE,
        searches_per_hour=600,
        searches_per_day=6_000,
        second_factor="off",  # its printed logins have no phone; each page's foot says so
    )


def _fresh_databases(servers: Servers) -> None:
    with psycopg.connect(servers.database_url(), autocommit=True) as admin:
        for name in DATABASES:
            admin.execute(f"drop database if exists {name} with (force)")
            admin.execute(f"create database {name}")


def _officers(made: sessionmaker[Session]) -> dict[str, str]:
    passwords = {}
    with made() as session:
        for username, name, roles in OFFICERS:
            passwords[username] = "-".join(secrets.token_hex(2) for _ in range(3))
            new = NewOfficer(username, name, "upt-kan", roles, passwords[username])
            add_officer(session, new)
        session.commit()
    return passwords
