"""One need on the sheet of whoever decides it: what is possible, what is left, what it touches.

Source: design/domain.md §5.4 (screens 10–12), §5.9; §2.4 (N03: acknowledged when it is opened).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.access.model import Role
from gateway.complaints import inbox, promising, store
from gateway.complaints.lifecycle import Kind, State, lifecycle
from gateway.complaints.model import Act, Case, Desk, Happened, Need, NeedId, TicketId
from gateway.complaints.service import Option, Target, find, handle, options
from gateway.errors import Conflict, NotFound
from gateway.index.view import PersonView
from gateway.programs import aid, eligibility, facts, query
from gateway.programs.aid import Beside
from gateway.programs.eligibility import Suggestion
from gateway.programs.model import Truth
from gateway.programs.query import Touching, Wish


@dataclass(frozen=True, slots=True)
class Decision:
    """An act as the text that is confirmed: codes and the officer's own reason, no person."""

    act: Act

    def words(self) -> dict[str, Any]:
        """What is said beside the event, with numbers as text: a statement has no amounts lost."""
        said = {key: str(value) for key, value in sorted(self.act.data.items())}
        return {**said, "reason": self.act.reason} if self.act.reason else said


@dataclass(frozen=True, slots=True)
class Sheet:
    """One need as its decider sees it.

    Attributes:
        options: moves that his role allows, each with what hinders it now.
        suggestions: the agency's programmes for this kind, with the person's reasons.
        beside: what the person has already, by the code of the programme it is beside.
        past: what happened to this need.
    """

    case: Case
    need: Need
    options: tuple[Option, ...]
    suggestions: tuple[Suggestion, ...]
    beside: Mapping[str, tuple[Beside, ...]]
    past: tuple[Happened, ...]


def ticket_of(session: Session, need_id: NeedId) -> TicketId | None:
    """The ticket of a need."""
    return store.ticket_of(session, need_id)


def states() -> Mapping[str, State]:
    """The states of a need by code."""
    return lifecycle()[Kind.NEED].states


def programs_of(session: Session, desk: Desk) -> list[Truth]:
    """The actor's agency's programmes, and how much is left."""
    wish = Wish(agency=inbox.unit_of(desk.actor))
    return query.catalogue(session, wish, desk.now.today)


def acknowledge(session: Session, target: Target, desk: Desk) -> None:
    """A reviewer who opens a referral has received it; for all others nothing happens.

    Raises:
        NotFound: there is no such need for this actor.
    """
    case = find(session, target.ticket_id, desk)
    if case.state_of(target.need_id) != "referred" or not desk.actor.holds(Role.AGENCY_REVIEWER):
        return
    try:
        with session.begin_nested():
            handle(session, target, Act("acknowledge"), desk)
    except Conflict:
        return  # a colleague was a moment faster


def person_of(session: Session, target: Target, desk: Desk) -> UUID | None:
    """The person of the index for whom a need is.

    Raises:
        NotFound: there is no such need for this actor.
    """
    return promising.person_of(*_find(session, target, desk))


def sheet(session: Session, target: Target, view: PersonView | None, desk: Desk) -> Sheet:
    """A need with all that its decision asks for; `view` is what access opened.

    Raises:
        NotFound: there is no such need for this actor.
    """
    case, need = _find(session, target, desk)
    today = desk.now.today
    known = {} if view is None else facts.of_view(view, desk.profile, today)
    truths = query.catalogue(session, Wish(need_kind=need.kind, agency=need.agency or "-"), today)
    held = [] if view is None else query.reserved_for(session, view.person_id)
    beside = {
        t.program.code: tuple(aid.beside(t.program, view, held, today))
        for t in truths
        if view is not None
    }
    return Sheet(
        case=case,
        need=need,
        options=tuple(options(session, case, need.id, desk)),
        suggestions=tuple(eligibility.suggest(truths, need.kind, known, today)),
        beside={code: found for code, found in beside.items() if found},
        past=tuple(
            h for h in store.history(session, case.ticket.id, desk.vault) if h.need_id == need.id
        ),
    )


def touching(session: Session, desk: Desk) -> list[Touching]:
    """What others promised beside programmes of the actor's agency; see `programs.query`."""
    return query.touching(session, inbox.unit_of(desk.actor))


def _find(session: Session, target: Target, desk: Desk) -> tuple[Case, Need]:
    case = find(session, target.ticket_id, desk)
    need = None if target.need_id is None else case.need(target.need_id)
    if need is None or need.agency != desk.actor.unit:
        raise NotFound("need.unknown", "Kebutuhan itu tidak ada pada meja Anda.")
    return case, need
