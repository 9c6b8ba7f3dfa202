"""A small city's evidence: an agency, its keyset, one batch, and the log that took both."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from keys import bundle, dsse, frame, keyset, merkle
from keys.bundle import (
    BatchEvidence,
    DecisionEvidence,
    LoggedEntry,
    Opened,
    Origin,
    QueryEvidence,
    RecordEvidence,
    accept_entry,
    keyset_entry,
)
from keys.canonical import canonical, to_base64, to_moment
from keys.checkpoint import Checkpoint, NoteKey, NoteSigner, format_proof, witness_key
from keys.commitment import commit
from keys.cosignature import cosign
from keys.signers import Ed25519Signer, Signer
from keys.succession import OVERLAP

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
LATER = NOW + timedelta(days=80)
ASKED = {"terms": {"typed": "Siti 1990"}}
SHOWN = {"persons": ["p" * 26], "fields": "candidate"}
STATEMENT = b'{"kind":"approve_key","reason":"uji"}'
AUD = "titian.example"
ORIGIN = "titian.example/log/2026"
AGENCY = Ed25519Signer.from_seed("dinsos", bytes([1]) * 32)
NEXT = Ed25519Signer.from_seed("dinsos", bytes([2]) * 32)
STRANGER = Ed25519Signer.from_seed("dinsos", bytes([3]) * 32)
RECOVERY = Ed25519Signer.from_seed("dinsos", bytes([4]) * 32)
WITNESSES = [Ed25519Signer.from_seed(a, bytes([s]) * 32) for a, s in (("baz", 21), ("disdik", 22))]
RECEIPT = Ed25519Signer.from_seed("gateway", bytes([9]) * 32)
LOG = NoteSigner(ORIGIN, bytes([7]) * 32)
LINES = [b'{"_id":"%d","_op":"put"}' % i for i in range(5)]
BATCH: dict[str, Any] = {
    "v": 1,
    "aud": AUD,
    "agency": "dinsos",
    "stream": "target",
    "record_type": "person",
    "schema": "person/1",
    "epoch": 1,
    "seq": 1,
    "prev": "00" * 32,
    "kind": "delta",
    "max_reject": 0.02,
}


@dataclass
class Log:
    """Entries in order, and proofs under one checkpoint over all of them."""

    signer: NoteSigner = LOG
    entries: list[bytes] = field(default_factory=list)

    def add(self, entry: Mapping[str, Any]) -> int:
        self.entries.append(canonical(dict(entry)))
        return len(self.entries) - 1

    def leaves(self) -> list[bytes]:
        return [merkle.leaf_hash(entry) for entry in self.entries]

    def note(self) -> bytes:
        root = merkle.root(self.leaves())
        head = Checkpoint(self.signer.key.name, len(self.entries), root)
        return self.signer.sign(head) + witnessed(head, WITNESSES)

    def proved(self, index: int) -> LoggedEntry:
        path = merkle.inclusion(self.leaves(), index)
        return LoggedEntry(self.entries[index], format_proof(index, path, self.note()))


def witnessed(head: Checkpoint, witnesses: Sequence[Signer]) -> bytes:
    """The lines of witnesses who saw a checkpoint."""
    lines = [cosign(head, vkey_of(each), each, NOW) for each in witnesses]
    return "".join(f"{line}\n" for line in lines).encode()


def vkey_of(signer: Signer) -> NoteKey:
    return witness_key(signer.kid.partition(":")[0], signer.public)


def first_keyset(aud: str = AUD, signers: Sequence[Signer] = (AGENCY, RECOVERY)) -> bytes:
    entries = [keyset.entry_of("dinsos", AGENCY.public, instance="conn-a", not_before=NOW)]
    recovery = keyset.Recovery(1, {RECOVERY.kid: RECOVERY.public})
    payload = keyset.build(aud, "dinsos", entries, issued=NOW, recovery=recovery)
    return dsse.seal(keyset.PAYLOAD_TYPE, payload, signers)


def next_keyset(signers: Sequence[Signer] = (AGENCY, NEXT), **change: Any) -> bytes:
    """Version 2: AGENCY hands over to NEXT."""
    first = dsse.parse(first_keyset())
    value = json.loads(first.payload)
    added = keyset.entry_of("dinsos", NEXT.public, instance="conn-a", not_before=LATER)
    alone = json.loads(keyset.build(AUD, "dinsos", [added], issued=LATER))["keys"]
    retired = {**value["keys"][AGENCY.kid], "sign_until": to_moment(LATER + OVERLAP)}
    value |= {
        "version": 2,
        "prev": first.payload_sha256.hex(),
        "issued": to_moment(LATER),
        "keys": {AGENCY.kid: retired, **alone},
        "reason": "scheduled",
    }
    return dsse.seal(keyset.PAYLOAD_TYPE, canonical(value | change), signers)


def lost_keyset(
    size_at_since: int, signers: Sequence[Signer] = (RECOVERY,), **change: Any
) -> bytes:
    """Version 3: NEXT was lost when the log had that size."""
    before = dsse.parse(next_keyset())
    lost = {
        "kid": NEXT.kid,
        "since": to_moment(LATER),
        "reason": "key_compromise",
        "size_at_since": size_at_since,
    }
    value = json.loads(before.payload) | {
        "version": 3,
        "prev": before.payload_sha256.hex(),
        "issued": to_moment(LATER + OVERLAP),
        "revoked": [lost],
        "reason": "revoke",
    }
    return dsse.seal(keyset.PAYLOAD_TYPE, canonical(value | change), signers)


def batch(signer: Signer = AGENCY, lines: Sequence[bytes] = LINES, **change: Any) -> frame.Sealed:
    return frame.seal_batch({**BATCH, **change}, lines, [signer])


def envelope_of(sealed: frame.Sealed) -> bytes:
    length = int.from_bytes(sealed.body[4:8], "big")
    return sealed.body[8 : 8 + length]


def origin(
    sealed: frame.Sealed,
    *,
    keysets: Sequence[bytes] | None = None,
    after: Sequence[bytes] = (),
    kid: str = AGENCY.kid,
) -> Origin:
    """Evidence that a batch was accepted, between the agency's keysets and those `after`."""
    log = Log()
    log.add({"t": "heartbeat"})
    first = [first_keyset()] if keysets is None else keysets
    places = [log.add(keyset_entry("dinsos", n, each)) for n, each in enumerate(first, 1)]
    entry = accept_entry(json.loads(sealed.payload), sealed.payload_sha256, kid)
    accepted = log.add(entry)
    log.add({"t": "heartbeat"})
    later = enumerate(after, len(first) + 1)
    places += [log.add(keyset_entry("dinsos", n, each)) for n, each in later]
    proved = [log.proved(place) for place in places]
    return Origin(envelope_of(sealed), proved, log.proved(accepted))


