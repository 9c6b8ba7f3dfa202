"""Officers, passwords and sessions: who is at the screen. All state is in PostgreSQL.

Source: design/trust.md 4.7 (limits) and 4.8 (sessions); RFC 9106 (Argon2id).
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from sqlalchemy.orm import Session

from gateway.access import store
from gateway.access.model import Officer, Role, check_roles
from gateway.errors import Conflict, NotFound, Refused, TooMany, Unauthorized
from gateway.settings import Settings
from gateway.storage import ids

SHORTEST_PASSWORD = 12
_USERNAME = re.compile(r"[a-z][a-z0-9.-]{1,39}")
_LIMITS = (5, 20, 50)
_WINDOW = timedelta(minutes=15)
_SEEN_EVERY = timedelta(seconds=30)
_WRONG = "Nama pengguna atau kata sandi tidak cocok."


@dataclass(frozen=True, slots=True)
class NewOfficer:
    """What is needed to let somebody in; the password is at least 12 characters."""

    username: str
    name: str
    unit: str
    roles: tuple[Role, ...]
    password: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened: the token goes into the cookie and is kept nowhere else."""

    token: str
    officer: Officer


@dataclass(frozen=True, slots=True)
class Current:
    """The session behind a request, with the token that its forms must carry."""

    officer: Officer
    csrf: str


def add_officer(session: Session, new: NewOfficer) -> UUID:
    """Register an officer.

    Raises:
        Refused: a name that is none, a short password, or roles that may not be held together.
        Conflict: the user name is taken.
    """
    check_roles(new.roles)
    if not _USERNAME.fullmatch(_account(new.username)) or not new.name.strip():
        raise Refused(
            "officer.name",
            "Nama pengguna: 2 sampai 40 huruf kecil, angka, titik atau tanda hubung; "
            "nama lengkap tidak boleh kosong.",
        )
    if len(new.password.strip()) < SHORTEST_PASSWORD:
        raise Refused(
            "password.short", f"Kata sandi harus sedikitnya {SHORTEST_PASSWORD} karakter."
        )
    made = store.add_officer(
        session,
        {
            "username": _account(new.username),
            "name": new.name,
            "unit": new.unit,
            "roles": [r.value for r in new.roles],
            "password": hash_password(new.password),
        },
    )
    if made is None:
        raise Conflict("officer.exists", "Nama pengguna itu sudah dipakai.")
    return made


def disable(session: Session, username: str) -> None:
    """Let an officer in no more and end all his sessions.

    Raises:
        NotFound: there is no such officer.
    """
    if not store.disable_officer(session, _account(username)):
        raise NotFound("officer.unknown", "Tidak ada petugas dengan nama pengguna itu.")


def authenticate(session: Session, username: str, password: str) -> Officer:
    """The officer whose password this is; takes as long for an unknown name as for a wrong one.

    Raises:
        Unauthorized: no such officer, he is disabled, or the password is wrong.
    """
    row = store.find_officer(session, _account(username))
    known = _decoy() if row is None or row.disabled else row.password
    if not password_holds(known, password) or row is None or row.disabled:
        raise Unauthorized("login.failed", _WRONG)
    return _officer(row)


def open_session(session: Session, officer: Officer, now: datetime) -> Opened:
    """A new session with a fresh 256-bit token, of which only the hash is kept."""
    token = secrets.token_urlsafe(32)
    store.add_session(
        session,
        {
            "token_hash": _hash(token),
            "officer_id": officer.id,
            "csrf": secrets.token_urlsafe(32),
            "made_at": now,
            "seen_at": now,
        },
    )
    return Opened(token, officer)


def current(session: Session, token: str, settings: Settings, now: datetime) -> Current | None:
    """The live session of `token`, or None if it ended, idled out or never was."""
    row = store.find_session(
        session,
        _hash(token),
        seen_after=now - timedelta(minutes=settings.session_idle_minutes),
        made_after=now - timedelta(hours=settings.session_hours),
    )
    if row is None:
        return None
    if now - row.seen_at > _SEEN_EVERY:
        store.see_session(session, _hash(token), now)
    return Current(_officer(row), row.csrf)


def close_session(session: Session, token: str) -> None:
    """End the session of `token`."""
    store.drop_session(session, _hash(token))


def begin_try(session: Session, username: str, address: str, now: datetime) -> UUID:
    """Note a login that is about to be tried; the caller commits before looking at the password.

    A try counts as failed until `succeeded` takes it back, so guesses in parallel do not pass
    uncounted. One account from one address has five; one account has twenty from everywhere, so
    that a stranger cannot easily lock its owner out; one address has fifty.

    Raises:
        TooMany: too many failures in 15 minutes.
    """
    account = _account(username)
    store.lock_tries(session, account, address)
    counts = store.count_failures(session, account, address, now - _WINDOW)
    if any(count >= limit for count, limit in zip(counts, _LIMITS, strict=True)):
        raise TooMany(
            "login.too_many",
            "Terlalu banyak percobaan masuk. Tunggu 15 menit, lalu coba lagi.",
            retry_after=int(_WINDOW.total_seconds()),
        )
    made = ids.new()
    store.add_failure(session, {"id": made, "account": account, "address": address, "at": now})
    return made


def succeeded(session: Session, try_id: UUID) -> None:
    """The password was right: the try does not count."""
    store.drop_failure(session, try_id)


def tidy(session: Session, settings: Settings, now: datetime) -> None:
    """Forget sessions, failures and counts that are over."""
    store.drop_old(
        session,
        failures=now - 2 * _WINDOW,
        rates=now - timedelta(days=2),
        sessions=now - timedelta(hours=settings.session_hours),
    )


def hash_password(password: str) -> str:
    """Argon2id in PHC form: 64 MiB, three passes, one lane."""
    made = Argon2id(
        salt=secrets.token_bytes(16), length=32, iterations=3, lanes=1, memory_cost=64 * 1024
    )
    return made.derive_phc_encoded(password.encode())


def password_holds(known: str, password: str) -> bool:
    """Whether `password` is the one that was hashed."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), known)
    except InvalidKey:
        return False
    return True


def csrf_holds(current_session: Current, given: str) -> bool:
    """Whether a form carries the token of its session."""
    return hmac.compare_digest(current_session.csrf.encode(), given.encode())


@cache
def _decoy() -> str:
    return hash_password(secrets.token_urlsafe(16))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _account(username: str) -> str:
    return username.strip().lower()


def _officer(row: Any) -> Officer:
    return Officer(row.id, row.username, row.name, row.unit, tuple(Role(r) for r in row.roles))
