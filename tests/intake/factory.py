"""An enrolled agency that signs batches, and the tools of the centre to take them."""

import base64
import itertools
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from gateway.index import census
from gateway.index.arrivals import IndexTools
from gateway.index.scoring import Model
from gateway.intake import query, service, store
from gateway.intake.model import Accepted, Forked, IntakeTools, PutBatch
from gateway.trust import approvals
from gateway.trust import query as trust_query
from gateway.trust import service as trust
from gateway.trust.anchors import anchors
from gateway.trust.model import AgencyDraft, Approver, Gate
from keys import dsse, frame, merkle
from keys.canonical import to_moment
from keys.enrolment import seal_enrolment
from keys.frame import Sealed
from keys.keyset import PAYLOAD_TYPE as KEYSET_TYPE
from keys.keyset import build, entry_of
from keys.signers import Ed25519Signer, Signer
from schemas.batch import genesis
from schemas.profile import Profile
from schemas.receipt import ResultStatement, load_result
from schemas.records.registry import RECORD_TYPES
from tests.conftest import Database

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
EMPTY_LOG = {"size": 0, "root": merkle.EMPTY_ROOT.hex()}
_number = itertools.count(1)


def tools_of(database: Database, model: Model | None = None) -> IntakeTools:
    profile = Profile.load("payakumbuh")
    model = model or Model("none/1", (), 1e-4, {})
    index = IndexTools(database.vault, profile, model)
    return IntakeTools(database.vault, database.settings, profile, index)


def line(
    source_id: str, version: int, values: dict[str, Any] | None = None, **envelope: Any
) -> bytes:
    """One record line; `values` None deletes."""
    salt = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    head = {
        "_s": salt,
        "_op": "put" if values is not None else "del",
        "_id": source_id,
        "_v": version,
    }
    return json.dumps({**head, **envelope, **(values or {})}, separators=(",", ":")).encode()


def person(n: int, **changes: Any) -> dict[str, Any]:
    """A person nobody else is."""
    born = f"{1950 + n % 50}-{n % 12 + 1:02d}-{n % 27 + 2:02d}"
    nik = f"137601{born[8:10]}{born[5:7]}{born[2:4]}{n % 9998 + 1:04d}"
    return {
        "nik": nik,
        "nik_status": "valid_form",
        "name_source": f"ORANG {words(n)}",
        "sex": "L",
        "birth_date": born,
        "address_ktp": {"street": f"Jl. {words(n + 7)}", "rt": "001", "rw": "002"},
    } | changes


def words(n: int) -> str:
    """A number as letters, for names without digits."""
    return "".join(chr(65 + int(c)) for c in str(n))


@dataclass
class Agency:
    """One agency with one key, and the state of its streams."""

    code: str
    signer: Signer
    aud: str
    heads: dict[str, tuple[int, int, bytes]] = field(default_factory=dict)

    def version(self, stream: str = "target") -> int:
        epoch, seq, _ = self.head(stream)
        return epoch * 2**32 + seq + 1

    def head(self, stream: str) -> tuple[int, int, bytes]:
        first = frame.hashlib.sha256(genesis(self.code, stream)).digest()
        return self.heads.get(stream, (1, 0, first))

    def payload(self, **changes: Any) -> dict[str, Any]:
        record_type = changes.get("record_type", "person")
        stream = str(changes.get("stream", RECORD_TYPES[record_type].stream.value))
        epoch, seq, prev = self.head(stream)
        return {
            "v": 1,
            "aud": self.aud,
            "agency": self.code,
            "stream": stream,
            "record_type": record_type,
            "schema": f"{record_type}/1",
            "epoch": epoch,
            "seq": seq + 1,
            "prev": prev.hex(),
            "kind": "delta",
            "as_of": to_moment(NOW),
            "created": to_moment(NOW),
            "basis": "mou-test",
            "log_seen": EMPTY_LOG,
        } | changes

    def seal(
        self, lines: Sequence[bytes], *, signer: Signer | None = None, **changes: Any
    ) -> "Parcel":
        """A batch that follows on the head; it becomes the head by `advance`."""
        payload = self.payload(**changes)
        sealed = frame.seal_batch(payload, lines, [signer or self.signer])
        return Parcel(self, payload, sealed)

    def people(self, numbers: Sequence[int], **changes: Any) -> "Parcel":
        version = self.version()
        return self.seal([line(f"p{n}", version, person(n)) for n in numbers], **changes)


