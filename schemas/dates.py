"""Dates as agencies write them: day first, Indonesian or English months, Excel serials."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from schemas.errors import Unreadable

EARLIEST = date(1850, 1, 1)
LATEST = date(2100, 12, 31)
EXCEL_EPOCH = date(1899, 12, 30)  # Excel counts a 29 February 1900 that never was
EXCEL_LAST = 73_415  # 31 December 2100

MONTHS: Mapping[str, int] = MappingProxyType(
    {
        name: number
        for number, names in enumerate(
            (
                "jan januari january",
                "feb peb februari pebruari february",
                "mar mrt maret march",
                "apr april",
                "mei may",
                "jun juni june",
                "jul juli july",
                "agu agt ags aug agust agustus august",
                "sep sept september",
                "okt oct oktober october",
                "nov nop november nopember",
                "des dec desember december",
            ),
            start=1,
        )
        for name in names.split()
    }
)

_ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[T ][0-9:.+Z-]*)?")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[-/. ]+([0-9]{1,2})[-/. ]+([0-9]{4}|[0-9]{2})(?: [0-9:.]+)?")
_NAMED = re.compile(r"([0-9]{1,2})[-/. ]*([A-Za-z]+)[-/., ]*([0-9]{4}|[0-9]{2})")
_MONTH_YEAR = re.compile(r"([A-Za-z]+)[-/., ]*([0-9]{4})")
_EIGHT = re.compile(r"[0-9]{8}")
_SERIAL = re.compile(r"[0-9]{4,5}(?:[.,]0+)?")
_YEAR = re.compile(r"1[89][0-9]{2}|20[0-9]{2}")
_NOTHING = frozenset({"", "-", "--", "0", "null", "none", "n/a", "tidak tahu"})


class Precision(StrEnum):
    """How much of a date is known."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class _Parts:
    year: int
    month: int
    day: int


def parse_date(
    raw: str | float | date | None, *, today: date
) -> tuple[str | None, Precision | None]:
    """What a source's cell says: `("1980-12-31", Precision.DAY)`, or `(None, None)` for nothing.

    Unknown parts (`00-00-1980`) give the first day with precision `year` or `month`. A year of two
    digits is the latest one that is not after `today`.

    Raises:
        Unreadable: `date.unreadable`, there is something, but it is no date.
    """
    if raw is None or isinstance(raw, bool) or raw != raw:  # noqa: PLR0124  (a cell that is NaN)
        return None, None
    if isinstance(raw, date):
        return (raw.date() if isinstance(raw, datetime) else raw).isoformat(), Precision.DAY
    if isinstance(raw, int | float):
        return _number(raw, today)
    text = " ".join(raw.split()).strip("'\" ")
    if text.lower() in _NOTHING or not text.strip("0-/. :"):
        return None, None
    parts = _parts(text, today)
    if parts is None:
        if _SERIAL.fullmatch(text):
            return _serial(float(text.replace(",", ".")))
        raise Unreadable("date.unreadable")
    return _result(parts)


def _number(raw: float, today: date) -> tuple[str | None, Precision | None]:
    if raw == 0:
        return None, None
    if EXCEL_LAST < raw < 10**8 and raw == int(raw):
        parts = _parts(f"{int(raw):08d}", today)
        if parts is not None:
            return _result(parts)
    return _serial(raw)


def _serial(days: float) -> tuple[str, Precision]:
    if not 1 <= days <= EXCEL_LAST:
        raise Unreadable("date.unreadable")
    return (EXCEL_EPOCH + timedelta(days=int(days))).isoformat(), Precision.DAY


def _parts(text: str, today: date) -> _Parts | None:
    if match := _ISO.fullmatch(text):
        return _Parts(*(int(group) for group in match.groups()))
    if match := _DAY_FIRST.fullmatch(text):
        day, month, year = match.groups()
        return _Parts(_year(year, today), int(month), int(day))
    if match := _NAMED.fullmatch(text):
        day, name, year = match.groups()
        return _named(name, _year(year, today), int(day))
    if match := _MONTH_YEAR.fullmatch(text):
        return _named(match[1], int(match[2]), 0)
    if _EIGHT.fullmatch(text):
        return _eight(text)
    return _Parts(int(text), 0, 0) if _YEAR.fullmatch(text) else None


def _eight(text: str) -> _Parts | None:
    day_first = _Parts(int(text[4:]), int(text[2:4]), int(text[:2]))
    year_first = _Parts(int(text[:4]), int(text[4:6]), int(text[6:]))
    return next((parts for parts in (day_first, year_first) if _is_date(parts)), None)


def _named(name: str, year: int, day: int) -> _Parts | None:
    month = MONTHS.get(name.lower())
    return None if month is None else _Parts(year, month, day)


def _year(text: str, today: date) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    return 2000 + year if 2000 + year <= today.year else 1900 + year


def _is_date(parts: _Parts) -> bool:
    try:
        _result(parts)
    except Unreadable:
        return False
    return True


def _result(parts: _Parts) -> tuple[str, Precision]:
    precision = (
        Precision.YEAR if not parts.month else Precision.MONTH if not parts.day else Precision.DAY
    )
    try:
        day = date(parts.year, parts.month or 1, (parts.month and parts.day) or 1)
    except ValueError as err:
        raise Unreadable("date.unreadable") from err
    if not EARLIEST <= day <= LATEST:
        raise Unreadable("date.unreadable")
    return day.isoformat(), precision
