"""The small named list of what may be done to a cell on its way to the wire.

Each transform takes the cells of one rule and gives values by name: `""` is the field itself, any
other name stands beside it (`nik` also says `nik_raw`). What cannot be read is left out and named
by a finding; a cell never stops a row, let alone a run.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any, Protocol

from schemas.codes import lists
from schemas.contact import parse_phone, parse_rt_rw
from schemas.dates import parse_date
from schemas.errors import Unreadable
from schemas.nik import classify_nik
from schemas.rupiah import parse_rupiah

NIK_FINDINGS = {
    "invalid_form": "NIK_INVALID",
    "sentinel": "NIK_SENTINEL",
    "truncated_excel": "NIK_TRUNCATED",
}
OWNER_ONLY = "OWNER_ONLY"
_SPACES = re.compile(r"\s+")
_NOT_DIGIT = re.compile(r"[^0-9]")
# What the wire refuses in a text (schemas/text.py): controls, surrogates, direction marks, fillers.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe"
    "\uffff\U000e0000-\U000e0fff]+"
)
_KELURAHAN_WORD = re.compile(r"^(?:kelurahan|kel|desa|nagari)\b[.:]?\s*", re.IGNORECASE)
_KECAMATAN_WORD = re.compile(r"^(?:kecamatan|kec)\b[.:]?\s*", re.IGNORECASE)
_YES = frozenset({"1", "y", "ya", "t", "true", "benar"})
_NO = frozenset({"0", "n", "tidak", "f", "false", "tdk"})


class Place(Protocol):
    """Where a text or code leads: canonical codes, or None, and what is to be said about it."""

    @property
    def kelurahan(self) -> str | None: ...
    @property
    def kecamatan(self) -> str | None: ...
    @property
    def findings(self) -> Sequence[str]: ...


class Resolver(Protocol):
    """The city profile's knowledge of places."""

    def resolve(
        self,
        *,
        kemendagri: str | None = None,
        bps: str | None = None,
        name: str | None = None,
        kecamatan: str | None = None,
        at: date | None = None,
    ) -> Place: ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a transform may know beside the cells."""

    today: date
    wilayah: Resolver


@dataclass(frozen=True, slots=True)
class Made:
    """Values by name (`""` is the field itself) and finding codes."""

    values: Mapping[str, object]
    findings: tuple[str, ...] = ()


NOTHING = Made({"": None})
Cells = Sequence[object]
Rule = Mapping[str, Any]
Transform = Callable[[Cells, Rule, Context], Made]


def text_of(value: object) -> str | None:
    """The cell as one line of text without invisible characters, or None where there is nothing."""
    if type(value) is str and value.isascii() and value.isprintable():
        return " ".join(value.split()) or None  # nearly every cell: nothing to clean
    if value is None or value != value:  # noqa: PLR0124 - a cell that is NaN
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float | Decimal) and isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, datetime):
        value = value.isoformat()
    text = _SPACES.sub(" ", _UNPRINTABLE.sub(" ", str(value))).strip()
    return text or None


def _number_of(cell: object) -> float | Decimal | None:
    """The cell if it is a number, and a finite one; a truth value is none."""
    if isinstance(cell, bool) or not isinstance(cell, int | float | Decimal):
        return None
    return cell if isfinite(cell) else None


def as_text(cells: Cells, rule: Rule, context: Context) -> Made:  # noqa: ARG001
    """The cells joined by `join` (a space), shortened to `max`."""
    if len(cells) == 1:
        text = text_of(cells[0])
    else:
        text = str(rule.get("join", " ")).join(filter(None, map(text_of, cells))) or None
    if text is None:
        return NOTHING
    if "max" in rule:
        text = text[: int(rule["max"])].strip()
    return Made({"": text})


def as_upper(cells: Cells, rule: Rule, context: Context) -> Made:
    made = as_text(cells, rule, context).values[""]
    return Made({"": made.upper() if isinstance(made, str) else None})


def as_digits(cells: Cells, rule: Rule, context: Context) -> Made:
    """Only the digits; of another length than `length` it is nothing."""
    text = as_text(cells, {"join": ""}, context).values[""]
    digits = _NOT_DIGIT.sub("", str(text or ""))
    wanted = rule.get("length")
    fits = bool(digits) and (wanted is None or len(digits) == wanted)
    return Made({"": digits if fits else None})


def as_nik(cells: Cells, rule: Rule, context: Context) -> Made:  # noqa: ARG001
    """`nik` if strictly valid, else what stood there in `nik_raw`; always a `nik_status`."""
    number = _number_of(cells[0])
    raw = text_of(cells[0]) if number is None or isinstance(number, Decimal) else number
    nik, nik_raw, status = classify_nik(raw, column_truncated=bool(rule.get("truncated", False)))
    finding = NIK_FINDINGS.get(str(status))
    values = {"": nik, "nik_raw": nik_raw, "nik_status": str(status)}
    return Made(values, (finding,) if finding else ())


def as_no_kk(cells: Cells, rule: Rule, context: Context) -> Made:  # noqa: ARG001
    """Sixteen digits that are no filler, or nothing."""
    digits = _NOT_DIGIT.sub("", text_of(cells[0]) or "")
    if not digits:
        return NOTHING
    good = len(digits) == 16 and digits != digits[0] * 16 and not digits.endswith("0000")
    return Made({"": digits}) if good else Made({"": None}, ("KK_INVALID",))


def as_date(cells: Cells, rule: Rule, context: Context) -> Made:
    """An ISO date; with `precision = true` also `<field>_precision`."""
    number = _number_of(cells[0])
    raw: str | float | date | None = text_of(cells[0])
    if isinstance(cells[0], date):
        raw = cells[0]
    elif number is not None and not isinstance(number, Decimal):
        raw = number
    try:
        made, precision = parse_date(raw, today=context.today)
    except Unreadable:
        return Made({"": None}, ("DATE_UNREADABLE",))
    if precision is not None and rule.get("precision"):
        return Made({"": made, "birth_date_precision": str(precision)})
    return Made({"": made})


def as_rupiah(cells: Cells, rule: Rule, context: Context) -> Made:  # noqa: ARG001
    number = _number_of(cells[0])
    raw = text_of(cells[0]) if number is None else number
    try:
        return Made({"": parse_rupiah(raw)})
    except Unreadable as err:
        return Made(
            {"": None},
            ("AMOUNT_NEGATIVE" if err.code == "amount.negative" else "AMOUNT_UNREADABLE",),
        )


def as_integer(cells: Cells, rule: Rule, context: Context) -> Made:  # noqa: ARG001
    text = text_of(cells[0])
    return Made({"": int(text) if text and re.fullmatch(r"-?[0-9]{1,15}", text) else None})


def as_flag(cells: Cells, rule: Rule, context: Context) -> Made:  # noqa: ARG001
    text = (text_of(cells[0]) or "").casefold()
    return Made({"": True if text in _YES else False if text in _NO else None})


def as_phone(cells: Cells, rule: Rule, context: Context) -> Made:  # noqa: ARG001
    try:
        return Made({"": parse_phone(text_of(cells[0]))})
    except Unreadable:
        return Made({"": None}, ("PHONE_UNREADABLE",))


def as_rt_rw(cells: Cells, rule: Rule, context: Context) -> Made:  # noqa: ARG001
    """RT and RW out of one text, or of two cells: names `rt` and `rw` beside the field."""
    if len(cells) == 2:
        rt, rw = (parse_rt_rw(text_of(cell))[0] for cell in cells)
    else:
        rt, rw = parse_rt_rw(text_of(cells[0]))
    return Made({"rt": rt, "rw": rw})


def as_code(cells: Cells, rule: Rule, context: Context) -> Made:  # noqa: ARG001
    """A code by label; `mati*` is a beginning, `*` the rest, an empty code says nothing."""
    label = text_of(cells[0])
    if label is None:
        return Made({"": rule.get("empty")})
    found = _looked_up(rule["map"], fold(label))
    if found is None:
        return Made({"": None}, ("LABEL_UNKNOWN",))
    return Made({"": None if found == "" else found})


def _looked_up(table: Mapping[str, str], label: str) -> str | None:
    found = table.get(label)
    if found is not None:
        return found
    fits = [key for key in table if key.endswith("*") and label.startswith(key[:-1])]
    return table[max(fits, key=len)] if fits else None


def as_label(cells: Cells, rule: Rule, context: Context) -> Made:  # noqa: ARG001
    """A code of the list `list` by its label as agencies write it; `map` adds the agency's words.

    A code that its owner keeps to itself is not sent, and neither is the row (OWNER_ONLY).
    """
    label = text_of(cells[0])
    if label is None:
        return NOTHING
    listed = lists.load(str(rule["list"]))
    found = rule.get("map", {}).get(fold(label)) or listed.find(label)
    if found is None:
        return Made({"": None}, ("LABEL_UNKNOWN",))
    if found in listed.flagged("owner_only"):
        return Made({"": None}, (OWNER_ONLY,))
    return Made({"": [found] if rule.get("many") else found})


def as_split(cells: Cells, rule: Rule, context: Context) -> Made:  # noqa: ARG001
    """The part number `part` (from 0) of the text cut at `at`."""
    parts = (text_of(cells[0]) or "").split(str(rule.get("at", " ")))
    part = int(rule.get("part", 0))
    text = parts[part].strip() if -len(parts) <= part < len(parts) else ""
    return Made({"": text or None})


def as_list(cells: Cells, rule: Rule, context: Context) -> Made:
    """The cells as a list of texts (of codes with `map`), the empty ones left out.

    With `key` each becomes a struct of that one field.
    """
    if "map" in rule:
        made = [as_code([cell], rule, context) for cell in cells]
        findings: tuple[str, ...] = tuple(code for one in made for code in one.findings)
        items = [one.values[""] for one in made if one.values[""] is not None]
    else:
        findings, items = (), [text for text in map(text_of, cells) if text]
    if "key" in rule:
        items = [{str(rule["key"]): item} for item in items]
    return Made({"": items or None}, findings)


def as_kelurahan(cells: Cells, rule: Rule, context: Context) -> Made:
    """The canonical code of a place; cells are what `by` says, in that order.

    `by` is "kemendagri", "bps" or "name", then perhaps "kecamatan"; several cells of a code are
    joined. What the source said stays in `kelurahan_raw`.
    """
    by = str(rule.get("by", "name"))
    if by == "name":
        name = _KELURAHAN_WORD.sub("", text_of(cells[0]) or "") or None
        district = _KECAMATAN_WORD.sub("", text_of(cells[1]) or "") if len(cells) > 1 else None
        if name is None and not district:
            return Made({"": None})
        place = context.wilayah.resolve(name=name, kecamatan=district or None)
        raw = name
    else:
        digits = "".join(text_of(cell) or "" for cell in cells)
        digits = f"{rule.get('prefix', '')}{digits}" if digits else ""
        code = _NOT_DIGIT.sub("", digits)
        if len(code) != 10:
            return Made({"": None}, ("KEL_UNKNOWN",) if code else ())
        dotted = f"{code[:2]}.{code[2:4]}.{code[4:6]}.{code[6:]}"
        resolve = context.wilayah.resolve
        place = resolve(kemendagri=dotted) if by == "kemendagri" else resolve(bps=code)
        raw = dotted if by == "kemendagri" else code
    values = {"": place.kelurahan, "kecamatan": place.kecamatan, "kelurahan_raw": raw}
    return Made(values, tuple(place.findings))


TRANSFORMS: Mapping[str, Transform] = {
    "text": as_text,
    "upper": as_upper,
    "digits": as_digits,
    "nik": as_nik,
    "no_kk": as_no_kk,
    "date": as_date,
    "rupiah": as_rupiah,
    "integer": as_integer,
    "flag": as_flag,
    "phone": as_phone,
    "rt_rw": as_rt_rw,
    "code": as_code,
    "label": as_label,
    "split": as_split,
    "list": as_list,
    "kelurahan": as_kelurahan,
}


def fold(label: str) -> str:
    """A label as value maps know it: one space between words, case does not count."""
    return " ".join(label.split()).casefold()


def folded(table: Mapping[str, str]) -> Mapping[str, str]:
    """A value map with its labels folded; done once, when the settings are compiled."""
    return {fold(str(label)): value for label, value in table.items()}
