"""SQL of judgements: what people decided about two records, and what it was decided on."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, LargeBinary, Table, Text, Uuid
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from gateway.storage import bulk
from gateway.storage.base import metadata

judgement = Table(
    "judgement",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("a", BigInteger, nullable=False),
    Column("b", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("officer_id", Uuid, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    # A judgement that two persons must stand behind binds from the second one on.
    Column("of_two", Boolean, nullable=False),
    Column("second_id", Uuid),
    Column("second_leaf", LargeBinary),
    Column("undone_at", DateTime(timezone=True)),
    Column("undone_leaf", LargeBinary),
    Index("ix_judgement_a", "a"),
    Index("ix_judgement_b", "b"),
    Index("ix_judgement_officer_id", "officer_id", "at"),
)
"""`sealed` holds the digests of what was compared; `leaf` is the `decision` in the log."""

_STANDS = "j.undone_at is null and (not j.of_two or j.second_id is not null)"


class Row(NamedTuple):
    """One judgement, `a < b` or, where one record was judged alone, `a = b`."""

    id: UUID
    at: datetime
    kind: str
    verdict: str
    a: int
    b: int
    sealed: bytes
    officer_id: UUID
    of_two: bool
    second_id: UUID | None
    undone_at: datetime | None


_ROW = ", ".join(f"j.{name}" for name in Row._fields)


def add(session: Session, values: dict[str, Any]) -> None:
    session.execute(judgement.insert().values(**values))


def get(session: Session, judgement_id: UUID, *, lock: bool = False) -> Row | None:
    """One judgement, whatever has become of it."""
    held = " for update" if lock else ""
    found = session.execute(
        sql(f"select {_ROW} from judgement j where j.id = :id{held}"),  # noqa: S608  (our own names)
        {"id": judgement_id},
    ).one_or_none()
    return None if found is None else Row(*found)


def second(session: Session, judgement_id: UUID, officer_id: UUID, leaf: bytes) -> None:
    """A second person stands behind it."""
    session.execute(
        sql("update judgement set second_id = :by, second_leaf = :leaf where id = :id"),
        {"id": judgement_id, "by": officer_id, "leaf": leaf},
    )


def undo(session: Session, judgement_id: UUID, at: datetime, leaf: bytes) -> None:
    """It counts no more."""
    session.execute(
        sql("update judgement set undone_at = :at, undone_leaf = :leaf where id = :id"),
        {"id": judgement_id, "at": at, "leaf": leaf},
    )


def same_at(session: Session, record_ids: Iterable[int]) -> list[tuple[int, int]]:
    """Pairs with an end among these records that stand judged to be one person."""
    query = (
        "select j.a, j.b from judgement j"  # noqa: S608  (our own names)
        " where (j.a = any(%(ids)s) or j.b = any(%(ids)s))"
        f" and j.verdict = 'same' and {_STANDS}"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, {"ids": list(record_ids)}, binary=True)
        return cur.fetchall()


def standing(session: Session, record_ids: Sequence[int], *, both: bool) -> list[Row]:
    """Judgements that stand, with one end (or both) among these records, the oldest first."""
    word = "and" if both else "or"
    query = (
        f"select {_ROW} from judgement j where (j.a = any(%(ids)s) {word} j.b = any(%(ids)s))"  # noqa: S608
        f" and {_STANDS} order by j.id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, {"ids": list(record_ids)}, binary=True)
        return [Row(*row) for row in cur]


def about(session: Session, record_ids: Sequence[int]) -> list[Row]:
    """All judgements with an end among these records, the newest first."""
    query = (
        f"select {_ROW} from judgement j where j.a = any(%(ids)s) or j.b = any(%(ids)s)"  # noqa: S608
        " order by j.id desc"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, {"ids": list(record_ids)}, binary=True)
        return [Row(*row) for row in cur]


def count_since(session: Session, officer_id: UUID, verdict: str, since: datetime) -> int:
    """How many judgements of this verdict an officer has made since; those undone count too."""
    return int(
        session.scalar(
            sql(
                "select count(*) from judgement where officer_id = :who and verdict = :verdict"
                " and at > :since"
            ),
            {"who": officer_id, "verdict": verdict, "since": since},
        )
        or 0
    )


def contents(session: Session, record_ids: Iterable[int]) -> dict[int, bytes]:
    """What each live record says, as the hash of its content; those withdrawn are left out."""
    query = "select id, content from source_record where id = any(%s) and assertion_id is not null"
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(record_ids),), binary=True)
        return dict(cur.fetchall())
