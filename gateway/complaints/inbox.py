"""An agency's desk: what waits for its word, by ticket, kind and days left; no person's data.

Source: design/domain.md §5.4 (screens 10–13), §2.6 (priority).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from gateway.access.model import Role
from gateway.complaints import clock, store_inbox
from gateway.complaints.clock import Due, Light, Now
from gateway.complaints.model import Actor, Desk, NeedId, TicketId
from gateway.errors import Forbidden

TO_REVIEW = ("referred", "under_review", "fallback_review")
TO_DELIVER = ("approved", "in_delivery")
WAITING = ("waiting_list", "next_fy")
FOR_MAYOR = ("awaiting_mayor",)
READERS = (Role.AGENCY_REVIEWER, Role.PARTNER_REVIEWER, Role.BENEFIT_OFFICER)
"""Roles that sit at an agency's desk."""
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One need as a list shows it.

    Attributes:
        days: working days left, below 0 when it is late; None without a deadline.
        since: in the queue since.
    """

    need_id: NeedId
    ticket_id: TicketId
    number: str
    n: int
    kind: str
    state: str
    agency: str
    program_code: str | None
    amount_idr: int | None
    since: date | None
    target_fy: int | None
    emergency: bool
    restricted: bool
    due: Due
    days: int | None
    light: Light | None


def of_agency(session: Session, states: Sequence[str], desk: Desk) -> list[Line]:
    """What stands with the actor's own agency in these states, the most urgent first.

    Raises:
        Forbidden: he sits at no agency's desk.
    """
    return _lines(session, states, unit_of(desk.actor), desk)


def for_mayor(session: Session, desk: Desk) -> list[Line]:
    """What waits for the mayor, of all agencies; restricted cases never leave their owner.

    Raises:
        Forbidden: he does not decide for the mayor.
    """
    if not desk.actor.holds(Role.MAYOR_DELEGATE):
        raise Forbidden("agencies.role", "Peran Anda tidak mencakup halaman atau tindakan ini.")
    return [line for line in _lines(session, FOR_MAYOR, None, desk) if not line.restricted]


def unit_of(actor: Actor) -> str:
    """The agency at whose desk the actor sits.

    Raises:
        Forbidden: he sits at none.
    """
    if not actor.holds(*READERS) or not actor.unit:
        raise Forbidden("agencies.role", "Peran Anda tidak mencakup halaman atau tindakan ini.")
    return actor.unit


def _lines(session: Session, states: Sequence[str], agency: str | None, desk: Desk) -> list[Line]:
    found = []
    for row in store_inbox.standing(session, states, agency, SHOWN):
        due, since = Due(row.due_on, row.due_at), Now(row.since_on, row.since_at)
        found.append(
            Line(
                need_id=NeedId(row.id),
                ticket_id=TicketId(row.ticket_id),
                number=row.number,
                n=row.n,
                kind=row.kind,
                state=row.state,
                agency=row.agency,
                program_code=row.program_code,
                amount_idr=row.amount_idr,
                since=row.queue_on,
                target_fy=row.target_fy,
                emergency=row.emergency,
                restricted=row.restricted,
                due=due,
                days=_days(due, desk),
                light=clock.light(desk.profile, due, since, desk.now),
            )
        )
    return found


def _days(due: Due, desk: Desk) -> int | None:
    if due.on is None:
        return None
    return int(clock.days_between(desk.profile, desk.now.today, due.on))
