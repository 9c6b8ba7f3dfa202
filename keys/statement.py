"""Reads the fields of a signed statement: exactly those that belong, each of its type.

A field too many is refused like a field too few, so nothing unsaid rides along in what is signed.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from keys.canonical import from_base64, from_moment, read_json
from keys.errors import BadJson, BadStatement

_HEX32 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one JSON object, read by name and type.

    Every reader raises ``BadStatement`` with the code ``statement.field`` and the field's name.
    """

    values: Mapping[str, Any]

    @classmethod
    def read(cls, data: bytes, names: Collection[str]) -> Self:
        """The object that strict JSON bytes spell, with exactly these fields.

        Raises:
            BadStatement: not strict JSON (``statement.json``), not an object, or other fields.
        """
        return cls.of(_object(data), names)

    @classmethod
    def read_with(cls, data: bytes, names: Collection[str]) -> Self:
        """The object that JSON bytes spell, with these fields and perhaps others, and fractions."""
        value = _object(data, fractions=True)
        cls.of({name: value[name] for name in value.keys() & set(names)}, names)
        return cls(value)

    @classmethod
    def read_some(cls, data: bytes, allowed: Collection[str]) -> Self:
        """The object that strict JSON bytes spell, with some of these fields and no others."""
        value = _object(data)
        return cls(cls.of(value, value.keys() & set(allowed)).values)

    @classmethod
    def of(cls, value: Any, names: Collection[str]) -> Self:
        """The same of a value already read."""
        if not isinstance(value, dict):
            raise BadStatement("statement.fields", "A part of the statement is not a JSON object.")
        if value.keys() != set(names):
            missing = ", ".join(sorted(set(names) - value.keys())) or "none"
            unknown = len(value.keys() - set(names))
            raise BadStatement(
                "statement.fields", f"Fields missing: {missing}; fields unknown: {unknown}."
            )
        return cls(value)

    def text(self, name: str, pattern: re.Pattern[str] | None = None) -> str:
        """A non-empty text of at most 2000 characters, matching the whole pattern if given."""
        value = self.values[name]
        if not isinstance(value, str) or not 0 < len(value) <= 2000:
            raise _wrong(name)
        if pattern is not None and not pattern.fullmatch(value):
            raise _wrong(name)
        return value

    def integer(self, name: str, low: int = 0) -> int:
        """An integer from ``low``."""
        value = self.values[name]
        if type(value) is not int or value < low:
            raise _wrong(name)
        return value

    def moment(self, name: str) -> datetime:
        """An aware UTC time."""
        try:
            return from_moment(self.text(name))
        except BadJson as err:
            raise _wrong(name) from err

    def moment_or_none(self, name: str) -> datetime | None:
        """An aware UTC time, or None where the field is null."""
        return None if self.values[name] is None else self.moment(name)

    def base64(self, name: str, length: int) -> bytes:
        """Exactly ``length`` bytes."""
        try:
            data = from_base64(self.text(name))
        except BadJson as err:
            raise _wrong(name) from err
        if len(data) != length:
            raise _wrong(name)
        return data

    def sha256(self, name: str) -> bytes:
        """32 bytes, written as 64 lower-case hex digits."""
        return bytes.fromhex(self.text(name, _HEX32))

    def table(self, name: str) -> dict[str, Any]:
        """A JSON object, of at most 64 members."""
        value = self.values[name]
        if not isinstance(value, dict) or len(value) > 64:
            raise _wrong(name)
        return value

    def sequence(self, name: str) -> list[Any]:
        """A JSON array of at most 64 values."""
        value = self.values[name]
        if not isinstance(value, list) or len(value) > 64:
            raise _wrong(name)
        return value


def _object(data: bytes, *, fractions: bool = False) -> dict[str, Any]:
    try:
        value = read_json(data, fractions=fractions)
    except BadJson as err:
        raise BadStatement("statement.json", "The statement is not strict JSON.") from err
    if not isinstance(value, dict):
        raise BadStatement("statement.fields", "The statement is not a JSON object.")
    return value


def _wrong(name: str) -> BadStatement:
    return BadStatement("statement.field", f"The field {name} is not what it should be.")
