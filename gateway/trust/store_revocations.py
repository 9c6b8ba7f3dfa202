"""The table of revocations: which key is not to be believed, and from where in the log on."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    LargeBinary,
    Table,
    Text,
    insert,
    select,
)
from sqlalchemy.orm import Session

from gateway.storage.base import metadata
from gateway.trust.store import agency, key

_MOMENT = DateTime(timezone=True)
_FIELDS = ("agency", "kid", "since", "size_at_since", "reason", "at", "leaf")
revocation = Table(
    "revocation",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("agency", Text, ForeignKey(agency.c.code), nullable=False),
    Column("kid", Text, ForeignKey(key.c.kid), nullable=False, unique=True),
    Column("since", _MOMENT, nullable=False),
    Column("size_at_since", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", _MOMENT, nullable=False),
    # Of the keyset statement that revokes it.
    Column("leaf", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Revocation:
    """A revoked key.

    Attributes:
        since: the earliest time at which it may have been in other hands, as the agency states it.
        size_at_since: the log's size last cosigned by then; what was accepted at this index or
            later under the key is suspect.
        leaf: of the keyset statement that revokes it, 32 bytes.
    """

    id: int
    agency: str
    kid: str
    since: datetime
    size_at_since: int
    reason: str
    at: datetime
    leaf: bytes


def add(session: Session, revoked: Revocation) -> int:
    """Keep a revocation; its new id (`revoked.id` is not used)."""
    values = {name: getattr(revoked, name) for name in _FIELDS}
    return int(
        session.execute(insert(revocation).values(**values).returning(revocation.c.id)).scalar_one()
    )


def find(session: Session, number: int) -> Revocation | None:
    """The revocation of that id."""
    row = session.execute(select(revocation).where(revocation.c.id == number)).one_or_none()
    return None if row is None else Revocation(**row._mapping)  # noqa: SLF001 -- its public mapping


def of_agency(session: Session, code: str) -> list[Revocation]:
    """An agency's revocations, oldest first."""
    rows = session.execute(
        select(revocation).where(revocation.c.agency == code).order_by(revocation.c.id)
    )
    return [Revocation(**row._mapping) for row in rows]  # noqa: SLF001 -- its public mapping
