"""The key file of an agency: its private keys, sealed under a passphrase.

The file is JSON, mode 0600:

    {"v": 1,
     "kdf": {"name": "argon2id", "salt": b64(16), "memory_kib": 65536, "iterations": 3, "lanes": 1},
     "check": b64(nonce ‖ sealed nothing),
     "keys": {kid: {"alg": "ed25519", "pub": b64, "uses": […], "sealed": b64(nonce ‖ sealed seed)}}}

The sealing key is Argon2id(passphrase), the cipher AES-256-GCM; what is sealed is bound to the
key's name, public half and uses, so nothing in the file can be exchanged. ``check`` tells a wrong
passphrase from a damaged file. PKCS#8 is not used: its passphrases get 2048 rounds of PBKDF2
(trust.md F2).

Source: RFC 9106 (Argon2id); NIST SP 800-38D (GCM); trust.md 1.11.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from keys.canonical import canonical, from_base64, to_base64
from keys.errors import BadJson, BadKey, BadStatement, KeyFileError
from keys.keyset import USES
from keys.privatefile import read_private, write_private
from keys.signers import Ed25519Signer, PublicKey, Signer
from keys.statement import Fields

_FILE = ("v", "kdf", "check", "keys")
_KDF = ("name", "salt", "memory_kib", "iterations", "lanes")
WITNESS = "witness"
"""The use of a key that cosigns checkpoints and nothing else."""
_KEY = ("alg", "pub", "uses", "sealed")
_CHECK = b"titian-keystore/1"
_MAX_MEMORY_KIB = 1 << 20
_MAX_ITERATIONS = 16


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess of the passphrase costs: by default 64 MiB and three passes."""

    memory_kib: int = 64 * 1024
    iterations: int = 3
    lanes: int = 1


@dataclass(frozen=True, slots=True)
class Held:
    """A key in the file: its name, public half, uses, and the sealed private half."""

    kid: str
    public: PublicKey
    uses: tuple[str, ...]
    sealed: bytes

    def bound(self) -> bytes:
        """What the sealed half is bound to."""
        return canonical(
            {"kid": self.kid, "pub": to_base64(self.public.raw), "uses": list(self.uses)}
        )


DEFAULT_COST = Cost()


