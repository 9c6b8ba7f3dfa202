"""What is written while an agency comes in: the agency, its grants, its tickets."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from gateway.trust.model import PUBLISH, AgencyDraft, AgencyState
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
    same = {"agency": draft.code, "action": PUBLISH, "basis": draft.basis, "drawn_up_at": now}
    session.execute(
        insert(grant_),
        [{**same, "record_type": kind} for kind in sorted(set(draft.record_types))],
    )


def add_ticket(session: Session, made: Ticket, secret_key: bytes) -> None:
    """Keep what is needed to know the ticket again; its secret is not."""
    session.execute(
        insert(ticket).values(
            id=made.ticket_id, agency=made.agency, secret_key=secret_key, expires=made.expires
        )
    )


def set_ticket(session: Session, ticket_id: str, **values: Any) -> None:
    """Change columns of a ticket."""
    session.execute(update(ticket).where(ticket.c.id == ticket_id).values(**values))
