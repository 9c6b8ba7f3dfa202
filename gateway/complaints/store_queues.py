"""What waits: one statement over open tickets and the needs of those in service."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

_ALL = """
select t.id as ticket_id, null::uuid as need_id, t.number, t.state, t.since_on, t.since_at,
       t.due_on, t.due_at, t.emergency, t.owner_id, t.restricted, t.kelurahan, t.made_at,
       t.escalated_at, t.case_due, t.entered_on, t.received_on,
       null::text as agency, null::date as contact_on, 0 as returned
from complaint t
where t.state = any(:open_tickets) and not t.historical
union all
select t.id, n.id, t.number, n.state, n.since_on, n.since_at, n.due_on, n.due_at, t.emergency,
       t.owner_id, t.restricted, t.kelurahan, t.made_at, n.escalated_at, t.case_due, t.entered_on,
       t.received_on, n.agency, n.contact_on, n.returned
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
  and (cast(:counter as text) is null or exists (select from need n
       where n.ticket_id = q.ticket_id and n.counter = :counter
         and (q.need_id is null or n.id = q.need_id)))
"""
)
_ORDER = (
    " order by {0}.emergency desc, coalesce({0}.due_at, {0}.due_on::timestamptz) nulls last,"
    " {0}.entered_on, {0}.number, {0}.need_id"
)
_SHOWN = (
    "select p.*, (select array_agg(n.kind order by n.n) from need n"  # noqa: S608 -- the same
    "  where n.ticket_id = p.ticket_id and (p.need_id is null or n.id = p.need_id)) as kinds"
    " from (" + _SEEN + _ORDER.format("q") + " limit :limit) p" + _ORDER.format("p")
)


def waiting(session: Session, asked: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """Open items that somebody sees, the most urgent first."""
    return session.execute(text(_SHOWN), asked).all()


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
    """Items that are late, or came back a second time, and of which nobody was told yet."""
    query = text(
        "select q.*, null::text[] as kinds from (" + _ALL + ") q where q.escalated_at is null"  # noqa: S608 -- the same
        " and (coalesce(q.due_at < :now, q.due_on < :today)"
        "  or (q.returned >= 2 and q.state = 'returned')) order by q.number limit :limit"
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
