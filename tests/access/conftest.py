"""Officers on a real database, and phones that show their codes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from gateway.access import factors, sessions, totp
from gateway.access.model import Officer, Role
from gateway.access.sessions import NewOfficer

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PASSWORD = "jembatan-kecil-1"


def officer(session, name: str, *roles: Role) -> Officer:
    sessions.add_officer(session, NewOfficer(name, name.title(), "upt-kan", roles, PASSWORD))
    return sessions.authenticate(session, name, PASSWORD)


@dataclass
class Phone:
    """What an officer's authenticator knows."""

    secret: bytes
    recovery: tuple[str, ...] = ()

    def code(self, now: datetime = NOW) -> str:
        return totp.code_of(self.secret, totp.step_of(now))


def give_phone(session, officer_id, vault, now: datetime = NOW - timedelta(minutes=5)) -> Phone:
    phone = Phone(factors.begin(session, officer_id, vault))
    phone.recovery = factors.finish(session, officer_id, phone.code(now), vault, now)
    return phone


@pytest.fixture
def vault(database):
    return database.vault


@pytest.fixture
def rina(session):
    return officer(session, "rina", Role.COUNTER_OFFICER)
