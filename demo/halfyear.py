"""Half a year at the desk: tickets of real persons of the city, made by moves as people make them.

The days are played in order, each move through the one door, so numbers, deadlines, history and log
are those of an office that worked. What a guard refuses stays as it is.
"""

import heapq
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from gateway.access import service as access
from gateway.access.model import Officer, Purpose
from gateway.access.service import Door
from gateway.access.sessions import authenticate
from gateway.complaints import (
    criteria,
    queues,
    referring,
    registering,
    service,
    surveying,
    verification,
)
from gateway.complaints.clock import Now
from gateway.complaints.model import Act, Actor, Body, Case, Channel, Desk, Need, TicketId
from gateway.complaints.needs import Wanted
from gateway.complaints.registering import Registration
from gateway.complaints.service import Target
from gateway.complaints.surveying import Decision, Filled
from gateway.errors import GatewayError
from gateway.index import modelfile
from gateway.index.arrivals import IndexTools
from gateway.index.view import PersonView
from gateway.intake.model import IntakeTools
from gateway.programs import query as programs
from gateway.programs.model import When
from gateway.programs.query import Wish
from gateway.settings import Settings
from gateway.storage import ids
from keys.vault import Vault
from schemas.profile import Profile

STAFF = ("petugas", "koordinator", "lapangan")
DAYS = 183
TICKETS = 80
_KINDS = {
    "perlengkapan_sekolah": 20,
    "tunggakan_sekolah": 28,
    "beasiswa": 14,
    "jaminan_kesehatan": 5,
    "biaya_pendamping": 4,
    "alat_bantu": 3,
    "rutilahu": 9,
    "bantuan_sosial": 12,
    "modal_usaha": 5,
}
"""How often each need is asked for; after the proportions of 2015."""
_SAID = "Meminta bantuan; keadaan keluarga sedang sulit."
_UNKNOWN = ("Nurmalis Ujung", "Syafnir Hilir", "Rosdiana Mudik", "Amrizal Gadang")
"""People whom no agency knows."""
_DECISIONS = (
    (("approve", "recommend_to_mayor", "queue", "propose_next_fy"), 70),
    (("queue", "propose_next_fy", "approve", "recommend_to_mayor"), 10),
    (("decline",), 12),
    (("return_referral",), 8),
)


@dataclass(frozen=True, slots=True)
class Office:
    """The centre in which the half year is played."""

    sessions: sessionmaker[Session]
    vault: Vault
    settings: Settings
    profile: Profile


@dataclass(frozen=True, slots=True)
class Staff:
    """The three people of the house."""

    counter: Officer
    coordinator: Officer
    field: Officer


@dataclass(slots=True)
class Play:
    """The office while half a year is played: a day's moves, and those that follow later."""

    sessions: sessionmaker[Session]
    vault: Vault
    profile: Profile
    staff: Staff
    door: Door
    intake: IntakeTools
    rng: random.Random
    later: list[tuple[date, int, TicketId, str]] = field(default_factory=list)
    order: Iterator[int] = field(default_factory=count)
    moves: int = 0

    def desk(self, actor: Actor, day: date) -> Desk:
        """Somebody at work at ten in the morning of a day."""
        moment = datetime.combine(day, time(3, tzinfo=UTC)) + timedelta(seconds=self.moves)
        return Desk(actor, self.vault, self.profile, Now(day, moment))

    def after(self, day: date, ticket_id: TicketId, step: str, most: int) -> None:
        """Something happens to a ticket one to `most` working days later."""
        then = day
        for _ in range(self.rng.randint(1, most)):
            then += timedelta(days=1)
            while self.profile.is_holiday(then):
                then += timedelta(days=1)
        heapq.heappush(self.later, (then, next(self.order), ticket_id, step))


def prepare(office: Office, passwords: Mapping[str, str], seed: int) -> Play:
    """The office on the first morning, with its three people."""
    with office.sessions() as session:
        staff = Staff(*(authenticate(session, name, passwords[name]) for name in STAFF))
    tools = IndexTools(office.vault, office.profile, modelfile.load())
    door = Door(tools, office.settings, office.profile.today(datetime.now(UTC)))
    return Play(
        sessions=office.sessions,
        vault=office.vault,
        profile=office.profile,
        staff=staff,
        door=door,
        intake=IntakeTools(
            vault=office.vault, settings=office.settings, profile=office.profile, index=tools
        ),
        rng=random.Random(seed),
    )


