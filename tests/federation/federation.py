"""A city in one process: one real gateway, six agencies with the connector's own code, one clock.

A lying gateway is a second real gateway on a copy of the first one's database and secrets, but
without its memory of what it signed; a connector meets it when its transport is turned to it.
"""

import itertools
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import psycopg
from flask import Flask
from rich.console import Console
from sqlalchemy import text

from connectors import alarms, countersigning, enrolment
from connectors.assembly import Outside, open_hands, publishing_with, watch_of
from connectors.cli_run import Work, tend
from connectors.client import Answer, Client
from connectors.config import Config
from connectors.courier import log_seen
from connectors.desk import Desk
from connectors.errors import ConnectorError, Wait
from connectors.memory import Memory
from connectors.runner import Wishes, publish
from demo.servers import Servers
from gateway.app import create_app
from gateway.ledger import service as ledger
from gateway.settings import Settings
from gateway.storage.deks import open_vault
from gateway.storage.engine import connect
from gateway.trust import service as trust
from gateway.trust.anchors import anchors
from gateway.trust.model import AgencyDraft, Approver
from gateway.web.edge import edge
from keys.canonical import canonical, to_base64, to_moment
from keys.enrolment import Ticket
from keys.keystore import WITNESS, Cost, KeyStore
from keys.privatefile import write_private
from keys.recovery import public_text
from keys.signers import Ed25519Signer
from keys.verify import run as titian_verify
from tests.conftest import Database
from workers import apply, examine, reconcile, reevaluate
from workers.app import Tools
from workers.duty import carry_out

AGENCIES = ("baz", "dinkes", "dinsos", "disdik", "dstk", "dukcapil")
PASSPHRASE = "a passphrase of the agency"
MINUTE = timedelta(minutes=1)
SETTINGS = """
agency = "{agency}"
profile = "payakumbuh"
basis = "PKS-UJI"

[source]
kind = "sql"
url = "sqlite:///warga.sqlite"

[source.tables]
warga = ["id", "nama"]

[[publish]]
name = "warga"
record_type = "person"
from = "warga"
key = ["id"]
[publish.fields]
name_source = {{ from = "nama", max = 120 }}
"""
DUTIES = {each.DUTY.name: each.DUTY for each in (apply, examine, reconcile, reevaluate)}
_copies = itertools.count()
T = TypeVar("T")


@dataclass
class Clock:
    """The time of the city; a member's own may be off."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Gateway:
    """A gateway on its own database: its app in this process, and its relay's work by hand."""

    settings: Settings
    database: Database
    app: Flask
    clock: Clock

    @classmethod
    def open(cls, settings: Settings, database: Database, clock: Clock) -> "Gateway":
        app = create_app(settings)
        with app.app_context():
            app.extensions["titian"] = replace(edge(), clock=clock)
        return cls(settings, database, app, clock)

    def close(self) -> None:
        self.database.engine.dispose()
        with self.app.app_context():
            edge().sessions.kw["bind"].dispose()

    def work(self) -> None:
        """What workers do: every promise is carried out."""
        tools = Tools.of(self.settings)
        try:
            while promises := self.column("select id from outbox where done is null order by id"):
                for promise in promises:
                    (job,) = self.column("select job from outbox where id = :id", id=promise)
                    done = carry_out(DUTIES[job], str(promise), tools, self.clock())
                    assert done == "done", job
        finally:
            tools.sessions.kw["bind"].dispose()

    def column(self, statement: str, **values: object) -> list:
        with self.database.engine.begin() as connection:
            return list(connection.execute(text(statement), values).scalars())

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        path = url.removeprefix(self.settings.origin)
        answer = self.app.test_client().open(path, method=method, headers=dict(headers), data=body)
        names = {name.lower(): value for name, value in answer.headers.items()}
        date = self.clock().strftime("%a, %d %b %Y %H:%M:%S GMT")  # as its server would add
        return Answer(answer.status_code, {**names, "date": date}, answer.get_data())

    def sql(self, statement: str, **values: object) -> None:
        with self.database.engine.begin() as connection:
            connection.execute(text(statement), values)

    @contextmanager
    def clock_off(self, ahead: timedelta) -> Iterator[None]:
        """For a while this gateway's own clock is wrong."""
        with self.app.app_context():
            right = edge()
        own, kept = (lambda: kept() + ahead), self.clock
        self.app.extensions["titian"], self.clock = replace(right, clock=own), own
        yield
        self.app.extensions["titian"], self.clock = right, kept

    def append(self, *entries: Mapping[str, object]) -> None:
        with self.database.session() as session:
            ledger.append_many(session, entries)
            session.commit()

    def beat(self) -> None:
        """What the relay does in a minute: a heartbeat, and the log is integrated and signed."""
        self.append({"t": "heartbeat", "at": to_moment(self.clock())})
        self.integrate()

    def integrate(self) -> None:
        with self.database.session() as session:
            signer = self.database.vault.log_signer(self.settings.log_origin)
            while ledger.integrate(session, signer) is not None:
                session.commit()


