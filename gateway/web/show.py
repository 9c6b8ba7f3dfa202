"""How values look on a page: dates, money, numbers, NIK. Pure."""

from datetime import date, datetime

import segno
from markupsafe import Markup

from schemas.moment import WIB

MONTHS = {
    "id": (
        "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember"
    ).split(),
    "en": (
        "January February March April May June July August September October November December"
    ).split(),
}


def day(value: date | str | None, language: str = "id") -> str:
    """`17 Desember 2013`, or a dash for nothing; ISO text is read first."""
    if value is None or value == "":
        return "–"
    if isinstance(value, str):
        try:
            shown = date.fromisoformat(value[:10])
        except ValueError:
            return value
    else:
        shown = value.astimezone(WIB).date() if isinstance(value, datetime) else value
    return f"{shown.day} {MONTHS[language][shown.month - 1]} {shown.year}"


def moment(value: datetime | None, language: str = "id") -> str:
    """`3 November 2025, 14.05 WIB`."""
    if value is None:
        return "–"
    local = value.astimezone(WIB)
    clock = f"{local:%H.%M}" if language == "id" else f"{local:%H:%M}"
    return f"{day(local.date(), language)}, {clock} WIB"


def number(value: int | None, language: str = "id") -> str:
    """Grouped thousands: `1.250.000`, or `1,250,000` in English."""
    if value is None:
        return "–"
    return f"{value:,}".replace(",", ".") if language == "id" else f"{value:,}"


def rupiah(value: int | None) -> str:
    """`Rp 1.250.000`."""
    return "–" if value is None else f"Rp {number(value)}"


def masked(nik: str | None) -> str:
    """`1376 •••• •••• 0002`: the first and last four digits."""
    return "–" if not nik else f"{nik[:4]} •••• •••• {nik[-4:]}"


def grouped(nik: str | None) -> str:
    """`1376 0141 0590 0002`: all sixteen digits in fours."""
    return "–" if not nik else " ".join(nik[i : i + 4] for i in range(0, len(nik), 4))


def age(born: date | str | None, today: date) -> int | None:
    """Full years on `today`, or None where the birth date is not known."""
    if born is None:
        return None
    if isinstance(born, str):
        try:
            born = date.fromisoformat(born)
        except ValueError:
            return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def qr(text: str) -> Markup:
    """A QR code of the text as SVG, dark on light whatever the page's colours are."""
    return Markup(segno.make_qr(text).svg_inline(scale=4, dark="#000", light="#fff"))  # noqa: S704 -- paths alone
