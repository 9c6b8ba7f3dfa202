"""The centre's secrets behind one small interface: blind index, field encryption, and its signers.

The secrets lie in one JSON file (0600, see ``secretfile``) outside the database and its backups.
Beside it lies ``<name>.head``: for each log origin the last checkpoint signed. It stops a restored
database from forking the log, so it must never be restored with it.

A ciphertext is ``0x01 ‖ dek_id(8) ‖ nonce(12) ‖ AES-256-GCM(ct ‖ tag)``; its key is the data key of
the scope (see ``deks``) and its additional data is the caller's, so that a value moved to another
row fails to open. Nonces are random: at most 2^28 values in one scope.

The file may gain and lose versions while processes run: each looks again when the file was
replaced, or when it meets a version that it does not know.

Source: trust.md 1.1, 1.9, 3.2; RFC 2104 (HMAC); NIST SP 800-38D (GCM).
"""

import hashlib
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys import deks, merkle
from keys.canonical import canonical, read_json
from keys.checkpoint import Checkpoint, NoteSigner
from keys.deks import DekStore, NoDeks, Wrapped
from keys.errors import BadJson, BadProof, BadStatement, NotAnExtension, VaultError
from keys.privatefile import read_private, write_private
from keys.secretfile import NEXT, Secrets, Versioned
from keys.signers import Ed25519Signer, Signer
from keys.statement import Fields

_OWNERS = {"receipt": "gateway", "log": "gateway", NEXT: "gateway", "house": "upt-kan"}
_FORMAT = b"\x01"
_ID_END = 1 + deks.ID_BYTES
_CT_START = 21  # then the nonce
_BLOCK = 64  # of SHA-256, for HMAC