def play(made: Play, numbers: Sequence[str]) -> dict[str, int]:
    """Play the half year that ends today for persons of these NIKs; tickets by state."""
    today = made.door.today
    days = [today - timedelta(days=n) for n in range(DAYS, -1, -1)]
    work = [day for day in days if not made.profile.is_holiday(day)]
    waiting = dict.fromkeys(work, 0)
    for _ in range(TICKETS):
        waiting[made.rng.choice(work)] += 1
    people = iter(numbers)
    strangers = iter(_UNKNOWN)
    for day in work:
        with made.sessions.begin() as session:
            while made.later and made.later[0][0] <= day:
                _, _, ticket_id, step = heapq.heappop(made.later)
                _step(session, made, (ticket_id, step), day)
        for _ in range(waiting[day]):
            stranger = made.rng.random() < 0.04
            nik, name = next(people, None), next(strangers, None) if stranger else None
            _arrive(made, (nik, name), day)
    with made.sessions() as session:
        return dict(queues.states(session))


def _arrive(made: Play, who: tuple[str | None, str | None], day: date) -> None:
    nik, stranger = who
    view = None if nik is None or stranger else _look(made, nik)
    if view is None and stranger is None:
        return
    kinds = made.rng.choices(list(_KINDS), list(_KINDS.values()), k=made.rng.choice((1, 1, 1, 2)))
    given = Registration(
        body=_body(view, stranger or ""),
        wanted=[Wanted(k) for k in dict.fromkeys(kinds)],
        channel=made.rng.choice((Channel.COUNTER, Channel.COUNTER, Channel.PHONE, Channel.POKJA)),
        received_on=day,
        person_id=None if view is None else view.person_id,
        emergency="pasien di rumah sakit" if "biaya_pendamping" in kinds else "",
    )
    desk = made.desk(Actor.of(made.staff.counter), day)
    with made.sessions.begin() as session:
        try:
            case = registering.register(session, given, desk).case
        except GatewayError:  # he has an open ticket for the same
            return
    made.moves += 1
    made.after(day, case.ticket.id, "go_on", 2)


def _look(made: Play, nik: str) -> PersonView | None:
    """The person of a NIK, by two logged questions, as the counter asks them."""
    now, officer = datetime.now(UTC), made.staff.counter
    with made.sessions() as session:
        asked = access.ask_search(session, officer, (nik, Purpose.NEW_COMPLAINT), made.door, now)
        session.commit()
        found = access.answer_search(session, asked, made.door, now)
        session.commit()
        if not found.candidates:
            return None
        chosen = (found.candidates[0].person_id, Purpose.NEW_COMPLAINT)
        question = access.ask_profile(session, officer, chosen, made.door, now)
        session.commit()
        _, view = access.open_profile(session, officer, question.id, made.door, now)
        session.commit()
    return view


def _body(view: PersonView | None, stranger: str) -> Body:
    if view is None:
        person = {"name": stranger, "birth_date": "1971-04-03"}
        check: Mapping[str, Any] = verification.of_nobody((), ())
    else:
        born = view.golden.get("birth_date")
        person = {"name": view.name or "–", "nik": view.nik or ""}
        person |= {} if born is None else {"birth_date": str(born.value)}
        check = verification.of_person(view)
    return Body({**person, "kelurahan": _place(view)}, "", {}, _SAID, check)


def _place(view: PersonView | None) -> str:
    for name in ("address_domicile", "address_ktp"):
        if view is not None and name in view.golden:
            return str(view.golden[name].value.get("kelurahan") or "–")
    return "–"


def _step(session: Session, made: Play, what: tuple[TicketId, str], day: date) -> None:
    """One thing that happens to a ticket, and what will happen next."""
    ticket_id, step = what
    house = made.desk(Actor.of(made.staff.counter), day)
    case = service.find(session, ticket_id, house)
    if step == "go_on":
        _go_on(session, made, case, day)
        return
    need = case.needs[int(step) - 1]
    actor = Actor(("agency_reviewer", "partner_reviewer"), need.agency or "")
    if need.state == "returned":
        actor = Actor.of(made.staff.counter)
    if need.state == "awaiting_mayor":
        actor = Actor(("mayor_delegate",), made.profile.unit.code)
    for act in _agency_acts(session, made, need, day):
        if _try(session, made, Target(ticket_id, need.id), act, made.desk(actor, day)):
            made.after(day, ticket_id, step, 12)
            return


