"""The locked screen of a registered workstation.

Its session idles for hours and is shown to nobody until its officer types his PIN or a code of his
phone; after three wrong ones it ends.

Source: design/trust.md 4.8; decisions.md "Sessions".
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from gateway.access import factors, sessions, store_logins
from gateway.access.model import Officer, Role
from gateway.access.sessions import Current
from gateway.errors import Conflict, Forbidden, NotFound, Refused
from keys.vault import Vault

TRIES = 3
REGISTRARS = frozenset({Role.UPT_COORDINATOR, Role.OPERATOR, Role.KEY_ADMIN})
_LONGEST_NAME = 60


def may_register(officer: Officer) -> bool:
    """Whether the officer may say which computers are the office's."""
    return any(role in REGISTRARS for role in officer.roles)


def register(session: Session, officer: Officer, device: str, name: str, now: datetime) -> None:
    """This computer is one of the office's: its screen locks instead of its session ending.

    Raises:
        Forbidden: the officer's role may not say so.
        Refused: no name, or a long one.
    """
    _check_registrar(officer)
    if not 0 < len(name.strip()) <= _LONGEST_NAME:
        raise Refused("workstation.name", "Beri nama komputer ini, paling banyak 60 huruf.")
    store_logins.put_workstation(
        session,
        {
            "device": sessions.hash_token(device),
            "name": name.strip(),
            "made_by": officer.id,
            "made_at": now,
        },
    )


@dataclass(frozen=True, slots=True)
class Workstation:
    """A computer of the office; `handle` names it in a form (hex of a hash, no secret)."""

    handle: str
    name: str
    made_at: datetime


def workstations(session: Session) -> list[Workstation]:
    """All computers of the office, by name."""
    rows = store_logins.workstations(session)
    return [Workstation(row.device.hex(), row.name, row.made_at) for row in rows]


def unregister(session: Session, officer: Officer, handle: str) -> None:
    """A computer that was sold or lost is none of the office's any more; its session ends.

    Raises:
        Forbidden: the officer's role may not say so.
        NotFound: there is none such.
    """
    _check_registrar(officer)
    if handle not in {each.handle for each in workstations(session)}:
        raise NotFound("workstation.unknown", "Komputer itu sudah tidak terdaftar.")
    store_logins.drop_workstation(session, bytes.fromhex(handle))


def lock(session: Session, current: Current, now: datetime) -> None:
    """Lock the screen now.

    Raises:
        Conflict: this is no registered workstation (`lock.device`), or the officer has neither PIN
            nor phone to unlock it with (`lock.factor`).
    """
    if current.workstation is None:
        raise Conflict("lock.device", "Komputer ini tidak terdaftar. Pakailah «Keluar».")
    row = store_logins.get_officer(session, current.officer.id)
    if row.pin is None and row.totp_at is None:
        raise Conflict("lock.factor", "Pasang PIN atau faktor kedua dahulu; layar tidak dikunci.")
    store_logins.set_session(session, current.id, locked_at=now, wrong=0, confirmed_at=None)


def unlock(
    session: Session, current: Current, typed: str, vault: Vault, now: datetime
) -> tuple[str | None, int]:
    """The session's new token and 0, or None and how many tries are left; the caller commits.

    The try is counted before it is judged, under the row's lock, so that guesses in parallel do not
    pass uncounted. After the third wrong one the session has ended.
    """
    used = store_logins.count_wrong(session, current.id)
    if 0 < used <= TRIES and factors.opens(session, current.officer.id, typed, vault, now):
        token = sessions.renew_token(session, current.id, locked_at=None, wrong=0, seen_at=now)
        return token, 0
    if used >= TRIES:
        store_logins.drop_sessions(session, current.officer.id, only=current.id)
    return None, max(TRIES - used, 0)


def _check_registrar(officer: Officer) -> None:
    if not may_register(officer):
        raise Forbidden("workstation.role", "Koordinator atau pengelola yang mendaftarkannya.")
