"""Record lines become signed batches, each numbered, chained to the last, in the outbox."""

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import Any

from connectors.config import Publish
from connectors.memory import Head, Memory
from connectors.outbox import Parcel
from keys import dsse, frame, merkle
from keys.canonical import to_moment
from keys.signers import Signer

_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
EPOCH_FACTOR = 1 << 32
LARGEST_BODY = 16 << 20
EMPTY_LOG = {"size": 0, "root": sha256(b"").hexdigest()}


@dataclass(frozen=True, slots=True)
class Voice:
    """In whose name batches are sealed, and for whom."""

    aud: str
    agency: str
    signer: Signer


def signed_by(parcel: Parcel) -> frozenset[str]:
    """The kids that the batch's envelope names as its signers."""
    envelope = dsse.parse(frame.read_head(BytesIO(parcel.body)))
    return frozenset(signature.keyid for signature in envelope.signatures)


def sealed_again(parcel: Parcel, signer: Signer) -> Parcel:
    """The same batch under another key: payload, hash, number and lines stay as they are."""
    return replace(parcel, body=frame.resign(parcel.body, [signer]))


def genesis(agency: str, stream: str) -> Head:
    """The head before the first batch (trust.md 2.3: `prev` of a stream's first payload)."""
    return Head(1, 0, sha256(f"{agency}\0{stream}".encode()).digest())


class Sealer:
    """Collects the lines of one record type; `full` seals them as one snapshot."""

    def __init__(
        self, memory: Memory, voice: Voice, block: Publish, now: datetime, *, full: bool
    ) -> None:
        self._memory, self._voice, self._block, self._now = memory, voice, block, now
        self._head = memory.head(block.stream) or genesis(voice.agency, block.stream)
        self._lines: list[bytes] = []
        self._size = 0
        self._snapshot: dict[str, Any] | None = {"id": secrets.token_hex(16)} if full else None
        self._roots: list[bytes] = []
        self._total = 0
        self.batches = 0
        self.as_of = to_moment(now)
        if full:
            self._seal("snapshot_begin")

    @property
    def pending(self) -> int:
        return len(self._lines)

    @property
    def is_full(self) -> bool:
        return self._snapshot is not None

    def line(self, op: str, record_id: str, body: str, as_of: str | None) -> bytes:
        """The record's line in the batch in hand; `body` is the JSON object of its fields."""
        salt = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode("ascii").rstrip("=")
        version = self._head.epoch * EPOCH_FACTOR + self._head.seq + 1
        head = f'{{"_s":"{salt}","_op":"{op}","_id":"{record_id}","_v":{version}'
        if as_of is not None:
            head += f',"as_of":"{as_of}"'
        tail = body[1:] if len(body) <= 2 else "," + body[1:]
        return (head + tail).encode("utf-8")

    def add(self, line: bytes) -> None:
        """Takes a line made by `line`; it may not be kept across a `seal`."""
        self._lines.append(line)
        self._size += len(line) + 1
        if self._size >= LARGEST_BODY:
            self.seal()

    def seal(self) -> None:
        """Seals what was collected, if anything."""
        if self._lines:
            self._seal("snapshot" if self._snapshot is not None else "delta")

    def attest(self, named: Sequence[Mapping[str, object]]) -> None:
        """Seals a batch without lines that vouches for batches in quarantine."""
        self._seal("attest", attests=list(named))

    def finish(self) -> None:
        """Seals the rest; a snapshot says how many parts and records it has."""
        self.seal()
        if self._snapshot is not None:
            if not self._roots:
                self._seal("snapshot")  # an empty table is a snapshot of one empty part
            roots = merkle.root([merkle.leaf_hash(root) for root in self._roots])
            self._snapshot |= {
                "parts": len(self._roots),
                "total": self._total,
                "root_of_roots": roots.hex(),
            }
            self._seal("snapshot_end")

    def _seal(self, kind: str, **more: object) -> None:
        block, seq = self._block, self._head.seq + 1
        payload = {**self._payload(kind, seq), **more}
        sealed = frame.seal_batch(payload, self._lines, [self._voice.signer])
        count = len(self._lines)
        self._lines, self._size = [], 0  # let go of before the body is written: the peak is here
        if kind == "snapshot":
            self._roots.append(sealed.root)
            self._total += count
        parcel = Parcel(
            stream=block.stream,
            epoch=self._head.epoch,
            seq=seq,
            record_type=block.record_type,
            kind=kind,
            payload_sha256=sealed.payload_sha256,
            root=sealed.root,
            count=count,
            body=sealed.body,
            sealed_at=to_moment(self._now),
        )
        self._head = Head(self._head.epoch, seq, sealed.payload_sha256)
        self._memory.outbox.put_parcel(parcel)
        self._memory.put_head(block.stream, self._head)
        self.batches += 1

    def _payload(self, kind: str, seq: int) -> Mapping[str, Any]:
        block = self._block
        payload = {
            "v": 1,
            "aud": self._voice.aud,
            "agency": self._voice.agency,
            "stream": block.stream,
            "record_type": block.record_type,
            "schema": block.schema,
            "epoch": self._head.epoch,
            "seq": seq,
            "prev": self._head.hash.hex(),
            "kind": kind,
            "as_of": self.as_of,
            "created": to_moment(self._now),
            "basis": block.basis,
            "max_reject": block.max_reject,
            "log_seen": self._memory.fact("log_seen") or EMPTY_LOG,
        }
        return payload if self._snapshot is None else {**payload, "snapshot": self._snapshot}


def body_of(values: Mapping[str, object]) -> str:
    """The fields of a record as compact JSON."""
    return _ENCODE(values)
