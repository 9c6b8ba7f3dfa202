"""The table of the centre's own keysets: which keys it signs with, version by version."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, DateTime, Integer, LargeBinary, Row, Table, insert, select, text
from sqlalchemy.orm import Session

from gateway.storage.base import metadata

centre_keyset = Table(
    "centre_keyset",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("payload_sha256", LargeBinary, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)


def alone(session: Session) -> None:
    """Until the transaction ends nobody else changes the centre's keys."""
    session.execute(text("lock table centre_keyset in share row exclusive mode"))


def every(session: Session) -> Sequence[Row[Any]]:
    """All versions, the first one first."""
    return session.execute(select(centre_keyset).order_by(centre_keyset.c.version)).all()


def add(session: Session, row: Mapping[str, Any]) -> None:
    session.execute(insert(centre_keyset).values(**row))
