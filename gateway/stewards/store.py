"""Tables of the stewards, and every statement that touches them: tasks and bulk rounds."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    Index,
    Integer,
    Row,
    Table,
    Text,
    Uuid,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from gateway.stewards.model import State, Task, kinds
from gateway.storage.base import metadata

task = Table(
    "task",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("kind", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("person_a", Uuid),
    Column("person_b", Uuid),
    Column("record_a", BigInteger, nullable=False),
    Column("record_b", BigInteger, nullable=False),
    Column("agency", Text, nullable=False),
    Column("bits", Double),
    Column("worth", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    Column("closed_why", Text),
    Column("judgement_id", Uuid),
    Index("uq_task_open", "kind", "about", unique=True, postgresql_where=text("closed_at is null")),
    Index("ix_task_person_a", "person_a", postgresql_where=text("closed_at is null")),
    Index("ix_task_person_b", "person_b", postgresql_where=text("closed_at is null")),
    Index("ix_task_opened_at", "opened_at"),
)

bulk_round = Table(
    "bulk_round",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("officer_id", Uuid, nullable=False),
    Column("least", Double, nullable=False),
    Column("tasks", ARRAY(Uuid), nullable=False),
    Column("sample", ARRAY(Uuid), nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
)
"""Tasks to be accepted together once each of the sample has been decided by hand."""


def read(row: Row[Any]) -> Task:
    """A task of a row."""
    return Task(
        id=row.id,
        kind=kinds()[row.kind],
        about=row.about,
        persons=tuple(p for p in (row.person_a, row.person_b) if p is not None),
        records=(row.record_a, row.record_b),
        agency=row.agency,
        bits=row.bits,
        worth=row.worth,
        state=State(row.state),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        closed_why=row.closed_why,
        judgement_id=row.judgement_id,
    )


def get(session: Session, task_id: UUID, *, lock: bool = False) -> Task | None:
    query = select(task).where(task.c.id == task_id)
    row = session.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else read(row)


def standing(
    session: Session,
    persons: Collection[UUID],
    abouts: Collection[str],
    records: Collection[int] = (),
) -> list[Task]:
    """Tasks not closed that concern these persons or things, or are of these payments alone."""
    given = {"persons": list(persons), "abouts": list(abouts), "records": list(records)}
    return [read(row) for row in session.execute(_STANDING, given)]


def abouts(session: Session, kind: str) -> list[str]:
    """What the standing tasks of a kind are about."""
    stands = (task.c.closed_at.is_(None), task.c.kind == kind)
    return list(session.scalars(select(task.c.about).where(*stands).order_by(task.c.about)))


def put(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Open tasks; one that stands already is brought up to date. Returns how many are new."""
    if not rows:
        return 0
    made = insert(task)
    changed = {n: made.excluded[n] for n in ("record_a", "record_b", "bits", "worth", "state")}
    done = session.execute(
        made.on_conflict_do_update(
            index_elements=["kind", "about"],
            index_where=text("closed_at is null"),
            set_=changed,
        ).returning(text("(xmax = 0)")),
        list(rows),
    )
    return sum(done.scalars())


def close(session: Session, task_ids: Iterable[UUID], why: str, now: datetime) -> None:
    session.execute(
        update(task).where(task.c.id.in_(list(task_ids))).values(closed_at=now, closed_why=why)
    )


def of_judgement(session: Session, judgement_id: UUID) -> list[Task]:
    """The tasks that a judgement decided."""
    rows = session.execute(select(task).where(task.c.judgement_id == judgement_id))
    return [read(row) for row in rows]


def decide(session: Session, task_id: UUID, state: State, judgement_id: UUID | None) -> None:
    """Where a task stands after a judgement, or None after that was undone."""
    session.execute(
        update(task)
        .where(task.c.id == task_id)
        .values(state=state.value, judgement_id=judgement_id)
    )


