"""The desk on a real database: officers, a registration, and clocks that a test can turn."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.access.model import Officer, Role
from gateway.complaints import registering, service, store
from gateway.complaints.clock import Now
from gateway.complaints.model import SYSTEM_ACTOR, Act, Actor, Body, Case, Channel, Desk
from gateway.complaints.needs import Wanted
from gateway.complaints.registering import Registered, Registration
from gateway.complaints.service import Target
from gateway.storage import ids
from schemas.profile import Profile
from tests.conftest import Database

PROFILE = Profile.load("payakumbuh")
MONDAY = date(2025, 11, 3)
LISTED = {"verdict": "listed", "stale": []}
ROSMAINI = {"name": "Rosmaini", "nik": "1376015410900002", "kelurahan": "13.76.01.1021"}
SCHOOL, DEVICE, HOUSE = "tunggakan_sekolah", "alat_bantu", "rutilahu"


def officer(*roles: Role, unit: str = "upt-kan") -> Officer:
    return Officer(ids.new(), roles[0].value, "Rina", unit, roles)


@dataclass
class Office:
    """Everybody who may act, on one database."""

    database: Database
    today: date = MONDAY
    moment: datetime = datetime(2025, 11, 3, 3, tzinfo=UTC)
    people: dict[str, Officer] = field(default_factory=dict)
    count: int = 0

    def desk(self, who: str = "counter_officer", unit: str = "upt-kan") -> Desk:
        self.moment += timedelta(seconds=1)
        now = Now(self.today, self.moment)
        return Desk(self.actor(who, unit), self.database.vault, PROFILE, now)

    def actor(self, who: str, unit: str) -> Actor:
        if who == "system":
            return SYSTEM_ACTOR
        if who == "citizen":
            return Actor(("citizen",))
        key = f"{who}@{unit}"
        self.people.setdefault(key, officer(Role(who), unit=unit))
        return Actor.of(self.people[key])

    def pass_days(self, days: int) -> None:
        self.today += timedelta(days=days)
        self.moment += timedelta(days=days)

    def registration(self, *kinds: str, check: Mapping[str, Any] = LISTED, **person: str) -> Any:
        """Of a person of his own, unless the test names one."""
        self.count += 1
        born = date(1950, 1, 1) + timedelta(days=self.count)
        told = {**ROSMAINI, "nik": "", "birth_date": born.isoformat()}
        body = Body(told | person, "6281234567890", {}, "Anak saya menunggak", check)
        wanted = [Wanted(k) for k in kinds or (SCHOOL,)]
        return Registration(body, wanted, Channel.COUNTER, self.today)

    def register(self, *kinds: str, who: str = "counter_officer", **given: Any) -> Registered:
        person = given.pop("person", {})
        made = replace(
            self.registration(*kinds, check=given.pop("check", LISTED), **person), **given
        )
        with self.database.session() as session:
            found = registering.register(session, made, self.desk(who))
            session.commit()
        return found

    def act(self, case: Case, event: str, who: str, n: int | None = None, **given: Any) -> Case:
        """Somebody acts on the ticket, or on its n-th need."""
        unit = given.pop("unit", "upt-kan")
        need = None if n is None else case.needs[n - 1].id
        act = Act(event, **given)
        with self.database.session() as session:
            found = service.handle(session, Target(case.ticket.id, need), act, self.desk(who, unit))
            session.commit()
        return found

    def get(self, case: Case) -> Case:
        with self.database.session() as session:
            found = store.get(session, case.ticket.id, self.database.vault)
        assert found is not None
        return found

    def history(self, case: Case) -> list[Any]:
        with self.database.session() as session:
            return store.history(session, case.ticket.id, self.database.vault)

    def refer(self, case: Case, n: int = 1) -> Case:
        return self.act(case, "issue_referral", "counter_officer", n)


@pytest.fixture(scope="module")
def office(database: Database) -> Office:
    return Office(database)
