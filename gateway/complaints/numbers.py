"""Ticket numbers `PKN-2025-000319-7` and tracking PINs. Pure.

The check digit catches every wrong digit and every swap of two neighbours (Damm's algorithm).
"""

import hashlib
import hmac
import re
import secrets

_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)
"""The quasigroup of Damm (2004), a row for each interim digit."""
_NUMBER = re.compile(r"PKN[- ]?(\d{4})[- ]?(\d{6})[- ]?(\d)", re.IGNORECASE)
PIN_DIGITS = 6


def ticket_number(year: int, running: int) -> str:
    """The printed number of the `running`-th ticket of a year, from 1."""
    return f"PKN-{year}-{running:06d}-{check_digit(f'{year}{running:06d}')}"


def read(typed: str) -> str | None:
    """A number as it is printed, or None where it is none or a digit is wrong."""
    found = _NUMBER.fullmatch(typed.strip())
    if found is None or check_digit(found[1] + found[2]) != found[3]:
        return None
    return ticket_number(int(found[1]), int(found[2]))


def check_digit(digits: str) -> str:
    """The digit that makes Damm's sum zero."""
    interim = "0"
    for digit in digits:
        interim = _DAMM[int(interim)][int(digit)]
    return interim


def new_pin() -> str:
    """Six digits from the system's randomness."""
    return f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"


def pin_hash(pin: str, salt: bytes) -> bytes:
    """32 bytes; kept sealed with its salt, since six digits alone are soon guessed."""
    return hashlib.sha256(b"titian-pin/1\0" + salt + pin.encode()).digest()


def pin_holds(typed: str, salt: bytes, kept: bytes) -> bool:
    """Whether the PIN is the one of the hash, in constant time."""
    return hmac.compare_digest(pin_hash("".join(typed.split()), salt), kept)
