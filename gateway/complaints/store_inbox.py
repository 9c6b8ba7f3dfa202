"""SQL of the agencies' desks and of the year: needs by where they stand; nothing is opened."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, or_, select, update
from sqlalchemy.orm import Session

from gateway.complaints.store import need, ticket

_LINE: tuple[Any, ...] = (
    need.c.id,
    need.c.ticket_id,
    need.c.n,
    need.c.kind,
    need.c.state,
    need.c.since_on,
    need.c.since_at,
    need.c.due_on,
    need.c.due_at,
    need.c.agency,
    need.c.program_code,
    need.c.amount_idr,
    need.c.queue_on,
    need.c.target_fy,
    need.c.contact_on,
    ticket.c.number,
    ticket.c.emergency,
    ticket.c.restricted,
)


def standing(
    session: Session, states: Collection[str], agency: str | None, limit: int
) -> Sequence[Row[Any]]:
    """Needs in these states, of one agency or of all: emergencies, then what is due soonest."""
    query: Any = (
        select(*_LINE)
        .join(ticket, ticket.c.id == need.c.ticket_id)
        .where(*_where(states, agency))
        .order_by(
            ticket.c.emergency.desc(),
            need.c.due_on.asc().nulls_last(),
            need.c.queue_on.asc().nulls_last(),
            need.c.id,
        )
        .limit(limit)
    )
    rows: Sequence[Row[Any]] = session.execute(query).all()
    return rows


def counts(session: Session) -> Sequence[Row[Any]]:
    """(agency, state, how many, how many late or due today, earliest due day)."""
    n = need.c
    query = select(n.agency, n.state, func.count().label("n"), func.min(n.due_on).label("due"))
    return session.execute(
        query.where(n.agency.is_not(None)).group_by(n.agency, n.state).order_by(n.agency, n.state)
    ).all()


def due_until(session: Session, day: date) -> dict[tuple[str, str], int]:
    """How many needs of each (agency, state) are due by the end of a day."""
    n = need.c
    query = select(n.agency, n.state, func.count()).where(
        n.agency.is_not(None), or_(n.due_on <= day, n.due_at.is_not(None))
    )
    return {(r[0], r[1]): r[2] for r in session.execute(query.group_by(n.agency, n.state))}


def rolling(session: Session, year: int, limit: int) -> Sequence[Row[UUID, UUID]]:
    """(need, ticket) of needs that were put off to this fiscal year or an earlier one."""
    query = (
        select(need.c.id, need.c.ticket_id)
        .where(need.c.state == "next_fy", or_(*_until(year)))
        .order_by(need.c.ticket_id, need.c.n)
        .limit(limit)
    )
    return session.execute(query).all()


def carry(session: Session, year: int) -> int:
    """Waiting needs are now waiting for this year; how many were not yet. Queue days stay."""
    done = session.execute(
        update(need)
        .where(
            need.c.state == "waiting_list", or_(need.c.target_fy < year, need.c.target_fy.is_(None))
        )
        .values(target_fy=year)
        .returning(need.c.id)
    )
    return len(done.all())


def budget(session: Session, year: int) -> Sequence[Row[Any]]:
    """What a year waits for: (agency, kind, n, amount_idr, unknown, since)."""
    n = need.c
    return session.execute(
        select(
            n.agency,
            n.kind,
            func.count().label("n"),
            func.coalesce(func.sum(n.amount_idr), 0).label("amount_idr"),
            func.count().filter(n.amount_idr.is_(None)).label("unknown"),
            func.min(n.queue_on).label("since"),
        )
        .where(n.state.in_(("waiting_list", "next_fy")), n.target_fy == year)
        .group_by(n.agency, n.kind)
        .order_by(n.agency, n.kind)
    ).all()


def _until(year: int) -> tuple[ColumnElement[bool], ...]:
    return need.c.target_fy <= year, need.c.target_fy.is_(None)


def _where(states: Collection[str], agency: str | None) -> tuple[ColumnElement[bool], ...]:
    found = need.c.state.in_(list(states))
    return (found,) if agency is None else (found, need.c.agency == agency)
