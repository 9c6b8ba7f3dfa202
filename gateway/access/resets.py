"""Who lost his password or phone gets a new one from two other persons, and in no other way.

Source: design/trust.md 4.8 (recovery by two-person reset only).
"""

import base64
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.access import decisions, factors, passwords, sessions, store_logins
from gateway.access.decisions import Statement
from gateway.access.model import Officer, Role
from gateway.errors import Conflict, Forbidden
from keys.vault import Vault

OPEN_FOR = timedelta(hours=24)
RESETTERS = (Role.OPERATOR, Role.KEY_ADMIN, Role.UPT_COORDINATOR, Role.MAYOR_DELEGATE)


def reset(session: Session, username: str, by: Officer, vault: Vault, now: datetime) -> str | None:
    """One person's word that this officer's login is to be reset; `by` has proved himself.

    The first word is kept for 24 hours and None is returned. The second, of another person, ends
    the officer's sessions, takes his phone, PIN and recovery codes away, and returns a password
    that is good until he chooses his own, which he must do at once.

    Raises:
        NotFound: there is no such officer.
        Forbidden: it is oneself (`reset.own`), or the role may not (`reset.role`).
        Conflict: the same person has said so already (`reset.same_person`).
    """
    row = sessions.known(session, username)
    role = _role(by, row)
    first = store_logins.lock_reset(session, row.id)
    statement = Statement("reset_login", role.value, {"officer": row.username})
    if first is None or now - first.at >= OPEN_FOR:
        store_logins.put_reset(session, row.id, by.id, now)
        decisions.record(session, by, statement, vault, now)
        return None
    if first.first_by == by.id:
        raise Conflict("reset.same_person", "Orang kedua harus orang lain. Tidak ada yang diubah.")
    decisions.record(session, by, statement, vault, now)
    store_logins.drop_reset(session, row.id)
    return _renew(session, row)


def _role(by: Officer, row: Row[Any]) -> Role:
    if by.id == row.id:
        raise Forbidden(
            "reset.own", "Dua orang lain yang memulihkan akun Anda, bukan Anda sendiri."
        )
    found = next((role for role in by.roles if role in RESETTERS), None)
    if found is None:
        raise Forbidden("reset.role", "Peran Anda tidak boleh memulihkan akun orang lain.")
    return found


def _renew(session: Session, row: Row[Any]) -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode("ascii").lower()
    given = "-".join(text[i : i + 4] for i in range(0, 16, 4))
    factors.remove(session, row.id)
    store_logins.set_officer(session, row.id, password=passwords.hashed(given), password_due=True)
    store_logins.drop_sessions(session, row.id)
    return given
