"""Numbers that identify: NIK, family card, phone; what is valid, damaged, or only a hint.

Source: NIK `PPKKCC DDMMYY SSSS` with day + 40 for women (Permendagri on population numbers).
"""

import re
from dataclasses import dataclass

_DIGITS = re.compile(r"\D+")
_SCIENTIFIC = re.compile(r"^\s*\d[.,]\d+\s*[eE]\s*\+?\s*1[45]\s*$")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Number:
    """A NIK as found.

    Attributes:
        value: 16 digits of valid form, or `~` and the digits of a damaged number: that may
            resemble a NIK but is never equal to one. None for fillers and spreadsheet damage.
        stem: the first 15 digits where a spreadsheet cut the sixteenth off, else None.
    """

    value: str | None
    stem: str | None = None

    @property
    def valid(self) -> bool:
        return self.value is not None and not self.value.startswith("~")


MISSING = Number(None)


def nik(text: str) -> Number:
    """Read a NIK; fillers are missing, spreadsheet damage leaves a stem, typing errors a `~`."""
    if _SCIENTIFIC.match(text):
        return MISSING
    digits = _DIGITS.sub("", text)
    if not 14 <= len(digits) <= 17 or is_filler(digits):
        return MISSING
    if len(digits) == 16 and digits.endswith("0000"):
        return Number(None, digits[:15])
    if len(digits) == 16 and has_nik_form(digits):
        return Number(digits)
    return Number("~" + digits, digits[:15] if len(digits) == 15 else None)


def cut_nik(text: str) -> Number:
    """A NIK of a column whose every sixteenth digit a spreadsheet lost: 15 digits are left."""
    digits = _DIGITS.sub("", text)
    if len(digits) not in {15, 16} or is_filler(digits):
        return MISSING
    return Number(None, digits[:15])


def amount(text: str) -> str | None:
    """A plain number as text that `float` reads; a decimal comma is understood."""
    bare = text.replace(" ", "")
    if "," in bare and "." not in bare:
        bare = bare.replace(",", ".", 1)
    try:
        value = float(bare.replace(",", ""))
    except ValueError:
        return None
    return repr(value) if value - value == 0 else None


def has_nik_form(digits: str) -> bool:
    """Whether 16 digits carry a real birth date (day + 40 for women) and a serial number."""
    day, month, year = int(digits[6:8]), int(digits[8:10]), int(digits[10:12])
    day -= 40 if day > 40 else 0
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1]:
        return False
    if (day, month) == (29, 2) and year % 4:
        return False
    return digits[12:] != "0000" and digits[:2] != "00"


def is_filler(digits: str) -> bool:
    """Digits typed to fill the box: one digit throughout, fifteen nines, or a code and zeros."""
    if not digits or len(set(digits)) == 1 or digits.startswith("9" * 15):
        return True
    return len(digits.rstrip("0")) <= 6 or digits in {"1234567890123456", "0123456789012345"}


def family_card(text: str) -> str | None:
    """16 digits of a family card; its form is loose, for many carry typing errors."""
    digits = _DIGITS.sub("", text)
    if not 15 <= len(digits) <= 17 or is_filler(digits) or _SCIENTIFIC.match(text):
        return None
    return digits


def phone(text: str) -> str | None:
    """An Indonesian number as 62…; other numbers as their digits; None if too short to tell."""
    first = re.split(r"[/;,]|\s-\s", text.strip(), maxsplit=1)[0]
    digits = _DIGITS.sub("", first)
    if digits.startswith("0"):
        digits = "62" + digits.lstrip("0")
    elif digits.startswith("8") and "+" not in first:
        digits = "62" + digits
    if digits.startswith("620"):
        digits = "62" + digits[2:].lstrip("0")
    if not 7 <= len(digits) <= 15 or len(set(digits.removeprefix("62"))) <= 2:
        return None
    return digits


_MALE = frozenset(("l", "lk", "laki-laki", "laki laki", "laki", "pria", "1", "m", "male", "man"))
_FEMALE = frozenset(("p", "pr", "perempuan", "wanita", "2", "f", "female", "woman"))


def sex(text: str) -> str | None:
    """`L`, `P`, or None if the text says neither."""
    lowered = text.strip().lower().rstrip(".")
    if lowered in _MALE:
        return "L"
    return "P" if lowered in _FEMALE else None
