"""Public keys that may be trusted with a name, and signers that hold the private half.

OpenSSL verifies signatures under low-order Ed25519 keys: one constant signature then holds for
every message (trust.md F1). So a public key that is low-order, not canonical or not on the curve
cannot even be built here, and no caller can forget the check.

Source: RFC 8032 §5.1; trust.md 1.2 (identifiers) and F1.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from keys.errors import BadKey, BadSignature

ED25519 = "ed25519"
AGENCY = re.compile(r"[a-z0-9-]{1,40}")
_FIELD = 2**255 - 19
_CURVE_D = -121665 * pow(121666, -1, _FIELD) % _FIELD
# y of the points whose order divides 8. Both signs of x are refused. The encodings of y = p and
# y = p + 1 are low-order too, but fall to the canonical check.
_ORDER_EIGHT = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_LOW_ORDER = frozenset({0, 1, _FIELD - 1, _ORDER_EIGHT, _FIELD - _ORDER_EIGHT})


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key bound to its algorithm; only sound keys exist.

    Attributes:
        alg: ``ed25519``; taken from the keyset, never from the message being checked.
        raw: 32 bytes.

    Raises:
        BadKey: unknown algorithm, wrong size, not canonical, low order, or not on the curve.
    """

    alg: str
    raw: bytes

    def __post_init__(self) -> None:
        if self.alg != ED25519:
            raise BadKey("key.alg", "The key's algorithm is not one that is used here.")
        if len(self.raw) != 32:
            raise BadKey("key.size", "An Ed25519 public key has 32 bytes.")
        _check_point(self.raw)

    @classmethod
    def parse(cls, alg: str, raw: bytes) -> Self:
        """The key, or ``BadKey`` if it must not be used."""
        return cls(alg, bytes(raw))

    def kid(self, owner: str) -> str:
        """The key's name: ``owner:`` and the first 26 base32 characters of its hash.

        Raises:
            BadKey: the owner's name is not ``[a-z0-9-]{1,40}``.
        """
        if not AGENCY.fullmatch(owner):
            raise BadKey("key.owner", "An agency's code has 1 to 40 of the characters a-z 0-9 -.")
        return f"{owner}:{self._hash()[:26]}"

    def fingerprint(self) -> str:
        """What two people compare over the phone: 160 bits, 8 groups of 4, lower-case base32."""
        return _grouped(self._hash())

    def verify(self, sig: bytes, data: bytes) -> None:
        """Return if the signature holds.

        Raises:
            BadSignature: it does not (``sig.invalid``).
        """
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(self.raw).verify(sig, data)
        except InvalidSignature as err:
            raise BadSignature("sig.invalid", "The signature does not fit the content.") from err

    def _hash(self) -> str:
        hashed = hashlib.sha256(self.alg.encode("ascii") + b"\0" + self.raw).digest()
        return base64.b32encode(hashed).decode("ascii").lower()


def fingerprint_of(sha256: bytes) -> str:
    """What two people compare of a statement that brings no single new key; as of a key."""
    return _grouped(base64.b32encode(sha256).decode("ascii").lower())


def _grouped(text: str) -> str:
    return " ".join(text[at : at + 4] for at in range(0, 32, 4))


class Signer(Protocol):
    """Whatever can sign in the name of one key: a key file, the vault, later a token."""

    @property
    def kid(self) -> str:
        """The key's name."""

    @property
    def public(self) -> PublicKey:
        """The public half."""

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data``, 64 bytes for Ed25519."""


class Ed25519Signer:
    """A signer in memory. Never shows its private half."""

    __slots__ = ("_private", "kid", "public")

    def __init__(self, owner: str, seed: bytes) -> None:
        if len(seed) != 32:
            raise BadKey("key.size", "An Ed25519 seed has 32 bytes.")
        self._private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(ED25519, self._private.public_key().public_bytes_raw())
        self.kid = self.public.kid(owner)

    @classmethod
    def generate(cls, owner: str) -> Self:
        """A new key pair from the system's random source."""
        return cls(owner, ed25519.Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_seed(cls, owner: str, seed: bytes) -> Self:
        """The key pair of a 32-byte seed."""
        return cls(owner, seed)

    def sign(self, data: bytes) -> bytes:
        """The Ed25519 signature, 64 bytes."""
        return self._private.sign(data)

    def __repr__(self) -> str:
        return f"Ed25519Signer({self.kid})"


@lru_cache(maxsize=4096)
def _check_point(raw: bytes) -> None:
    """Refuse what RFC 8032 §5.1.3 cannot decode, and every point of order 1, 2, 4 or 8."""
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    if y >= _FIELD:
        raise BadKey("key.not_canonical", "The public key is not in its only spelling.")
    if y in _LOW_ORDER:
        raise BadKey("key.low_order", "The public key has a low order: anyone could sign for it.")
    square = (y * y - 1) * pow(_CURVE_D * y * y + 1, -1, _FIELD) % _FIELD
    if pow(square, (_FIELD - 1) // 2, _FIELD) != 1:
        raise BadKey("key.not_on_curve", "The public key is not a point of the curve.")
