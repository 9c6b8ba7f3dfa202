"""The outbox: what was promised in the same transaction as the fact, and who carries it out.

A promise is a row. The relay hands due rows to Celery; a worker takes the row's lock inside the
transaction of the effect and marks it done there, so a lost, late or repeated message neither
loses nor doubles anything.

Source: design/trust.md 6.2.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import (
    Column,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from gateway.jobs import Job
from gateway.storage.base import metadata
from gateway.storage.quick import Quick

CHANNEL = "titian_outbox"

outbox = Table(
    "outbox",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("job", Text, nullable=False),
    Column("args", JSONB, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("handed", DateTime(timezone=True)),
    Column("hands", Integer, nullable=False, server_default="0"),
    Column("done", DateTime(timezone=True)),
    Column("parked", Text),
    Index("ix_outbox_open", "due", postgresql_where=text("done is null and parked is null")),
)


@dataclass(frozen=True, slots=True)
class Promise:
    """One row that a worker holds the lock of."""

    id: UUID
    job: Job
    args: dict[str, Any]
    attempts: int


_PROMISE = Quick(
    outbox.insert().returning(func.pg_notify(CHANNEL, "").label("told")), "job", "args"
)


def promise(session: Session, job: Job, args: dict[str, str | int]) -> None:
    """Promise `job` in the caller's transaction; `args` are ids; the commit wakes the relay."""
    _PROMISE.one(session, {"job": job.value, "args": Jsonb(args)})


def attempt(session: Session, promise_id: UUID) -> int | None:
    """Count one more attempt, to be committed *before* the work; None if there is nothing to do.

    So a job that kills its process is still counted (poison).
    """
    attempts: int | None = session.scalar(
        update(outbox)
        .where(outbox.c.id == promise_id, outbox.c.done.is_(None), outbox.c.parked.is_(None))
        .values(attempts=outbox.c.attempts + 1)
        .returning(outbox.c.attempts)
    )
    return attempts


def lock(session: Session, promise_id: UUID) -> Promise | None:
    """The promise, locked until the transaction ends; None if it is done, parked or locked."""
    row = session.execute(
        select(outbox.c.id, outbox.c.job, outbox.c.args, outbox.c.attempts)
        .where(outbox.c.id == promise_id, outbox.c.done.is_(None), outbox.c.parked.is_(None))
        .with_for_update(skip_locked=True)
    ).one_or_none()
    return None if row is None else Promise(row.id, Job(row.job), row.args, row.attempts)


def done(session: Session, promise_id: UUID) -> None:
    """The effect is in this transaction: so is its end."""
    session.execute(update(outbox).where(outbox.c.id == promise_id).values(done=func.now()))


def postpone(session: Session, promise_id: UUID, seconds: int, *, forgive: bool = False) -> None:
    """Try again no earlier than in `seconds`; `forgive` takes this attempt back."""
    values: dict[str, Any] = {
        "due": func.now() + func.make_interval(0, 0, 0, 0, 0, 0, seconds),
        "handed": None,
    }
    if forgive:
        values["attempts"] = func.greatest(outbox.c.attempts - 1, 0)
    session.execute(update(outbox).where(outbox.c.id == promise_id).values(**values))


@dataclass(frozen=True, slots=True)
class Parked:
    """A promise that was set aside."""

    id: UUID
    job: Job
    reason: str
    made_at: datetime


def parked(session: Session) -> list[Parked]:
    """What was set aside, oldest first."""
    rows = session.execute(
        select(outbox.c.id, outbox.c.job, outbox.c.parked, outbox.c.due)
        .where(outbox.c.parked.is_not(None))
        .order_by(outbox.c.id)
    )
    return [Parked(r.id, Job(r.job), r.parked, r.due) for r in rows]


def retry(session: Session, promise_id: UUID) -> bool:
    """Take a parked promise up again, with all its attempts; False if it is not parked."""
    done_ = session.execute(
        update(outbox)
        .where(outbox.c.id == promise_id, outbox.c.parked.is_not(None))
        .values(parked=None, attempts=0, due=func.now(), handed=None, hands=0)
        .returning(outbox.c.id)
    ).one_or_none()
    session.execute(text("select pg_notify(:channel, '')"), {"channel": CHANNEL})
    return done_ is not None


def park(session: Session, promise_id: UUID, reason: str) -> None:
    """Set a poisonous promise aside; a person decides. `reason` is a code, never a value."""
    session.execute(
        update(outbox)
        .where(outbox.c.id == promise_id, outbox.c.done.is_(None))
        .values(parked=reason)
    )


def hand(session: Session, limit: int) -> list[tuple[UUID, Job]]:
    """Promises to hand to Celery now: due and not handed, or handed long ago and not locked.

    The wait before handing out again starts at 5 s and doubles with each hand-out (at most an
    hour), so a slow worker is not flooded and a lost message is soon replaced.
    """
    rows = session.execute(
        text(
            "update outbox set handed = now(), hands = hands + 1 where id in ("
            " select id from outbox where done is null and parked is null and due <= now()"
            " and (handed is null or handed < now()"
            "      - least(interval '5 s' * power(2, least(hands, 8) - 1), interval '1 h'))"
            " order by id limit :limit for update skip locked)"
            " returning id, job"
        ),
        {"limit": limit},
    ).all()
    return [(row.id, Job(row.job)) for row in sorted(rows, key=lambda r: r.id)]


def open_count(session: Session) -> dict[str, int]:
    """How many promises are open and how many are parked."""
    row = session.execute(
        select(
            func.count().filter(outbox.c.done.is_(None), outbox.c.parked.is_(None)),
            func.count().filter(outbox.c.parked.is_not(None)),
        )
    ).one()
    return {"open": row[0], "parked": row[1]}


def tidy(session: Session) -> int:
    """Forget some promises that were made a week ago and kept; how many.

    Ids are in the order of time, so this walks the primary key and needs no index of its own.
    """
    gone = session.scalars(_TIDY).all()
    return len(gone)


_TIDY = text(
    "delete from outbox where id in ("
    " select id from outbox where id < uuidv7(interval '-7 days') and done is not null"
    " order by id limit 20000 for update skip locked)"
    " returning id"
)
