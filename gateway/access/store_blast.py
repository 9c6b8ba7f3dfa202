"""SQL of the blast radius: answers that used certain batches, and what was recorded of them."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    LargeBinary,
    Row,
    Table,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from gateway.access.store import officer, query, result, result_person
from gateway.storage.base import metadata

reeval_report = Table(
    "reeval_report",
    metadata,
    Column("revocation", BigInteger, primary_key=True, autoincrement=False),
    Column("detail", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
"""The affected answers as they stood when the live view did, sealed; the log holds the hash."""


def affected(session: Session, leaves: Collection[bytes]) -> Sequence[Row[Any]]:
    """Answers that used any of these batches, oldest first, with their questions and `persons`."""
    persons = (
        select(func.array_agg(result_person.c.person_id))
        .where(result_person.c.result_id == result.c.id)
        .scalar_subquery()
    )
    wanted = cast(list(leaves), ARRAY(LargeBinary))
    query_of = (
        select(
            *(result.c.id, result.c.at, result.c.batches, persons.label("persons")),
            *(query.c.id.label("query_id"), query.c.at.label("asked_at"), query.c.detail),
            *(query.c.role, query.c.action, query.c.purpose, query.c.system, officer.c.name),
        )
        .join(query, query.c.id == result.c.query_id)
        .outerjoin(officer, officer.c.id == query.c.officer_id)
        .where(result.c.batches.overlap(wanted))
        .order_by(result.c.at, result.c.id)
    )
    return list(session.execute(query_of))


def has_report(session: Session, revocation: int) -> bool:
    """Whether the answers affected by a revocation have been recorded."""
    found = select(reeval_report.c.revocation).where(reeval_report.c.revocation == revocation)
    return session.execute(found).one_or_none() is not None


def add_report(session: Session, values: dict[str, Any]) -> None:
    session.execute(insert(reeval_report).values(**values))
