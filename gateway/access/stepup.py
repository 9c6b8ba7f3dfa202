"""Re-authentication before high-value actions: the person decides, not only his session.

He proves himself once and may then confirm a batch of decisions for five minutes on that session.
Each confirmed text is hashed into the log with its time and a commitment to who he is.

Source: design/trust.md 1.8 (wave 1); decisions.md "Sessions".
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from gateway.access import decisions, factors, logins, sessions
from gateway.access.decisions import Confirmation, Statement
from gateway.access.logins import Claim
from gateway.access.sessions import Current
from gateway.errors import Forbidden, Unauthorized
from gateway.settings import Settings
from keys.vault import Vault

FRESH = timedelta(minutes=5)


def is_fresh(current: Current, now: datetime) -> bool:
    """Whether the officer proved himself on this session in the last five minutes."""
    return current.confirmed_at is not None and timedelta() <= now - current.confirmed_at < FRESH


def check_able(session: Session, current: Current, settings: Settings) -> None:
    """Return if the officer has what he needs to prove himself.

    Raises:
        Forbidden: his role needs a second factor and he has none yet (`stepup.no_factor`).
    """
    needed = sessions.needs_factor(current.officer.roles, settings)
    if needed and not factors.has_phone(session, current.officer.id):
        raise Forbidden(
            "stepup.no_factor",
            "Pasang faktor kedua dahulu di halaman Akun; tindakan ini memerlukannya. "
            "Tidak ada yang diubah.",
        )


def prove(session: Session, current: Current, claim: Claim, vault: Vault, now: datetime) -> str:
    """The officer proved himself: the session gets a new token, which is returned.

    Raises:
        Unauthorized: password or code does not hold, or it is another officer's.
    """
    officer = logins.prove(session, claim, vault, now)
    if officer.id != current.officer.id:
        raise Unauthorized("login.failed", sessions.WRONG)
    return sessions.renew_token(session, current.id, confirmed_at=now)


def confirm(
    session: Session, current: Current, statement: Statement, vault: Vault, now: datetime
) -> Confirmation:
    """The officer stands behind this statement, and the log says so.

    Raises:
        Unauthorized: he did not prove himself in the last five minutes (`stepup.needed`).
    """
    if not is_fresh(current, now):
        raise Unauthorized("stepup.needed", "Ketik kata sandi dan kode Anda sekali lagi.")
    return decisions.record(session, current.officer, statement, vault, now)
