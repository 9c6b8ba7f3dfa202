"""One record from an agency's table to the officer's screen, in one process; nothing is patched."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from flask import Flask, before_render_template
from flask.testing import FlaskClient
from sqlalchemy import func, select

from connectors import enrolment, results
from connectors.assembly import Outside, publishing
from connectors.client import Answer, Client
from connectors.courier import Courier, log_seen
from connectors.memory import Memory
from connectors.runner import Job as Reading
from connectors.runner import Tally, Wishes, publish
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer, add_officer
from gateway.access.store import query, result, result_person
from gateway.app import create_app
from gateway.index.store import membership, source_record
from gateway.intake import store as intake
from gateway.intake.model import State
from gateway.jobs import Job
from gateway.ledger import query as ledger
from gateway.storage import outbox
from gateway.trust import query as trust_query
from gateway.trust import service as trust
from gateway.trust.anchors import anchors
from gateway.trust.model import AgencyDraft, Approver
from gateway.web.edge import edge
from keys import bundle, dsse, frame, merkle
from keys.canonical import to_base64
from keys.enrolment import format_ticket
from keys.keystore import Cost, KeyStore
from keys.privatefile import write_private
from keys.verify import run as titian_verify
from tests.conftest import Database
from tests.line.village import AGENCY, Village, Villager
from workers import apply, examine, reconcile
from workers.app import Tools
from workers.duty import carry_out
from workers.integrate import integrate

DUTIES = {
    Job.APPLY: apply.DUTY,
    Job.RECONCILE: reconcile.DUTY,
    Job.EXAMINE: examine.DUTY,
}
ONE = Villager(1, "Yusmanidar Caniago", "1376014105900002", "1990-05-01", "081234567890")
PASSWORD, PASSPHRASE = "kata-sandi-petugas", "a passphrase of the agency"
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
PERSON = re.compile(r'name="person" value="([^"]+)"')
GROUPED = "1376 0141 0590 0002"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class InProcess:
    """The connector's transport for a gateway in the same process."""

    client: FlaskClient
    origin: str

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        assert url.startswith(self.origin + "/")
        path = url.removeprefix(self.origin)
        answer = self.client.open(path, method=method, headers=dict(headers), data=body)
        names = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, names, answer.get_data())


@dataclass(frozen=True)
class Line:
    """Both ends of the line and everything between them."""

    database: Database
    app: Flask
    tools: Tools
    village: Village
    transport: InProcess

    def enrol(self, *, live: bool = False) -> None:
        """Ticket, key, proof, two persons, and the keyset's place in the log."""
        config = self.village.config()
        draft = AgencyDraft(AGENCY, "BAZ", ("person",), "PKS-UJI", "clerk", live)
        with self.database.session() as session:
            trusted = anchors(self.database.settings, self.database.vault)
            made = trust.create_agency(session, draft, trusted, now())
            session.commit()
        ticket = enrolment.read_ticket(format_ticket(made), AGENCY, now())
        config.places.keys.mkdir(parents=True, mode=0o700)
        write_private(config.places.passphrase, PASSPHRASE.encode())
        # A key file says itself what a guess of its passphrase costs; tests need no 64 MiB of it.
        KeyStore(config.places.key_file, PASSPHRASE, Cost(memory_kib=8, iterations=1)).generate(
            AGENCY
        )
        store = enrolment.open_keys(config, PASSPHRASE)
        with closing(Memory.open(config.places.memory)) as memory:
            client = Client(
                ticket.gateway, AGENCY, self.transport, None, now, lambda: log_seen(memory)
            )
            standing = enrolment.enrol(ticket, store, client, memory, now())
            assert (standing.state, standing.approvals) == ("pending", 0)
            last = " ".join(standing.fingerprint.split()[-2:])
            for person, role in (("registrar", "key_admin"), ("second", "mayor_delegate")):
                with self.database.session() as session:
                    trust.approve(session, AGENCY, Approver(person, role), last, now())
                    session.commit()
            assert enrolment.enrol(ticket, store, client, memory, now()).state == "pending"
            integrate(self.tools)
            assert enrolment.enrol(ticket, store, client, memory, now()).state == "active"
        enrolment.keep_anchors(config, ticket)

    @contextmanager
    def connector(self) -> Iterator[tuple[Memory, Reading, Courier]]:
        config = self.village.config()
        outside = Outside(now, lambda: PASSPHRASE, transport=self.transport)
        with (
            closing(Memory.open(config.places.memory)) as memory,
            publishing(config, memory, outside) as (job, courier),
        ):
            yield memory, job, courier

    def publish(self) -> Tally:
        with self.connector() as (memory, job, courier):
            tally = publish(job, courier, Wishes())[0]
            assert memory.outbox.counts()["waiting"] == 0
        return tally

    def work(self) -> list[Job]:
        """Carry out every promise as a worker would; which jobs there were."""
        done = []
        while True:
            with self.database.session() as session:
                due = outbox.hand(session, 10)
                session.commit()
            if not due:
                return done
            for promise_id, job in due:
                assert carry_out(DUTIES[job], str(promise_id), self.tools, now()) == "done"
                done.append(job)

    def count(self, table: Any) -> int:
        with self.database.session() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture(scope="module")
