"""One-time codes from a phone: pure arithmetic.

Source: RFC 6238 (TOTP: HMAC-SHA-1, 30 s, six digits), RFC 4226 (HOTP).
"""

import base64
import hashlib
import hmac
import struct
from datetime import datetime
from urllib.parse import quote

SECRET_BYTES = 20
STEP_SECONDS = 30
DIGITS = 6


def step_of(now: datetime) -> int:
    """The number of the 30 seconds that `now` lies in."""
    return int(now.timestamp()) // STEP_SECONDS


def code_of(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code that a phone with this secret shows in `step`."""
    mac = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    at = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[at : at + 4])[0] & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def matching_step(secret: bytes, code: str, now: datetime) -> int | None:
    """The step whose code was typed: this one, the one before or the one after; else None."""
    given, here = code.encode(), step_of(now)
    near = (here, here - 1, here + 1)
    return next((s for s in near if hmac.compare_digest(code_of(secret, s).encode(), given)), None)


def written(secret: bytes) -> str:
    """The secret as an officer types it into his phone: base32 in groups of four."""
    text = base64.b32encode(secret).decode("ascii")
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def link(secret: bytes, issuer: str, account: str) -> str:
    """The `otpauth:` address that an authenticator opens."""
    label = f"{quote(issuer)}:{quote(account)}"
    plain = base64.b32encode(secret).decode("ascii")
    return f"otpauth://totp/{label}?secret={plain}&issuer={quote(issuer)}"
