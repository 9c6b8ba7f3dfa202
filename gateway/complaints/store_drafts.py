"""Drafts, filings, and tries of the public page: the tables beside the tickets."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, LargeBinary, Row, Table, Uuid, delete, func, select
from sqlalchemy import update as change
from sqlalchemy.orm import Session

from gateway.storage.base import metadata

draft = Table(
    "complaint_draft",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("officer_id", Uuid),
    Column("ticket_id", Uuid),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("saved_at", DateTime(timezone=True), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_complaint_draft_officer_id", "officer_id", "saved_at"),
)
"""What is being typed; one without an officer was filed by a citizen. Once it has a ticket, its
sealed part holds the PIN until that was shown."""

tracking_try = Table(
    "tracking_try",
    metadata,
    Column("key", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_tracking_try_key", "key", "at"),
)
"""Tries of the public page, by blind index of a ticket's number or of an address."""


def add(session: Session, values: Mapping[str, Any]) -> None:
    session.execute(draft.insert().values(**values))


def put(session: Session, draft_id: UUID, values: Mapping[str, Any]) -> None:
    session.execute(change(draft).where(draft.c.id == draft_id).values(**values))


def get(session: Session, draft_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    query = select(draft).where(draft.c.id == draft_id)
    return session.execute(query.with_for_update() if lock else query).one_or_none()


def of_officer(session: Session, officer_id: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """His drafts that are no tickets yet, newest first."""
    d = draft.c
    query = select(draft).where(d.officer_id == officer_id, d.ticket_id.is_(None))
    return session.execute(query.order_by(d.saved_at.desc()).limit(limit)).all()


def filed(session: Session, limit: int) -> Sequence[Row[Any]]:
    """What citizens filed and nobody has confirmed yet, oldest first."""
    d = draft.c
    query = select(draft).where(d.officer_id.is_(None), d.ticket_id.is_(None))
    return session.execute(query.order_by(d.id).limit(limit)).all()


def drop(session: Session, draft_id: UUID) -> None:
    session.execute(delete(draft).where(draft.c.id == draft_id))


def add_try(session: Session, keys: Sequence[bytes], now: datetime) -> None:
    session.execute(tracking_try.insert(), [{"key": key, "at": now} for key in keys])


def most_tries(session: Session, keys: Sequence[bytes], since: datetime) -> int:
    """Tries of whichever of the keys has most."""
    t = tracking_try.c
    query = select(func.count()).where(t.key.in_(keys), t.at > since).group_by(t.key)
    return max(session.scalars(query), default=0)


def forget_tries(session: Session, before: datetime) -> None:
    session.execute(delete(tracking_try).where(tracking_try.c.at < before))
