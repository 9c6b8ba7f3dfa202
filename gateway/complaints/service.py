"""The single door: a move of a ticket or of a need, with its guards, its history and its effects.

`handle` takes the ticket's lock, so of two who act at once the second sees what the first did; then

1. the arrow: the event must be possible where the target stands;
2. the role: one of the actor's must be among those of the arrow;
3. what is asked for, and the guards;
4. the new state, its deadline, one line of history with its leaf in the log;
5. the effects, and the moves that follow from them;
6. if all needs have ended, the complaint closes by itself.

Source: design/domain.md §2; architecture.md §3 (row 8).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy.orm import Session

from gateway.complaints import clock, journal, store, visibility
from gateway.complaints.effects import EFFECTS, Follow, Result
from gateway.complaints.guards import GUARDS
from gateway.complaints.journal import Line
from gateway.complaints.lifecycle import Clock, Kind, Lifecycle, Move, State, check_names, lifecycle
from gateway.complaints.model import (
    SYSTEM_ACTOR,
    Act,
    Actor,
    Case,
    Desk,
    NeedId,
    TicketId,
    kind_of,
)
from gateway.complaints.moving import Moving
from gateway.complaints.needs import renewed
from gateway.errors import Conflict, Forbidden, GatewayError, NotFound, Refused

SURVEY_DAYS = 60
SAMPLED = {"reject_criteria": 100, "accept_poor": 20, "accept_pmks_not_poor": 20}
"""Per cent of single-handed decisions that somebody looks at later. Source: domain.md §2.7."""


@dataclass(frozen=True, slots=True)
class Target:
    """A ticket, or one of its needs."""

    ticket_id: TicketId
    need_id: NeedId | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """A move that the actor's role allows here; `problem` says why it is not possible now."""

    move: Move
    label: Mapping[str, str]
    problem: GatewayError | None


@cache
def machines() -> Lifecycle:
    """The lifecycle, whose guards and effects are all known here.

    Raises:
        LifecycleBroken: the file would strand a case, or names what nobody knows.
    """
    found = lifecycle()
    check_names(found, GUARDS, EFFECTS)
    return found


def handle(session: Session, target: Target, act: Act, desk: Desk) -> Case:
    """Make one move and all that follows from it; returns the case as it is then.

    The caller commits.

    Raises:
        NotFound: there is no such ticket or need for this actor.
        Conflict: the event is not possible in this state (any more); `state` names it.
        Forbidden: none of his roles may, or the referral is another agency's.
        Refused: something asked for is missing, or a guard does not hold.
    """
    case = find(session, target.ticket_id, desk, lock=True)
    _step(session, case, (target.need_id, act), desk)
    _settle(session, target, desk)
    return find(session, target.ticket_id, desk.by(SYSTEM_ACTOR))


def find(session: Session, ticket_id: TicketId, desk: Desk, *, lock: bool = False) -> Case:
    """A ticket with its needs, opened.

    Raises:
        NotFound: there is none, or none for this actor: the two look alike.
    """
    case = store.get(session, ticket_id, desk.vault, lock=lock)
    if case is None or not visibility.sees(desk.actor, case):
        raise NotFound("ticket.unknown", "Tiket itu tidak ada. Periksa nomornya.")
    return case


def options(session: Session, case: Case, need_id: NeedId | None, desk: Desk) -> list[Option]:
    """What the actor may do next with a ticket or a need, in the order of the file."""
    kind = kind_of(need_id)
    machine, found = machines()[kind], []
    for move in machine.moves_from(case.state_of(need_id)):
        if not role_for(desk.actor, move):
            continue
        moving = Moving(session, case, _need(case, need_id), move, Act(move.event), desk)
        found.append(Option(move, machine.events[move.event], _hindrance(moving)))
    return found


def role_for(actor: Actor, move: Move) -> str | None:
    """The first of the actor's roles that may make the move."""
    return next((role for role in actor.roles if role in move.roles), None)


def due_in(state: State, desk: Desk, *, emergency: bool) -> dict[str, Any]:
    """The columns of a deadline that begins now."""
    due = clock.limit(desk.profile, state.limit, desk.now, emergency=emergency)
    return {"due_on": due.on, "due_at": due.at}


def _step(session: Session, case: Case, what: tuple[NeedId | None, Act], desk: Desk) -> None:
    """One arrow and what follows from it; numbers as in the module's docstring."""
    need_id, act = what
    machine = machines()[kind_of(need_id)]
    source = case.state_of(need_id)
    move = machine.move(source, act.event)  # 1
    if move is None:
        raise Conflict(
            "ticket.moved_on",
            f"Ini tidak dapat dilakukan lagi: sekarang {machine.states[source].label['id']}."
            " Muat ulang halaman.",
            state=source,
        )
    role = role_for(desk.actor, move)  # 2
    if role is None:
        raise Forbidden("ticket.role", "Peran Anda tidak mencakup langkah ini.")
    moving = Moving(session, case, _need(case, need_id), move, act, desk)
    _check(moving)  # 3
    _write(moving, machine.states[move.target], role)  # 4
    for name in move.effects:  # 5
        _carry_out(moving, EFFECTS[name](moving))


