"""The fields of every record: strict, typed, and each with its kind, class and Indonesian label.

A field says its rule once, in `check`. Marshmallow calls it on the official path and the compiled
plan (`schemas.plan`) on the fast one, so the two cannot differ in what a value may be.
"""

import re
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from marshmallow import Schema, ValidationError, fields

from schemas import nik, text
from schemas.codes import lists
from schemas.dates import EARLIEST, LATEST
from schemas.kinds import About, Kind, Sensitivity

MAX_INT = 2**53 - 1
MESSAGES = {
    "required": "schema.missing",
    "null": "schema.null",
    "invalid": "schema.type",
    "type": "schema.type",
    "validator_failed": "schema.invalid",
}


class WireField(fields.Field[Any]):
    """A field of the wire; optional ones may be null, and null is the same as absent."""

    def __init__(self, about: About, *, required: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("allow_none", not required)
        messages = {**MESSAGES, **kwargs.pop("error_messages", {})}
        super().__init__(
            required=required, metadata=_metadata(about), error_messages=messages, **kwargs
        )
        self.about = about

    @property
    def kind(self) -> Kind:
        return self.about.kind

    @property
    def sensitivity(self) -> Sensitivity:
        return self.about.sensitivity

    @property
    def label_id(self) -> str:
        return self.about.label_id

    def check(self, value: Any) -> Any:
        """The accepted form of a value that is not null.

        Raises:
            ValidationError: the code of the rule that the value breaks.
        """
        raise NotImplementedError

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return self.check(value)


class Text(WireField, fields.String):
    """Free text of 1 to `longest` characters, clean and in NFC."""

    def __init__(self, longest: int, about: About, *, required: bool = False, **kw: Any) -> None:
        super().__init__(about, required=required, **kw)
        self.longest = min(longest, text.MAX_TEXT)

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise ValidationError("schema.type")
        return text.clean(value, self.longest)


class Token(WireField, fields.String):
    """A short ASCII text of one pattern; its codes are `<prefix>.type` and `<prefix>.format`."""

    def __init__(self, prefix: str, pattern: str, about: About, **kw: Any) -> None:
        super().__init__(about, **kw)
        self.prefix = prefix
        self.pattern = re.compile(pattern, re.ASCII)

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise ValidationError(f"{self.prefix}.type")
        if self.pattern.fullmatch(value) is None:
            raise ValidationError(f"{self.prefix}.format")
        return value


class Nik(WireField, fields.String):
    """A strictly valid NIK."""

    def __init__(self, label_id: str = "NIK", **kw: Any) -> None:
        super().__init__(About(label_id, Kind.NIK), **kw)

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise ValidationError("nik.type")
        fault = nik.fault(value)
        if fault is not None:
            raise ValidationError(fault)
        return value


class NoKk(Token):
    """The number of a family card: sixteen digits; a wrong date in it is a finding, no refusal."""

    def __init__(self, label_id: str = "No. KK", **kw: Any) -> None:
        super().__init__("kk", "[0-9]{16}", About(label_id, Kind.NO_KK), **kw)


class Wilayah(Token):
    """A Kemendagri code of a kelurahan (`level` 4) or a kecamatan (`level` 3)."""

    def __init__(self, level: int, label_id: str, **kw: Any) -> None:
        pattern = r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}" + (r"\.[0-9]{4}" if level == 4 else "")
        kind = Kind.KELURAHAN if level == 4 else Kind.CODE
        super().__init__("wilayah", pattern, About(label_id, kind), **kw)


class Phone(Token):
    """A telephone number in E.164."""

    def __init__(self, label_id: str = "No. telepon", **kw: Any) -> None:
        super().__init__("phone", r"\+[1-9][0-9]{7,14}", About(label_id, Kind.PHONE), **kw)


class Ref(Token):
    """The `_id` of another record of the same agency."""

    def __init__(self, label_id: str, **kw: Any) -> None:
        super().__init__("ref", "[A-Za-z0-9._:-]{1,64}", About(label_id), **kw)


class Code(WireField, fields.String):
    """A code of a closed list (`schemas/codes/<name>.csv`); owner-only codes never travel."""

    def __init__(self, name: str, about: About, **kw: Any) -> None:
        super().__init__(about, **kw)
        self.list_name = name
        listed = lists.load(name)
        self.owner_only = listed.flagged("owner_only")
        self.allowed = frozenset(listed.codes) - self.owner_only
        self.metadata = {
            **self.metadata,
            "enum": [code for code in listed.codes if code in self.allowed],
        }

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise ValidationError("code.type")
        if value not in self.allowed:
            if value in self.owner_only:
                raise ValidationError(f"{self.list_name}.owner_only")
            raise ValidationError("code.unknown")
        return value


