"""The API of log and enrolment on a real socket, and connectors that call it."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from connectors import courier, enrolment
from connectors.client import Client, RequestsTransport
from connectors.enrolment import Standing
from connectors.memory import Memory
from connectors.speaker import signing_kids
from gateway.ledger import service as ledger
from gateway.settings import Settings
from gateway.storage.engine import sessions
from gateway.trust import service as trust
from gateway.trust.model import AgencyDraft, Approver
from gateway.web import edge, problems
from gateway.web.api import enrolments, keysets, log
from keys.enrolment import Ticket, format_ticket
from keys.keystore import Cost, KeyStore
from schemas.profile import Profile
from tests.conftest import Database
from tests.trust.enrolling import anchors

_moments = (f"{year}-11-03T00:00:00Z" for year in itertools.count(2000))


def now() -> datetime:
    return datetime.now(UTC)


def make_app(database: Database, settings: Settings) -> Flask:
    app = Flask(__name__)
    app.config.update(API_TITLE="Titian", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    given = edge.Edge(
        settings=settings,
        sessions=sessions(database.engine),
        vault=database.vault,
        clock=now,
        profile=Profile.load("payakumbuh"),
    )
    edge.install(app, given)
    problems.install(app)
    api = problems.ProblemApi(app)
    for module in (log, enrolments, keysets):
        api.register_blueprint(module.blueprint)
    return app


class Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        return


@dataclass
class Centre:
    """The running API, and what the persons and processes of the centre do beside it."""

    database: Database
    app: Flask

    @property
    def url(self) -> str:
        return self.database.settings.origin

    def invite(self, agency: str) -> Ticket:
        draft = AgencyDraft(agency, "Dinas", ("person",), "PKS-1", "clerk")
        with self.database.session() as session:
            made = trust.create_agency(session, draft, anchors(self.database), now())
            session.commit()
        return enrolment.read_ticket(format_ticket(made), agency, now())

    def invite_again(self, agency: str) -> Ticket:
        with self.database.session() as session:
            made = trust.ticket_again(
                session, agency, Approver("maker", "key_admin"), anchors(self.database), now()
            )
            session.commit()
        return enrolment.read_ticket(format_ticket(made), agency, now())

    def approve(self, agency: str, fingerprint: str) -> None:
        end = " ".join(fingerprint.split()[-2:])
        for who, role in (("registrar", "key_admin"), ("second", "mayor_delegate")):
            with self.database.session() as session:
                trust.approve(session, agency, Approver(who, role), end, now())
                session.commit()

    def append(self, count: int) -> list[bytes]:
        entries = [{"t": "heartbeat", "at": moment} for moment in itertools.islice(_moments, count)]
        with self.database.session() as session:
            leaves = ledger.append_many(session, entries)
            session.commit()
        return leaves

    def integrate(self) -> None:
        with self.database.session() as session:
            ledger.integrate(
                session, self.database.vault.log_signer(self.database.settings.log_origin)
            )
            session.commit()


@dataclass
class Connector:
    """An agency's real connector code, from key file to HTTP."""

    agency: str
    store: KeyStore
    memory: Memory
    transport: RequestsTransport
    url: str

    @property
    def client(self) -> Client:
        signer = (
            self.store.signer(signing_kids(self.store)[0]) if signing_kids(self.store) else None
        )
        return Client(
            self.url,
            self.agency,
            self.transport,
            signer,
            now,
            lambda: courier.log_seen(self.memory),
        )

    def enrol(self, ticket: Ticket) -> Standing:
        return enrolment.enrol(ticket, self.store, self.client, self.memory, now())


@contextmanager
def connecting(centre: Centre, agency: str, folder: Path) -> Iterator[Connector]:
    folder.mkdir(exist_ok=True)
    store = KeyStore(folder / "keys.json", "a passphrase", Cost(memory_kib=64, iterations=1))
    with (
        closing(Memory.open(folder / "memory.sqlite")) as memory,
        closing(RequestsTransport()) as transport,
    ):
        yield Connector(agency, store, memory, transport, centre.url)


@pytest.fixture(scope="module")
def centre(database: Database) -> Iterator[Centre]:
    server = make_server("127.0.0.1", 0, Flask(__name__), threaded=True, request_handler=Quiet)
    settings = replace(database.settings, origin=f"http://127.0.0.1:{server.server_port}")
    here = replace(database, settings=settings)
    server.app = make_app(here, settings)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield Centre(here, server.app)
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture(scope="module")
def enrolled(centre: Centre, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connector]:
    """A connector whose agency is active, before a log that has at least 300 entries."""
    with connecting(centre, "dinkes", tmp_path_factory.mktemp("dinkes") / "state") as made:
        ticket = centre.invite("dinkes")
        centre.approve("dinkes", made.enrol(ticket).fingerprint)
        centre.append(300)
        centre.integrate()
        assert made.enrol(ticket).state == "active"
        yield made
