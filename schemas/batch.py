"""The signed payload of a batch: what an agency says of the lines that it sends.

Source: trust.md 2.3. To the table there two fields are added, since unknown fields are refused:
`confirms` (what a `confirm` releases) and `attests` (what an `attest` vouches for).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError

from schemas import statement
from schemas.errors import PayloadRefused
from schemas.fields import Many, Struct, Text, Timestamp, Token, WireField, instant
from schemas.line import version_of
from schemas.records.registry import RECORD_TYPES, RecordType, Stream, schema_of
from schemas.statement import MAX_EPOCH, MAX_SEQ, number, plain, sha256
from schemas.wire import WireSchema

BATCH_TYPE = "application/vnd.titian.batch.v1+json"
MAX_RECORDS = 50_000
MAX_BYTES = 64 * 2**20
DEFAULT_MAX_REJECT = 0.02
MAX_ATTESTED = 400  # the envelope has 32 KiB


class BatchKind(StrEnum):
    """What a batch is for."""

    DELTA = "delta"
    SNAPSHOT_BEGIN = "snapshot_begin"
    SNAPSHOT = "snapshot"
    SNAPSHOT_END = "snapshot_end"
    ATTEST = "attest"
    CONFIRM = "confirm"
    HEARTBEAT = "heartbeat"


_SNAPSHOTS = frozenset({BatchKind.SNAPSHOT_BEGIN, BatchKind.SNAPSHOT, BatchKind.SNAPSHOT_END})
_WITH_LINES = _SNAPSHOTS | {BatchKind.DELTA}


class Share(WireField):
    """A number from 0 to 1."""

    def check(self, value: Any) -> float:
        if type(value) not in (int, float):
            raise ValidationError("schema.type")
        if not 0 <= value <= 1:
            raise ValidationError("number.range")
        return float(value)


class OneOf(WireField):
    """One of a closed set that stands in code."""

    def __init__(self, allowed: frozenset[str], label_id: str) -> None:
        super().__init__(plain(label_id), required=True)
        self.allowed = allowed

    def check(self, value: Any) -> str:
        if type(value) is not str or value not in self.allowed:
            raise ValidationError("code.unknown")
        return value


class LogSeenSchema(WireSchema):
    """The largest log that the agency has verified; size 0 has the root of nothing."""

    size = number("Ukuran log")
    root = sha256("Akar log")


class SnapshotSchema(WireSchema):
    """Which snapshot a part belongs to."""

    id = Token("snapshot", "[A-Za-z0-9._:-]{1,64}", plain("Snapshot"), required=True)
    parts = number("Jumlah bagian", least=1, most=1_000_000, required=False)
    total = number("Jumlah rekaman", required=False)
    root_of_roots = sha256("Akar semua bagian", required=False)


class AttestedSchema(WireSchema):
    """One quarantined batch that the agency has reviewed and vouches for."""

    epoch = number("Epoch", least=1, most=MAX_EPOCH)
    seq = number("Nomor urut", least=1, most=MAX_SEQ)
    payload_sha256 = sha256("Hash muatan")


def _schema_fits(values: Mapping[str, Any]) -> None:
    kind = RECORD_TYPES[values["record_type"]]
    if kind.stream != values["stream"]:
        raise ValidationError("batch.stream", "stream")
    if values["schema"].rpartition("/")[0] != kind.name:
        raise ValidationError("batch.schema", "schema")


def _kind_fits(values: Mapping[str, Any]) -> None:
    kind = values["kind"]
    snapshot = values.get("snapshot")
    if (snapshot is not None) != (kind in _SNAPSHOTS):
        raise ValidationError("batch.snapshot", "snapshot")
    if kind == BatchKind.SNAPSHOT_END:
        for name in ("parts", "total", "root_of_roots"):
            if snapshot is None or snapshot.get(name) is None:
                raise ValidationError("batch.snapshot", "snapshot")
    if values["count"] and kind not in _WITH_LINES:
        raise ValidationError("batch.count", "count")
    if bool(values["count"]) != bool(values["bytes"]):
        raise ValidationError("batch.count", "bytes")
    for name, of_kind in (("confirms", BatchKind.CONFIRM), ("attests", BatchKind.ATTEST)):
        if (values.get(name) is not None) != (kind == of_kind):
            raise ValidationError(f"batch.{name}", name)


class BatchSchema(WireSchema):
    """The payload of `application/vnd.titian.batch.v1+json`."""

    rules = (_schema_fits, _kind_fits)

    v = statement.version()
    aud = statement.name("Gerbang", longest=80)
    agency = statement.agency()
    stream = OneOf(frozenset(Stream), "Aliran")
    record_type = OneOf(frozenset(RECORD_TYPES), "Jenis rekaman")
    schema = Token("batch.schema", "[a-z_]{1,40}/[0-9]{1,4}", plain("Skema"), required=True)
    epoch = number("Epoch", least=1, most=MAX_EPOCH)
    seq = number("Nomor urut", least=1, most=MAX_SEQ)
    prev = sha256("Hash sebelumnya")
    kind = OneOf(frozenset(BatchKind), "Jenis batch")
    count = number("Jumlah rekaman", most=MAX_RECORDS)
    bytes = number("Panjang", most=MAX_BYTES)
    root = sha256("Akar Merkle")
    as_of = Timestamp(plain("Keadaan pada"), required=True)
    created = Timestamp(plain("Dibuat"), required=True)
    basis = Text(64, plain("Dasar berbagi"), required=True)
    max_reject = Share(plain("Batas penolakan"))
    log_seen = Struct(LogSeenSchema, plain("Log terlihat"), required=True)
    snapshot = Struct(SnapshotSchema, plain("Snapshot"))
    confirms = sha256("Muatan yang dibenarkan", required=False)
    attests = Many(
        Struct(AttestedSchema, plain("Batch"), required=True), MAX_ATTESTED, plain("Yang dijamin")
    )


@dataclass(frozen=True, slots=True)
class LogSeen:
    """A log's size and the root at that size."""

    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which snapshot a batch is part of; totals stand on its end."""

    id: str
    parts: int | None = None
    total: int | None = None
    root_of_roots: str | None = None


@dataclass(frozen=True, slots=True)
class Attested:
    """A batch named by its place and its payload's hash."""

    epoch: int
    seq: int
    payload_sha256: str


