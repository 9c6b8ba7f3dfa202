"""What follows from a move, beside the new state: one named function each.

An effect changes nothing of a ticket itself: it returns what is to change and which moves follow,
and the one door carries that out. Another room's effect (a reservation) acts in its own tables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from gateway.complaints import papers, promising, store, store_surveys
from gateway.complaints.lifecycle import Kind, lifecycle
from gateway.complaints.model import SYSTEM_ACTOR, Act, Actor, Need, NeedId
from gateway.complaints.moving import Moving
from gateway.letters import service as letters
from gateway.letters.model import Kind as LetterKind
from gateway.letters.model import Office

CONTACT_DAYS = 90
"""Calendar days after which a waiting person is contacted. Source: design/domain.md §2.5."""


@dataclass(frozen=True, slots=True)
class Follow:
    """One more move: of a need, or of the ticket where `need_id` is None."""

    need_id: NeedId | None
    act: Act
    actor: Actor


@dataclass(frozen=True, slots=True)
class Result:
    """What an effect wants: columns of the ticket, columns of the need, renewed needs, moves."""

    ticket: Mapping[str, Any] = field(default_factory=dict)
    need: Mapping[str, Any] = field(default_factory=dict)
    renew: tuple[Need, ...] = ()
    follow: tuple[Follow, ...] = ()


Effect = Callable[[Moving], Result]


def keep_asker(moving: Moving) -> Result:
    """Remember which state asked, so that nobody is surveyed twice."""
    return Result(ticket={"asked_from": moving.move.source})


def link_master(moving: Moving) -> Result:
    """Tie a duplicate to its master, which the guard has checked."""
    master = store.id_of(moving.session, str(moving.act.data["master"]))
    return Result(ticket={"master_id": master})


def cancel_needs(moving: Moving) -> Result:
    """Every need that has not ended is cancelled with the ticket."""
    open_needs = [n for n in moving.case.needs if _is_open(n)]
    reason = moving.act.reason or moving.move.event
    acts = (Follow(n.id, Act("cancel", reason), SYSTEM_ACTOR) for n in open_needs)
    return Result(follow=tuple(acts))


def renew_needs(moving: Moving) -> Result:
    """What was cancelled with the ticket is asked for anew."""
    return Result(renew=tuple(n for n in moving.case.needs if n.state == "cancelled"))


def renew_chosen(moving: Moving) -> Result:
    """What was not met is asked for anew, unless a delivery that was reversed reopens it."""
    if moving.act.data.get("reversed"):
        return Result()
    return Result(renew=tuple(n for n in moving.case.needs if n.state in ("unmet", "cancelled")))


def address(moving: Moving) -> Result:
    """Keep to whom it goes and for which programme, and since when it is recommended."""
    data, now = moving.act.data, moving.desk.now
    agency = {"agency": data["agency"]} if data.get("agency") else {}
    queue_on = moving.need and moving.need.queue_on
    program = data.get("program_code") or None
    return Result(need={**agency, "program_code": program, "queue_on": queue_on or now.today})


def to_partner(moving: Moving) -> Result:
    """It goes to the partner who was named, or to the first who has a programme for it."""
    agency = moving.act.data.get("agency") or promising.first_partner(moving)
    return Result(need={"agency": agency, "program_code": None})


def serve(moving: Moving) -> Result:
    """The first referral puts the complaint into service."""
    if moving.case.ticket.state != "verified":
        return Result()
    return Result(follow=(Follow(None, Act("route"), moving.desk.actor),))


def count_return(moving: Moving) -> Result:
    """A second return alerts the coordinator: see `deadlines.escalate`."""
    return Result(need={"returned": (moving.need.returned if moving.need else 0) + 1})


def wait(moving: Moving) -> Result:
    """Keep since when it waits, for which year, and when the person is contacted next."""
    assert moving.need is not None  # noqa: S101 -- a move of a need
    today, data = moving.desk.now.today, moving.act.data
    changed: dict[str, Any] = {
        "queue_on": moving.need.queue_on or today,
        "contact_on": today + timedelta(days=CONTACT_DAYS),
    }
    changed |= {k: int(data[k]) for k in ("target_fy", "amount_idr") if data.get(k)}
    return Result(need=changed)


def reopen_complaint(moving: Moving) -> Result:
    """A delivery that is taken back reopens what it had closed."""
    if not lifecycle()[Kind.COMPLAINT].states[moving.case.ticket.state].closed:
        return Result()
    data = {"reversed": True, "new_fact": moving.act.reason}
    act = Act("reopen", moving.act.reason, data)
    return Result(follow=(Follow(None, act, moving.desk.actor),))


def reserve(moving: Moving) -> Result:
    """A promise takes its place and its money, and is kept with the need."""
    truth = promising.chosen(moving)
    amount = promising.wanted(moving, truth).amount_idr
    promising.reserve(moving)
    return Result(need={"program_code": truth.program.code, "amount_idr": amount})


def release(moving: Moving) -> Result:
    """What was promised is given back."""
    promising.release(moving)
    return Result()


def choose(moving: Moving) -> Result:
    """Keep which programme is recommended, and how much."""
    truth = promising.chosen(moving)
    amount = moving.act.data.get("amount_idr")
    kept = {} if amount is None else {"amount_idr": int(amount)}
    return Result(need={"program_code": truth.program.code, **kept})


def forget(moving: Moving) -> Result:
    """Who is referred from a waiting list gets a programme of this year, chosen anew."""
    return Result(need={"program_code": None, "returned": 0}) if moving.need else Result()


def issue_letter(moving: Moving) -> Result:
    """The referral as a letter: its number is drawn with the move, or neither is."""
    assert moving.need is not None  # noqa: S101 -- a move of a need
    desk, case = moving.desk, moving.case
    agency = str(moving.act.data.get("agency") or moving.need.agency)
    sheet = store_surveys.last(moving.session, case.ticket.id, desk.vault)
    accepted = sheet if sheet is not None and sheet.leaf is not None else None
    data = papers.referral(case, moving.need, agency, accepted, desk)
    _issue(moving, letters.Draft(LetterKind.REFERRAL, case.ticket.id, moving.need.id, data))
    return Result()


def refuse_by_letter(moving: Moving) -> Result:
    """The rejection as a letter, with its reasons and the last day of objection."""
    desk, case = moving.desk, moving.case
    sheet = store_surveys.last(moving.session, case.ticket.id, desk.vault)
    assert sheet is not None  # noqa: S101 -- the guard has seen it
    data = papers.rejection(case, sheet, moving.act.reason, desk)
    _issue(moving, letters.Draft(LetterKind.REJECTION, case.ticket.id, None, data))
    return Result()


EFFECTS: Mapping[str, Effect] = {
    each.__name__: each
    for each in (
        *(keep_asker, link_master, cancel_needs, renew_needs, renew_chosen, address, serve),
        *(count_return, wait, reopen_complaint, reserve, release, choose),
        *(to_partner, forget, issue_letter, refuse_by_letter),
    )
}


def _issue(moving: Moving, draft: letters.Draft) -> None:
    desk = moving.desk
    by = Office(desk.actor.officer_id, desk.vault, desk.profile, desk.now.today, desk.now.moment)
    letters.issue(moving.session, draft, papers.day(desk.now.today), by)


def _is_open(need: Need) -> bool:
    return not lifecycle()[Kind.NEED].states[need.state].closed
