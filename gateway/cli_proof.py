"""A person at the machine proves who he is: password, and his phone's code where he has one."""

from datetime import datetime

import click
from sqlalchemy.orm import Session, sessionmaker

from gateway.access import factors, sessions
from gateway.access.model import Officer
from gateway.errors import Refused
from gateway.settings import Settings
from gateway.storage import deks

_CONSOLE = "console"
"""What stands for an address where failed tries are counted."""


def authenticated(
    opened: sessionmaker[Session], settings: Settings, username: str, now: datetime
) -> Officer:
    """The officer who typed his password, and his code.

    Raises:
        Unauthorized: one of them does not hold.
        Refused: the password is one that others know, after `officer add` or `officer reset`.
        TooMany: too many failures in 15 minutes.
    """
    password = click.prompt(f"Password of {username}", hide_input=True)
    with opened.begin() as session:
        tried = sessions.begin_try(session, username, _CONSOLE, now)
    with opened.begin() as session:
        officer = sessions.authenticate(session, username, password)
        if sessions.known(session, username).password_due:
            raise Refused(
                "password.due",
                "Ganti dahulu kata sandi awal Anda di halaman Titian. Tidak ada yang diubah.",
            )
        if factors.has_phone(session, officer.id):
            code = click.prompt("Code on your phone", hide_input=True)
            factors.check(session, officer.id, code, deks.open_vault(settings), now)
        sessions.succeeded(session, tried)
    return officer
