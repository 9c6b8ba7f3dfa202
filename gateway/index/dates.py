"""Birth dates as written, to `YYYY-MM-DD`, `YYYY-MM` or `YYYY`; day before month unless ISO."""

import re
from collections.abc import Iterable
from enum import StrEnum

_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "jan januari january",
            "feb februari pebruari peb february",
            "mar maret march",
            "apr april",
            "mei may",
            "jun juni june",
            "jul juli july",
            "agu agt ags agustus aug august",
            "sep sept september",
            "okt oktober oct october",
            "nov nop november nopember",
            "des desember dec december",
        ),
        start=1,
    )
    for word in words.split()
}
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ISO = re.compile(r"^(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:[T ].*)?$")
_DAY_FIRST = re.compile(r"^(\d{1,2})[-/. ](\d{1,2}|[a-z]+)[-/. ](\d{2}|\d{4})(?: .*)?$")
_SCORE_SAMPLE = 5_000


class Order(StrEnum):
    """How the eight digits of a column's dates are to be read."""

    DAY_FIRST = "DDMMYYYY"
    YEAR_FIRST = "YYYYMMDD"


def order(texts: Iterable[str]) -> Order:
    """The reading of 8-digit dates under which more of the column are dates of this time."""
    eight = sorted({t.strip() for t in texts if re.fullmatch(r"\s*\d{8}\s*", t)})
    eight = eight[:: max(1, len(eight) // _SCORE_SAMPLE)]
    year_first = sum(_ymd(t[:4], t[4:6], t[6:]) is not None for t in eight)
    day_first = sum(_ymd(t[4:], t[2:4], t[:2]) is not None for t in eight)
    return Order.YEAR_FIRST if year_first > day_first else Order.DAY_FIRST


def date(text: str, eight: Order = Order.DAY_FIRST) -> str | None:
    """A written date, as precise as it is; None if it is not a date of the years 1000 to 2199."""
    text = text.strip().lower()
    if re.fullmatch(r"\d{8}", text):
        first = (text[:4], text[4:6], text[6:])
        return _ymd(*first) if eight is Order.YEAR_FIRST else _ymd(text[4:], text[2:4], text[:2])
    if re.fullmatch(r"\d{4}", text):
        return _ymd(text, "0", "0")
    if found := _ISO.match(text):
        return _ymd(found[1], found[2], found[3] or "0")
    if found := _DAY_FIRST.match(text):
        month = str(_MONTHS.get(found[2], found[2]))
        return _ymd(_century(found[3]), month, found[1]) if month.isdigit() else None
    return None


def _century(year: str) -> str:
    """Two digits belong to the years 1930 to 2029: nobody is born in the future."""
    if len(year) == 4:
        return year
    return ("20" if int(year) < 30 else "19") + year


def _ymd(year: str, month: str, day: str) -> str | None:
    y, m, d = int(year), int(month), int(day)
    if not 1000 <= y <= 2199 or not 0 <= m <= 12:
        return None
    if m == 0:
        return f"{y:04d}" if d == 0 else None
    if d == 0:
        return f"{y:04d}-{m:02d}"
    if d > _DAYS[m - 1]:
        return None
    return f"{y:04d}-{m:02d}-{d:02d}"
