"""A small city's evidence: an agency, its keyset, one batch, and the log that took both."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from keys import bundle, dsse, frame, keyset, merkle
from keys.bundle import LoggedEntry, RecordEvidence
from keys.canonical import canonical, to_base64
from keys.checkpoint import Checkpoint, NoteSigner, format_proof
from keys.signers import Ed25519Signer, Signer

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
AUD = "titian.example"
ORIGIN = "titian.example/log/2026"
AGENCY = Ed25519Signer.from_seed("dinsos", bytes([1]) * 32)
NEXT = Ed25519Signer.from_seed("dinsos", bytes([2]) * 32)
STRANGER = Ed25519Signer.from_seed("dinsos", bytes([3]) * 32)
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
        return self.signer.sign(Checkpoint(self.signer.key.name, len(self.entries), root))

    def proved(self, index: int) -> LoggedEntry:
        path = merkle.inclusion(self.leaves(), index)
        return LoggedEntry(self.entries[index], format_proof(index, path, self.note()))


def first_keyset(aud: str = AUD, signers: Sequence[Signer] = (AGENCY,)) -> bytes:
    entries = [keyset.entry_of("dinsos", AGENCY.public, instance="conn-a", not_before=NOW)]
    payload = keyset.build(aud, "dinsos", entries, issued=NOW)
    return dsse.seal(keyset.PAYLOAD_TYPE, payload, signers)


def next_keyset(
    signers: Sequence[Signer] = (AGENCY, NEXT),
    revoked: Sequence[Mapping[str, Any]] = (),
    **change: Any,
) -> bytes:
    """Version 2: the key NEXT beside AGENCY."""
    first = dsse.parse(first_keyset())
    value = json.loads(first.payload)
    added = keyset.entry_of("dinsos", NEXT.public, instance="conn-a", not_before=NOW)
    alone = json.loads(keyset.build(AUD, "dinsos", [added], issued=NOW))["keys"]
    value |= {
        "version": 2,
        "prev": first.payload_sha256.hex(),
        "keys": {**value["keys"], **alone},
        "revoked": list(revoked),
        "reason": "scheduled",
    }
    return dsse.seal(keyset.PAYLOAD_TYPE, canonical(value | change), signers)


def batch(signer: Signer = AGENCY, lines: Sequence[bytes] = LINES, **change: Any) -> frame.Sealed:
    return frame.seal_batch({**BATCH, **change}, lines, [signer])


def envelope_of(sealed: frame.Sealed) -> bytes:
    length = int.from_bytes(sealed.body[4:8], "big")
    return sealed.body[8 : 8 + length]


def record(
    sealed: frame.Sealed | None = None,
    *,
    keysets: Sequence[bytes] | None = None,
    log: Log | None = None,
    kid: str = AGENCY.kid,
) -> RecordEvidence:
    """Evidence for line 2 of a batch whose keysets and acceptance are in a log."""
    sealed = batch() if sealed is None else sealed
    log = Log() if log is None else log
    log.add({"t": "heartbeat"})
    statements = [first_keyset()] if keysets is None else keysets
    places = [
        log.add(bundle.keyset_entry("dinsos", number, each))
        for number, each in enumerate(statements, 1)
    ]
    entry = bundle.accept_entry(json.loads(sealed.payload), sealed.payload_sha256, kid)
    accepted = log.add({**entry, "kid": kid})
    log.add({"t": "heartbeat"})
    return RecordEvidence(
        line=LINES[2],
        index=2,
        path=merkle.inclusion(sealed.leaves, 2),
        envelope=envelope_of(sealed),
        keysets=[log.proved(place) for place in places],
        accept=log.proved(accepted),
    )


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
