"""A small town in the index, officers at the stewards' desk, and a worker that is a function."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from sqlalchemy import text

from gateway.access import sessions
from gateway.access.model import Officer, Role
from gateway.access.sessions import NewOfficer
from gateway.index import service as index
from gateway.index.arrivals import Arrival, IndexTools, Origin
from gateway.index.verdict import Verdict
from gateway.jobs import Job
from gateway.stewards import deciding, examining, store
from gateway.stewards.deciding import Decision, Desk
from gateway.stewards.model import Task
from schemas.line import content_hash
from tests.conftest import Database
from tests.index_db import people
from tests.index_db.conftest import load, model, tools, town
from tests.index_db.people import Said

__all__ = ["model", "tools", "town"]

NOW = datetime(2025, 11, 3, 3, tzinfo=UTC)
_BATCHES = count(10**7)


@dataclass
class Office:
    """The index, the worker and two officers, as one thing to play with."""

    database: Database
    tools: IndexTools
    steward: Officer
    other: Officer
    now: datetime = NOW

    def load(self, said: Sequence[Said], v: int = 1) -> None:
        batches = people.batches(said, 500, v)
        load(
            self.database,
            self.tools,
            [(replace(o, batch_id=people.batch_id(next(_BATCHES))), a) for o, a in batches],
        )
        self.examine()

    def forget(self, agency: str, record_type: str, source_id: str) -> None:
        """The record is withdrawn."""
        self.say(agency, record_type, source_id, {}, v=99, op="del")

    def say(
        self,
        agency: str,
        record_type: str,
        source_id: str,
        values: dict,
        v: int = 1,
        op: str = "put",
    ) -> None:
        """One record that is no person."""
        origin = Origin(agency, record_type, people.batch_id(next(_BATCHES)), people.AS_OF)
        arrival = Arrival(0, op, source_id, v, None, content_hash(values, op), values, b"x" * 32)
        with self.database.session() as session:
            index.absorb(session, origin, [arrival], self.tools)
            session.commit()
        self.examine()

    def examine(self) -> None:
        while True:
            with self.database.session() as session:
                done = examining.examine(session, self.tools, self.now)
                session.commit()
            if not done:
                return

    def work(self) -> None:
        """Carry out what was promised, as a worker does."""
        with self.database.session() as session:
            promised = session.scalars(
                text("delete from outbox where job = :job returning args->>'batch'"),
                {"job": Job.RECONCILE.value},
            ).all()
            for batch in promised:
                index.reconcile(session, UUID(batch), self.tools)
            session.commit()
        self.examine()

    def tasks(self, kind: str | None = None, *, closed: bool = False) -> list[Task]:
        word = "not null" if closed else "null"
        with self.database.session() as session:
            rows = session.execute(
                text(f"select * from task where closed_at is {word} order by id")
            ).all()
            return [store.read(r) for r in rows if kind is None or r.kind == kind]

    def judge(self, task: Task, verdict: Verdict, who: Officer | None = None) -> UUID:
        with self.database.session() as session:
            made = deciding.judge(
                session, Decision(task.id, verdict, "sudah diperiksa"), self.desk(who)
            )
            session.commit()
        self.work()
        return made

    def desk(self, who: Officer | None = None) -> Desk:
        self.now += timedelta(seconds=1)
        return Desk(who or self.steward, self.database.vault, self.now)

    def record(self, said: Said) -> int:
        with self.database.session() as session:
            return session.scalar(
                text("select id from source_record where agency = :a and source_id = :s"),
                {"a": said.agency, "s": said.source_id},
            )


@pytest.fixture
def office(fresh_database: Database, tools: IndexTools) -> Office:
    with fresh_database.session() as session:
        made = [
            sessions.add_officer(
                session,
                NewOfficer(n, n.title(), "upt-kan", (Role.DATA_STEWARD,), "jembatan-kecil-1"),
            )
            for n in ("rina", "dewi")
        ]
        session.commit()
    one, other = (
        Officer(i, n, n.title(), "upt-kan", (Role.DATA_STEWARD,))
        for i, n in zip(made, ("rina", "dewi"), strict=True)
    )
    return Office(fresh_database, tools, one, other)
