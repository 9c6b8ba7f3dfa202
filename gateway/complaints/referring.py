"""All that is proposed on a ticket goes to its agencies in one act: the letter R of the counter."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from gateway.complaints.model import Act, Case, Desk, TicketId
from gateway.complaints.service import Target, find, handle
from gateway.errors import Refused


def refer_all(
    session: Session, ticket_id: TicketId, agencies: Mapping[str, str], desk: Desk
) -> Case:
    """Issue a referral for each proposed need; `agencies` names others by the need's place.

    Raises:
        Refused: nothing is proposed.
        As `service.handle`.
    """
    case = find(session, ticket_id, desk)
    proposed = [n for n in case.needs if n.state == "proposed"]
    if not proposed:
        raise Refused("ticket.nothing_to_refer", "Tidak ada kebutuhan yang dapat dirujuk.")
    for need in proposed:
        chosen = agencies.get(str(need.n))
        act = Act("issue_referral", data={"agency": chosen} if chosen else {})
        case = handle(session, Target(ticket_id, need.id), act, desk)
    return case
