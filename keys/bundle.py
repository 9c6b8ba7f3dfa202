"""Evidence that can be taken away: the ``.titianproof`` file, and the log entries it leans on.

Each kind of file holds what one question needs, and for every log entry its C2SP log proof:

========  ==========================================================================
record    a record's line, its place in the signed batch, the batch's envelope, the
          agency's keysets, the entry that accepted the batch
batch     the same without lines: the leaf hashes of all of them
keyset    the agency's keysets
query     a question about a person, its answers, and the batches they came from
decision  what a person decided, and the statement he stood behind
========  ==========================================================================

``verdict`` judges them. The entries of batches and keys are written here too, so that the log and
its judge spell them alike.

Source: trust.md 2.7, 3.1, 3.3, 3.7; C2SP tlog-proof.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keys.canonical import canonical, from_base64, read_json, to_base64
from keys.commitment import SALT
from keys.errors import BadJson, BadStatement
from keys.statement import Fields

RECEIPT_TYPE = "application/vnd.titian.receipt.v1+json"
MAX_BYTES = 8 << 20
SUFFIX = ".titianproof"
ACCEPT_FIELDS = frozenset({"agency", "stream", "epoch", "seq", "root", "count"})


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """The bytes of a log entry and the C2SP log proof of its place."""

    entry: bytes
    proof: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What shows that an agency signed a batch and the log accepted it.

    Attributes:
        envelope: the batch's DSSE envelope.
        keysets: the agency's keyset entries, version 1 first.
        accept: the accept entry of the batch, or None while it is not in a checkpoint.
    """

    envelope: bytes
    keysets: Sequence[LoggedEntry] = ()
    accept: LoggedEntry | None = None


@dataclass(frozen=True, slots=True)
class RecordEvidence:
    """Where one record came from.

    Attributes:
        line: the record line without LF.
        index: its place in the batch, from 0.
        path: the inclusion path to the batch's root, leaf side first.
        origin: of the batch.
    """

    line: bytes
    index: int
    path: Sequence[bytes]
    origin: Origin


@dataclass(frozen=True, slots=True)
class BatchEvidence:
    """Where a batch came from: the leaf hashes of its lines (32 bytes each), never the lines."""

    leaves: Sequence[bytes]
    origin: Origin


@dataclass(frozen=True, slots=True)
class KeysetEvidence:
    """The history of one agency's keyset, version 1 first."""

    keysets: Sequence[LoggedEntry]


@dataclass(frozen=True, slots=True)
class Opened:
    """A log entry, and the canonical JSON and salt it commits to; None where it was erased."""

    logged: LoggedEntry
    detail: bytes | None = field(default=None, repr=False)
    salt: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class QueryEvidence:
    """Who asked what about whom, what was shown, and the accept entries of the batches used."""

    query: Opened
    results: Sequence[Opened] = ()
    sources: Sequence[LoggedEntry] = ()


@dataclass(frozen=True, slots=True)
class DecisionEvidence:
    """What a person decided; ``statement``: the bytes whose hash the entry names, if it does."""

    decision: Opened
    statement: bytes | None = None


Evidence = RecordEvidence | BatchEvidence | KeysetEvidence | QueryEvidence | DecisionEvidence


def accept_entry(payload: Mapping[str, Any], payload_sha256: bytes, kid: str) -> dict[str, Any]:
    """The log entry that says a batch was accepted; ``payload`` is the batch's signed payload."""
    batch = {name: payload[name] for name in sorted(ACCEPT_FIELDS)}
    return {"t": "accept", **batch, "payload_sha256": payload_sha256.hex(), "kid": kid}


def keyset_entry(agency: str, version: int, envelope: bytes) -> dict[str, Any]:
    """The log entry of a keyset statement: the whole envelope, as JSON."""
    return {
        "t": "keyset",
        "agency": agency,
        "version": version,
        "envelope": read_json(envelope),
    }


def suspension_entry(agency: str, envelope: bytes) -> dict[str, Any]:
    """The log entry of a statement that a key falls silent or speaks again."""
    return {"t": "suspension", "agency": agency, "envelope": read_json(envelope)}


def build(evidence: Evidence) -> bytes:
    """The bytes of the ``.titianproof`` file."""
    match evidence:
        case RecordEvidence():
            path = [to_base64(each) for each in evidence.path]
            place = {"line": to_base64(evidence.line), "index": evidence.index, "path": path}
            return _spell("record", {**place, **_origin_json(evidence.origin)})
        case BatchEvidence():
            leaves = to_base64(b"".join(evidence.leaves))
            return _spell("batch", {"leaves": leaves, **_origin_json(evidence.origin)})
        case KeysetEvidence():
            return _spell("keyset", {"keysets": _logged_all(evidence.keysets)})
        case QueryEvidence():
            results = [_opened_json(each) for each in evidence.results]
            answer = {"results": results, "sources": _logged_all(evidence.sources)}
            return _spell("query", {"query": _opened_json(evidence.query), **answer})
        case _:
            said = _base64_or_none(evidence.statement)
            return _spell(
                "decision", {"decision": _opened_json(evidence.decision), "statement": said}
            )


