"""What time does: it tells, reminds and counts anew. It decides nothing that a person decides.

What is late, or came back from an agency a second time, is told once, to whom the lifecycle names,
and stands in their lists from then on.
Somebody who owes documents is reminded after 7 and 21 days and lapses after 30; a decline nobody
objected to becomes final. A day off that is entered later moves what is due, with a line of
history. Each call does a bounded piece and may be repeated.

Source: design/domain.md §2.5, §2.4 (N27), §2.2 (C10).
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from gateway.complaints import clock, journal, queues, store, store_deadlines
from gateway.complaints.guards import OBJECTION_DAYS
from gateway.complaints.journal import Line
from gateway.complaints.lifecycle import SYSTEM, Kind
from gateway.complaints.model import Act, Case, Desk, NeedId, TicketId
from gateway.complaints.queues import Item
from gateway.complaints.service import Target, find, handle, machines

REMINDERS = (7, 21)
"""Calendar days after which somebody who owes documents is reminded."""
AT_ONCE = 200


def run(session: Session, desk: Desk) -> dict[str, int]:
    """One round of everything, as the system; how much of each was done. The caller commits."""
    return {
        "recomputed": recompute(session, desk),
        "escalated": escalate(session, desk),
        "reminded": remind(session, desk),
        "finalised": finalise(session, desk),
    }


def escalate(session: Session, desk: Desk) -> int:
    """Tell of what is late or came back twice; how many. No state changes."""
    items = queues.late(session, desk, AT_ONCE)
    for item in items:
        _tell(session, item, desk)
    return len(items)


def remind(session: Session, desk: Desk) -> int:
    """Remind those who owe documents, and let lapse what stood for 30 days; how many lines."""
    done = 0
    before = desk.now.today - timedelta(days=REMINDERS[0])
    for ticket_id in store_deadlines.owing(session, before, AT_ONCE):
        case = find(session, ticket_id, desk, lock=True)
        done += _remind(session, case, desk)
    return done


def finalise(session: Session, desk: Desk) -> int:
    """Make final what was declined more than 30 days ago; how many."""
    before = desk.now.today - timedelta(days=OBJECTION_DAYS)
    found = store_deadlines.declined(session, before, AT_ONCE)
    for ticket_id, need_id in found:
        handle(session, Target(ticket_id, need_id), Act("finalise_decline"), desk)
    return len(found)


def recompute(session: Session, desk: Desk) -> int:
    """Count what is due anew from the calendar as it is now; how many moved.

    Emergencies, and what the coordinator put off, stay as they are.
    """
    moved = 0
    for row in store_deadlines.counted(session, _open()):
        kind = Kind.COMPLAINT if row.need_id is None else Kind.NEED
        limit = machines()[kind].states[row.state].limit
        since = clock.Now(row.since_on, desk.now.moment)
        due = clock.limit(desk.profile, limit, since, emergency=False)
        if due.on is not None and due.on != row.due_on:
            where = TicketId(row.ticket_id), None if row.need_id is None else NeedId(row.need_id)
            _move(session, where, due.on, desk)
            moved += 1
    return moved


def _open() -> list[str]:
    """States with a limit, of both machines: no code stands in both."""
    return [s.code for m in machines().values() for s in m.states.values() if s.limit]


def _tell(session: Session, item: Item, desk: Desk) -> None:
    case = find(session, item.ticket_id, desk, lock=True)
    values = {"escalated_at": desk.now.moment}
    if item.need_id is None:
        store.set_ticket(session, item.ticket_id, values)
    else:
        store.set_need(session, item.need_id, values)
    to = item.state.limit.to if item.state.limit else ()
    told = [item.agency or "" if role == "agency_head" else role for role in to]
    _line(session, case, ("escalate", item.need_id), {"to": told}, desk)


def _remind(session: Session, case: Case, desk: Desk) -> int:
    since = case.ticket.since
    rows = store.history(session, case.ticket.id, desk.vault)
    sent = sum(r.event == "remind" and r.at >= since.moment for r in rows)
    days = (desk.now.today - since.today).days
    due = sum(days >= after for after in REMINDERS)
    for _ in range(due - sent):
        _line(session, case, ("remind", None), {}, desk)
    if days >= OBJECTION_DAYS:
        handle(session, Target(case.ticket.id), Act("lapse", "tidak dilengkapi"), desk)
    return max(due - sent, 0)


def _move(
    session: Session, where: tuple[TicketId, NeedId | None], due_on: object, desk: Desk
) -> None:
    ticket_id, need_id = where
    case = find(session, ticket_id, desk, lock=True)
    if need_id is None:
        store.set_ticket(session, ticket_id, {"due_on": due_on})
    else:
        store.set_need(session, need_id, {"due_on": due_on})
    _line(session, case, ("recompute", need_id), {"due": str(due_on)}, desk)


def _line(
    session: Session,
    case: Case,
    what: tuple[str, NeedId | None],
    data: dict[str, object],
    desk: Desk,
) -> None:
    event, need_id = what
    state = case.state_of(need_id)
    line = Line(event, state, state, SYSTEM, need_id=need_id, data=data)
    journal.write(session, case.ticket, line, desk)
