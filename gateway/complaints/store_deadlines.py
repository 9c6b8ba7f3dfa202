"""What time has caught up with: statements of the duty that escalates, reminds and counts anew."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from gateway.complaints.model import NeedId, TicketId
from gateway.complaints.store import need, ticket


def owing(session: Session, before: date, limit: int) -> list[TicketId]:
    """Tickets that have waited for documents since this day or longer, oldest first."""
    t = ticket.c
    query = select(t.id).where(t.state == "needs_info", t.since_on <= before, ~t.historical)
    return [TicketId(i) for i in session.scalars(query.order_by(t.since_on, t.id).limit(limit))]


def declined(session: Session, before: date, limit: int) -> list[tuple[TicketId, NeedId]]:
    """Needs declined before this day to which nobody objected."""
    n, t = need.c, ticket.c
    query = (
        select(n.ticket_id, n.id)
        .join(ticket, t.id == n.ticket_id)
        .where(n.state == "declined", n.since_on < before, t.state == "in_service")
    )
    rows = session.execute(query.order_by(n.id).limit(limit))
    return [(TicketId(row.ticket_id), NeedId(row.id)) for row in rows]


def counted(session: Session, states: Sequence[str]) -> Sequence[Row[Any]]:
    """Open deadlines in working days that nobody put off."""
    return session.execute(_COUNTED, {"states": list(states)}).all()


_COUNTED = text(
    "select q.* from ("
    " select id as ticket_id, null::uuid as need_id, state, since_on, since_at, due_on"
    "  from complaint where state = any(:states) and not emergency and not historical"
    " union all"
    " select t.id, n.id, n.state, n.since_on, n.since_at, n.due_on from need n"
    "  join complaint t on t.id = n.ticket_id"
    "  where n.state = any(:states) and not t.emergency and not t.historical"
    ") q where q.due_on is not null and not exists (select from complaint_event e"
    "  where e.ticket_id = q.ticket_id and e.event = 'extend' and e.at >= q.since_at"
    "  and e.need_id is not distinct from q.need_id)"
)
