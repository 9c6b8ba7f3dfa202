"""The strict parser of one record line, and of the lines of one batch.

The bounds are checked on the bytes, then JSON, then the envelope keys (`_s _op _id _v as_of`), then
the values: by the fast plan, and again by marshmallow when the plan does not accept them.
Source: trust.md 2.3, 2.4 and F6.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from marshmallow import Schema

from schemas import strictjson
from schemas.envelope import DEL, PUT, EnvelopeSchema
from schemas.errors import LineRefused, PayloadRefused
from schemas.plan import MISSES, Plan, compile_plan
from schemas.records.registry import RecordType, load_strictly

MAX_LINE = 16_384


@dataclass(frozen=True, slots=True)
class Parsed:
    """One accepted line. `values` hold what was said: null and absent are left out alike."""

    op: str
    id: str
    v: int
    as_of: str | None
    salt: str
    values: dict[str, Any]

    def content_hash(self) -> bytes:
        return content_hash(self.values, self.op, self.as_of)


class LineParser:
    """Lines of one record type, each on its own; it keeps nothing between lines.

    `strict=True` leaves the plan out: the official path, equal in every verdict and value.
    """

    ENVELOPE: ClassVar[Schema] = EnvelopeSchema()

    def __init__(
        self,
        kind: RecordType | Schema,
        *,
        envelope: Schema | None = None,
        strict: bool = False,
    ) -> None:
        self._schema = kind.schema if isinstance(kind, RecordType) else kind
        self._envelope = self.ENVELOPE if envelope is None else envelope
        self._keys = tuple(
            field.data_key or name for name, field in self._envelope.load_fields.items()
        )
        self._plan = _official(self._schema) if strict else _plan_of(kind)
        self._envelope_plan = _official(self._envelope) if strict else compile_plan(self._envelope)

    def parse(self, line: bytes) -> Parsed:
        """The record of one line without its LF.

        Raises:
            LineRefused: `frame.*`, `text.*`, `json.*`, `salt.*`, `op.*`, `id.*`, `version.*`,
                `schema.*` or a code of the field that is at fault.
        """
        if len(line) > MAX_LINE:
            raise LineRefused("frame.line_length")
        if not line:
            raise LineRefused("frame.empty_line")
        try:
            values = strictjson.parse_object(line)
        except PayloadRefused as err:
            raise LineRefused(err.code) from None
        envelope = {key: values.pop(key) for key in self._keys if key in values}
        head = _load(self._envelope, self._envelope_plan, envelope)
        op = head.get("op", PUT)
        if op == DEL:
            if values:
                raise LineRefused("op.del_with_values")
            loaded: dict[str, Any] = {}
        else:
            loaded = _load(self._schema, self._plan, values)
        return Parsed(
            op, head.get("id", ""), head.get("v", 0), head.get("as_of"), head["salt"], loaded
        )


@dataclass(slots=True)
class BatchParser:
    """The lines of one batch: salts and ids stand once, and the version is the batch's own."""

    lines: LineParser
    version: int | None = None
    _salts: set[str] = field(default_factory=set)
    _ids: set[str] = field(default_factory=set)

    def parse(self, line: bytes) -> Parsed:
        """The record of one line, in the order of the batch.

        Raises:
            LineRefused: as `LineParser.parse`, or `salt.reused`, `id.twice`, `version.mismatch`.
        """
        parsed = self.lines.parse(line)
        if parsed.salt in self._salts:
            raise LineRefused("salt.reused", "_s")
        self._salts.add(parsed.salt)
        if parsed.id and parsed.id in self._ids:
            raise LineRefused("id.twice", "_id")
        self._ids.add(parsed.id)
        if self.version is not None and parsed.v != self.version:
            raise LineRefused("version.mismatch", "_v")
        return parsed


def version_of(epoch: int, seq: int) -> int:
    """The `_v` of the records that a batch seals."""
    return epoch * 2**32 + seq


def write(parsed: Parsed) -> bytes:
    """The line of a record without its LF: compact JSON, the envelope first.

    Raises:
        LineRefused: `frame.line_length`, more than 16 KiB.
    """
    head: dict[str, Any] = {
        "_s": parsed.salt,
        "_op": parsed.op,
        "_id": parsed.id,
        "_v": parsed.v,
    }
    if parsed.as_of is not None:
        head["as_of"] = parsed.as_of
    line = _compact({**head, **parsed.values}, sort=False)
    if len(line) > MAX_LINE:
        raise LineRefused("frame.line_length")
    return line


def content_hash(values: Mapping[str, Any], op: str, as_of: str | None = None) -> bytes:
    """SHA-256 of what a record says, without salt and version: equal for equal content.

    The hashed text is the canonical JSON of RFC 8785, for the names are ASCII and no float exists.
    """
    content = {**values, "_op": op}
    if as_of is not None:
        content["as_of"] = as_of
    return hashlib.sha256(_compact(content, sort=True)).digest()


def _compact(value: Any, *, sort: bool) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort)
    return text.encode("utf-8")


def _plan_of(kind: RecordType | Schema) -> Plan:
    return kind.plan if isinstance(kind, RecordType) else compile_plan(kind)


def _official(schema: Schema) -> Plan:
    def load(values: Mapping[str, Any]) -> dict[str, Any]:
        return load_strictly(schema, values)

    return load


def _load(schema: Schema, plan: Plan, values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return plan(values)
    except MISSES:
        return load_strictly(schema, values)
