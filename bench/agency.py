"""Agencies that sign: let in as all are, batches sealed and requests signed beforehand."""

import hashlib
import pickle
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.lab import House
from gateway.trust import approvals
from gateway.trust import query as trust_query
from gateway.trust import service as trust
from gateway.trust.anchors import anchors
from gateway.trust.model import AgencyDraft, Approver, Gate
from keys import dsse, frame, httpsig, merkle
from keys.canonical import to_moment
from keys.enrolment import seal_enrolment
from keys.keyset import PAYLOAD_TYPE as KEYSET_TYPE
from keys.keyset import build, entry_of
from keys.signers import Ed25519Signer, Signer
from schemas.batch import genesis
from schemas.records.registry import RECORD_TYPES

BATCH_MIME = "application/vnd.titian.batch.v1"
EPOCH = 1
_SAME: Mapping[str, object] = {
    "v": 1,
    "stream": "target",
    "record_type": "person",
    "schema": "person/1",
    "kind": "delta",
    "epoch": EPOCH,
    "basis": "mou-bench",
    "log_seen": {"size": 0, "root": merkle.EMPTY_ROOT.hex()},
}


@dataclass(frozen=True, slots=True)
class Agency:
    """An enrolled agency and its key's seed, which a client process needs as well."""

    code: str
    seed: bytes
    aud: str

    @property
    def signer(self) -> Ed25519Signer:
        """The agency's key."""
        return Ed25519Signer.from_seed(self.code, self.seed)


@dataclass(frozen=True, slots=True)
class Put:
    """A batch to be put: its address and its bytes."""

    path: str
    body: bytes


def enrol(centre: House, code: str) -> Agency:
    """An agency with a key of its own."""
    made = Agency(code, secrets.token_bytes(32), centre.settings.aud)
    let_in(centre, code, made.signer)
    return made


def let_in(centre: House, code: str, signer: Signer) -> bytes:
    """Ticket, challenge, proof, two persons; the keyset's envelope."""
    now, aud = datetime.now(UTC), centre.settings.aud
    gate = Gate(aud, centre.vault.signer("receipt"))
    draft = AgencyDraft(
        code, code.upper(), tuple(RECORD_TYPES), "mou-bench", "bench-clerk", live=True
    )
    with centre.sessions.begin() as session:
        trusted = anchors(centre.settings, centre.vault)
        ticket = trust.create_agency(session, draft, trusted, now)
        nonce = trust.challenge(session, code, ticket.ticket_id, now)
        entry = entry_of(code, signer.public, instance="bench", not_before=now)
        said = build(aud, code, [entry], issued=now)
        proof = seal_enrolment(ticket, nonce, hashlib.sha256(said).digest(), [signer])
        keyset = dsse.seal(KEYSET_TYPE, said, [signer])
        trust.enrol(session, code, (keyset, proof), gate, now)
        groups = " ".join(str(trust_query.agency(session, code).fingerprint).split()[-2:])
        for officer, role in (("bench-registrar", "key_admin"), ("bench-second", "mayor_delegate")):
            approvals.approve(session, code, Approver(officer, role), groups, now)
    return keyset


def version(seq: int) -> int:
    """The `_v` of the records in batch `seq`."""
    return EPOCH * 2**32 + seq


def payload(aud: str, code: str, seq: int, prev: str, now: str) -> Mapping[str, object]:
    """What is signed of a batch of persons."""
    own = {"aud": aud, "agency": code, "seq": seq, "prev": prev, "as_of": now, "created": now}
    return {**_SAME, **own}


def sealed(agency: Agency, batches: Iterator[Sequence[bytes]]) -> Iterator[Put]:
    """One chain of signed person batches in the agency's stream `target`."""
    signer, now = agency.signer, to_moment(datetime.now(UTC))
    prev = hashlib.sha256(genesis(agency.code, "target")).hexdigest()
    for seq, lines in enumerate(batches, 1):
        said = payload(agency.aud, agency.code, seq, prev, now)
        made = frame.seal_batch(said, lines, [signer])
        prev = made.payload_sha256.hex()
        path = f"/v1/agencies/{agency.code}/streams/target/batches/{EPOCH}/{seq}"
        yield Put(path, made.body)


def signed_headers(agency: Agency, origin: str, puts: Sequence[Put]) -> list[dict[str, str]]:
    """The headers of each request, signed under the HTTP profile; good for five minutes."""
    signer, made = agency.signer, []
    for put in puts:
        headers = {"Content-Type": BATCH_MIME, "Content-Length": str(len(put.body))}
        request = httpsig.Request(
            "PUT",
            origin + put.path,
            {name: [value] for name, value in headers.items()},
            hashlib.sha256(put.body).digest(),
        )
        nonce = secrets.token_urlsafe(16)
        made.append(
            headers | httpsig.sign_headers(request, signer, created=datetime.now(UTC), nonce=nonce)
        )
    return made


def keep(path: Path, agency: Agency, puts: Sequence[Put]) -> Path:
    """Write what a client process will put; our own file, read back by `load`."""
    path.write_bytes(pickle.dumps((agency, list(puts))))
    return path


def load(path: Path) -> tuple[Agency, list[Put]]:
    """What `keep` wrote."""
    agency, puts = pickle.loads(path.read_bytes())  # noqa: S301  (written by this very run)
    return agency, puts