def by_cause(session: Session) -> Sequence[Row[Any]]:
    """(kind, agency, state, how many, oldest) of all tasks not closed."""
    t = task.c
    return session.execute(
        select(
            t.kind, t.agency, t.state, func.count().label("n"), func.min(t.opened_at).label("since")
        )
        .where(t.closed_at.is_(None))
        .group_by(t.kind, t.agency, t.state)
    ).all()


def open_pairs(session: Session, kind: str, agency: str) -> Sequence[Any]:
    """(record_a, record_b) of the tasks of a cause that are not closed, oldest first."""
    t = task.c
    return session.execute(
        select(t.record_a, t.record_b)
        .where(t.kind == kind, t.agency == agency, t.closed_at.is_(None))
        .order_by(t.id)
    ).all()


def newest(
    session: Session, kind: str, agency: str | None, states: Sequence[State], limit: int
) -> list[Task]:
    """Tasks of a cause, the most useful first: most records, then nearest to a decision."""
    t = task.c
    query = select(task).where(
        t.closed_at.is_(None), t.kind == kind, t.state.in_([s.value for s in states])
    )
    if agency is not None:
        query = query.where(t.agency == agency)
    ranked = query.order_by(t.worth.desc(), t.bits.desc().nulls_last(), t.id).limit(limit)
    return [read(row) for row in session.execute(ranked)]


def likely(session: Session, kind: str, least: float, limit: int) -> list[Task]:
    """Open tasks of two persons at least so alike."""
    t = task.c
    query = select(task).where(
        t.closed_at.is_(None), t.kind == kind, t.state == State.OPEN.value, t.bits >= least
    )
    ranked = query.order_by(t.bits.desc(), t.id).limit(limit)
    return [read(row) for row in session.execute(ranked)]


def count_open(session: Session, kind: str, agencies: Collection[str]) -> dict[str, int]:
    """How many tasks of a kind wait, by the agency whose word looks wrong."""
    t = task.c
    rows = session.execute(
        select(t.agency, func.count())
        .where(
            t.closed_at.is_(None),
            t.kind == kind,
            t.state == State.OPEN.value,
            t.agency.in_(list(agencies)),
        )
        .group_by(t.agency)
    )
    return {row[0]: row[1] for row in rows}


def opened_since(session: Session, kind_codes: Sequence[str], since: datetime) -> int:
    """How many tasks of these kinds were opened since, closed or not."""
    t = task.c
    query = select(func.count()).where(t.kind.in_(list(kind_codes)), t.opened_at > since)
    return session.scalar(query) or 0


def decided(session: Session, limit: int) -> list[Task]:
    """The newest tasks that somebody decided."""
    t = task.c
    query = select(task).where(t.judgement_id.is_not(None)).order_by(t.judgement_id.desc())
    return [read(row) for row in session.execute(query.limit(limit))]


def add_round(session: Session, values: Mapping[str, Any]) -> None:
    session.execute(bulk_round.insert().values(**values))


def get_round(session: Session, round_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    query = select(bulk_round).where(bulk_round.c.id == round_id)
    return session.execute(query.with_for_update() if lock else query).one_or_none()


def end_round(session: Session, round_id: UUID, now: datetime) -> None:
    session.execute(update(bulk_round).where(bulk_round.c.id == round_id).values(done_at=now))


def get_many(session: Session, task_ids: Collection[UUID]) -> list[Task]:
    rows = session.execute(select(task).where(task.c.id.in_(list(task_ids))).order_by(task.c.id))
    return [read(row) for row in rows]


_STANDING = text(
    "select * from task where closed_at is null and (person_a = any(cast(:persons as uuid[]))"
    " or person_b = any(cast(:persons as uuid[])) or about = any(cast(:abouts as text[]))"
    " or (person_a is null and about like 'aid:%' and (record_a = any(cast(:records as int8[]))"
    "  or record_b = any(cast(:records as int8[])))))"
    " order by id"
)
"""Whole arrays: so the statement is one, however many persons are asked for."""
