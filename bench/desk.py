"""An officer who asks through the whole stack, and how long each answer takes."""

import http.client
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from bench.lab import BenchFailed, House, password
from gateway.access import sessions as access
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer

VERIFY, REFERENCE = "/v1/verifications", "/v1/reference"


@dataclass(slots=True)
class Desk:
    """One open session on a connection that is kept."""

    connection: http.client.HTTPConnection
    headers: dict[str, str]

    def ask(self, path: str, query: str) -> tuple[float, dict[str, Any]]:
        """Milliseconds from question to answer, and the answer.

        Raises:
            BenchFailed: it was refused.
        """
        body = json.dumps({"query": query, "purpose": "cek_mandiri"}).encode()
        started = time.perf_counter()
        self.connection.request("POST", path, body, self.headers)
        answer = self.connection.getresponse()
        said = answer.read()
        taken = (time.perf_counter() - started) * 1000
        if answer.status != 200:
            raise BenchFailed(f"{path}: {answer.status} {said[:300]!r}")
        return taken, json.loads(said)


def open_desk(centre: House) -> Desk:
    """A new officer, logged in."""
    secret, now = password(), datetime.now(UTC)
    name = f"officer-{now.timestamp():.0f}"
    with centre.sessions.begin() as session:
        new = NewOfficer(name, "Petugas", "upt-kan", (Role.COUNTER_OFFICER,), secret)
        access.add_officer(session, new)
        opened = access.open_session(session, access.authenticate(session, name, secret), now)
        current = access.current(session, opened.token, centre.settings, now)
    if current is None:
        raise BenchFailed("the officer's session did not open")
    return Desk(
        http.client.HTTPConnection(urlsplit(centre.settings.origin).netloc, timeout=60),
        {
            "Content-Type": "application/json",
            "Cookie": f"titian={opened.token}",
            "X-Titian-Csrf": current.csrf,
        },
    )


def p95(taken: Sequence[float]) -> float:
    """The time that 95 of 100 stayed within."""
    return round(sorted(taken)[max(0, -(-len(taken) * 95 // 100) - 1)], 1)