def _go_on(session: Session, made: Play, case: Case, day: date) -> None:
    """The house's own next step on a ticket that is not in service."""
    ticket_id, state = case.ticket.id, case.ticket.state
    counter, boss, verifier = (
        made.desk(Actor.of(o), day)
        for o in (made.staff.counter, made.staff.coordinator, made.staff.field)
    )
    if state == "verified":
        referred = referring.refer_all(session, ticket_id, {}, counter)
        made.moves += 1 + len(referred.needs)
        for need in referred.needs:
            made.after(day, ticket_id, str(need.n), 4)
        return
    steps: Mapping[str, Callable[[], object]] = {
        "identity_review": lambda: service.handle(
            session, Target(ticket_id), Act("resolve_listed", "kartu keluarga dicocokkan"), counter
        ),
        "survey_queued": lambda: service.handle(
            session, Target(ticket_id), Act("start_survey"), verifier
        ),
        "surveying": lambda: surveying.submit(session, ticket_id, _sheet(made, day), verifier),
        "survey_review": lambda: surveying.decide(
            session, ticket_id, _decision(session, ticket_id, boss), made.intake, boss
        ),
    }
    if state in steps and _allowed(session, made, steps[state]):
        made.after(day, ticket_id, "go_on", 6)


def _sheet(made: Play, day: date) -> Filled:
    """What the visit found: poor in three of four houses."""
    poor = made.rng.random() < 0.75
    answers = {q.code: poor for q in criteria.in_force(day).questions}
    return Filled(ids.new(), answers, (), {"respondent": "tetangga"}, day, on_paper=False)


def _decision(session: Session, ticket_id: TicketId, boss: Desk) -> Decision:
    """What the rules propose; a rejection says why."""
    _, _, outcome = surveying.review(session, ticket_id, boss)
    return Decision(outcome.verdict, "sesuai hasil kunjungan", single_handed=False)


def _agency_acts(session: Session, made: Play, need: Need, day: date) -> list[Act]:
    """What an agency tries in a state, the first that is allowed counts."""
    if need.state == "under_review":
        chosen = made.rng.choices([d for d, _ in _DECISIONS], [w for _, w in _DECISIONS])[0]
        data = _promise(session, made, need, day)
        return [Act(event, "menurut ketersediaan", data) for event in chosen]
    events = {
        "referred": ("acknowledge", {}),
        "returned": ("re_refer", {}),
        "awaiting_mayor": ("mayor_approve", {"decree": f"SK/{day:%m}/2025"}),
        "approved": ("start_delivery", {}),
        "in_delivery": ("confirm_delivery", {"evidence_no": f"BAST/{made.moves:04d}/2025"}),
    }
    if need.state not in events:
        return []
    event, given = events[need.state]
    return [Act(event, data=given)]


def _promise(session: Session, made: Play, need: Need, day: date) -> dict[str, Any]:
    """What a reviewer fills in: a programme that runs with room, its least amount, next year."""
    kind = made.profile.need_kinds[need.kind]
    data: dict[str, Any] = {"target_fy": str(day.year + 1)}
    wish = Wish(need_kind=need.kind, agency=need.agency or "-", when=When.RUNNING.value)
    for truth in programs.catalogue(session, wish, day):
        least, _ = truth.program.range_of((kind.amount_min, kind.amount_max))
        return data | {"program_code": truth.program.code, "amount_idr": least or 0}
    return data | {"amount_idr": kind.amount_min or 600_000}


def _try(session: Session, made: Play, target: Target, act: Act, desk: Desk) -> bool:
    """Whether the move was allowed."""
    return _allowed(session, made, lambda: service.handle(session, target, act, desk))


def _allowed(session: Session, made: Play, step: Callable[[], object]) -> bool:
    """Whether a step was allowed; what was not leaves nothing behind."""
    try:
        with session.begin_nested():
            step()
    except GatewayError:
        return False
    made.moves += 1
    return True
