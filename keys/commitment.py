"""A salted commitment: 32 bytes in the log that stand for detail which may one day be destroyed.

Source: trust.md 3.1.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from keys.canonical import canonical

_TAG = b"titian-c/1\0"
SALT = 32


@dataclass(frozen=True, slots=True)
class Commitment:
    """The hash that goes into the log, and the salt that is kept beside the detail."""

    sha256: bytes
    salt: bytes = field(repr=False)


def commit(detail: Mapping[str, object], salt: bytes | None = None) -> Commitment:
    """SHA-256("titian-c/1" ‖ 0x00 ‖ salt(32) ‖ JCS(detail)); a new salt unless one is given."""
    used = secrets.token_bytes(SALT) if salt is None else salt
    return Commitment(committed(canonical(dict(detail)), used), used)


def committed(detail: bytes, salt: bytes) -> bytes:
    """The same over detail that is canonical JSON already."""
    return hashlib.sha256(_TAG + salt + detail).digest()
