"""How the number of a letter is printed, by the pattern of the city's profile. Pure."""

from collections.abc import Mapping
from datetime import date

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


def printed(patterns: Mapping[str, str], kind: str, running: int, day: date) -> str:
    """`460/7/UPT-KAN/XI/2025`: the running number, the month in Roman figures, the year."""
    return patterns[kind].format(number=running, roman_month=_ROMAN[day.month - 1], year=day.year)
