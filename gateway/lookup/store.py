"""Tables of lookup: requests with their answers, and when each connector last asked.

What is personal lies here sealed: a request names whom it is about, an answer what is known of him.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    Row,
    Table,
    Text,
    Uuid,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.storage.base import metadata

MOST = 50
"""Requests handed over at once."""
_SEEN_EVERY = timedelta(seconds=10)
_MOMENT = DateTime(timezone=True)

inbox_request = Table(
    "inbox_request",
    metadata,
    Column("id", Uuid, primary_key=True),
    # The order in which an agency's requests were committed.
    Column("n", BigInteger, Identity(), nullable=False, unique=True),
    Column("query_id", Uuid, nullable=False, index=True),
    Column("agency", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("issued_at", _MOMENT, nullable=False),
    Column("deadline", _MOMENT, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("request_sha256", LargeBinary, nullable=False),
    Column("query_leaf", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("status", Text),
    Column("code", Text),
    Column("answer", LargeBinary),
    Column("answer_sha256", LargeBinary),
    Column("answer_leaf", LargeBinary),
    Column("answered_at", _MOMENT),
    Column("receipt", LargeBinary),
    # A second, different answer is kept as it came: it is evidence against its connector.
    Column("conflict", LargeBinary),
    Column("shown_at", _MOMENT),
    CheckConstraint("(answered_at is null) = (answer is null)", name="answered"),
    Index("ix_inbox_request_open", "agency", "n", postgresql_where=text("answered_at is null")),
    Index("ix_inbox_request_issued", "agency", "issued_at"),
)
inbox_seen = Table(
    "inbox_seen",
    metadata,
    Column("agency", Text, primary_key=True),
    Column("at", _MOMENT, nullable=False),
)


def lock_inbox(session: Session, agency: str) -> None:
    """Nobody else adds to this inbox before we commit, so its numbers commit in their order."""
    session.execute(_LOCK, {"name": f"inbox:{agency}"})


_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")


def count_since(session: Session, agency: str, since: datetime) -> int:
    """How many requests the agency was sent since then."""
    found = select(func.count()).where(
        inbox_request.c.agency == agency, inbox_request.c.issued_at > since
    )
    return session.scalar(found) or 0


def add(session: Session, row: Mapping[str, Any]) -> None:
    """A request; its number is the next of its inbox."""
    session.execute(inbox_request.insert().values(**row))


def due(session: Session, agency: str, after: int, now: datetime) -> Sequence[Row[Any]]:
    """Requests without an answer, numbered above `after`, whose deadline is ahead; at most 50."""
    t = inbox_request.c
    return session.execute(
        select(inbox_request)
        .where(t.agency == agency, t.answered_at.is_(None), t.n > after, t.deadline > now)
        .order_by(t.n)
        .limit(MOST)
    ).all()


def lock(session: Session, agency: str, rid: UUID) -> Row[Any] | None:
    """The request, locked until the transaction ends; None if the agency was sent none such."""
    found = select(inbox_request).where(inbox_request.c.id == rid, inbox_request.c.agency == agency)
    return session.execute(found.with_for_update()).one_or_none()


def put(session: Session, rid: UUID, values: Mapping[str, Any]) -> None:
    """What became of a request."""
    session.execute(update(inbox_request).where(inbox_request.c.id == rid).values(**values))


def of_query(session: Session, query_id: UUID) -> Sequence[Row[Any]]:
    """The requests of a question, each with `seen_at`, by agency."""
    return session.execute(
        select(inbox_request, inbox_seen.c.at.label("seen_at"))
        .outerjoin(inbox_seen, inbox_seen.c.agency == inbox_request.c.agency)
        .where(inbox_request.c.query_id == query_id)
        .order_by(inbox_request.c.agency)
    ).all()


def mark_shown(session: Session, query_id: UUID, now: datetime) -> list[UUID]:
    """The answers that are about to be shown for the first time."""
    t = inbox_request.c
    return list(
        session.scalars(
            update(inbox_request)
            .where(t.query_id == query_id, t.answered_at.is_not(None), t.shown_at.is_(None))
            .values(shown_at=now)
            .returning(t.id)
        )
    )


def see(session: Session, agency: str, now: datetime) -> None:
    """The agency's connector asked for its inbox; written down every ten seconds at most."""
    made = insert(inbox_seen).values(agency=agency, at=now)
    session.execute(
        made.on_conflict_do_update(
            index_elements=[inbox_seen.c.agency],
            set_={"at": now},
            where=or_(inbox_seen.c.at < now - _SEEN_EVERY, inbox_seen.c.at > now),
        )
    )


def seen(session: Session) -> Mapping[str, datetime]:
    """When each agency's connector last asked for its inbox."""
    return {r.agency: r.at for r in session.execute(select(inbox_seen))}