def line(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    village = Village(tmp_path_factory.mktemp("baz"))
    village.settle([ONE])
    app = create_app(database.settings)
    tools = Tools.of(database.settings)
    with database.session() as session:
        roles = (Role.COUNTER_OFFICER,)
        add_officer(session, NewOfficer("petugas", "Petugas", "upt-kan", roles, PASSWORD))
        session.commit()
    with app.test_client(use_cookies=False) as client:
        yield Line(database, app, tools, village, InProcess(client, database.settings.origin))
    with app.app_context():
        made = edge().sessions
    for sessions in (made, tools.sessions):
        sessions.kw["bind"].dispose()


@dataclass
class Screen:
    """The officer's browser: follows redirects by hand and remembers every address."""

    client: FlaskClient
    origin: str
    csrf: str = ""

    def __post_init__(self) -> None:
        self.addresses: list[str] = []

    def get(self, path: str) -> str:
        self.addresses.append(path)
        answer = self.client.get(path, base_url=self.origin)
        assert answer.status_code == 200
        page = answer.get_data(as_text=True)
        found = CSRF.search(page)
        self.csrf = found.group(1) if found else self.csrf
        return page

    def post(self, path: str, **fields: str) -> str:
        """Send a form; the address it leads to."""
        self.addresses.append(path)
        answer = self.client.post(
            path,
            base_url=self.origin,
            data={"csrf": self.csrf, **fields},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        assert answer.status_code == 303
        return urlsplit(answer.headers["Location"]).path


def test_one_record_from_the_source_to_the_desk(line, tmp_path):
    line.enrol()
    _published_before_any_worker(line)
    _worked_and_settled(line)
    with line.app.test_client() as client:
        screen = Screen(client, line.database.settings.origin)
        screen.get(screen.post("/masuk", username="petugas", password=PASSWORD))
        by_nik = _looked_up(line, screen, ONE.nik)
        by_name = _looked_up(line, screen, "Jusmanidar Chaniago")
        assert by_nik == by_name
        _opened_and_revealed(line, screen, by_nik)
    assert not [a for a in screen.addresses if ONE.nik in a]
    integrate(line.tools)
    with line.database.session() as session:
        vkey = line.database.vault.log_signer(line.database.settings.log_origin).vkey
        assert ledger.verify(session, vkey).size == ledger.state(session).size
        assert ledger.pending(session) == 0
    _evidence_holds(line, tmp_path)


def _published_before_any_worker(line: Line) -> None:
    tally = line.publish()
    assert (tally.read, tally.sent, tally.refused, tally.batches) == (1, 1, 0, 1)
    assert line.count(source_record) == line.count(membership) == 0
    with line.database.session() as session:
        assert session.scalars(select(intake.batch.c.state)).all() == [State.ACCEPTED.value]
        assert outbox.open_count(session) == {"open": 1, "parked": 0}


def _worked_and_settled(line: Line) -> None:
    integrate(line.tools)
    assert line.work() == [Job.APPLY, Job.RECONCILE, Job.EXAMINE]
    assert line.count(source_record) == line.count(membership) == 1
    with line.connector() as (memory, _, courier):
        assert courier.settle() == 1
        assert results.collect(courier) == 1
        assert memory.outbox.counts()["settled"] == 1
        (told,) = memory.outbox.results()
        assert told[3] == {"state": "applied", "applied": 1, "unchanged": 0, "rejected": []}
    again = line.publish()
    assert (again.sent, again.unchanged, again.batches) == (0, 1, 0)


def _looked_up(line: Line, screen: Screen, typed: str) -> str:
    """Search; the id of the one candidate."""
    before = line.count(query), line.count(result)
    screen.get("/loket")
    address = screen.post("/cari", q=typed, purpose="cek_mandiri")
    assert (line.count(query), line.count(result)) == (before[0] + 1, before[1])
    page = _shown_only_after_its_leaf(line, screen, address)
    assert "Yusmanidar" in page.title()
    assert ONE.nik not in page
    assert GROUPED not in page
    (person,) = PERSON.findall(page)
    return person


def _shown_only_after_its_leaf(line: Line, screen: Screen, address: str) -> str:
    """The page; when it was rendered, question and answer stood committed in tracker and log."""
    seen: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def look(_: Flask, template: Any, **__: Any) -> None:
        if template.name not in {"found.html", "profile.html"}:
            return
        with line.database.session() as session:
            asked = session.execute(select(query).order_by(query.c.id.desc()).limit(1)).one()
            told = session.execute(select(result).where(result.c.query_id == asked.id)).one()
            shown = session.scalars(
                select(result_person.c.person_id).where(result_person.c.result_id == told.id)
            ).all()
            assert len(shown) == told.shown == 1
            assert all(isinstance(person, UUID) for person in shown)
            entries = [json.loads(ledger.entry(session, row.leaf)) for row in (asked, told)]
        seen.append((entries[0], entries[1]))

    with before_render_template.connected_to(look, line.app):
        page = screen.get(address)
    ((asked, told),) = seen
    assert (asked["t"], told["t"]) == ("query", "result")
    assert asked["qid"] == told["qid"] == address.split("/")[2]
    assert told["n"] == 1
    assert ONE.nik not in json.dumps([asked, told])
    with line.database.session() as session:
        accepted = session.scalars(select(intake.batch.c.leaf)).all()
    assert told["batches"] == [leaf.hex() for leaf in accepted]
    return page


def _opened_and_revealed(line: Line, screen: Screen, person: str) -> None:
    address = screen.post("/profil", person=person, purpose="cek_mandiri")
    page = _shown_only_after_its_leaf(line, screen, address)
    assert "1376 •••• •••• 0002" in page
    assert ONE.nik not in page
    assert GROUPED not in page
    address = screen.post("/profil", person=person, purpose="cek_mandiri", act="reveal")
    page = _shown_only_after_its_leaf(line, screen, address)
    assert GROUPED in page


def _evidence_holds(line: Line, folder: Path) -> None:
    """What the agency and the log keep convinces a stranger who only has the ticket's anchors."""
    with line.connector() as (memory, _, courier):
        body = memory.outbox.body("target", 1, 1)
        assert body is not None
        anchored = courier.anchors
    stream = io.BytesIO(body)
    envelope = frame.read_head(stream)
    payload = json.loads(dsse.parse(envelope).payload)
    found = frame.lines_and_root(
        stream, count=payload["count"], size=payload["bytes"], limits=frame.DEFAULT_LIMITS
    )
    with line.database.session() as session:
        leaves = [
            trust_query.keyset(session, AGENCY).leaf,
            session.scalars(select(intake.batch.c.leaf)).one(),
        ]
        keyset, accept = (
            bundle.LoggedEntry(ledger.entry(session, leaf), ledger.proof(session, leaf))
            for leaf in leaves
        )
    origin = bundle.Origin(envelope, [keyset], accept)
    evidence = bundle.RecordEvidence(found.lines[0], 0, merkle.inclusion(found.leaves, 0), origin)
    proof, batch, policy = (folder / n for n in ("satu.titianproof", "satu.batch", "policy.json"))
    proof.write_bytes(bundle.build(evidence))
    batch.write_bytes(body)
    keys = {
        kid: {"alg": k.alg, "pub": to_base64(k.raw)} for kid, k in anchored.receipt_keys.items()
    }
    trusted = {"titian_policy": 1, "aud": anchored.aud, "log_vkey": anchored.log_vkey}
    policy.write_text(json.dumps({**trusted, "receipt": keys}), encoding="utf-8")
    assert titian_verify([str(proof), "--policy", str(policy)]) == 0
    altered = bundle.RecordEvidence(
        found.lines[0].replace(b"Yusmanidar", b"Yusmanidur").replace(b"YUSMANIDAR", b"YUSMANIDUR"),
        *(0, evidence.path, origin),
    )
    assert altered.line != evidence.line
    proof.write_bytes(bundle.build(altered))
    assert titian_verify([str(proof), "--policy", str(policy)]) == 1
