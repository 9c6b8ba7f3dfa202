"""Logging in with password and second factor; one's own password and one's own sessions.

Source: design/trust.md 4.8.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.access import factors, passwords, sessions, store_logins
from gateway.access.model import Officer
from gateway.access.sessions import Current, Opened
from gateway.errors import NotFound, Refused
from gateway.settings import Settings
from keys.vault import Vault


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody typed to prove who he is; `code` is empty where he has no phone."""

    username: str
    password: str = field(repr=False)
    code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Device:
    """One of an officer's sessions, as he sees it."""

    id: UUID
    workstation: str | None
    opened_at: datetime
    seen_at: datetime
    here: bool


def prove(session: Session, claim: Claim, vault: Vault, now: datetime) -> Officer:
    """The officer whose password this is, and whose phone's code where he has one.

    Raises:
        Unauthorized: one of them does not hold; the sentence does not say which.
    """
    officer = sessions.authenticate(session, claim.username, claim.password)
    factors.check(session, officer.id, claim.code, vault, now)
    return officer


def log_in(session: Session, claim: Claim, device: str, vault: Vault, now: datetime) -> Opened:
    """A new session on this device, which ends the one it had.

    Raises:
        Unauthorized: see `prove`.
    """
    officer = prove(session, claim, vault, now)
    store_logins.count_login(session, officer.id, now)
    return sessions.open_session(session, officer, now, device)


def login_before(session: Session, officer: Officer) -> datetime | None:
    """When the officer logged in the last time before this one; None where he never had."""
    found: datetime | None = store_logins.get_officer(session, officer.id).login_before
    return found


def change_password(session: Session, current: Current, old: str, new: str, city: str) -> None:
    """Give an officer the password that he chose, and end his other sessions.

    Raises:
        Unauthorized: `old` is not his password.
        Refused: the new one is short, easy to guess, or the old one.
    """
    officer = sessions.authenticate(session, current.officer.username, old)
    if old == new:
        raise Refused("password.same", "Kata sandi baru harus berbeda dari yang lama.")
    passwords.check(new, (officer.username, officer.name, city))
    store_logins.set_officer(
        session, officer.id, password=passwords.hashed(new), password_due=False
    )
    store_logins.drop_sessions(session, officer.id, but=current.id)


def devices(session: Session, current: Current, settings: Settings, now: datetime) -> list[Device]:
    """Where the officer is logged in, the session used last first."""
    oldest = now - timedelta(hours=settings.session_hours)
    idle = now - timedelta(minutes=settings.session_idle_minutes)
    return [
        Device(r.id, r.workstation, r.opened_at, r.seen_at, r.id == current.id)
        for r in store_logins.sessions_of(session, current.officer.id, oldest)
        if r.workstation is not None or r.seen_at > idle
    ]


def end(session: Session, current: Current, session_id: UUID | None) -> None:
    """End one of the officer's own sessions; all but the present one where no id is given.

    Raises:
        NotFound: `session_id` is none of his (`session.unknown`).
    """
    mine = current.officer.id
    if session_id is None:
        store_logins.drop_sessions(session, mine, but=current.id)
    elif not store_logins.drop_sessions(session, mine, only=session_id):
        raise NotFound("session.unknown", "Sesi itu sudah berakhir.")
