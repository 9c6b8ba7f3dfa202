"""How ids are made and shown: a uuidv7 as 26 base32 letters and digits, lower case."""

import base64
import binascii
import secrets
import time
from uuid import UUID


def new() -> UUID:
    """A uuidv7 of now, where the id is needed before its row is written.

    Source: RFC 9562 §5.7.
    """
    milliseconds = time.time_ns() // 1_000_000
    tail = secrets.randbits(74)
    value = milliseconds << 80 | 0x7 << 76 | (tail >> 62) << 64 | 0b10 << 62 | tail & (1 << 62) - 1
    return UUID(int=value)


def show(value: UUID) -> str:
    """26 characters of RFC 4648 base32, lower case, without padding."""
    return base64.b32encode(value.bytes).decode("ascii").rstrip("=").lower()


def parse(text: str) -> UUID | None:
    """The id that `show` printed, or None where the text is no id."""
    try:
        raw = base64.b32decode(text.upper() + "======")
    except (binascii.Error, ValueError):
        return None
    return UUID(bytes=raw) if len(text) == 26 and len(raw) == 16 else None
