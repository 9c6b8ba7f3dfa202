"""The second factor: a phone's one-time codes, codes for a lost phone, and a PIN for the screen.

Source: design/trust.md 4.8; RFC 6238 §5.2 (a code is good once).
"""

import base64
import hashlib
import re
import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.access import passwords, sessions, store_logins, totp
from gateway.errors import Conflict, Refused, Unauthorized
from keys.vault import Vault

RECOVERY_CODES = 8
_SCOPE = "totp"


def begin(session: Session, officer_id: UUID, vault: Vault) -> bytes:
    """A fresh secret for the officer's phone; it counts once `finish` has seen a code of it.

    Raises:
        Conflict: he has a phone that counts already (`factor.exists`).
    """
    row = store_logins.get_officer(session, officer_id)
    if row.totp_at is not None:
        raise Conflict("factor.exists", "Faktor kedua sudah terpasang. Tidak ada yang diubah.")
    secret = secrets.token_bytes(totp.SECRET_BYTES)
    sealed = vault.seal(_SCOPE, officer_id.bytes, secret)
    store_logins.set_officer(session, officer_id, totp=sealed, totp_step=None)
    return secret


def waiting(session: Session, officer_id: UUID, vault: Vault) -> bytes | None:
    """The secret that `begin` made and that does not count yet; None where there is none."""
    row = store_logins.get_officer(session, officer_id)
    if row.totp is None or row.totp_at is not None:
        return None
    return vault.open(_SCOPE, officer_id.bytes, row.totp)


def finish(
    session: Session, officer_id: UUID, code: str, vault: Vault, now: datetime
) -> tuple[str, ...]:
    """The phone counts from now on; returns eight recovery codes, which are kept as hashes.

    Raises:
        Conflict: nothing was begun (`factor.none`).
        Refused: that is not the phone's code (`factor.code`).
    """
    secret = waiting(session, officer_id, vault)
    if secret is None:
        raise Conflict("factor.none", "Mulailah pemasangan faktor kedua dari awal.")
    step = totp.matching_step(secret, _digits(code), now)
    if step is None or not store_logins.use_step(session, officer_id, step):
        raise Refused(
            "factor.code",
            "Kode itu tidak cocok. Periksa jam ponsel, lalu ketik kode yang sedang tampil.",
        )
    store_logins.set_officer(session, officer_id, totp_at=now)
    codes = tuple(_new_code() for _ in range(RECOVERY_CODES))
    store_logins.put_codes(session, officer_id, [_code_hash(officer_id, c) for c in codes])
    return codes


def remove(session: Session, officer_id: UUID) -> None:
    """The officer has no phone, no recovery codes and no PIN any more."""
    store_logins.set_officer(session, officer_id, pin=None)
    remove_phone(session, officer_id)


def remove_phone(session: Session, officer_id: UUID) -> None:
    """The officer has no phone and no recovery codes any more; the PIN stays."""
    store_logins.set_officer(session, officer_id, totp=None, totp_at=None, totp_step=None)
    store_logins.put_codes(session, officer_id, ())


def has_phone(session: Session, officer_id: UUID) -> bool:
    """Whether a phone of the officer counts."""
    return store_logins.get_officer(session, officer_id).totp_at is not None


def check(session: Session, officer_id: UUID, code: str, vault: Vault, now: datetime) -> None:
    """Use up a code of the officer's phone, or a recovery code; return if he has no phone.

    Raises:
        Unauthorized: no such code, or it was used before (`login.failed`, as for a wrong password).
    """
    row = store_logins.get_officer(session, officer_id)
    if row.totp_at is None:
        return
    if not (
        _phone_holds(session, row, code, vault, now)
        or store_logins.use_code(session, officer_id, _code_hash(officer_id, code))
    ):
        raise Unauthorized("login.failed", sessions.WRONG)


def opens(session: Session, officer_id: UUID, typed: str, vault: Vault, now: datetime) -> bool:
    """Whether `typed` is the officer's PIN or a fresh code of his phone."""
    row = store_logins.get_officer(session, officer_id)
    if row.pin is not None and passwords.holds(row.pin, typed):
        return True
    return row.totp_at is not None and _phone_holds(session, row, typed, vault, now)


def set_pin(session: Session, officer_id: UUID, pin: str) -> None:
    """The PIN that opens the locked screen of a workstation.

    Raises:
        Refused: it is none, or easy to guess.
    """
    passwords.check_pin(pin)
    store_logins.set_officer(session, officer_id, pin=passwords.hashed(pin))


def _phone_holds(session: Session, row: Row[Any], code: str, vault: Vault, now: datetime) -> bool:
    secret = vault.open(_SCOPE, row.id.bytes, row.totp)
    step = totp.matching_step(secret, _digits(code), now)
    return step is not None and store_logins.use_step(session, row.id, step)


def _digits(code: str) -> str:
    return "".join(code.split())


def _new_code() -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode("ascii").lower()
    return "-".join(text[i : i + 4] for i in range(0, 16, 4))


def _code_hash(officer_id: UUID, code: str) -> bytes:
    plain = re.sub(r"[^a-z2-7]", "", code.lower())
    return hashlib.sha256(b"titian-recovery/1\0" + officer_id.bytes + plain.encode()).digest()
