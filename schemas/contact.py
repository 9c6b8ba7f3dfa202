"""Telephone numbers to E.164, and RT and RW out of what people write for them."""

import re

from schemas.errors import Unreadable

_SEVERAL = re.compile(r"[/;,]| atau | dan ", re.IGNORECASE)
_NOT_DIGIT = re.compile(r"[^0-9]")
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")
_NOTHING = frozenset({"", "-", "0", "null", "none", "tidak ada", "tdk ada"})

_RT = re.compile(r"\bR\.?\s?T\.?\s*[.:]?\s*([0-9]{1,3})\b", re.IGNORECASE)
_RW = re.compile(r"\bR\.?\s?W\.?\s*[.:]?\s*([0-9]{1,3})\b", re.IGNORECASE)
_BOTH = re.compile(r"\bRT\s*/\s*RW\b\D*([0-9]{1,3})\s*/\s*([0-9]{1,3})\b", re.IGNORECASE)
_PAIR = re.compile(r"\s*([0-9]{1,3})\s*/\s*([0-9]{1,3})\s*")
_NUMBER = re.compile(r"\s*([0-9]{1,3})(?:\.0)?\s*")


def parse_phone(raw: str | float | None, *, country: str = "62") -> str | None:
    """The first number of a cell in E.164 (`+6281234567890`), or None for an empty cell.

    Accepts `08…`, `+62…`, `62…`, and `8…` of a spreadsheet that dropped the leading zero.

    Raises:
        Unreadable: `phone.unreadable`, there is something, but it is no telephone number.
    """
    if raw is None or raw != raw:  # noqa: PLR0124  (a cell that is NaN)
        return None
    text = _as_text(raw).strip()
    if text.lower() in _NOTHING:
        return None
    first = _SEVERAL.split(text)[0]
    digits = _NOT_DIGIT.sub("", first)
    if first.lstrip().startswith("+"):
        number = digits
    elif digits.startswith("0"):
        number = country + digits.lstrip("0")
    elif digits.startswith(country):
        number = digits
    elif digits.startswith("8"):
        number = country + digits
    else:
        raise Unreadable("phone.unreadable")
    number = f"+{number}"
    if _E164.fullmatch(number) is None or any(c.isalpha() for c in first):
        raise Unreadable("phone.unreadable")
    return number


def parse_rt_rw(raw: str | float | None) -> tuple[str | None, str | None]:
    """RT and RW with three digits each, None where the text does not say: `RT.3 RW.1`, `003/001`.

    A lone number is an RT.
    """
    if raw is None or raw != raw:  # noqa: PLR0124  (a cell that is NaN)
        return None, None
    text = _as_text(raw)
    if match := _PAIR.fullmatch(text):
        return _three(match[1]), _three(match[2])
    if match := _BOTH.search(text):
        return _three(match[1]), _three(match[2])
    rt, rw = _RT.search(text), _RW.search(text)
    if rt or rw:
        return _three(rt[1]) if rt else None, _three(rw[1]) if rw else None
    match = _NUMBER.fullmatch(text)
    return (_three(match[1]) if match else None), None


def _as_text(raw: str | float) -> str:
    """A cell as it looks: a whole number without the `.0` that a spreadsheet gives it."""
    return str(int(raw)) if isinstance(raw, float) and raw.is_integer() else str(raw)


def _three(digits: str) -> str | None:
    number = int(digits)
    return f"{number:03d}" if number else None
