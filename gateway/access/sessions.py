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
from sqlalchemy import delete, func, select, text, update
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
    if not _USERNAME.fullmatch(new.username.strip().lower()) or not new.name.strip():
        raise Refused(
            "officer.name",
            "Nama pengguna: 2 sampai 40 huruf kecil, angka, titik atau tanda hubung; "
            "nama lengkap tidak boleh kosong.",
        )
    if len(new.password.strip()) < SHORTEST_PASSWORD:
        raise Refused(
            "password.short", f"Kata sandi harus sedikitnya {SHORTEST_PASSWORD} karakter."
        )
    taken = session.scalar(select(store.officer.c.id).where(_is(new.username)))
    if taken is not None:
        raise Conflict("officer.exists", "Nama pengguna itu sudah dipakai.")
    made: UUID | None = session.scalar(
        store.officer.insert()
        .values(
            username=new.username.strip().lower(),
            name=new.name,
            unit=new.unit,
            roles=[r.value for r in new.roles],
            password=hash_password(new.password),
        )
        .returning(store.officer.c.id)
    )
    if made is None:
        raise Conflict("officer.exists", "Nama pengguna itu sudah dipakai.")
    return made


def disable(session: Session, username: str) -> None:
    """Let an officer in no more and end all his sessions.

    Raises:
        NotFound: there is no such officer.
    """
    officer_id = session.scalar(
        update(store.officer)
        .where(_is(username))
        .values(disabled=True)
        .returning(store.officer.c.id)
    )
    if officer_id is None:
        raise NotFound("officer.unknown", "Tidak ada petugas dengan nama pengguna itu.")
    session.execute(
        delete(store.login_session).where(store.login_session.c.officer_id == officer_id)
    )


def authenticate(session: Session, username: str, password: str) -> Officer:
    """The officer whose password this is; takes as long for an unknown name as for a wrong one.

    Raises:
        Unauthorized: no such officer, he is disabled, or the password is wrong.
    """
    row = session.execute(
        select(store.officer).where(_is(username), ~store.officer.c.disabled)
    ).one_or_none()
    known = row.password if row is not None else _decoy()
    if not password_holds(known, password) or row is None:
        raise Unauthorized("login.failed", _WRONG)
    return _officer(row)


def open_session(session: Session, officer: Officer, now: datetime) -> Opened:
    """A new session with a fresh 256-bit token, of which only the hash is kept."""
    token = secrets.token_urlsafe(32)
    session.execute(
        store.login_session.insert().values(
            token_hash=_hash(token),
            officer_id=officer.id,
            csrf=secrets.token_urlsafe(32),
            made_at=now,
            seen_at=now,
        )
    )
    return Opened(token, officer)


def current(session: Session, token: str, settings: Settings, now: datetime) -> Current | None:
    """The live session of `token`, or None if it ended, idled out or never was."""
    row = session.execute(
        select(
            store.login_session.c.csrf,
            store.login_session.c.seen_at,
            store.officer,
        )
        .join(store.officer, store.officer.c.id == store.login_session.c.officer_id)
        .where(
            store.login_session.c.token_hash == _hash(token),
            store.login_session.c.seen_at > now - timedelta(minutes=settings.session_idle_minutes),
            store.login_session.c.made_at > now - timedelta(hours=settings.session_hours),
            ~store.officer.c.disabled,
        )
    ).one_or_none()
    if row is None:
        return None
    if now - row.seen_at > _SEEN_EVERY:
        session.execute(
            update(store.login_session)
            .where(store.login_session.c.token_hash == _hash(token))
            .values(seen_at=now)
        )
    return Current(_officer(row), row.csrf)


def close_session(session: Session, token: str) -> None:
    """End the session of `token`."""
    session.execute(
        delete(store.login_session).where(store.login_session.c.token_hash == _hash(token))
    )


def begin_try(session: Session, username: str, address: str, now: datetime) -> UUID:
    """Note a login that is about to be tried; the caller commits before looking at the password.

    A try counts as failed until `succeeded` takes it back, so guesses in parallel do not pass
    uncounted. One account from one address has five; one account has twenty from everywhere, so
    that a stranger cannot easily lock its owner out; one address has fifty.

    Raises:
        TooMany: too many failures in 15 minutes.
    """
    account = username.strip().lower()
    for held in (f"account {account}", f"address {address}"):
        session.execute(_LOCK, {"held": held})
    t = store.login_failure.c
    counts = session.execute(
        select(
            func.count().filter(t.account == account, t.address == address),
            func.count().filter(t.account == account),
            func.count().filter(t.address == address),
        ).where((t.account == account) | (t.address == address), t.at > now - _WINDOW)
    ).one()
    if any(count >= limit for count, limit in zip(counts, _LIMITS, strict=True)):
        raise TooMany(
            "login.too_many",
            "Terlalu banyak percobaan masuk. Tunggu 15 menit, lalu coba lagi.",
            retry_after=int(_WINDOW.total_seconds()),
        )
    made = ids.new()
    session.execute(
        store.login_failure.insert().values(id=made, account=account, address=address, at=now)
    )
    return made


_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:held, 0))")


def succeeded(session: Session, try_id: UUID) -> None:
    """The password was right: the try does not count."""
    session.execute(delete(store.login_failure).where(store.login_failure.c.id == try_id))


def tidy(session: Session, settings: Settings, now: datetime) -> int:
    """Remove sessions and failures that are over; returns how many sessions."""
    session.execute(delete(store.login_failure).where(store.login_failure.c.at < now - 2 * _WINDOW))
    session.execute(delete(store.look_rate).where(store.look_rate.c.hour < now - timedelta(days=2)))
    ended = session.execute(
        delete(store.login_session)
        .where(store.login_session.c.made_at < now - timedelta(hours=settings.session_hours))
        .returning(store.login_session.c.officer_id)
    ).all()
    return len(ended)


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


def _is(username: str) -> Any:
    return store.officer.c.username == username.strip().lower()


def _officer(row: Any) -> Officer:
    return Officer(row.id, row.username, row.name, row.unit, tuple(Role(r) for r in row.roles))
