"""What waits: one statement over open tickets and the needs of those in service."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

_ALL = """
select t.id as ticket_id, null::uuid as need_id, t.number, t.state, t.since_on, t.since_at,
       t.due_on, t.due_at, t.emergency, t.owner_id, t.restricted, t.kelurahan, t.made_at,
       t.escalated_at, t.case_due, t.entered_on, t.received_on, null::text as kind,
       null::text as counter, null::text as agency, null::date as contact_on,
       (select array_agg(n.kind order by n.n) from need n where n.ticket_id = t.id) as kinds,
       (select array_agg(n.counter) from need n where n.ticket_id = t.id) as counters
from complaint t
where t.state = any(:open_tickets) and not t.historical
union all
select t.id, n.id, t.number, n.state, n.since_on, n.since_at, n.due_on, n.due_at, t.emergency,
       t.owner_id, t.restricted, t.kelurahan, t.made_at, n.escalated_at, t.case_due, t.entered_on,
       t.received_on, n.kind, n.counter, n.agency, n.contact_on, array[n.kind], array[n.counter]
from need n join complaint t on t.id = n.ticket_id
where t.state = 'in_service' and n.state = any(:open_needs) and not t.historical
"""

_SEEN = (
    """
select * from ("""
    + _ALL
    + """) q
where (not q.restricted or :all_restricted or q.owner_id = :me)
  and (cast(:owner as uuid) is null or q.owner_id = :owner)
  and (cast(:counter as text) is null or :counter = any(q.counters))
"""
)
_ORDER = (
    " order by q.emergency desc, coalesce(q.due_at, q.due_on::timestamptz) nulls last,"
    " q.entered_on, q.number, q.need_id limit :limit"
)


def waiting(session: Session, asked: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """Open items that somebody sees, the most urgent first."""
    return session.execute(text(_SEEN + _ORDER), asked).all()


def counts(session: Session, asked: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """How many stand in each state, by whether they are late on `today` at `now`."""
    query = text(
        "select q.state, coalesce(q.contact_on <= :today, false) as contact,"  # noqa: S608 -- constants alone
        " case when coalesce(q.due_at < :now, q.due_on < :today, false) then 'late'"
        " when coalesce(q.due_at::date, q.due_on) <= :today then 'today'"
        " when coalesce(q.due_at::date, q.due_on) <= :week then 'week' else 'later' end as bucket,"
        " count(*) as n from (" + _SEEN + ") q group by 1, 2, 3"
    )
    return session.execute(query, asked).all()


def overdue(session: Session, asked: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """Items whose deadline is over and of which nobody was told yet."""
    query = text(
        "select * from (" + _ALL + ") q where q.escalated_at is null"  # noqa: S608 -- the same
        " and coalesce(q.due_at < :now, q.due_on < :today) order by q.number limit :limit"
    )
    return session.execute(query, asked).all()


def states(session: Session) -> Mapping[str, int]:
    """How many tickets stand in each state."""
    rows = session.execute(text("select state, count(*) from complaint group by state"))
    return {row[0]: row[1] for row in rows}


def samples(session: Session, limit: int) -> Sequence[Row[Any]]:
    """Single-handed decisions that somebody must look at, oldest first."""
    query = text(
        "select e.id, e.event, e.on_day, e.officer_id, t.number from complaint_event e"
        " join complaint t on t.id = e.ticket_id"
        " where e.sampled and e.reviewed_at is null order by e.id limit :limit"
    )
    return session.execute(query, {"limit": limit}).all()
