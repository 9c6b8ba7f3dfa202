"""Strict JSON: one meaning for each text, bounded before it is parsed.

`json.loads` takes duplicate keys, NaN, numbers beyond any range and nesting without end. Here each
has a code, and the bounds (length, brackets) are counted on the bytes.
"""

import json
from typing import Any, NoReturn

from schemas.errors import PayloadRefused
from schemas.fields import MAX_INT

MAX_BRACKETS = 64
BOM = b"\xef\xbb\xbf"


class _Fault(ValueError):
    """A fault inside the scanner; carries only its code."""


def parse(data: bytes, *, brackets: int = MAX_BRACKETS, floats: bool = False) -> Any:
    """The value of a JSON text in UTF-8.

    Raises:
        PayloadRefused: `text.bom`, `text.utf8`, `json.depth`, `json.duplicate_key`,
            `json.nonfinite`, `json.float`, `json.integer_range` or `json.syntax`.
    """
    if data.count(b"{") + data.count(b"[") > brackets:
        raise PayloadRefused("json.depth")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise PayloadRefused("text.utf8") from None
    if text.startswith("\ufeff"):
        raise PayloadRefused("text.bom")
    try:
        return (_LENIENT if floats else _STRICT).decode(text)
    except _Fault as fault:
        raise PayloadRefused(str(fault)) from None
    except (ValueError, RecursionError):
        raise PayloadRefused("json.syntax") from None


def parse_object(data: bytes, *, brackets: int = MAX_BRACKETS, floats: bool = False) -> Any:
    """The same, and it is an object.

    Raises:
        PayloadRefused: also `json.not_object`.
    """
    value = parse(data, brackets=brackets, floats=floats)
    if type(value) is not dict:
        raise PayloadRefused("json.not_object")
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise _Fault("json.duplicate_key")
    return out


def _constant(_: str) -> NoReturn:
    raise _Fault("json.nonfinite")


def _integer(digits: str) -> int:
    if len(digits) > 17:
        raise _Fault("json.integer_range")
    value = int(digits)
    if not -MAX_INT <= value <= MAX_INT:
        raise _Fault("json.integer_range")
    return value


def _no_float(digits: str) -> NoReturn:
    raise _Fault("json.float" if _finite(digits) else "json.nonfinite")


def _float(digits: str) -> float:
    if not _finite(digits):
        raise _Fault("json.nonfinite")
    return float(digits)


def _finite(digits: str) -> bool:
    return abs(float(digits)) != float("inf")


_STRICT = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_integer, parse_float=_no_float
)
_LENIENT = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_integer, parse_float=_float
)