def _check(moving: Moving) -> None:
    missing = [key for key in moving.move.asks if not _given(moving.act, key)]
    if missing:
        raise Refused(
            f"ticket.asks_{missing[0]}", "Isian yang wajib belum lengkap.", missing=missing[0]
        )
    for name in moving.move.guards:
        GUARDS[name](moving)


def _given(act: Act, key: str) -> bool:
    if key == "reason":
        return len(act.reason.split()) > 0
    return act.data.get(key) not in (None, "", [])


def _write(moving: Moving, state: State, role: str) -> None:
    session, case, desk, move, act = (
        *(moving.session, moving.case, moving.desk),
        *(moving.move, moving.act),
    )
    ticket = case.ticket
    changed: dict[str, Any] = {
        "state": move.target,
        "since_on": desk.now.today,
        "since_at": desk.now.moment,
        "escalated_at": None,
        **due_in(state, desk, emergency=ticket.emergency),
    }
    if moving.need is None:
        store.set_ticket(session, ticket.id, {**changed, **_case_due(moving, state)})
    else:
        store.set_need(session, moving.need.id, changed)
    line = Line(
        event=move.event,
        source=move.source,
        target=move.target,
        role=role,
        move=move.id,
        need_id=None if moving.need is None else moving.need.id,
        reason=act.reason,
        data=act.data,
        single_handed=act.single_handed,
        sample=SAMPLED.get(move.event, 0) if act.single_handed else 0,
    )
    journal.write(session, ticket, line, desk)


def _case_due(moving: Moving, state: State) -> dict[str, Any]:
    """The whole case's deadline: later with a survey, and standing still while we wait."""
    ticket, desk = moving.case.ticket, moving.desk
    due = ticket.case_due
    if machines()[Kind.COMPLAINT].states[moving.move.source].clock is Clock.PAUSED:
        due = clock.resume(desk.profile, due, ticket.since.today, desk.now.today)
    if state.code == "survey_queued":
        due = max(due, clock.add_days(desk.profile, ticket.entered_on, SURVEY_DAYS))
    return {} if due == ticket.case_due else {"case_due": due}


def _carry_out(moving: Moving, result: Result) -> None:
    session, ticket = moving.session, moving.case.ticket
    if result.ticket:
        store.set_ticket(session, ticket.id, result.ticket)
    if result.need and moving.need is not None:
        store.set_need(session, moving.need.id, result.need)
    if result.renew:
        last = max(n.n for n in moving.case.needs)
        store.add_needs(session, renewed(result.renew, last, ticket, moving.desk))
    for each in result.follow:
        _follow(moving, each)


def _follow(moving: Moving, each: Follow) -> None:
    desk = moving.desk.by(each.actor)
    case = find(moving.session, moving.case.ticket.id, desk.by(SYSTEM_ACTOR))
    _step(moving.session, case, (each.need_id, each.act), desk)


_ENDS = (
    *("all_needs_done_fulfilled", "all_needs_done_partial", "all_needs_done_unmet"),
    "all_needs_cancelled",
)


def _settle(session: Session, target: Target, desk: Desk) -> None:  # 6
    system = desk.by(SYSTEM_ACTOR)
    case = find(session, target.ticket_id, system)
    if case.ticket.state != "in_service":
        return
    for option in options(session, case, None, system):
        if option.move.event in _ENDS and option.problem is None:
            _step(session, case, (None, Act(option.move.event)), system)


def _need(case: Case, need_id: NeedId | None) -> Any:
    if need_id is None:
        return None
    found = case.need(need_id)
    if found is None:
        raise NotFound("need.unknown", "Kebutuhan itu tidak ada pada tiket ini.")
    return found


def _hindrance(moving: Moving) -> GatewayError | None:
    """Why a move is not possible now; what it asks for can still be given."""
    asks = bool(moving.move.asks)
    for name in moving.move.guards:
        try:
            GUARDS[name](moving)
        except GatewayError as problem:
            if not (asks or name in _ANSWERABLE or problem.code in _TO_GIVE):
                return problem
    return None


_ANSWERABLE = frozenset(("agency_chosen", "master_open", "thirty_days_or_fact", "other_surveyor"))
"""Guards that look at what the actor gives with the move."""
_TO_GIVE = frozenset(("need.no_program", "need.no_amount", "need.asnaf", "aid.duplicate"))
"""What a guard misses of a promise as long as nobody has filled in the form."""
