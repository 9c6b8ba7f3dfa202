"""A gateway application on a fresh database, with officers who can log in."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.app import create_app

PASSWORD = "jembatan-kecil-1"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@pytest.fixture(scope="module")
def app(database):
    made = create_app(replace(database.settings, second_factor="off"))
    with database.session() as session:
        for name, role in (
            ("petugas", Role.COUNTER_OFFICER),
            ("koordinator", Role.UPT_COORDINATOR),
            ("auditor", Role.AUDITOR),
        ):
            sessions.add_officer(
                session, NewOfficer(name, name.title(), "upt-kan", (role,), PASSWORD)
            )
        session.commit()
    yield made
    made.extensions["titian"].sessions.kw["bind"].dispose()


class Browser:
    """A Flask test client that carries the form token, as a browser would."""

    def __init__(self, app):
        self.client = app.test_client()
        self.csrf = ""

    def get(self, path, **kwargs):
        return self._read(self.client.get(path, **kwargs))

    def post(self, path, **fields):
        data = {"csrf": self.csrf, **fields}
        headers = {"Origin": "http://localhost"}
        return self._read(self.client.post(path, data=data, headers=headers, follow_redirects=True))

    def log_in(self, username="koordinator", password=PASSWORD):
        return self.post("/masuk", username=username, password=password)

    def _read(self, answer):
        if answer.mimetype == "application/pdf":
            return answer
        found = _CSRF.search(answer.get_data(as_text=True))
        if found:
            self.csrf = found[1]
        return answer


@pytest.fixture
def browser(app):
    return Browser(app)


@pytest.fixture
def now():
    return datetime.now(UTC)