@dataclass(frozen=True, slots=True)
class BatchPayload:
    """An accepted payload; hashes are hexadecimal, times as they were written."""

    v: int
    aud: str
    agency: str
    stream: Stream
    record_type: str
    schema: str
    epoch: int
    seq: int
    prev: str
    kind: BatchKind
    count: int
    bytes: int
    root: str
    as_of: str
    created: str
    basis: str
    log_seen: LogSeen
    max_reject: float = DEFAULT_MAX_REJECT
    snapshot: Snapshot | None = None
    confirms: str | None = None
    attests: tuple[Attested, ...] = ()

    @property
    def record(self) -> RecordType:
        return schema_of(self.schema)

    @property
    def as_of_time(self) -> datetime:
        return instant(self.as_of)

    @property
    def version(self) -> int:
        """The `_v` of every record in the batch."""
        return version_of(self.epoch, self.seq)


_SCHEMA = BatchSchema()


def load(payload: bytes) -> BatchPayload:
    """The payload of a batch, strictly.

    Raises:
        PayloadRefused: the code and the field of the first fault.
    """
    fields = statement.read(_SCHEMA, payload, floats=True, brackets=2 * MAX_ATTESTED)
    snapshot = fields.pop("snapshot", None)
    known = {kind.schema_name for kind in RECORD_TYPES.values()}
    if fields["schema"] not in known:
        raise PayloadRefused("batch.schema", "schema")
    return BatchPayload(
        **{
            **fields,
            "stream": Stream(fields["stream"]),
            "kind": BatchKind(fields["kind"]),
            "log_seen": LogSeen(**fields["log_seen"]),
            "snapshot": None if snapshot is None else Snapshot(**snapshot),
            "attests": tuple(Attested(**each) for each in fields.get("attests", ())),
        }
    )


def genesis(agency: str, stream: str) -> bytes:
    """What the `prev` of an agency's first batch in a stream is the SHA-256 of."""
    return agency.encode() + b"\x00" + stream.encode()
