"""Rupiah as agencies write them, to whole rupiah; what could mean two amounts is refused."""

import re
from decimal import Decimal

from schemas.errors import Unreadable

LARGEST = 2**53 - 1
SMALLEST_PLAUSIBLE = 10_000

_PREFIX = re.compile(r"^(?:rp|idr)\.?\s*", re.IGNORECASE)
_SUFFIX = re.compile(r"[.,]\s*[-–—=]+$")
_UNIT = re.compile(
    r"([0-9]+(?:[.,][0-9]+)?)\s*(rb|ribu|k|jt|juta|m|miliar|milyar)\.?", re.IGNORECASE
)
_PLAIN = re.compile(r"([0-9]+)(?:[.,](00?))?")
_DOTS = re.compile(r"([0-9]{1,3}(?:\.[0-9]{3})+)(?:,([0-9]{1,2}))?")
_COMMAS = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]{1,2}))?")
_SPACES = re.compile(r"[0-9]{1,3}(?: [0-9]{3})+")
_FACTORS = {"r": 1_000, "k": 1_000, "j": 1_000_000, "m": 1_000_000_000}
_NOTHING = frozenset({"", "-", "–", "null", "none", "n/a", "nihil", "belum ada"})


def parse_rupiah(
    raw: str | float | Decimal | None, *, smallest: int = SMALLEST_PLAUSIBLE
) -> int | None:
    """Whole rupiah, or None for an empty cell: `Rp400.000,-`, `400.000,00`, `400000`, `0,4 jt`.

    `smallest` is the least amount that a lone group may mean (`1.250` is refused beside amounts of
    100,000 and more, for it may be 1.25 million cut short).

    Raises:
        Unreadable: `amount.unreadable`, `amount.ambiguous`, `amount.fraction`, `amount.negative`,
            or `amount.range` for more than 2^53 - 1.
    """
    if raw is None or raw != raw:  # noqa: PLR0124  (a cell that is NaN)
        return None
    if isinstance(raw, int | float | Decimal):
        return _whole(Decimal(str(raw)))
    text = " ".join(raw.split())
    if text.lower() in _NOTHING:
        return None
    bare = _SUFFIX.sub("", _PREFIX.sub("", text)).strip()
    if bare.startswith(("-", "(", "−")):
        raise Unreadable("amount.negative")
    amount, lone_group = _amount(bare)
    if lone_group and bare == text and amount < smallest:
        raise Unreadable("amount.ambiguous")
    return _whole(amount)


def _amount(text: str) -> tuple[Decimal, bool]:
    """The amount, and whether it rests on one lone separator that might be a decimal mark."""
    if match := _UNIT.fullmatch(text):
        number = Decimal(match[1].replace(",", "."))
        return number * _FACTORS[match[2][0].lower()], False
    if match := _PLAIN.fullmatch(text):
        return Decimal(match[1]), False
    if match := _SPACES.fullmatch(text):
        return Decimal(text.replace(" ", "")), False
    for pattern, group, mark in ((_DOTS, ".", ","), (_COMMAS, ",", ".")):
        if match := pattern.fullmatch(text):
            whole = match[1].replace(group, "")
            cents = match[2]
            lone = text.count(group) == 1 and mark not in text
            return Decimal(f"{whole}.{cents}" if cents else whole), lone
    if text.strip("0123456789., "):
        raise Unreadable("amount.unreadable")
    raise Unreadable("amount.ambiguous")


def _whole(amount: Decimal) -> int:
    if not amount.is_finite():
        raise Unreadable("amount.unreadable")
    if amount < 0:
        raise Unreadable("amount.negative")
    if amount != amount.to_integral_value():
        raise Unreadable("amount.fraction")
    if amount > LARGEST:
        raise Unreadable("amount.range")
    return int(amount)
