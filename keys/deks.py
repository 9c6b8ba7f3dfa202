"""Data keys: each seals the values of one scope and lies in the database, wrapped by a KEK.

A wrapped key is AES-KWP(KEK, key(32) ‖ SHA-256(id ‖ scope)[:16]): what it unwraps to names its own
row, so a wrapped key moved to another row is refused. Where the wrapped keys are kept is the
store's affair; nothing here reads a file or a database.

Source: trust.md 1.1, 1.9; RFC 5649 (AES-KWP).
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from keys.errors import VaultError

ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class Wrapped:
    """The data key of a scope as it is stored.

    Attributes:
        id: 8 random bytes; each ciphertext of the key begins with them.
        key: the wrapped key; None once it was destroyed, and with it all that it sealed.
        kek_version: the KEK that wraps it.
    """

    id: bytes
    scope: str
    key: bytes | None
    kek_version: int


class DekStore(Protocol):
    """Where wrapped data keys are kept: one for each scope, for ever."""

    def find(self, scope: str) -> Wrapped | None:
        """The key of the scope; None where nothing was ever sealed."""

    def add(self, scope: str, make: Callable[[], Wrapped]) -> Wrapped:
        """The key of the scope, on the disk when this returns: the one there is, or a new one.

        ``make`` is called while no KEK is being rotated, and perhaps in vain.
        """


class NoDeks:
    """The store of a vault that was opened to sign and to index, not to seal."""

    def find(self, scope: str) -> Wrapped | None:
        raise _no_store(scope)

    def add(self, scope: str, make: Callable[[], Wrapped]) -> Wrapped:
        del make
        raise _no_store(scope)


def generate(scope: str, kek_version: int, kek: bytes) -> Wrapped:
    """A new random data key for a scope."""
    made = Wrapped(secrets.token_bytes(ID_BYTES), scope, None, kek_version)
    return _wrap(made, secrets.token_bytes(32), kek_version, kek)


def unwrap(stored: Wrapped, keks: Mapping[int, bytes]) -> bytes:
    """The data key, 32 bytes.

    Raises:
        VaultError: it was destroyed (``vault.destroyed``), its KEK is not held (``vault.kek``), or
            it was not wrapped here for this scope (``vault.dek``).
    """
    if stored.key is None:
        raise VaultError("vault.destroyed", "The key of these values was destroyed; they are gone.")
    kek = keks.get(stored.kek_version)
    if kek is None:
        raise VaultError(
            "vault.kek",
            f"A data key is wrapped by KEK version {stored.kek_version}, which this vault does not"
            " hold. Nothing was changed; restore the vault of that time from its shares.",
        )
    try:
        plain = aes_key_unwrap_with_padding(kek, stored.key)
    except (InvalidUnwrap, ValueError) as err:
        raise _foreign() from err
    if not hmac.compare_digest(plain[32:], _row(stored)):
        raise _foreign()
    return plain[:32]


def rewrap(stored: Wrapped, keks: Mapping[int, bytes]) -> Wrapped:
    """The same data key under the newest KEK; no value is sealed anew.

    Raises:
        VaultError: as ``unwrap``.
    """
    newest = max(keks)
    return _wrap(stored, unwrap(stored, keks), newest, keks[newest])


def _wrap(made: Wrapped, key: bytes, version: int, kek: bytes) -> Wrapped:
    sealed = aes_key_wrap_with_padding(kek, key + _row(made))
    return replace(made, key=sealed, kek_version=version)


def _row(stored: Wrapped) -> bytes:
    return hashlib.sha256(stored.id + stored.scope.encode()).digest()[:16]


def _foreign() -> VaultError:
    return VaultError(
        "vault.dek", "A data key was not wrapped here for this scope, or was altered."
    )


def _no_store(scope: str) -> VaultError:
    kind = scope.partition("|")[0]
    return VaultError("vault.no_store", f"This vault was opened without data keys ({kind}).")
