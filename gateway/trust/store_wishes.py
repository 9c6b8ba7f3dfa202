"""The table of wishes: who asked an agency's connector for a new key, and when."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    LargeBinary,
    Row,
    Table,
    Text,
    insert,
    select,
)
from sqlalchemy.orm import Session

from gateway.storage.base import metadata
from gateway.trust.store import agency

wish = Table(
    "wish",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("agency", Text, ForeignKey(agency.c.code), nullable=False, index=True),
    Column("officer_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)


def add(session: Session, row: Mapping[str, Any]) -> None:
    session.execute(insert(wish).values(**row))


def of_agency(session: Session, code: str) -> Sequence[Row[Any]]:
    """The wishes for a new key of an agency, oldest first."""
    return session.execute(select(wish).where(wish.c.agency == code).order_by(wish.c.at)).all()
