"""How a signed statement or a body is read: strict JSON, then its schema, errors as codes."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from schemas import strictjson
from schemas.errors import PayloadRefused
from schemas.fields import MAX_INT, Text, Token, Whole
from schemas.kinds import S0, About
from schemas.wire import first_fault

AGENCY = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"
SHA256_HEX = "[0-9a-f]{64}"
MAX_EPOCH = 2**21 - 1  # so that epoch · 2^32 + seq stays an integer that JSON can carry
MAX_SEQ = 2**32 - 1


def read(
    schema: Schema, data: bytes, *, floats: bool = False, brackets: int = 64
) -> dict[str, Any]:
    """The accepted fields of a statement.

    Raises:
        PayloadRefused: the code and the field of the first fault.
    """
    return check(schema, strictjson.parse_object(data, floats=floats, brackets=brackets))


def check(schema: Schema, value: Mapping[str, Any]) -> dict[str, Any]:
    """The accepted fields of a statement that is parsed already.

    Raises:
        PayloadRefused: the code and the field of the first fault.
    """
    try:
        loaded: dict[str, Any] = schema.load(value)
    except ValidationError as err:
        code, field = first_fault(schema, err)
        raise PayloadRefused(code, field) from None
    return loaded


def plain(label_id: str) -> About:
    """A field of a statement is public and compares with nothing."""
    return About(label_id, sensitivity=S0)


def agency(*, required: bool = True) -> Token:
    """An agency's code on the wire."""
    return Token("agency", AGENCY, plain("Instansi"), required=required)


def sha256(label_id: str, *, required: bool = True) -> Token:
    """A SHA-256 in lower-case hexadecimal digits."""
    return Token("sha256", SHA256_HEX, plain(label_id), required=required)


def number(label_id: str, *, least: int = 0, most: int = MAX_INT, required: bool = True) -> Whole:
    """A whole number that counts something."""
    return Whole(least, most, plain(label_id), required=required)


def version() -> Whole:
    """The version of a statement's shape; only 1 exists."""
    return Whole(1, 1, plain("Versi"), required=True)


def name(label_id: str, *, longest: int = 120, required: bool = True) -> Text:
    """A short text."""
    return Text(longest, plain(label_id), required=required)