def record(sealed: frame.Sealed | None = None, **options: Any) -> RecordEvidence:
    """Evidence for line 2 of a batch."""
    sealed = batch() if sealed is None else sealed
    path = merkle.inclusion(sealed.leaves, 2)
    return RecordEvidence(LINES[2], 2, path, origin(sealed, **options))


def whole(sealed: frame.Sealed | None = None, **options: Any) -> BatchEvidence:
    """Evidence for a whole batch."""
    sealed = batch() if sealed is None else sealed
    return BatchEvidence(sealed.leaves, origin(sealed, **options))


def look(*, asked: Mapping[str, Any] = ASKED, shown: Mapping[str, Any] = SHOWN) -> QueryEvidence:
    """A question, its answer, and the batch that the answer came from."""
    log, sealed = Log(), batch()
    source = log.add(accept_entry(json.loads(sealed.payload), sealed.payload_sha256, AGENCY.kid))
    named = merkle.leaf_hash(log.entries[source]).hex()
    query = {"t": "query", "qid": "q" * 26, "agency": "upt-kan", "role": "counter_officer"}
    question = commit(asked, bytes([1]) * 32)
    at = log.add(query | {"purpose": "cek_mandiri", "commit": question.sha256.hex()})
    leaf = merkle.leaf_hash(log.entries[at]).hex()
    result = {"t": "result", "qid": "q" * 26, "n": 1, "query": leaf, "batches": [named]}
    answer = commit(shown, bytes([2]) * 32)
    answered = log.add(result | {"commit": answer.sha256.hex()})
    return QueryEvidence(
        Opened(log.proved(at), canonical(dict(asked)), question.salt),
        [Opened(log.proved(answered), canonical(dict(shown)), answer.salt)],
        [log.proved(source)],
    )


def decision_sha256() -> str:
    return hashlib.sha256(STATEMENT).hexdigest()


def decision(**change: Any) -> DecisionEvidence:
    """A confirmed statement; `change` of what the log says."""
    detail = {"statement": decision_sha256(), "role": "key_admin"}
    detail |= {"officer": "0190", "at": "2026-11-24T02:00:00Z"}
    made = commit(detail, bytes([3]) * 32)
    entry = {"t": "decision", "kind": "confirm", "role": "key_admin", "officer": "ab" * 16}
    log = Log()
    log.add({"t": "heartbeat"})
    said = {"statement": detail["statement"], "commit": made.sha256.hex()}
    at = log.add({k: v for k, v in (entry | said | change).items() if v is not None})
    return DecisionEvidence(Opened(log.proved(at), canonical(detail), made.salt), STATEMENT)


def receipt(signer: Signer = RECEIPT, **change: Any) -> bytes:
    value = {
        "v": 1,
        "aud": AUD,
        "agency": "dinsos",
        "stream": "target",
        "epoch": 1,
        "seq": 1,
        "payload_sha256": "ab" * 32,
        "root": "cd" * 32,
        "count": 5,
        "accepted_at": "2026-11-24T02:00:00Z",
        "leaf": "ef" * 32,
        "mmd": 10,
        "min_size": 1,
    }
    return dsse.seal(bundle.RECEIPT_TYPE, canonical(value | change), [signer])


def key_json(signer: Signer) -> dict[str, Any]:
    return {signer.kid: {"alg": "ed25519", "pub": to_base64(signer.public.raw)}}


def policy(**change: Any) -> bytes:
    value = {
        "titian_policy": 1,
        "aud": AUD,
        "log_vkey": LOG.vkey,
        "receipt": key_json(RECEIPT),
        "agencies": {"dinsos": key_json(AGENCY)},
    }
    return json.dumps({k: v for k, v in (value | change).items() if v is not None}).encode()
