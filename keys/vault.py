"""The centre's secrets behind one small interface: blind index, field encryption, and its signers.

The secrets lie in one JSON file (0600) outside the database and its backups:

    {"v": 1, "kek": {"1": b64}, "bix": {"1": b64}, "log": b64, "receipt": b64, "house": b64,
     "session": b64}

``kek`` and ``bix`` hold every version still needed; the highest is used for new values. Beside it
lies ``<name>.head``: for each log origin the last checkpoint signed. It stops a restored database
from forking the log, so it must never be restored with it.

A ciphertext is ``0x01 ‖ dek_id(8) ‖ nonce(12) ‖ AES-256-GCM(ct ‖ tag)``; its key is
HKDF-SHA-256(KEK_v, scope) and its additional data is the caller's, so that a value moved to another
row fails to open. Nonces are random: at most 2^28 values in one scope.

Source: trust.md 1.1, 1.9, 3.2; RFC 5869 (HKDF); RFC 2104 (HMAC); NIST SP 800-38D (GCM).
"""

import hashlib
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys import merkle
from keys.canonical import canonical, read_json, to_base64
from keys.checkpoint import Checkpoint, NoteSigner
from keys.errors import BadJson, BadProof, BadStatement, NotAnExtension, VaultError
from keys.privatefile import read_private, write_private
from keys.signers import Ed25519Signer, Signer
from keys.statement import Fields

_FIELDS = ("v", "kek", "bix", "log", "receipt", "house", "session")
_OWNERS = {"receipt": "gateway", "house": "upt-kan"}
_FORMAT = b"\x01"
_ID_END = 9  # format byte and dek_id
_CT_START = 21  # then the nonce
_BLOCK = 64  # of SHA-256, for HMAC


class Vault:
    """An open vault. The AES keys of a scope are derived once and kept."""

    __slots__ = ("_bix", "_kek", "_labels", "_path", "_scopes", "_secret")

    def __init__(self, path: Path, secret: Fields) -> None:
        self._path = path
        self._secret = secret
        self._kek = _versions(secret, "kek")
        self._bix = _versions(secret, "bix")
        self._scopes: dict[str, tuple[bytes, dict[bytes, AESGCM]]] = {}
        self._labels: dict[tuple[str, int], Hmac] = {}

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a vault with fresh secrets, and an empty head file beside it.

        Raises:
            VaultError: there is a file already (``vault.exists``).
        """
        if path.exists() or _head_path(path).exists():
            raise VaultError("vault.exists", f"There is a vault at {path} already.")
        secret = {name: to_base64(secrets.token_bytes(32)) for name in _FIELDS[3:]}
        versions = {name: {"1": to_base64(secrets.token_bytes(32))} for name in ("kek", "bix")}
        write_private(_head_path(path), canonical({}))
        write_private(path, canonical({"v": 1, **secret, **versions}))
        return cls.load(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The vault at ``path``.

        Raises:
            KeyFileError: missing, foreign, or open to others.
            VaultError: the file is not a vault (``vault.damaged``).
        """
        try:
            secret = Fields.read(read_private(path), _FIELDS)
            if secret.integer("v") != 1:
                raise VaultError("vault.version", "The vault's version is not known.")
            for name in _FIELDS[3:]:
                secret.base64(name, 32)
            return cls(path, secret)
        except BadStatement as err:
            raise VaultError("vault.damaged", f"The vault file {path} is damaged.") from err

    @property
    def bix_versions(self) -> tuple[int, ...]:
        """The versions of the blind index that a look-up must try, newest first."""
        return tuple(sorted(self._bix, reverse=True))

    @property
    def session_secret(self) -> bytes:
        """The 32 bytes under which the web signs its session cookies."""
        return self._secret.base64("session", 32)

    def hmac(
        self, label: str, values: Sequence[bytes], *, version: int | None = None
    ) -> list[bytes]:
        """The blind index of each value, 16 bytes, under the newest version or the one asked for.

        Raises:
            VaultError: there is no such version (``vault.version``).
        """
        chosen = self.bix_versions[0] if version is None else version
        if chosen not in self._bix:
            raise VaultError("vault.version", "The vault has no blind index of that version.")
        keyed = self._labels.get((label, chosen))
        if keyed is None:
            keyed = Hmac(_derive(self._bix[chosen], f"titian/bix/1|{label}"))
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
        newest, ciphers = self._scope(scope)
        encrypt = ciphers[newest].encrypt
        random = os.urandom(12 * len(plains))
        nonces = [random[at : at + 12] for at in range(0, len(random), 12)]
        return [
            newest + nonce + encrypt(nonce, plain, aad)
            for nonce, plain, aad in zip(nonces, plains, aads, strict=True)
        ]

    def open_many(self, scope: str, aads: Sequence[bytes], sealed: Sequence[bytes]) -> list[bytes]:
        """The values of many ciphertexts of one scope, in order.

        Raises:
            VaultError: any of them fails to open (``vault.sealed``).
        """
        _, ciphers = self._scope(scope)
        try:
            return [
                ciphers[ct[:_ID_END]].decrypt(ct[_ID_END:_CT_START], ct[_CT_START:], aad)
                for ct, aad in zip(sealed, aads, strict=True)
            ]
        except (InvalidTag, KeyError) as err:
            raise VaultError(
                "vault.sealed", "A value was not sealed here for this place, or was altered."
            ) from err
        except ValueError as err:  # a nonce or tag cut short
            raise VaultError("vault.sealed", "A sealed value is cut short.") from err

    def signer(self, kind: Literal["receipt", "house"]) -> Signer:
        """The key that signs receipts (owner ``gateway``) or the centre's own batches."""
        return Ed25519Signer.from_seed(_OWNERS[kind], self._secret.base64(kind, 32))

    def log_signer(self, origin: str) -> "LogSigner":
        """The key that signs checkpoints of the log ``origin``, with its memory."""
        note = NoteSigner(origin, self._secret.base64("log", 32))
        return LogSigner(note, _head_path(self._path))

    def __repr__(self) -> str:
        return f"Vault({self._path})"

    def _scope(self, scope: str) -> tuple[bytes, dict[bytes, AESGCM]]:
        """The prefix of new ciphertexts, and the cipher of each prefix."""
        found = self._scopes.get(scope)
        if found is None:
            ciphers = {
                _FORMAT + _dek_id(scope, version): AESGCM(_derive(kek, f"titian/dek/1|{scope}"))
                for version, kek in self._kek.items()
            }
            found = (_FORMAT + _dek_id(scope, max(self._kek)), ciphers)
            self._scopes[scope] = found
        return found


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


def _versions(secret: Fields, name: str) -> Mapping[int, bytes]:
    table = secret.table(name)
    fields = Fields(table)
    if not table or any(not text.isdecimal() for text in table):
        raise VaultError("vault.damaged", "The vault holds no key version where it must.")
    return {int(text): fields.base64(text, 32) for text in table}


def _derive(key: bytes, info: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, None, info.encode("utf-8")).derive(key)


def _dek_id(scope: str, version: int) -> bytes:
    return hashlib.sha256(f"titian/dek-id/1|{version}|{scope}".encode()).digest()[:8]


def _head_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.head")
