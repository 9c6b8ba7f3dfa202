"""What the log is made of: entries that hold nothing personal, and the log's state.

An entry is a JSON object whose `t` names its kind. Which keys a kind may have, and what a value
may look like, stands in `ENTRIES`: so no name, NIK or free text can be written where it could
never be deleted again. What is personal is committed to by a salted hash (`commit`).

Source: trust.md 3.1.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NewType

from gateway.errors import Refused, Unavailable

LogIndex = NewType("LogIndex", int)

CHANNEL = "titian_log"
"""PostgreSQL's NOTIFY channel that wakes the integrator."""
CYCLE = 1000
"""Entries that one cycle takes at most."""
MAX_ENTRY = 4096
MAX_KEYSET_ENTRY = 65_535
"""Bytes of a `keyset` entry, which carries a whole envelope: all that a tile's entry may have."""

Check = Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class LogState:
    """What the log last signed: `size` leaves under `root` (32 bytes); `signed_at` is our clock."""

    size: int
    root: bytes
    signed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Head:
    """A signed checkpoint: its figures and the note itself."""

    state: LogState
    note: bytes


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Where a leaf stands under a signed checkpoint: its path, leaf side first, and the note."""

    index: LogIndex
    size: int
    path: tuple[bytes, ...]
    note: bytes


class LogDamaged(Unavailable):
    """What is stored is not what was signed; a person must look before anything is written."""


class LogBehind(Unavailable):
    """More was signed than is stored: the database was restored from an older state."""


def _matches(pattern: str) -> Check:
    whole = re.compile(pattern)
    return lambda value: isinstance(value, str) and whole.fullmatch(value) is not None


def _sequence(each: Check) -> Check:
    return lambda value: (
        isinstance(value, list | tuple) and len(value) <= 200 and all(map(each, value))
    )


def _count(value: object) -> bool:
    # Below 10^10 no integer can be a NIK, a family card's number or a whole phone number.
    return type(value) is int and 0 <= value < 10**10


def _flag(value: object) -> bool:
    return type(value) is bool


def _envelope(value: object) -> bool:
    return isinstance(value, Mapping) and value.keys() == {"payloadType", "payload", "signatures"}


# Fewer than 8 digits in a row and than 12 in all: neither a NIK nor a telephone number.
_FEW_DIGITS = r"(?!.*[0-9]{8})(?!(?:[^0-9]*[0-9]){12})"
_hash = _matches(r"[0-9a-f]{64}")
# A NIK is 16 hexadecimal digits too, so a pseudonym has more.
_pseudonym = _matches(r"[0-9a-f]{32,64}")
_agency = _matches(rf"{_FEW_DIGITS}[a-z0-9-]{{1,40}}")
_kid = _matches(r"[a-z0-9-]{1,40}:[a-z2-7]{26}")
_id = _matches(r"[a-z2-7]{26}")
_code = _matches(rf"{_FEW_DIGITS}[A-Za-z0-9][A-Za-z0-9._/+-]{{0,63}}")
_moment = _matches(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")

_BATCH: dict[str, Check] = {
    "agency": _agency,
    "stream": _code,
    "epoch": _count,
    "seq": _count,
    "payload_sha256": _hash,
}
_RESULT_COUNTS = ("applied", "unchanged", "superseded", "tombstoned", "rejected", "n")
_REEVAL_COUNTS = ("size_at_since", "batches", "records", "answers")

ENTRIES: Mapping[str, Mapping[str, Check]] = MappingProxyType(
    {
        "accept": {**_BATCH, "root": _hash, "count": _count, "kid": _kid},
        "applied": {
            **_BATCH,
            **dict.fromkeys(_RESULT_COUNTS, _count),
            "batch": _id,
            "accept": _hash,
            "state": _code,
            "held": _flag,
            "dispositions_root": _hash,
            "index_version": _code,
            "result_sha256": _hash,
            "commit": _hash,
        },
        "keyset": {"agency": _agency, "version": _count, "envelope": _envelope},
        "suspension": {"agency": _agency, "envelope": _envelope},
        "wish": {"agency": _agency, "kind": _code, "version": _count},
        "query": {
            "qid": _id,
            "agency": _agency,
            "role": _code,
            "purpose": _code,
            "officer": _pseudonym,
            "commit": _hash,
        },
        "result": {
            "qid": _id,
            "n": _count,
            "query": _hash,
            "batches": _sequence(lambda value: _count(value) or _hash(value)),
            "commit": _hash,
        },
        "request": {
            "rid": _id,
            "agency": _agency,
            "kind": _code,
            "purpose": _code,
            "query": _hash,
            "commit": _hash,
        },
        "response": {
            "rid": _id,
            "agency": _agency,
            "kind": _code,
            "kid": _kid,
            "status": _code,
            "request": _hash,
            "response_sha256": _hash,
        },
        "decision": {
            "kind": _code,
            "agency": _agency,
            "version": _count,
            "role": _code,
            "officer": _pseudonym,
            "subject": _hash,
            "statement": _hash,
            "commit": _hash,
        },
        "reeval": {
            "agency": _agency,
            "kid": _kid,
            "since": _moment,
            **dict.fromkeys(_REEVAL_COUNTS, _count),
            "commit": _hash,
        },
        "config": {"settings": _hash, "version": _code, "profile": _code, "model": _code},
        "vault": {"act": _code, "version": _count},
        "heartbeat": {"at": _moment},
    }
)
"""The allow-list: the keys that an entry of each kind may have beside `t`, and their shapes."""


def check(entry: Mapping[str, object]) -> None:
    """Return if the entry may be written for ever.

    Raises:
        Refused: an unknown kind (`log.kind`), a key that its kind does not have (`log.key`), or a
            value of another shape (`log.value`). The value is not repeated.
    """
    kind = entry.get("t")
    allowed = ENTRIES.get(kind) if isinstance(kind, str) else None
    if allowed is None:
        raise Refused("log.kind", "The log has no entries of this kind.")
    for key, value in entry.items():
        if key == "t":
            continue
        if key not in allowed:
            raise Refused("log.key", f"A log entry of kind {kind} has no such key.")
        if not allowed[key](value):
            raise Refused("log.value", f"The value of {key} may not stand in the log.")


def limit_of(entry: Mapping[str, object]) -> int:
    """The most bytes that the entry may have."""
    return MAX_KEYSET_ENTRY if entry.get("t") == "keyset" else MAX_ENTRY