class Whole(WireField, fields.Integer):
    """A whole number from `least` to `most`."""

    def __init__(self, least: int, most: int, about: About, **kw: Any) -> None:
        super().__init__(about, **kw)
        self.least, self.most = least, min(most, MAX_INT)

    def check(self, value: Any) -> int:
        if type(value) is not int:
            raise ValidationError("schema.type")
        if not -MAX_INT <= value <= MAX_INT:
            raise ValidationError("json.integer_range")
        if not self.least <= value <= self.most:
            raise ValidationError("number.range")
        return value


class Rupiah(WireField, fields.Integer):
    """Whole rupiah, never negative."""

    def __init__(self, about: About, **kw: Any) -> None:
        super().__init__(about, **kw)

    def check(self, value: Any) -> int:
        if type(value) is not int:
            raise ValidationError("amount.type")
        if value < 0:
            raise ValidationError("amount.negative")
        if value > MAX_INT:
            raise ValidationError("json.integer_range")
        return value


class Flag(WireField, fields.Boolean):
    """True or false, nothing that resembles them."""

    def check(self, value: Any) -> bool:
        if type(value) is not bool:
            raise ValidationError("schema.type")
        return value


class Day(WireField, fields.String):
    """A calendar day `YYYY-MM-DD` from 1850 to 2100."""

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise ValidationError("schema.type")
        fault = _day_fault(value) if len(value) == 10 else "schema.date"
        if fault is not None:
            raise ValidationError(fault)
        return value


class PartialDate(Day):
    """A day of which less may be known; the field beside it (`…_precision`) says how much."""


class Timestamp(WireField, fields.String):
    """An instant in RFC 3339 with seconds and an offset or Z."""

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise ValidationError("schema.type")
        if len(value) > 40 or _instant(value) is None:
            raise ValidationError("schema.timestamp")
        return value


class Decimal(Token):
    """A decimal number as a text, since floats never travel: `-0.22110`, with `places` decimals."""

    def __init__(self, places: int, about: About, **kw: Any) -> None:
        super().__init__("decimal", rf"-?[0-9]{{1,12}}(?:\.[0-9]{{1,{places}}})?", about, **kw)


class Predicate(WireField, fields.Raw):
    """JSON of at most `depth` levels without floats: the criteria of a programme."""

    def __init__(self, depth: int, about: About, **kw: Any) -> None:
        super().__init__(about, **kw)
        self.depth = depth

    def check(self, value: Any) -> Any:
        if type(value) is not dict:
            raise ValidationError("schema.type")
        return _plain_json(value, self.depth)


class Struct(WireField, fields.Nested):
    """An object with a schema of its own."""

    def __init__(self, schema: type[Schema], about: About, *, required: bool = False) -> None:
        fields.Nested.__init__(
            self, schema, required=required, **_options(about, required=required)
        )
        self.about = about

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return fields.Nested._deserialize(self, value, *args, **kwargs)  # noqa: SLF001  (the base's own)


class Many(WireField, fields.List[Any]):
    """A list of at most `most` values of one field."""

    def __init__(
        self, inner: WireField, most: int, about: About, *, required: bool = False
    ) -> None:
        fields.List.__init__(self, inner, required=required, **_options(about, required=required))
        self.about, self.most = about, most

    def fault(self, value: Any) -> str | None:
        if type(value) is not list:
            return "schema.type"
        return "list.length" if len(value) > self.most else None

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        fault = self.fault(value)
        if fault is not None:
            raise ValidationError(fault)
        return fields.List._deserialize(self, value, *args, **kwargs)  # noqa: SLF001  (the base's own)


def _plain_json(value: Any, depth: int) -> Any:
    if value is None or type(value) is bool:
        return value
    if type(value) is str:
        return text.clean(value)
    if type(value) is int:
        if not -MAX_INT <= value <= MAX_INT:
            raise ValidationError("json.integer_range")
        return value
    if type(value) not in (dict, list):
        raise ValidationError("schema.type")
    if not depth:
        raise ValidationError("json.depth")
    if type(value) is list:
        return [_plain_json(each, depth - 1) for each in value]
    return {text.clean(key): _plain_json(each, depth - 1) for key, each in value.items()}


def _options(about: About, *, required: bool) -> dict[str, Any]:
    return {
        "allow_none": not required,
        "metadata": _metadata(about),
        "error_messages": MESSAGES,
    }


def _metadata(about: About) -> dict[str, str]:
    return {
        "description": about.label_id,
        "x-kind": about.kind.value,
        "x-sensitivity": about.sensitivity.value,
    }


def instant(value: str) -> datetime:
    """The aware time that an accepted `Timestamp` means."""
    when = _instant(value)
    if when is None:
        raise ValueError("not a timestamp of the wire")
    return when


_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


@lru_cache(maxsize=4096)
def _instant(value: str) -> datetime | None:
    if _RFC3339.fullmatch(value) is None:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


@lru_cache(maxsize=65_536)
def _day_fault(value: str) -> str | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return "schema.date"
    if day.isoformat() != value:
        return "schema.date"
    return None if EARLIEST <= day <= LATEST else "schema.date_range"
