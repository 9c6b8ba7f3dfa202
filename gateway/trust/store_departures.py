"""The table of departures: an agency leaves, and what becomes of what it said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
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
    UniqueConstraint,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.storage.base import metadata
from gateway.trust.model import Fate
from gateway.trust.store import agency, key, keyset

departure = Table(
    "departure",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("agency", Text, ForeignKey(agency.c.code), nullable=False),
    Column("keyset_sha256", LargeBinary, nullable=False),
    Column("fate", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # When its statement began to count; before that it waits for persons.
    Column("at", DateTime(timezone=True)),
    UniqueConstraint("agency", "keyset_sha256"),
)


@dataclass(frozen=True, slots=True)
class Departure:
    """An agency's leaving that counts; `reason` is a code."""

    id: int
    agency: str
    fate: Fate
    reason: str
    at: datetime


def draw_up(session: Session, values: Mapping[str, Any]) -> None:
    """Keep why an agency is to leave, while the statement waits for persons."""
    session.execute(insert(departure).values(**values).on_conflict_do_nothing())


def begin(session: Session, values: Mapping[str, Any], now: datetime) -> int:
    """The departure counts from now on; its id. One that nobody drew up here is kept as it is."""
    same = [departure.c.agency, departure.c.keyset_sha256]
    made = insert(departure).values(**values, at=now)
    counted = made.on_conflict_do_update(index_elements=same, set_={"at": now})
    return int(session.execute(counted.returning(departure.c.id)).scalar_one())


def find(session: Session, number: int) -> Departure | None:
    """The departure of that id, if it counts."""
    row = session.execute(
        select(departure).where(departure.c.id == number, departure.c.at.is_not(None))
    ).one_or_none()
    return None if row is None else _read(row)


def of_agency(session: Session, code: str) -> list[Departure]:
    """An agency's departures that count, oldest first."""
    rows = session.execute(
        select(departure)
        .where(departure.c.agency == code, departure.c.at.is_not(None))
        .order_by(departure.c.id)
    )
    return [_read(row) for row in rows]


def withdrawn(session: Session, code: str) -> dict[str, Departure]:
    """The agency's keys whose every batch was withdrawn, each with the departure that did it.

    They are those that came up to then; whoever comes again has new ones.
    """
    came, left = keyset.alias("came"), keyset.alias("left")
    rows = session.execute(
        select(key.c.kid, departure)
        .join(departure, departure.c.agency == key.c.agency)
        .join(came, (came.c.agency == key.c.agency) & _same(came, key.c.keyset_sha256))
        .join(left, (left.c.agency == key.c.agency) & _same(left, departure.c.keyset_sha256))
        .where(
            key.c.agency == code,
            departure.c.fate == Fate.WITHDRAW.value,
            departure.c.at.is_not(None),
            came.c.version <= left.c.version,
        )
        .order_by(departure.c.id.desc())
    )
    return {row.kid: _read(row) for row in rows}


def _same(which: Any, sha256: Any) -> Any:
    return which.c.payload_sha256 == sha256


def _read(row: Row[Any]) -> Departure:
    return Departure(row.id, row.agency, Fate(row.fate), row.reason, row.at)
