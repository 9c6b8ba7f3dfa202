"""SQL of withdrawals: how far each departed agency's assertions have been taken back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Row, Table, Text, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.intake.store import batch
from gateway.storage.base import metadata

withdrawal = Table(
    "withdrawal",
    metadata,
    Column("departure", BigInteger, primary_key=True, autoincrement=False),
    Column("agency", Text, nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("started", DateTime(timezone=True), nullable=False),
    Column("finished", DateTime(timezone=True)),
)


def begin(session: Session, departure: int, agency: str, now: datetime) -> bool:
    """Note that a withdrawal has begun; False if it had before."""
    made = session.execute(
        insert(withdrawal)
        .values(departure=departure, agency=agency, records=0, started=now)
        .on_conflict_do_nothing()
        .returning(withdrawal.c.departure)
    )
    return made.one_or_none() is not None


def set_records(session: Session, departure: int, records: int) -> None:
    session.execute(
        update(withdrawal).where(withdrawal.c.departure == departure).values(records=records)
    )


def finish(session: Session, agency: str, now: datetime) -> None:
    """The agency's withdrawals stand."""
    session.execute(
        update(withdrawal)
        .where(withdrawal.c.agency == agency, withdrawal.c.finished.is_(None))
        .values(finished=now)
    )


def every(session: Session, agency: str | None = None) -> Sequence[Row[Any]]:
    """All withdrawals, or those of one agency, oldest first."""
    query = select(withdrawal).order_by(withdrawal.c.departure)
    return session.execute(
        query if agency is None else query.where(withdrawal.c.agency == agency)
    ).all()


def batches(session: Session, departure: int) -> list[UUID]:
    """The batches that were taken back by a departure."""
    return list(session.scalars(select(batch.c.id).where(batch.c.withdrawn_by == departure)))
