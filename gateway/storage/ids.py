"""How ids are shown: a uuidv7 as 26 base32 letters and digits, lower case."""

import base64
import binascii
from uuid import UUID


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
