"""The table of cosignatures: which checkpoint a witness saw, and when."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, Table, Text, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.ledger.store import log_head
from gateway.storage.base import metadata

_SOON = 5_000
"""Lines: about an hour of forty witnesses."""

log_cosignature = Table(
    "log_cosignature",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("kid", Text, primary_key=True),
    Column("time", DateTime(timezone=True), nullable=False, index=True),
    # The note's signature line, as the witness sent it.
    Column("line", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness' word that it saw the checkpoint of `size` at `time`; `line` is its signature."""

    size: int
    kid: str
    time: datetime
    line: str


def add(session: Session, made: Cosignature) -> None:
    """Keep a cosignature; the same one again changes nothing."""
    session.execute(
        insert(log_cosignature)
        .values(size=made.size, kid=made.kid, time=made.time, line=made.line)
        .on_conflict_do_nothing()
    )


def of_size(session: Session, size: int) -> list[Cosignature]:
    """The cosignatures of one checkpoint, by kid."""
    rows = session.execute(
        select(log_cosignature)
        .where(log_cosignature.c.size == size)
        .order_by(log_cosignature.c.kid)
    )
    return [Cosignature(row.size, row.kid, row.time, row.line) for row in rows]


def newest(session: Session, since: datetime) -> list[tuple[str, str]]:
    """(note, line) of each witness's largest checkpoint cosigned since a moment, by kid."""
    last = (
        select(log_cosignature.c.kid, func.max(log_cosignature.c.size).label("size"))
        .where(log_cosignature.c.time >= since)
        .group_by(log_cosignature.c.kid)
        .subquery()
    )
    rows = session.execute(
        select(log_head.c.note, log_cosignature.c.line)
        .join(log_cosignature, log_cosignature.c.size == log_head.c.size)
        .join(last, (last.c.kid == log_cosignature.c.kid) & (last.c.size == log_head.c.size))
        .order_by(log_cosignature.c.kid)
    )
    return [(row.note, row.line) for row in rows]


def size_at(session: Session, moment: datetime) -> int:
    """The largest size that a witness cosigned at or before the moment; 0 if none did."""
    return (
        session.scalar(
            select(func.max(log_cosignature.c.size)).where(log_cosignature.c.time <= moment)
        )
        or 0
    )


def most_seen(session: Session, above: int) -> int | None:
    """The size over `above` that most witnesses cosigned; of several the smallest. None if none.

    It looks at the lines that follow soonest: an old entry is proved as of soon after it.
    """
    soon = (
        select(log_cosignature.c.size)
        .where(log_cosignature.c.size > above)
        .order_by(log_cosignature.c.size)
        .limit(_SOON)
        .subquery()
    )
    found = session.scalar(
        select(soon.c.size)
        .group_by(soon.c.size)
        .order_by(func.count().desc(), soon.c.size)
        .limit(1)
    )
    return None if found is None else int(found)
