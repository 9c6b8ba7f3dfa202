"""What of a case can be printed, and by whom; and what the code on a letter tells a stranger.

Source: design/domain.md §5.6; §7 (23, 48).
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.access.model import Role
from gateway.complaints import criteria, numbers, papers, queues, tracking
from gateway.complaints.model import SYSTEM_ACTOR, Case, Desk, TicketId
from gateway.complaints.queues import Bucket, Item, Queue, Whose
from gateway.complaints.service import find
from gateway.complaints.tracking import Stage
from gateway.complaints.visibility import HOUSE
from gateway.errors import Forbidden, Refused
from gateway.letters import query as letters
from gateway.letters import service as press
from gateway.letters.model import Copy, Kind, Letter, Office
from gateway.letters.service import Wish
from schemas.profile import Profile

HANDED = {Bucket.LATE: 12, Bucket.TODAY: 14}
"""Rows of the hand-over: so many fit on its one page."""
_ISSUERS = (Role.COUNTER_OFFICER, Role.UPT_COORDINATOR)
_HEADS = {
    Bucket.LATE: "Lewat batas",
    Bucket.TODAY: "Hari ini",
    Bucket.WEEK: "Minggu ini",
    Bucket.LATER: "Kemudian",
    Bucket.OTHERS: "Menunggu pihak lain",
}


@dataclass(frozen=True, slots=True)
class Genuine:
    """A letter of this house, and the citizen's word for its case."""

    letter: Letter
    number: str
    stage: Stage


def letter(session: Session, letter_id: UUID, wish: Wish, desk: Desk) -> tuple[Letter, bytes]:
    """A letter as PDF, each after the first marked as a copy; the caller commits.

    Raises:
        NotFound: no such letter, or of a ticket that does not exist for this officer.
        Forbidden: he is not of the house, or wants the agency's copy, which shows the NIK in
            full, and may not issue referrals himself.
    """
    _only_house(desk)
    if wish.copy is Copy.AGENCY and not desk.actor.holds(*_ISSUERS):
        raise Forbidden(
            "letter.agency_copy",
            "Salinan dengan NIK lengkap dicetak petugas loket atau koordinator.",
        )
    found = letters.find(session, letter_id, desk.vault)
    find(session, TicketId(found.ticket_id), desk)
    return found, press.print_letter(session, letter_id, wish, office(desk))


def receipt(case: Case, pin: str, wish: Wish, desk: Desk) -> bytes:
    """The receipt; with the PIN where the right one is given, for it is kept nowhere.

    Raises:
        Refused: that is not the ticket's PIN (`receipt.pin`).
        Forbidden: he is not of the house.
    """
    _only_house(desk)
    kept = case.ticket.body.pin if case.ticket.body else {}
    if pin and not numbers.pin_holds(
        pin, bytes.fromhex(kept.get("salt", "")), bytes.fromhex(kept.get("hash", ""))
    ):
        raise Refused(
            "receipt.pin", "PIN itu bukan PIN tiket ini. Cetak tanpa PIN, atau buat PIN baru."
        )
    marks = {"paper": wish.paper.value, "pin": pin, "link": f"{wish.origin}/lacak"}
    return press.sheet(Kind.RECEIPT, papers.receipt(case, desk.profile), marks, office(desk))


def survey_form(case: Case, wish: Wish, desk: Desk) -> bytes:
    """An empty form for the visit, by the rules of today.

    Raises:
        Forbidden: he is not of the house.
    """
    _only_house(desk)
    data = papers.survey_form(case, criteria.in_force(desk.now.today), desk.profile)
    link = f"{wish.origin}/survei/{case.ticket.number}"
    marks = {"paper": wish.paper.value, "link": link}
    return press.sheet(Kind.SURVEY, data, marks, office(desk))


def hand_over(session: Session, wish: Wish, desk: Desk) -> bytes:
    """The day's hand-over on one page: what is late and due today, the rest as counts.

    Raises:
        Forbidden: none of his roles has queues.
    """
    found = queues.queue(session, Whose.UNIT, None, desk)
    groups = [_group(found, bucket, desk.profile) for bucket in Bucket]
    data = {"day": papers.day(desk.now.today), "groups": groups}
    return press.sheet(Kind.HANDOVER, data, {"paper": wish.paper.value}, office(desk))


def genuine(session: Session, code: str, desk: Desk) -> Genuine | None:
    """What a letter's code says to anybody: that it is ours, and where its case stands."""
    found = letters.by_code(session, code)
    if found is None:
        return None
    case = find(session, TicketId(found.ticket_id), desk.by(SYSTEM_ACTOR))
    return Genuine(found, case.ticket.number, tracking.stage(case))


def office(desk: Desk) -> Office:
    """The desk as letters know it."""
    return Office(desk.actor.officer_id, desk.vault, desk.profile, desk.now.today, desk.now.moment)


def _group(found: Queue, bucket: Bucket, profile: Profile) -> dict[str, Any]:
    shown = found.of(bucket)[: HANDED.get(bucket, 0)]
    return {
        "label": _HEADS[bucket],
        "count": found.counts[bucket],
        "rows": [_handed(each, profile) for each in shown],
    }


def _handed(item: Item, profile: Profile) -> dict[str, str]:
    kinds = (profile.need_kinds[k].label for k in item.kinds if k in profile.need_kinds)
    day = item.due.on or (item.due.at.date() if item.due.at else None)
    return {
        "ticket": item.number,
        "state": papers.cut(item.state.label["id"]),
        "needs": papers.cut(", ".join(kinds)),
        "due": papers.day(day) if day else "–",
    }


def _only_house(desk: Desk) -> None:
    if not desk.actor.holds(*HOUSE):
        raise Forbidden("ticket.role", "Peran Anda tidak mencakup langkah ini.")
