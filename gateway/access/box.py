"""What was typed into the one search box: a NIK, a No. KK, a phone, or a name with a date. Pure."""

import re
from collections.abc import Mapping
from datetime import date

from gateway.errors import Refused
from schemas.dates import parse_date
from schemas.errors import Unreadable

_DIGITS = re.compile(r"[0-9]{16}")
_PHONE = re.compile(r"(\+?62|0)8[0-9]{7,11}")
_DATE = re.compile(r"\b([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ][0-9]{2,4})\b")
SHORTEST_NAME = 3


def read_box(text: str, today: date) -> Mapping[str, str]:
    """The terms of one search: `number` (16 digits), `phone`, or `name` with perhaps `birth_date`.

    Raises:
        Refused: nothing to search by, digits that are neither, or fewer than three letters.
    """
    typed = " ".join(text.split())
    digits = re.sub(r"[ .-]", "", typed)
    if _DIGITS.fullmatch(digits):
        return {"number": digits}
    if _PHONE.fullmatch(digits):
        return {"phone": digits}
    if digits.lstrip("+").isdigit():
        raise Refused(
            "search.number",
            f"Nomor itu {len(digits.lstrip('+'))} digit. NIK dan No. KK 16 digit; nomor telepon "
            "diawali 08. Periksa kembali, atau cari dengan nama dan tanggal lahir.",
        )
    return _name_and_date(typed, today)


def _name_and_date(typed: str, today: date) -> Mapping[str, str]:
    found = _DATE.search(typed)
    born = _date(found.group(1), today) if found else None
    name = (typed.replace(found.group(1), " ") if found else typed).strip(" ,;")
    if any(c in name for c in "*%_?"):
        raise Refused("search.wildcard", "Tuliskan nama apa adanya, tanpa tanda * % _ atau ?.")
    if sum(c.isalpha() for c in name) < SHORTEST_NAME:
        raise Refused("search.short", "Tuliskan sedikitnya tiga huruf nama, atau NIK 16 digit.")
    terms = {"name": " ".join(name.split())}
    if born is not None:
        terms["birth_date"] = born
    return terms


def _date(text: str, today: date) -> str:
    try:
        read, _ = parse_date(text, today=today)
    except Unreadable:
        read = None
    if read is None:
        raise Refused(
            "search.date", "Tanggal lahir itu tidak ada di kalender. Tulis misalnya 17-08-1965."
        )
    return read
