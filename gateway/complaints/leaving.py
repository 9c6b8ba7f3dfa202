"""An agency has left: what was referred to it goes back to the house, and nobody is forgotten.

The agency itself is written down as who hands back, by the statement with which it left; no officer
of it acts. What it was delivering stays with whoever delivers, and a coordinator sees it late.

Source: design/trust.md 1.4; domain.md §2.4 (N03, N04, N20, N25).
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from gateway.access.model import Role
from gateway.complaints import store_inbox
from gateway.complaints.model import Act, Actor, Desk, NeedId, TicketId
from gateway.complaints.service import Target, handle

REASON = "Instansi keluar dari pertukaran data; rujukan dikembalikan."
AT_ONCE = 200
_STEPS = {
    "referred": ("acknowledge", "return_referral"),
    "under_review": ("return_referral",),
    "fallback_review": ("partner_keep_waiting",),
    "approved": ("budget_withdrawn",),
}
"""By which moves a need goes back, from where it stands."""


def hand_over(session: Session, agency: str, desk: Desk) -> int:
    """Give back at most two hundred open needs of an agency that left; how many. Caller commits.

    Afterwards they no longer stand where this looks, so a second run does nothing.
    """
    roles = (Role.AGENCY_REVIEWER.value, Role.PARTNER_REVIEWER.value)
    left = desk.by(Actor(roles, agency))
    rows = store_inbox.standing(session, tuple(_STEPS), agency, AT_ONCE)
    for row in rows:
        _back(session, Target(TicketId(row.ticket_id), NeedId(row.id)), _STEPS[row.state], left)
    return len(rows)


def _back(session: Session, target: Target, events: Sequence[str], desk: Desk) -> None:
    for event in events:
        handle(session, target, Act(event, REASON), desk)