class Vault:
    """An open vault. The data key of a scope is unwrapped once and kept."""

    __slots__ = ("_deks", "_file", "_labels", "_path", "_scopes", "_secrets")

    def __init__(self, path: Path, store: DekStore | None = None) -> None:
        """Read the file at ``path``; ``store`` keeps the data keys, None if nothing is sealed.

        Raises:
            KeyFileError: missing, foreign, or open to others.
            VaultError: the file is not a vault (``vault.damaged``).
        """
        self._path = path
        self._deks = NoDeks() if store is None else store
        self._scopes: dict[str, tuple[bytes, AESGCM]] = {}
        self._labels: dict[tuple[str, int], Hmac] = {}
        self._file = _stamp(path)
        self._secrets = Secrets.read(read_private(path))

    @classmethod
    def create(
        cls, path: Path, store: DekStore | None = None, *, now: datetime | None = None
    ) -> Self:
        """Make a vault with fresh secrets, and an empty head file beside it.

        Raises:
            VaultError: there is a file already (``vault.exists``).
        """
        if path.exists() or _head_path(path).exists():
            raise VaultError("vault.exists", f"There is a vault at {path} already.")
        write_private(_head_path(path), canonical({}))
        write_private(path, Secrets.fresh(now).write())
        return cls(path, store)

    @classmethod
    def load(cls, path: Path, store: DekStore | None = None) -> Self:
        """The vault at ``path``; raises as the constructor does."""
        return cls(path, store)

    @property
    def bix_versions(self) -> tuple[int, ...]:
        """The versions of the blind index that a look-up must try, newest first."""
        return self.versions("bix")

    @property
    def secrets(self) -> Secrets:
        """What the file holds now."""
        self._look_again()
        return self._secrets

    def versions(self, kind: Versioned) -> tuple[int, ...]:
        """The versions of a key that the file holds now, newest first."""
        return tuple(sorted(self.secrets.versions(kind), reverse=True))

    def add_version(self, kind: Versioned, now: datetime) -> int:
        """Write a new version of a key into the file; its number. The caller keeps others out."""
        grown = self.secrets.with_next(kind, now)
        self._write(grown)
        return max(grown.versions(kind))

    def drop_below(self, kind: Versioned, version: int) -> None:
        """Take older versions of a key out of the file, once nothing needs them any more.

        Raises:
            VaultError: the file has no such version (``vault.version``).
        """
        self._write(self.secrets.without_below(kind, version))

    def rewrap(self, stored: Wrapped) -> Wrapped:
        """A data key under the newest KEK.

        Raises:
            VaultError: it cannot be unwrapped.
        """
        return deks.rewrap(stored, self.secrets.kek)

    def hmac(
        self, label: str, values: Sequence[bytes], *, version: int | None = None
    ) -> list[bytes]:
        """The blind index of each value, 16 bytes, under the newest version or the one asked for.

        Raises:
            VaultError: there is no such version (``vault.version``).
        """
        chosen = max(self._secrets.bix) if version is None else version
        keyed = self._labels.get((label, chosen))
        if keyed is None:
            if chosen not in self._secrets.bix and chosen not in self.secrets.bix:
                raise VaultError("vault.version", "The vault has no blind index of that version.")
            keyed = Hmac(_derive(self._secrets.bix[chosen], f"titian/bix/1|{label}"))
            self._labels[label, chosen] = keyed
        return [whole[:16] for whole in keyed.digests(values)]

    def seal(self, scope: str, aad: bytes, plain: bytes) -> bytes:
        """The ciphertext of one value, bound to its scope and to ``aad``."""
        return self.seal_many(scope, [aad], [plain])[0]

    def open(self, scope: str, aad: bytes, sealed: bytes) -> bytes:
        """The value of a ciphertext.

        Raises:
            VaultError: not sealed here, for this scope and with this ``aad`` (``vault.sealed``).
        """
        return self.open_many(scope, [aad], [sealed])[0]

    def seal_many(self, scope: str, aads: Sequence[bytes], plains: Sequence[bytes]) -> list[bytes]:
        """The ciphertexts of many values of one scope, in order."""
        prefix, cipher = self._scope(scope) or self._add_scope(scope)
        encrypt = cipher.encrypt
        random = os.urandom(12 * len(plains))
        nonces = [random[at : at + 12] for at in range(0, len(random), 12)]
        return [
            prefix + nonce + encrypt(nonce, plain, aad)
            for nonce, plain, aad in zip(nonces, plains, aads, strict=True)
        ]

    def open_many(self, scope: str, aads: Sequence[bytes], sealed: Sequence[bytes]) -> list[bytes]:
        """The values of many ciphertexts of one scope, in order.

        Raises:
            VaultError: any of them fails to open (``vault.sealed``).
        """
        found = self._scope(scope) if sealed else None
        prefix, cipher = found or (None, None)
        if any(ct[:_ID_END] != prefix for ct in sealed):
            raise VaultError("vault.sealed", "A value was not sealed here under this scope's key.")
        if cipher is None:
            return []
        decrypt = cipher.decrypt
        try:
            return [
                decrypt(ct[_ID_END:_CT_START], ct[_CT_START:], aad)
                for ct, aad in zip(sealed, aads, strict=True)
            ]
        except InvalidTag as err:
            raise VaultError(
                "vault.sealed", "A value was not sealed here for this place, or was altered."
            ) from err
        except ValueError as err:  # a nonce or tag cut short
            raise VaultError("vault.sealed", "A sealed value is cut short.") from err

    def signer(self, kind: Literal["receipt", "log", "receipt_next", "house"]) -> Signer:
        """The key that signs receipts (owner ``gateway``), or the centre's own batches (``house``).

        ``log`` is the log's key where it stands for itself in a keyset, ``receipt_next`` the
        successor that waits.

        Raises:
            KeyError: none waits.
        """
        return Ed25519Signer.from_seed(_OWNERS[kind], self.secrets.seeds[kind])

    def next_receipt(self, now: datetime) -> Signer:
        """The receipt key's successor, kept in the file before anybody hears of it."""
        self._write(self.secrets.with_next_receipt(now))
        return self.signer(NEXT)

    def replace_receipt(self) -> None:
        """From now on the successor signs; other processes learn of it from the file."""
        self._write(self.secrets.with_receipt_replaced())

    def log_signer(self, origin: str) -> "LogSigner":
        """The key that signs checkpoints of the log ``origin``, with its memory."""
        note = NoteSigner(origin, self._secrets.seeds["log"])
        return LogSigner(note, _head_path(self._path))

    def __repr__(self) -> str:
        return f"Vault({self._path})"

    def _scope(self, scope: str) -> tuple[bytes, AESGCM] | None:
        """What each ciphertext of the scope begins with, and its cipher; None if there is none."""
        kept = self._scopes.get(scope)
        if kept is not None:
            return kept
        stored = self._deks.find(scope)
        return None if stored is None else self._keep(stored)

    def _add_scope(self, scope: str) -> tuple[bytes, AESGCM]:
        def make() -> Wrapped:
            keks = self.secrets.kek
            return deks.generate(scope, max(keks), keks[max(keks)])

        return self._keep(self._deks.add(scope, make))

    def _keep(self, stored: Wrapped) -> tuple[bytes, AESGCM]:
        known = stored.kek_version in self._secrets.kek
        key = deks.unwrap(stored, self._secrets.kek if known else self.secrets.kek)
        made = (_FORMAT + stored.id, AESGCM(key))
        self._scopes[stored.scope] = made
        return made

    def _look_again(self) -> None:
        """Read the file once more if it was replaced; it is written whole or not at all."""
        stamp = _stamp(self._path)
        if stamp is not None and stamp != self._file:
            self._secrets = Secrets.read(read_private(self._path))
            self._file = stamp

    def _write(self, secrets: Secrets) -> None:
        write_private(self._path, secrets.write())
        self._look_again()


