"""Evidence that can be taken away: the ``.titianproof`` file, and the log entries it leans on.

A record's file holds the record line, its place in the signed batch, the batch's envelope, the
history of the agency's keyset, and the proof that the batch was accepted; each log entry comes with
its C2SP log proof. ``verdict`` judges it. The two kinds of log entry that evidence rests on are
written here too, so that the log and its judge spell them alike.

Source: trust.md 2.7, 3.1, 3.7; C2SP tlog-proof.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keys.canonical import canonical, from_base64, read_json, to_base64
from keys.errors import BadJson, BadStatement
from keys.statement import Fields

RECEIPT_TYPE = "application/vnd.titian.receipt.v1+json"
MAX_BYTES = 4 << 20
ACCEPT_FIELDS = frozenset({"agency", "stream", "epoch", "seq", "root", "count"})


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """The bytes of a log entry and the C2SP log proof of its place."""

    entry: bytes
    proof: str


@dataclass(frozen=True, slots=True)
class RecordEvidence:
    """Everything that shows where one record came from.

    Attributes:
        line: the record line without LF.
        index: its place in the batch, from 0.
        path: the inclusion path to the batch's root, leaf side first.
        envelope: the batch's DSSE envelope.
        keysets: the agency's keyset entries, version 1 first.
        accept: the accept entry of the batch, or None while it is not in a checkpoint.
    """

    line: bytes
    index: int
    path: Sequence[bytes]
    envelope: bytes
    keysets: Sequence[LoggedEntry] = ()
    accept: LoggedEntry | None = None


@dataclass(frozen=True, slots=True)
class KeysetEvidence:
    """The history of one agency's keyset, version 1 first."""

    keysets: Sequence[LoggedEntry]


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


def build_record(evidence: RecordEvidence) -> bytes:
    """The bytes of a record's ``.titianproof`` file."""
    accept = None if evidence.accept is None else _logged_json(evidence.accept)
    value = {
        "titian_proof": 1,
        "kind": "record",
        "line": to_base64(evidence.line),
        "index": evidence.index,
        "path": [to_base64(each) for each in evidence.path],
        "envelope": to_base64(evidence.envelope),
        "keysets": [_logged_json(each) for each in evidence.keysets],
        "accept": accept,
    }
    return (json.dumps(value, indent=1) + "\n").encode("utf-8")


def build_keyset(evidence: KeysetEvidence) -> bytes:
    """The bytes of an agency's ``.titianproof`` file."""
    keysets = [_logged_json(each) for each in evidence.keysets]
    value = {"titian_proof": 1, "kind": "keyset", "keysets": keysets}
    return (json.dumps(value, indent=1) + "\n").encode("utf-8")


def parse(data: bytes) -> RecordEvidence | KeysetEvidence:
    """The evidence that a ``.titianproof`` file spells; nothing in it is believed yet.

    Raises:
        BadStatement: not such a file, or of another version.
    """
    try:
        value = read_json(data, limit=MAX_BYTES)
        kind = value.get("kind") if isinstance(value, dict) else None
        if kind == "record":
            return _record(value)
        if kind == "keyset":
            fields = Fields.of(value, ("titian_proof", "kind", "keysets"))
            return KeysetEvidence(_keysets(_versioned(fields)))
    except BadJson as err:
        raise BadStatement("proof.file", "The evidence file is not strict JSON.") from err
    raise BadStatement("proof.file", "The file is not evidence of a known kind.")


def parse_entry(entry: bytes, kind: str) -> dict[str, Any]:
    """The log entry of this kind that canonical bytes spell.

    Raises:
        BadStatement: another kind, or not in canonical form.
    """
    try:
        value = read_json(entry)
        spelled = canonical(value)
    except BadJson as err:
        raise BadStatement("entry.json", "The log entry is not strict JSON.") from err
    if spelled != entry or not isinstance(value, dict) or value.get("t") != kind:
        raise BadStatement("entry.kind", "The log entry is not of the kind it should be.")
    return value


def _record(value: Any) -> RecordEvidence:
    names = ("titian_proof", "kind", "line", "index", "path", "envelope", "keysets", "accept")
    fields = _versioned(Fields.of(value, names))
    accept = fields.values["accept"]
    return RecordEvidence(
        line=_bytes(fields.values["line"]),
        index=fields.integer("index"),
        path=tuple(_bytes(each) for each in fields.sequence("path")),
        envelope=_bytes(fields.values["envelope"]),
        keysets=_keysets(fields),
        accept=None if accept is None else _logged(accept),
    )


def _versioned(fields: Fields) -> Fields:
    if fields.integer("titian_proof") != 1:
        raise BadStatement("proof.version", "The evidence file is of a later version.")
    return fields


def _keysets(fields: Fields) -> tuple[LoggedEntry, ...]:
    return tuple(_logged(each) for each in fields.sequence("keysets"))


def _logged(value: Any) -> LoggedEntry:
    fields = Fields.of(value, ("entry", "proof"))
    proof = fields.values["proof"]
    if not isinstance(proof, str):
        raise BadStatement("statement.field", "The field proof is not what it should be.")
    return LoggedEntry(_bytes(fields.values["entry"]), proof)


def _logged_json(logged: LoggedEntry) -> dict[str, str]:
    return {"entry": to_base64(logged.entry), "proof": logged.proof}


def _bytes(value: Any) -> bytes:
    if not isinstance(value, str):
        raise BadStatement("statement.field", "A field of the evidence is not base64.")
    return from_base64(value)