@dataclass
class Switch:
    """A member's line: it leads to whichever gateway somebody turned it to."""

    gateway: Gateway

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        return self.gateway.send(method, url, headers, body)


@dataclass
class Member:
    """One agency: its folder, and its connector as the service runs it."""

    code: str
    folder: Path
    clock: Clock
    line: Switch
    ahead: timedelta = timedelta(0)
    stack: ExitStack = field(default_factory=ExitStack)
    work: Work | None = None

    def now(self) -> datetime:
        return self.clock() + self.ahead

    @property
    def config(self) -> Config:
        return Config.load(self.folder / "titian.toml", state=self.folder / "state")

    def open(self) -> None:
        config, outside = self.config, Outside(self.now, lambda: PASSPHRASE, transport=self.line)
        memory = self.stack.enter_context(closing(Memory.open(config.places.memory)))
        hands = open_hands(config, memory, outside)
        job, courier = self.stack.enter_context(publishing_with(hands, config, outside))
        self.work = Work(memory, job, courier, hands, watch_of(hands, config, outside))

    def turn(self) -> ConnectorError | None:
        """One round of the service; what stopped it, if anything did."""
        desk = Desk(self.config.path, None, "en", Console(stderr=True), self.now)
        try:
            tend(desk, self.work)
            publish(self.work.job, self.work.courier, Wishes())
        except ConnectorError as err:
            return err
        return None

    def admit(self, name: str) -> None:
        """A new row in the agency's own table."""
        with closing(sqlite3.connect(self.folder / "warga.sqlite")) as db, db:
            db.execute("create table if not exists warga (id integer primary key, nama text)")
            db.execute("insert into warga (nama) values (?)", [name])

    @property
    def paper(self) -> Ed25519Signer:
        """The agency's recovery key."""
        return Ed25519Signer.from_seed(self.code, f"paper of {self.code}".encode().ljust(32))

    def sign_on_paper(self, act: Callable[[], T]) -> T:
        """Does what the recovery key must sign, offline, until it has."""
        path = self.config.places.statement
        for _ in range(3):
            try:
                return act()
            except Wait:
                path.write_bytes(countersigning.with_signature(path.read_bytes(), self.paper))
        return act()

    def refuse_to_witness(self) -> None:
        """From now on it follows the log, but cosigns nothing."""
        watch, courier = self.work.watch, self.work.courier
        silent = replace(watch.witness, signer=None)
        self.work = replace(
            self.work,
            watch=replace(watch, witness=silent),
            courier=replace(courier, witness=silent),
        )

    @property
    def alarms(self) -> list[str]:
        return sorted(alarm.code for alarm in alarms.standing(self.work.memory))

    def evidence(self, ending: str = "") -> list[Path]:
        folder = self.config.places.evidence
        return sorted(folder.glob(f"*{ending}")) if folder.exists() else []


@dataclass
class City:
    """The gateway, its members, and the time."""

    servers: Servers
    folder: Path
    clock: Clock
    gateway: Gateway
    members: dict[str, Member]
    stack: ExitStack

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members.values())

    def round(self, *gateways: Gateway, beats: bool = True) -> dict[str, str]:
        """A minute passes: the log beats, every connector has its turn; by code, what stopped it."""
        self.clock.now += MINUTE
        for each in (self.gateway, *gateways) if beats else ():
            each.beat()
        stopped = {member.code: member.turn() for member in self}
        return {code: err.code for code, err in stopped.items() if err is not None}

    def twin(self, *, remembers: bool = False) -> Gateway:
        """A copy of the gateway as it is now; without its memory of what it signed it can lie."""
        folder = self.folder / f"twin-{next(_copies)}"
        return self.stack.enter_context(
            copied(self.servers, self.gateway, folder, self.clock, remembers=remembers)
        )

    def turn_to(self, gateway: Gateway, *codes: str) -> None:
        for code in codes or AGENCIES:
            self.members[code].line.gateway = gateway