def parse(data: bytes) -> Evidence:
    """The evidence that a ``.titianproof`` file spells; nothing in it is believed yet.

    Raises:
        BadStatement: not such a file, or of another version.
    """
    try:
        value = read_json(data, limit=MAX_BYTES)
        kind = str(value.get("kind")) if isinstance(value, dict) else ""
        names = _FIELDS.get(kind)
        if names is None:
            raise BadStatement("proof.file", "The file is not evidence of a known kind.")
        fields = Fields.of(value, ("titian_proof", "kind", *names))
        if fields.integer("titian_proof") != 1:
            raise BadStatement("proof.version", "The evidence file is of a later version.")
        return _read(kind, fields)
    except BadJson as err:
        raise BadStatement("proof.file", "The evidence file is not strict JSON.") from err


def parse_entry(entry: bytes, kind: str) -> dict[str, Any]:
    """The log entry of this kind that canonical bytes spell.

    Raises:
        BadStatement: another kind, or not in canonical form.
    """
    value = read_canonical(entry)
    if value.get("t") != kind:
        raise BadStatement("entry.kind", "The log entry is not of the kind it should be.")
    return value


def read_canonical(data: bytes) -> dict[str, Any]:
    """The JSON object that canonical bytes spell.

    Raises:
        BadStatement: no object (``entry.kind``), or not in canonical form.
    """
    try:
        value = read_json(data)
        spelled = canonical(value)
    except BadJson as err:
        raise BadStatement("entry.json", "The log entry is not strict JSON.") from err
    if spelled != data or not isinstance(value, dict):
        raise BadStatement("entry.kind", "The log entry is not of the kind it should be.")
    return value


_ORIGIN = ("envelope", "keysets", "accept")
_FIELDS = {
    "record": ("line", "index", "path", *_ORIGIN),
    "batch": ("leaves", *_ORIGIN),
    "keyset": ("keysets",),
    "query": ("query", "results", "sources"),
    "decision": ("decision", "statement"),
}


def _read(kind: str, fields: Fields) -> Evidence:
    given = fields.values
    match kind:
        case "record":
            path = tuple(_bytes(each) for each in fields.sequence("path"))
            line, index = _bytes(given["line"]), fields.integer("index")
            return RecordEvidence(line, index, path, _origin(fields))
        case "batch":
            return BatchEvidence(_hashes(given["leaves"]), _origin(fields))
        case "keyset":
            return KeysetEvidence(_sequence(fields, "keysets"))
        case "query":
            results = tuple(_opened(each) for each in fields.sequence("results"))
            return QueryEvidence(_opened(given["query"]), results, _sequence(fields, "sources"))
        case _:
            return DecisionEvidence(_opened(given["decision"]), _bytes_or_none(given["statement"]))


def _origin(fields: Fields) -> Origin:
    accept = fields.values["accept"]
    return Origin(
        envelope=_bytes(fields.values["envelope"]),
        keysets=_sequence(fields, "keysets"),
        accept=None if accept is None else _logged(accept),
    )


def _sequence(fields: Fields, name: str) -> tuple[LoggedEntry, ...]:
    return tuple(_logged(each) for each in fields.sequence(name))


def _logged(value: Any) -> LoggedEntry:
    return _entry(Fields.of(value, ("entry", "proof")))


def _opened(value: Any) -> Opened:
    fields = Fields.of(value, ("entry", "proof", "detail", "salt"))
    detail, salt = _bytes_or_none(fields.values["detail"]), _bytes_or_none(fields.values["salt"])
    if (detail is None) != (salt is None) or (salt is not None and len(salt) != SALT):
        raise BadStatement("statement.field", "Detail and salt come together, or not at all.")
    return Opened(_entry(fields), detail, salt)


def _entry(fields: Fields) -> LoggedEntry:
    proof = fields.values["proof"]
    if not isinstance(proof, str):
        raise BadStatement("statement.field", "The field proof is not what it should be.")
    return LoggedEntry(_bytes(fields.values["entry"]), proof)


def _hashes(value: Any) -> tuple[bytes, ...]:
    data = _bytes(value)
    if len(data) % 32:
        raise BadStatement("statement.field", "Hashes have 32 bytes each.")
    return tuple(data[at : at + 32] for at in range(0, len(data), 32))


def _bytes(value: Any) -> bytes:
    if not isinstance(value, str):
        raise BadStatement("statement.field", "A field of the evidence is not base64.")
    return from_base64(value)


def _bytes_or_none(value: Any) -> bytes | None:
    return None if value is None else _bytes(value)


def _spell(kind: str, fields: Mapping[str, Any]) -> bytes:
    value = {"titian_proof": 1, "kind": kind, **fields}
    return (json.dumps(value, indent=1) + "\n").encode("utf-8")


def _origin_json(origin: Origin) -> dict[str, Any]:
    return {
        "envelope": to_base64(origin.envelope),
        "keysets": _logged_all(origin.keysets),
        "accept": None if origin.accept is None else _logged_json(origin.accept),
    }


def _logged_all(entries: Sequence[LoggedEntry]) -> list[dict[str, str]]:
    return [_logged_json(each) for each in entries]


def _logged_json(logged: LoggedEntry) -> dict[str, str]:
    return {"entry": to_base64(logged.entry), "proof": logged.proof}


def _opened_json(opened: Opened) -> dict[str, str | None]:
    open_with = {"detail": _base64_or_none(opened.detail), "salt": _base64_or_none(opened.salt)}
    return {**_logged_json(opened.logged), **open_with}


def _base64_or_none(data: bytes | None) -> str | None:
    return None if data is None else to_base64(data)
