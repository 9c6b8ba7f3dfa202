"""Officers and sessions: who is at the screen. All state is in PostgreSQL.

Source: design/trust.md 4.7 (limits) and 4.8 (sessions).
"""

import hashlib
import hmac
import ipaddress
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.access import passwords, store, store_logins, throttle
from gateway.access.model import FACTOR_ROLES, Duty, Officer, Role, check_roles
from gateway.errors import Conflict, NotFound, Refused, TooMany, Unauthorized
from gateway.settings import Settings
from gateway.storage import ids

_USERNAME = re.compile(r"[a-z][a-z0-9.-]{1,39}")
_REMEMBERED = timedelta(days=1)
_SEEN_EVERY = timedelta(seconds=30)
WRONG = "Nama pengguna, kata sandi, atau kode tidak cocok. Satu kode berlaku satu kali."


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
    """The session behind a request, with the token that its forms must carry.

    Attributes:
        workstation: the registered computer's name; None on any other device.
        locked: nothing may be shown until the officer unlocks the screen.
        confirmed_at: when he last proved who he is, beyond having the session.
        duty: what he must do before anything else.
    """

    id: UUID
    officer: Officer
    csrf: str
    workstation: str | None
    locked: bool
    confirmed_at: datetime | None
    duty: Duty | None