@contextmanager
def copied(
    servers: Servers, old: Gateway, folder: Path, clock: Clock, *, remembers: bool
) -> Iterator[Gateway]:
    old.close()
    name = f"city{next(_copies)}"
    source = old.settings.database_url.rpartition("/")[2].partition("?")[0]
    with psycopg.connect(servers.database_url(), autocommit=True) as admin:
        admin.execute(f"create database {name} template {source}")
    folder.mkdir(parents=True)
    vault = folder / "vault.json"
    for path in Path(old.settings.vault_path).parent.glob("vault.json*"):
        shutil.copy2(path, folder / path.name)
    if not remembers:
        write_private(folder / "vault.json.head", canonical({}))
    settings = replace(old.settings, database_url=servers.database_url(name), vault_path=str(vault))
    database = replace(
        old.database, settings=settings, engine=connect(settings), vault=open_vault(settings)
    )
    made = Gateway.open(settings, database, clock)
    try:
        yield made
    finally:
        made.close()


def found_city(gateway: Gateway, folder: Path, clock: Clock) -> None:
    """Six agencies let in, each with a witness key, before a log that beats."""
    tickets = {code: _invite(gateway, code, clock) for code in AGENCIES}
    for code in AGENCIES:
        member = Member(code, folder / code, clock, Switch(gateway))
        member.folder.mkdir(parents=True)
        (member.folder / "titian.toml").write_text(SETTINGS.format(agency=code))
        member.admit(f"Orang {code.upper()}")
        config = member.config
        config.places.keys.mkdir(parents=True, mode=0o700)
        write_private(config.places.passphrase, PASSPHRASE.encode())
        # A key file says itself what a guess costs; tests need no 64 MiB of it.
        store = KeyStore(config.places.key_file, PASSPHRASE, Cost(8, 1))
        store.generate(code)
        store.generate(code, {WITNESS})
        with closing(Memory.open(config.places.memory)) as memory:
            _enrol(gateway, member, tickets[code], store, memory)


def _enrol(
    gateway: Gateway, member: Member, ticket: Ticket, store: KeyStore, memory: Memory
) -> None:
    client = Client(
        ticket.gateway, member.code, gateway, None, member.now, lambda: log_seen(memory)
    )
    paper = {"agency": member.code, "public": public_text(member.paper.public, member.code)}
    memory.put_fact(countersigning.FACT, paper)
    enrolment.prepare(ticket, store, client, memory, member.now())
    member.sign_on_paper(lambda: enrolment.countersign(memory, member.config.places.statement))
    standing = enrolment.enrol(ticket, store, client, memory, member.now())
    end = " ".join(standing.fingerprint.split()[-2:])
    with gateway.database.session() as session:
        for who, role in (("registrar", "key_admin"), ("second", "mayor_delegate")):
            trust.approve(session, member.code, Approver(who, role), end, member.now())
        session.commit()
    gateway.beat()
    assert enrolment.enrol(ticket, store, client, memory, member.now()).state == "active"
    enrolment.keep_anchors(member.config, ticket)


def _invite(gateway: Gateway, code: str, clock: Clock) -> Ticket:
    draft = AgencyDraft(code, code.upper(), ("person",), "PKS-UJI", "clerk")
    with gateway.database.session() as session:
        known = anchors(gateway.settings, gateway.database.vault)
        made = trust.create_agency(session, draft, known, clock())
        session.commit()
    return made


def verified(city: City, *files: Path) -> int:
    """The status of `titian-verify` on files, under the gateway's own keys."""
    known = anchors(city.gateway.settings, city.gateway.database.vault)
    receipt = {"alg": known.receipt_key.alg, "pub": to_base64(known.receipt_key.raw)}
    policy = city.folder / "policy.json"
    told = {"titian_policy": 1, "aud": known.aud, "log_vkey": known.log_vkey}
    policy.write_text(json.dumps({**told, "receipt": {known.receipt_kid: receipt}}))
    return titian_verify([*map(str, files), "--policy", str(policy), "--lang", "en"])
