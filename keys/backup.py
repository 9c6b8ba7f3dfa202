"""The backup of the secret file: sealed under a key that is on paper alone, in shares.

    {"v": 1, "made": "2026-11-24T07:00:00Z", "shares": 3, "threshold": 2, "sealed": b64}

``sealed`` is nonce(12) ‖ AES-256-GCM(secret file), bound to the other fields. The file alone opens
nothing and may lie anywhere. The head file of the log is not in it: an old head must not come back.

Source: trust.md 1.1, 6.6; NIST SP 800-38D (GCM).
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.canonical import canonical, from_base64, to_base64, to_moment
from keys.errors import BadJson, BadStatement, VaultError
from keys.secretfile import Secrets
from keys.statement import Fields

KEY_BYTES = 32
MOST_SHARES = 16
_FIELDS = ("v", "made", "shares", "threshold", "sealed")


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup file.

    Attributes:
        made: when.
        shares: how many shares of the key there are, at most 16.
        threshold: how many of them open it, at least 2.
    """

    made: datetime
    shares: int
    threshold: int
    sealed: bytes = b""

    @classmethod
    def read(cls, data: bytes) -> Self:
        """The backup in these bytes.

        Raises:
            VaultError: they are none (``backup.damaged``).
        """
        try:
            fields = Fields.read(data, _FIELDS)
            made, sealed = fields.moment("made"), from_base64(str(fields.values["sealed"]))
            found = cls(made, fields.integer("shares", 2), fields.integer("threshold", 2), sealed)
            known = fields.integer("v") == 1 and len(sealed) > 28
        except (BadStatement, BadJson) as err:
            raise _damaged() from err
        if not known or not found.threshold <= found.shares <= MOST_SHARES:
            raise _damaged()
        return found

    def write(self) -> bytes:
        """The bytes of the file."""
        return canonical({**self.said(), "sealed": to_base64(self.sealed)})

    def open(self, key: bytes) -> Secrets:
        """What was sealed.

        Raises:
            VaultError: the key is another backup's, or the file was altered (``backup.key``).
        """
        try:
            cipher = AESGCM(key)
            plain = cipher.decrypt(self.sealed[:12], self.sealed[12:], canonical(self.said()))
        except (InvalidTag, ValueError) as err:
            raise VaultError(
                "backup.key",
                "These shares do not open this backup: they belong to another one, or the file was"
                " altered. Nothing was written; compare the date on the shares with the backup's.",
            ) from err
        return Secrets.read(plain)

    def said(self) -> dict[str, int | str]:
        """The fields that the sealed part is bound to."""
        return {
            "v": 1,
            "made": to_moment(self.made),
            "shares": self.shares,
            "threshold": self.threshold,
        }


def seal(held: Secrets, shares: int, threshold: int, now: datetime) -> tuple[Backup, bytes]:
    """A backup under a fresh key of 32 bytes, and that key.

    Raises:
        VaultError: fewer than 2 persons could open it, or more than there are shares
            (``backup.threshold``).
    """
    if not 2 <= threshold <= shares <= MOST_SHARES:
        raise VaultError(
            "backup.threshold",
            f"The threshold is from 2 to the shares, those at most {MOST_SHARES}.",
        )
    key, nonce = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(12)
    bare = Backup(now, shares, threshold)
    sealed = nonce + AESGCM(key).encrypt(nonce, held.write(), canonical(bare.said()))
    return Backup(now, shares, threshold, sealed), key


def _damaged() -> VaultError:
    return VaultError("backup.damaged", "The file is not a backup of a vault, or it is damaged.")
