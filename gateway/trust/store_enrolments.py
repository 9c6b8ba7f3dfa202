"""What is written while an agency comes in: the agency, its grants, its tickets."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.orm import Session

from gateway.trust.model import LIVE_CHECK, PUBLISH, AgencyDraft, AgencyState
from gateway.trust.store import agency, grant_, ticket
from keys.enrolment import Ticket


def add_agency(session: Session, draft: AgencyDraft, now: datetime) -> None:
    """The agency, invited, with the grants drawn up for it."""
    session.execute(
        insert(agency).values(
            code=draft.code,
            label=draft.label,
            state=AgencyState.INVITED.value,
            created_by=draft.by,
            created_at=now,
        )
    )
    same = {"agency": draft.code, "basis": draft.basis, "drawn_up_at": now}
    wanted = [(PUBLISH, kind) for kind in sorted(set(draft.record_types))]
    wanted += [(LIVE_CHECK, "person")] if draft.live else []
    session.execute(
        insert(grant_),
        [{**same, "action": action, "record_type": kind} for action, kind in wanted],
    )


def draw_up_again(session: Session, code: str, now: datetime) -> None:
    """What the agency held when its grants ended, drawn up anew; what is open stays as it is."""
    same = (grant_.c.agency, grant_.c.record_type, grant_.c.action)
    newest = (
        select(func.max(grant_.c.id))
        .where(grant_.c.agency == code)
        .group_by(*same)
        .having(func.bool_and(grant_.c.valid_until.is_not(None)))
    )
    ended = select(*same, grant_.c.basis, literal(now)).where(grant_.c.id.in_(newest))
    session.execute(
        insert(grant_).from_select(
            ["agency", "record_type", "action", "basis", "drawn_up_at"], ended
        )
    )


def add_ticket(
    session: Session, made: Ticket, secret_key: bytes, made_by: str | None = None
) -> None:
    """Keep what is needed to know the ticket again; its secret is not."""
    session.execute(
        insert(ticket).values(
            id=made.ticket_id,
            agency=made.agency,
            secret_key=secret_key,
            expires=made.expires,
            made_by=made_by,
        )
    )


def maker_of(session: Session, code: str, keyset_sha256: bytes) -> str | None:
    """Who made the ticket under which that keyset came, if it was one to enrol anew."""
    found: str | None = session.scalar(
        select(ticket.c.made_by).where(
            ticket.c.agency == code, ticket.c.keyset_sha256 == keyset_sha256
        )
    )
    return found


def set_ticket(session: Session, ticket_id: str, **values: Any) -> None:
    """Change columns of a ticket."""
    session.execute(update(ticket).where(ticket.c.id == ticket_id).values(**values))