@dataclass
class Parcel:
    """A sealed batch and where it belongs."""

    agency: Agency
    payload: dict[str, Any]
    sealed: Sealed

    @property
    def place(self) -> tuple[str, str, int, int]:
        return (
            self.agency.code,
            self.payload["stream"],
            self.payload["epoch"],
            self.payload["seq"],
        )

    @property
    def url(self) -> str:
        agency, stream, epoch, seq = self.place
        return f"/v1/agencies/{agency}/streams/{stream}/batches/{epoch}/{seq}"

    def advance(self) -> "Parcel":
        _, stream, epoch, seq = self.place
        self.agency.heads[stream] = (epoch, seq, self.sealed.payload_sha256)
        return self

    def request(self, body: bytes | None = None) -> PutBatch:
        return PutBatch(*self.place, BytesIO(self.sealed.body if body is None else body))


def put(
    database: Database,
    tools: IntakeTools,
    parcel: Parcel,
    *,
    body: bytes | None = None,
    now: datetime = NOW,
) -> Accepted:
    """What the view does: accept and commit; a fork's evidence is committed as well."""
    with database.session() as session:
        try:
            accepted = service.accept(session, parcel.request(body), tools, now)
        except Forked:
            session.commit()
            raise
        session.commit()
    return accepted


def send(database: Database, tools: IntakeTools, parcel: Parcel) -> Parcel:
    """Accept, and let the agency go on from there."""
    put(database, tools, parcel)
    return parcel.advance()


def enrol(
    database: Database,
    code: str | None = None,
    *,
    records: Sequence[str] = tuple(RECORD_TYPES),
    now: datetime = NOW,
    instance: str = "conn-a",
    live: bool = False,
) -> Agency:
    """An agency let in the way all are: ticket, challenge, proof, two persons."""
    code = code or f"agency-{next(_number)}"
    aud = database.settings.aud
    gate = Gate(aud, database.vault.signer("receipt"))
    signer = Ed25519Signer.generate(code)
    draft = AgencyDraft(code, code.upper(), tuple(records), "mou-test", "clerk", live)
    with database.session() as session:
        ticket = trust.create_agency(
            session, draft, anchors(database.settings, database.vault), now
        )
        nonce = trust.challenge(session, code, ticket.ticket_id, now)
        entry = entry_of(code, signer.public, instance=instance, not_before=now)
        payload = build(aud, code, [entry], issued=now)
        keyset = dsse.seal(KEYSET_TYPE, payload, [signer])
        proof = seal_enrolment(ticket, nonce, frame.hashlib.sha256(payload).digest(), [signer])
        trust.enrol(session, code, (keyset, proof), gate, now)
        groups = " ".join(str(trust_query.agency(session, code).fingerprint).split()[-2:])
        for officer, role in (("registrar", "key_admin"), ("delegate", "mayor_delegate")):
            approvals.approve(session, code, Approver(officer, role), groups, now)
        session.commit()
    return Agency(code, signer, aud)


def apply(database: Database, tools: IntakeTools, *parcels: Parcel) -> None:
    """What a worker does, each batch in a transaction of its own."""
    for parcel in parcels:
        with database.session() as session:
            batch = store.find(session, parcel.place)
            assert batch is not None
            service.apply(session, batch.id, tools, NOW)
            session.commit()


def live(database: Database, agency: Agency, record_type: str = "person") -> set[str]:
    """The ids of the agency's live records."""
    with database.session() as session:
        return set(census.live_ids(session, agency.code, record_type, 2**60))


def result(database: Database, parcel: Parcel) -> ResultStatement:
    """The signed result of a batch, checked."""
    with database.session() as session:
        _, envelope = query.result(session, parcel.place)
    assert envelope is not None
    opened = dsse.parse(envelope)
    key = database.vault.signer("receipt")
    opened.verify({key.kid: key.public})
    return load_result(opened.payload)


def found(database: Database, parcel: Parcel) -> list[tuple[int, str, str, str | None]]:
    """The dispositions of a batch."""
    with database.session() as session:
        rows = query.dispositions(session, parcel.place, -1)
    return [(d.i, d.code, d.level, d.field) for d in rows]
