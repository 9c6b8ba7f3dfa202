"""The search for the one record that kills whoever applies its batch.

What is being tried is written down and committed first; whoever finds a span that was tried and
not cleared knows that it killed. It is halved until one record is left; that one is refused as
`poison`, and the rest of the batch is applied. A killed worker costs one step, so a bad record
costs about 2·log2(n) of them.

Nothing here locks the batch: the searcher holds its promise, and the books are kept beside that
transaction in short ones of their own.

Source: design/trust.md 2.6.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    Integer,
    PrimaryKeyConstraint,
    Row,
    Table,
    Uuid,
    delete,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.storage.base import metadata

POISON = "poison"
_FINAL = -1
_SINGLE_TRIES = 2
_FINAL_TRIES = 2

suspect = Table(
    "suspect",
    metadata,
    Column("batch_id", Uuid, nullable=False),
    Column("lo", Integer, nullable=False),
    Column("hi", Integer, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("batch_id", "lo"),
)
"""Spans of lines still to be tried (`hi` exclusive); the row with `lo` -1 is the whole search."""

poisoned = Table(
    "poisoned",
    metadata,
    Column("batch_id", Uuid, nullable=False),
    Column("i", Integer, nullable=False),
    PrimaryKeyConstraint("batch_id", "i"),
)


@dataclass(frozen=True, slots=True)
class Span:
    """Lines `lo` to `hi` (exclusive) of a batch."""

    lo: int
    hi: int


def next_span(session: Session, batch_id: UUID, count: int) -> Span | None:
    """The next span to try, marked as being tried; None once every record has been judged.

    The caller commits before it tries.
    """
    _open_books(session, batch_id, count)
    while True:
        row = _first(session, batch_id)
        if row is None:
            return None
        if row.tries == 0 or (row.hi - row.lo == 1 and row.tries < _SINGLE_TRIES):
            session.execute(
                update(suspect).where(*_is(batch_id, row.lo)).values(tries=suspect.c.tries + 1)
            )
            return Span(row.lo, row.hi)
        _convict(session, batch_id, row)


def clear(session: Session, batch_id: UUID, span: Span) -> None:
    """The span did no harm."""
    session.execute(delete(suspect).where(*_is(batch_id, span.lo)))


def may_still_apply(session: Session, batch_id: UUID) -> bool:
    """Whether the searched batch may be tried as a whole again; counts the try."""
    tries = session.scalar(
        update(suspect)
        .where(*_is(batch_id, _FINAL))
        .values(tries=suspect.c.tries + 1)
        .returning(suspect.c.tries)
    )
    return tries is not None and tries <= _FINAL_TRIES


def found(session: Session, batch_id: UUID) -> frozenset[int]:
    """The lines of a batch that were found to be poison."""
    return frozenset(session.scalars(select(poisoned.c.i).where(poisoned.c.batch_id == batch_id)))


def _open_books(session: Session, batch_id: UUID, count: int) -> None:
    """The first time: the whole batch is suspect."""
    whole = insert(suspect).values(batch_id=batch_id, lo=_FINAL, hi=0)
    opened = session.execute(whole.on_conflict_do_nothing().returning(suspect.c.lo))
    if opened.one_or_none() is not None and count:
        session.execute(suspect.insert().values(batch_id=batch_id, lo=0, hi=count))


def _first(session: Session, batch_id: UUID) -> Row[Any] | None:
    return session.execute(
        select(suspect)
        .where(suspect.c.batch_id == batch_id, suspect.c.lo >= 0)
        .order_by(suspect.c.lo)
        .limit(1)
    ).one_or_none()


def _convict(session: Session, batch_id: UUID, row: Row[Any]) -> None:
    """A span that was tried and not cleared: halve it, or name the one record in it."""
    session.execute(delete(suspect).where(*_is(batch_id, row.lo)))
    if row.hi - row.lo == 1:
        session.execute(poisoned.insert().values(batch_id=batch_id, i=row.lo))
        return
    middle = (row.lo + row.hi) // 2
    session.execute(
        suspect.insert(),
        [
            {"batch_id": batch_id, "lo": row.lo, "hi": middle},
            {"batch_id": batch_id, "lo": middle, "hi": row.hi},
        ],
    )


def _is(batch_id: UUID, lo: int) -> tuple[Any, Any]:
    return suspect.c.batch_id == batch_id, suspect.c.lo == lo
