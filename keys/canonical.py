"""One byte string for each JSON value, and one JSON value for each byte string.

Writing follows RFC 8785 (JCS) through the ``rfc8785`` package. Reading is strict where Python's
own reader is lax: no duplicate names, no ``NaN``, no fractions, no lone surrogates, bounded size
and depth (trust.md F6). Base64 and time stamps have one spelling each for the same reason.

Source: RFC 8785; RFC 8259; RFC 4648 §4; RFC 3339.
"""

import base64
import binascii
import hashlib
import json
import math
import re
from datetime import UTC, datetime
from typing import Any, NoReturn

import rfc8785

from keys.errors import BadJson

MAX_BYTES = 1 << 20
MAX_BRACKETS = 20_000
MAX_DEPTH = 64
MAX_INTEGER = 2**53 - 1
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def canonical(value: Any) -> bytes:
    """The RFC 8785 form of a JSON value.

    Raises:
        BadJson: the value has no such form (integer beyond 2^53, NaN, lone surrogate, other type).
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as err:
        raise BadJson("json.value", "The value has no canonical JSON form.") from err


def digest(value: Any) -> bytes:
    """SHA-256 of the canonical form, 32 bytes."""
    return hashlib.sha256(canonical(value)).digest()


def read_json(data: bytes, *, limit: int = MAX_BYTES, fractions: bool = False) -> Any:
    """The value that strict JSON bytes spell.

    Args:
        data: UTF-8 JSON.
        limit: the most bytes.
        fractions: whether finite fractions may stand in it (a batch's ``max_reject`` is one).

    Raises:
        BadJson: too long, too deep, not UTF-8, not JSON, a name twice, a fraction, a number beyond
            2^53, or a lone surrogate.
    """
    if len(data) > limit:
        raise BadJson("json.size", f"The JSON text is longer than {limit} bytes.")
    brackets = data.count(b"[") + data.count(b"{")
    if brackets > MAX_BRACKETS:
        raise BadJson("json.depth", "The JSON text holds too many brackets.")
    try:
        text = data.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_number,
            parse_float=_finite if fractions else _refuse_number,
            parse_int=_bounded_integer,
        )
        if "\\u" in text:  # only an escape can bring in a lone surrogate
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as err:  # UnicodeError is a ValueError
        raise BadJson("json.syntax", "The text is not strict JSON.") from err
    if brackets > MAX_DEPTH and _is_deep(value):
        raise BadJson("json.depth", f"The JSON text is deeper than {MAX_DEPTH} levels.")
    return value


def to_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """The bytes of standard, padded base64 in its only spelling.

    Raises:
        BadJson: another alphabet, missing padding, or stray bits at the end.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeError) as err:
        raise BadJson("json.base64", "A value is not standard base64.") from err
    if to_base64(data) != text:
        raise BadJson("json.base64", "A value is not base64 in its only spelling.")
    return data


def to_moment(when: datetime) -> str:
    """RFC 3339 in UTC, whole seconds: ``2026-11-24T02:00:00Z``; takes aware times only."""
    if when.tzinfo is None:
        raise BadJson("json.time", "A time without a zone cannot be written.")
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_moment(text: str) -> datetime:
    """The aware UTC time of ``2026-11-24T02:00:00Z``; no other spelling is read.

    Years are 1970 to 8999, so that a year can be added to every time, or taken from it.

    Raises:
        BadJson: any other spelling, or no such time.
    """
    if not _MOMENT.fullmatch(text):
        raise BadJson("json.time", "A time is not written as YYYY-MM-DDThh:mm:ssZ.")
    try:
        time = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as err:
        raise BadJson("json.time", "A time does not exist in the calendar.") from err
    if not 1970 <= time.year < 9000:
        raise BadJson("json.time", "A time is out of all reach.")
    return time


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _is_deep(value: Any) -> bool:
    """Whether a value stands in more than ``MAX_DEPTH`` objects and arrays.

    The bound of Python's reader depends on how deep its caller is; this one is the same everywhere.
    """
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(level)


def _bounded_integer(text: str) -> int:
    if len(text) > 17:  # longer than any integer within 2^53; spares the conversion
        raise ValueError("integer out of range")
    number = int(text)
    if abs(number) > MAX_INTEGER or text == "-0":
        raise ValueError("integer out of range")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _refuse_number(_: str) -> NoReturn:
    raise ValueError("not an integer")
