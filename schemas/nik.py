"""The NIK: what is strictly valid, what its digits say, and what a source's cell was meant to be.

A NIK is `PPKKCC DDMMYY SSSS`: the district where it was first issued, the date of birth with 40
added to the day for women, and a serial from 0001. Form makes it valid, not registered.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

OLDEST_YEARS = 110

_SIXTEEN = re.compile(r"[0-9]{16}")
_SURVEY_NINES = "9" * 15
_EXPONENT = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,2}")
_PASSPORT = re.compile(r"[A-Z]{1,2}[0-9]{6,8}")
_SEPARATORS = re.compile(r"[\s.\-'’`_/]+")
_NOTHING = frozenset(
    {"", "0", "NULL", "NONE", "NAN", "N/A", "TIDAKADA", "BELUMADA", "NIHIL", "XXX"}
)
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY_MONTHS = frozenset(
    f"{day + offset:02d}{month:02d}"
    for month, days in enumerate(_DAYS_IN_MONTH, start=1)
    for day in range(1, days + 1)
    for offset in (0, 40)
)


class NikStatus(StrEnum):
    """What became of the NIK that the source had."""

    VALID_FORM = "valid_form"
    INVALID_FORM = "invalid_form"
    SENTINEL = "sentinel"
    TRUNCATED_EXCEL = "truncated_excel"
    MISSING = "missing"
    FOREIGNER = "foreigner"


@dataclass(frozen=True, slots=True)
class NikParts:
    """What the digits say; `birth_date` is None where two centuries are possible, or none."""

    region: str
    birth_date: date | None
    sex: str
    serial: str


def fault(digits: str) -> str | None:
    """The code of the first thing that keeps the text from being a strictly valid NIK, or None."""
    if _SIXTEEN.fullmatch(digits) is None:
        return "nik.format"
    if is_sentinel(digits):
        return "nik.sentinel"
    day_month = digits[6:10]
    if day_month not in _DAY_MONTHS:
        return "nik.date"
    # 29 February needs a leap year; 19yy and 20yy leap together but for 00, where 2000 did.
    if day_month in ("2902", "6902") and int(digits[10:12]) % 4:
        return "nik.date"
    return "nik.serial" if digits[12:] == "0000" else None


def is_sentinel(digits: str) -> bool:
    """Whether sixteen digits only fill the column: one digit repeated, or a survey's code."""
    return digits == digits[0] * 16 or (digits[:15] == _SURVEY_NINES and digits[15] in "4569")


def parts(nik: str, *, today: date, birth_date: date | None = None) -> NikParts:
    """What a strictly valid NIK says.

    The century is the one that gives an age of 0 to 110 years; where both do, the record's own
    `birth_date` decides if it is one of the two.

    Raises:
        ValueError: the text is not a strictly valid NIK.
    """
    if fault(nik) is not None:
        raise ValueError("not a strictly valid NIK")
    day = int(nik[6:8])
    woman = day > 40
    fits = [
        born
        for century in (1900, 2000)
        if (born := _real(century + int(nik[10:12]), int(nik[8:10]), day - 40 * woman))
        and born <= today
        and today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        <= OLDEST_YEARS
    ]
    born = fits[0] if len(fits) == 1 else birth_date if birth_date in fits else None
    return NikParts(region=nik[:6], birth_date=born, sex="P" if woman else "L", serial=nik[12:])


def classify_nik(
    raw: str | float | None, *, column_truncated: bool = False
) -> tuple[str | None, str | None, NikStatus]:
    """What a source's cell becomes on the wire: `(nik, nik_raw, nik_status)`.

    A spreadsheet keeps 15 significant digits. So a *number* that ends in 0, a text such as
    `1,37605E+15`, a serial of 0000, and any value of a column that `ends_in_zero` throughout
    (`column_truncated`) is no NIK any more: it is kept raw as a hint for matching.
    """
    if raw is None or isinstance(raw, bool) or raw != raw:  # noqa: PLR0124  (a cell that is NaN)
        return None, None, NikStatus.MISSING
    numeric = isinstance(raw, int | float)
    text = _as_text(raw)
    packed = _SEPARATORS.sub("", text).upper()
    if packed in _NOTHING:
        return None, None, NikStatus.MISSING
    return _classify(text[:32], packed, lost_digit=numeric or column_truncated)


def ends_in_zero(column: Iterable[str | float | None], *, at_least: int = 8) -> bool:
    """Whether a whole column lost its last digit: `at_least` 16-digit values, all ending in 0."""
    seen = 0
    for raw in column:
        packed = "" if raw is None else _SEPARATORS.sub("", _as_text(raw))
        if _SIXTEEN.fullmatch(packed) and packed != packed[0] * 16:
            if not packed.endswith("0"):
                return False
            seen += 1
    return seen >= at_least


def _classify(
    raw: str, packed: str, *, lost_digit: bool
) -> tuple[str | None, str | None, NikStatus]:
    if _SIXTEEN.fullmatch(packed) is None:
        exponent = _EXPONENT.fullmatch(raw.strip().lstrip("'")) is not None
        if exponent:
            return None, raw, NikStatus.TRUNCATED_EXCEL
        foreign = _PASSPORT.fullmatch(packed) is not None
        return None, raw, NikStatus.FOREIGNER if foreign else NikStatus.INVALID_FORM
    what = fault(packed)
    if what == "nik.sentinel":
        return None, raw, NikStatus.SENTINEL
    if packed.endswith("0000") or (lost_digit and packed.endswith("0")):
        return None, raw, NikStatus.TRUNCATED_EXCEL
    if what is not None:
        return None, raw, NikStatus.INVALID_FORM
    return packed, None, NikStatus.VALID_FORM


def _as_text(raw: str | float) -> str:
    if isinstance(raw, float):
        return str(int(raw)) if raw.is_integer() else repr(raw)
    # What the wire would refuse in a text (control and invisible characters) is no part of a NIK.
    return "".join(c for c in str(raw) if c.isprintable()).strip()


def _real(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