class KeyStore:
    """The key file at a path; a new one is written with its first key.

    Without a passphrase the store lists kids and public keys, and signs nothing.

    Args:
        path: the file.
        passphrase: not empty, or None.
        cost: of a new file; an existing file says its own.

    Raises:
        KeyFileError: another owner (``keyfile.owner``), open to others (``keyfile.mode``), not a
            key file or cut short (``keyfile.damaged``), or a wrong passphrase
            (``keyfile.passphrase``).
    """

    __slots__ = ("_cipher", "_head", "_held", "_path")

    def __init__(self, path: Path, passphrase: str | None, cost: Cost = DEFAULT_COST) -> None:
        if passphrase == "":
            raise KeyFileError("keyfile.passphrase", "The passphrase is empty.")
        self._path = path
        self._held: dict[str, Held] = {}
        self._head: Mapping[str, Any] = {}
        self._cipher: AESGCM | None = None
        if path.exists():
            self._read(passphrase)
        elif passphrase is not None:
            self._begin(passphrase, cost)

    def kids(self) -> tuple[str, ...]:
        """The names of the keys in the file, in no order that means anything."""
        return tuple(self._held)

    def public(self, kid: str) -> PublicKey:
        """The public half of a key."""
        return self._entry(kid).public

    def uses(self, kid: str) -> tuple[str, ...]:
        """What a key was made for."""
        return self._entry(kid).uses

    def generate(self, agency: str, uses: Collection[str] = USES) -> str:
        """Make a key, write it to the file, and return its kid."""
        if not uses or not (set(uses) <= USES or set(uses) == {WITNESS}):
            raise BadKey(
                "key.uses", "A key's uses are some of batch, response, http, or witness alone."
            )
        seed = Ed25519PrivateKey.generate().private_bytes_raw()
        signer = Ed25519Signer.from_seed(agency, seed)
        held = Held(signer.kid, signer.public, tuple(sorted(uses)), b"")
        sealed = _seal(self._unlocked(), seed, held.bound())
        self._write({**self._held, held.kid: replace(held, sealed=sealed)})
        return held.kid

    def signer(self, kid: str) -> Signer:
        """The signer of a key.

        Raises:
            KeyFileError: opened without a passphrase (``keyfile.locked``), no such key
                (``keyfile.no_key``), or a key that was exchanged or damaged (``keyfile.damaged``).
        """
        held = self._entry(kid)
        try:
            seed = _open(self._unlocked(), held.sealed, held.bound())
            signer = Ed25519Signer.from_seed(kid.partition(":")[0], seed)
        except (InvalidTag, ValueError, BadKey) as err:
            raise _damaged(self._path) from err
        if signer.kid != kid:
            raise _damaged(self._path)
        return signer

    def destroy(self, kid: str) -> None:
        """Take a key out of the file; what it signed can still be checked by its public half."""
        self._entry(kid)
        self._unlocked()
        self._write({k: held for k, held in self._held.items() if k != kid})

    def __repr__(self) -> str:
        return f"KeyStore({self._path}, {len(self._held)} keys)"

    def _begin(self, passphrase: str, cost: Cost) -> None:
        kdf = {
            "name": "argon2id",
            "salt": to_base64(os.urandom(16)),
            "memory_kib": cost.memory_kib,
            "iterations": cost.iterations,
            "lanes": cost.lanes,
        }
        self._cipher = _cipher(Fields(kdf), passphrase)
        self._head = {"v": 1, "kdf": kdf, "check": to_base64(_seal(self._cipher, b"", _CHECK))}

    def _read(self, passphrase: str | None) -> None:
        try:
            fields = Fields.read(read_private(self._path), _FILE)
            kdf = Fields.of(fields.values["kdf"], _KDF)
            if fields.integer("v") != 1 or kdf.text("name") != "argon2id":
                raise KeyFileError(
                    "keyfile.version", f"The key file {self._path} has an unknown format."
                )
            check = from_base64(fields.text("check"))
            self._held = {kid: _held(kid, value) for kid, value in fields.table("keys").items()}
            self._head = {name: fields.values[name] for name in ("v", "kdf", "check")}
            cipher = None if passphrase is None else _cipher(kdf, passphrase)
        except (BadStatement, BadJson, BadKey, ValueError) as err:
            raise _damaged(self._path) from err
        if cipher is not None:
            try:
                _open(cipher, check, _CHECK)
            except (InvalidTag, ValueError) as err:
                raise KeyFileError(
                    "keyfile.passphrase", f"The passphrase does not open {self._path}."
                ) from err
        self._cipher = cipher

    def _write(self, held: dict[str, Held]) -> None:
        keys = {
            each.kid: {
                "alg": each.public.alg,
                "pub": to_base64(each.public.raw),
                "uses": list(each.uses),
                "sealed": to_base64(each.sealed),
            }
            for each in held.values()
        }
        write_private(self._path, canonical({**self._head, "keys": keys}))
        self._held = held

    def _entry(self, kid: str) -> Held:
        held = self._held.get(kid)
        if held is None:
            raise KeyFileError("keyfile.no_key", f"The key file has no key {kid}.")
        return held

    def _unlocked(self) -> AESGCM:
        if self._cipher is None:
            raise KeyFileError("keyfile.locked", "The key file was opened without its passphrase.")
        return self._cipher


def _held(kid: str, value: Any) -> Held:
    fields = Fields.of(value, _KEY)
    uses = tuple(str(use) for use in fields.sequence("uses"))
    public = PublicKey.parse(fields.text("alg"), fields.base64("pub", 32))
    return Held(kid, public, uses, from_base64(fields.text("sealed")))


def _cipher(kdf: Fields, passphrase: str) -> AESGCM:
    memory, iterations = kdf.integer("memory_kib", 8), kdf.integer("iterations", 1)
    if memory > _MAX_MEMORY_KIB or iterations > _MAX_ITERATIONS:
        raise BadStatement("statement.field", "The key file asks for an absurd effort.")
    derive = Argon2id(
        salt=kdf.base64("salt", 16),
        length=32,
        iterations=iterations,
        lanes=kdf.integer("lanes", 1),
        memory_cost=memory,
    )
    return AESGCM(derive.derive(passphrase.encode("utf-8")))


def _seal(cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(12)
    return nonce + cipher.encrypt(nonce, plain, bound)


def _open(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    return cipher.decrypt(sealed[:12], sealed[12:], bound)


def _damaged(path: Path) -> KeyFileError:
    return KeyFileError("keyfile.damaged", f"The key file {path} is damaged or cut short.")