def add_officer(session: Session, new: NewOfficer, *, due: bool = False) -> UUID:
    """Register an officer; where the password is `due`, he must choose his own at once.

    Raises:
        Refused: a name that is none, a short or easy password, or roles that may not be held
            together.
        Conflict: the user name is taken.
    """
    check_roles(new.roles)
    if not _USERNAME.fullmatch(_account(new.username)) or not new.name.strip():
        raise Refused(
            "officer.name",
            "Nama pengguna: 2 sampai 40 huruf kecil, angka, titik atau tanda hubung; "
            "nama lengkap tidak boleh kosong.",
        )
    passwords.check(new.password, (new.username, new.name))
    made = store_logins.add_officer(
        session,
        {
            "username": _account(new.username),
            "name": new.name,
            "unit": new.unit,
            "roles": [r.value for r in new.roles],
            "password": passwords.hashed(new.password),
            "password_due": due,
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
    row = known(session, username)
    store_logins.set_officer(session, row.id, disabled=True)
    store_logins.drop_sessions(session, row.id)


def change_roles(session: Session, username: str, roles: tuple[Role, ...]) -> None:
    """Give an officer other roles and end all his sessions.

    Raises:
        NotFound: there is no such officer.
        Refused: roles that may not be held together, or none.
    """
    check_roles(roles)
    row = known(session, username)
    store_logins.set_officer(session, row.id, roles=[r.value for r in roles])
    store_logins.drop_sessions(session, row.id)


def known(session: Session, username: str) -> Row[Any]:
    """The officer of that user name, also a disabled one.

    Raises:
        NotFound: there is none.
    """
    row = store_logins.find_officer(session, _account(username))
    if row is None:
        raise NotFound("officer.unknown", "Tidak ada petugas dengan nama pengguna itu.")
    return row


def authenticate(session: Session, username: str, password: str) -> Officer:
    """The officer whose password this is; takes as long for an unknown name as for a wrong one.

    Raises:
        Unauthorized: no such officer, he is disabled, or the password is wrong.
    """
    row = store_logins.find_officer(session, _account(username))
    kept = _decoy() if row is None or row.disabled else row.password
    if not passwords.holds(kept, password) or row is None or row.disabled:
        raise Unauthorized("login.failed", WRONG)
    return _officer(row, row.id)


def open_session(
    session: Session, officer: Officer, now: datetime, device: str | None = None
) -> Opened:
    """A new session with a fresh 256-bit token, of which only the hash is kept.

    A device has one session: what it had before ends.
    """
    token = new_token()
    hashed_device = None if device is None else hash_token(device)
    if hashed_device is not None:
        store_logins.drop_device(session, hashed_device)
    store_logins.add_session(
        session,
        {
            "token_hash": hash_token(token),
            "officer_id": officer.id,
            "csrf": new_token(),
            "made_at": now,
            "seen_at": now,
            "device": hashed_device,
        },
    )
    return Opened(token, officer)


def current(session: Session, token: str, settings: Settings, now: datetime) -> Current | None:
    """The live session of `token`, or None if it ended, idled out or never was.

    On a registered workstation a session that idled out is locked instead, where its officer has a
    PIN or a phone to unlock it with.
    """
    row = store_logins.find_session(session, hash_token(token), _oldest(settings, now))
    if row is None:
        return None
    idle = now - row.seen_at >= timedelta(minutes=settings.session_idle_minutes)
    locked = idle or row.locked_at is not None
    if locked and (row.workstation is None or not (row.pin or row.totp_at)):
        return None
    if not locked and now - row.seen_at > _SEEN_EVERY:
        store_logins.set_session(session, row.id, seen_at=now)
    officer = _officer(row, row.officer_id)
    return Current(
        id=row.id,
        officer=officer,
        csrf=row.csrf,
        workstation=row.workstation,
        locked=locked,
        confirmed_at=row.confirmed_at,
        duty=_duty(row, officer, settings),
    )


def whose(session: Session, token: str, now: datetime) -> UUID | None:
    """The officer whose session this was, also when it has ended since by itself (for a day)."""
    row = store_logins.find_session(session, hash_token(token), now - _REMEMBERED)
    return None if row is None else row.officer_id


def renew_token(session: Session, session_id: UUID, **values: Any) -> str:
    """A new token for a session; the old one is good no more."""
    token = new_token()
    store_logins.set_session(session, session_id, token_hash=hash_token(token), **values)
    return token


def close_session(session: Session, token: str) -> None:
    """End the session of `token`."""
    store_logins.drop_session(session, hash_token(token))


def needs_factor(roles: tuple[Role, ...], settings: Settings) -> bool:
    """Whether an officer of these roles must have a second factor."""
    if settings.second_factor == "roles":
        return any(role in FACTOR_ROLES for role in roles)
    return settings.second_factor == "all"


def begin_try(session: Session, username: str, address: str, now: datetime) -> UUID:
    """Note a login that is about to be tried; the caller commits before looking at the password.

    A try counts as failed until `succeeded` takes it back, so guesses in parallel do not pass
    uncounted. How long one waits after failures: `throttle`. A try that comes too early is not
    looked at, and counts for nothing.

    Raises:
        TooMany: it is too early; `wait` says in minutes and seconds how long yet.
    """
    account, network = _account(username), _network(address)
    store.lock_tries(session, account, network)
    left = throttle.wait(store.failures(session, account, network, now - throttle.WINDOW), now)
    if left > timedelta(0):
        shown = throttle.shown(left)
        raise TooMany(
            "login.too_many",
            f"Terlalu banyak percobaan masuk. Tunggu {shown} (menit:detik), lalu coba lagi.",
            retry_after=throttle.seconds_of(left),
            wait=shown,
        )
    made = ids.new()
    store.add_failure(session, {"id": made, "account": account, "address": network, "at": now})
    return made


def succeeded(session: Session, try_id: UUID) -> None:
    """The password was right: the try does not count."""
    store.drop_failure(session, try_id)


def tidy(session: Session, settings: Settings, now: datetime) -> None:
    """Forget sessions, failures and counts that are over."""
    store.drop_old(
        session,
        failures=now - 2 * throttle.WINDOW,
        rates=now - timedelta(days=2),
        sessions=now - timedelta(hours=settings.session_hours),
    )


def csrf_holds(current_session: Current, given: str) -> bool:
    """Whether a form carries the token of its session."""
    return hmac.compare_digest(current_session.csrf.encode(), given.encode())


def new_token() -> str:
    """256 random bits, as text for a cookie or a form."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """What is kept of a token: 32 bytes."""
    return hashlib.sha256(token.encode()).digest()


@cache
def _decoy() -> str:
    return passwords.hashed(secrets.token_urlsafe(16))


def _oldest(settings: Settings, now: datetime) -> datetime:
    return now - timedelta(hours=settings.session_hours)


def _duty(row: Row[Any], officer: Officer, settings: Settings) -> Duty | None:
    if row.password_due:
        return Duty.PASSWORD
    late = row.totp_at is None and row.logins > 1
    return Duty.FACTOR if late and needs_factor(officer.roles, settings) else None


def _network(address: str) -> str:
    """An IPv6 address counts as its /64, since one subscriber has all of that."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _account(username: str) -> str:
    return username.strip().lower()


def _officer(row: Row[Any], officer_id: UUID) -> Officer:
    return Officer(officer_id, row.username, row.name, row.unit, tuple(Role(r) for r in row.roles))