class LogSigner:
    """Signs a checkpoint only if it extends the last one it signed, which it keeps on the disk.

    The new head is on the disk before the signature leaves, so no crash can make it sign a fork.
    Therefore the entries behind a checkpoint must be committed before it is signed: a tree that
    was signed and then rolled back could not be replaced by another.
    """

    __slots__ = ("_note", "_path", "vkey")

    def __init__(self, note: NoteSigner, path: Path) -> None:
        self._note = note
        self._path = path
        self.vkey = note.vkey

    def head(self) -> Checkpoint | None:
        """The last checkpoint signed for this log; None before the first.

        Raises:
            KeyFileError: the head file is missing, foreign or open to others.
            VaultError: the head file is damaged (``vault.damaged``).
        """
        heads = self._heads()
        origin = self._note.key.name
        return _head(origin, heads[origin]) if origin in heads else None

    def sign(self, checkpoint: Checkpoint, consistency: Sequence[bytes]) -> bytes:
        """The signed note of a checkpoint that extends the last one signed.

        Args:
            checkpoint: the new head.
            consistency: the proof from the last head's size to the new one; empty when nothing, or
                a head of size 0, was signed before, and when the head is signed again.

        Raises:
            NotAnExtension: it does not extend the last head (``log.fork``).
        """
        heads = self._heads()
        origin = checkpoint.origin
        last = _head(origin, heads[origin]) if origin in heads else None
        if last is not None:
            _check_extends(last, checkpoint, consistency)
        note = self._note.sign(checkpoint)
        if checkpoint != last:
            heads[origin] = {"size": checkpoint.size, "root": checkpoint.root.hex()}
            write_private(self._path, canonical(heads))
        return note

    def _heads(self) -> dict[str, Any]:
        try:
            value = read_json(read_private(self._path))
        except BadJson as err:
            raise VaultError("vault.damaged", "The head file of the log is damaged.") from err
        if not isinstance(value, dict):
            raise VaultError("vault.damaged", "The head file of the log is damaged.")
        return value


class Hmac:
    """HMAC-SHA-256 under one key, for many values: the padded key is hashed once (RFC 2104)."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        padded = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def digests(self, values: Sequence[bytes]) -> list[bytes]:
        """The 32-byte code of each value."""
        found = []
        start_inner, start_outer = self._inner.copy, self._outer.copy
        for value in values:
            inner, outer = start_inner(), start_outer()
            inner.update(value)
            outer.update(inner.digest())
            found.append(outer.digest())
        return found


def _check_extends(last: Checkpoint, new: Checkpoint, proof: Sequence[bytes]) -> None:
    if last.size == 0:
        if proof:
            raise NotAnExtension("log.fork", "Nothing was signed before, so nothing is proved.")
        return
    try:
        merkle.verify_consistency(last.size, new.size, last.root, new.root, proof)
    except BadProof as err:
        raise NotAnExtension(
            "log.fork", "The checkpoint does not extend the last one signed."
        ) from err


def _head(origin: str, value: Any) -> Checkpoint:
    try:
        fields = Fields.of(value, ("size", "root"))
        return Checkpoint(origin, fields.integer("size"), fields.sha256("root"))
    except BadStatement as err:
        raise VaultError("vault.damaged", "The head file of the log is damaged.") from err


def _derive(key: bytes, info: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, None, info.encode("utf-8")).derive(key)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when the file is replaced; None while it cannot be seen."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _head_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.head")
