"""One ticket: where it stands, what is next, what happened. Who may call it: see `visibility`.

A ticket's number is nothing personal, so it may stand in an address.
"""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from gateway.access import query as access
from gateway.access.model import Role
from gateway.complaints import acting, clock, query, referring, registering, service, visibility
from gateway.complaints.clock import Now
from gateway.complaints.criteria import Verdict
from gateway.complaints.model import Act, Case, Desk, NeedId
from gateway.complaints.service import Option, Target
from gateway.errors import Conflict, Forbidden, GatewayError, Refused
from gateway.letters import query as letters
from gateway.storage import ids
from gateway.web import counter, show
from gateway.web.auth import members_only
from gateway.web.edge import edge
from gateway.web.pages.counter import stale_check, tracking_link
from gateway.web.pages.desk import SCRIPTED, identifier
from gateway.web.persons import labels
from gateway.web.problems import status_of

blueprint = Blueprint("tickets", __name__, url_prefix="/tiket")

_OWN = frozenset({"csrf", "event", "need", "reason", "single_handed"})
_ELSEWHERE = frozenset(
    {"route", "issue_referral", "submit_survey", *(verdict.value for verdict in Verdict)}
)
"""Moves that have a button of their own: here, or on the pages of surveys."""


@blueprint.after_request
def with_script(answer: Response) -> Response:
    """The keyboard of these pages is a script of ours; everything works without it."""
    answer.headers["Content-Security-Policy"] = SCRIPTED
    return answer


@blueprint.post("")
@members_only
def find() -> Any:
    """Open a ticket by its number."""
    return redirect(url_for("tickets.ticket", number=request.form.get("number", "").strip()), 303)


@blueprint.get("/<number>")
@members_only
def ticket(number: str) -> Any:
    """The ticket as this officer may see it."""
    with edge().sessions() as session:
        desk = counter.desk()
        return _page(session, query.by_number(session, number, desk), desk)


@blueprint.post("/<number>/langkah")
@members_only
def move(number: str) -> Any:
    """Make a move of the ticket or of one of its needs."""
    form, desk = request.form, counter.desk()
    if desk.actor.holds(*visibility.AGENCY, Role.MAYOR_DELEGATE):
        raise Forbidden(
            "need.at_own_desk",
            "Keputusan instansi dan Wali Kota dibuat di mejanya sendiri, dengan kata sandi.",
        )
    data = {name: value for name, value in form.items() if name not in _OWN and value}
    act = Act(form.get("event", ""), form.get("reason", "").strip(), data, "single_handed" in form)

    def make(session: Session, case: Case) -> None:
        service.handle(session, Target(case.ticket.id, _need_id()), act, desk)

    return _do(number, desk, make)


@blueprint.post("/<number>/rujuk")
@members_only
def refer(number: str) -> Any:
    """Refer all that is proposed, each to the agency chosen."""
    desk = counter.desk()
    agencies = {k[7:]: v for k, v in request.form.items() if k.startswith("agency_")}
    return _do(number, desk, lambda s, case: referring.refer_all(s, case.ticket.id, agencies, desk))


@blueprint.post("/<number>/catatan")
@members_only
def note(number: str) -> Any:
    """Add a note."""
    said, desk = request.form.get("reason", ""), counter.desk()
    return _do(number, desk, lambda s, case: acting.note(s, case.ticket.id, said, desk))


@blueprint.post("/<number>/ambil")
@members_only
def take(number: str) -> Any:
    """Take the ticket over."""
    desk = counter.desk()
    return _do(number, desk, lambda s, case: acting.assign(s, case.ticket.id, desk))


@blueprint.post("/<number>/loket")
@members_only
def pass_on(number: str) -> Any:
    """Hand a need to another desk."""
    code, desk, need_id = request.form.get("counter", ""), counter.desk(), _given_need()
    return _do(
        number, desk, lambda s, case: acting.pass_on(s, (case.ticket.id, need_id), code, desk)
    )


@blueprint.post("/<number>/darurat")
@members_only
def emergency(number: str) -> Any:
    """Flag an emergency."""
    reason, desk = request.form.get("reason", ""), counter.desk()
    return _do(number, desk, lambda s, case: acting.flag_emergency(s, case.ticket.id, reason, desk))


@blueprint.post("/<number>/perpanjang")
@members_only
def extend(number: str) -> Any:
    """Put a deadline off."""
    desk, days = counter.desk(), request.form.get("days", "")
    given = (int(days) if days.isdigit() else 0, request.form.get("reason", ""))
    return _do(
        number, desk, lambda s, case: acting.extend(s, (case.ticket.id, _need_id()), given, desk)
    )


@blueprint.post("/<number>/hubungi")
@members_only
def contact(number: str) -> Any:
    """A waiting person was contacted."""
    form, desk, need_id = request.form, counter.desk(), _given_need()
    given = (form.get("outcome", "reached"), form.get("reason", ""))
    return _do(
        number, desk, lambda s, case: acting.contact(s, (case.ticket.id, need_id), given, desk)
    )


@blueprint.post("/<number>/cek-ulang")
@members_only
def check(number: str) -> Any:
    """Ask the index anew about a ticket that waits for fresh data."""
    desk = counter.desk()

    def again(session: Session, case: Case) -> None:
        person = {} if case.ticket.body is None else case.ticket.body.person
        found = stale_check(session, case.ticket.person_id, person)
        registering.check_again(session, case, found, desk)

    return _do(number, desk, again)


@blueprint.post("/<number>/pin")
@members_only
def pin(number: str) -> Any:
    """A new PIN, shown once, on a receipt of its own."""
    desk = counter.desk()
    with edge().sessions.begin() as session:
        case = query.by_number(session, number, desk)
        made = acting.new_pin(session, case.ticket.id, desk)
    return render_template("receipt.html", case=case, pin=made, **tracking_link())


def _do(number: str, desk: Desk, act: Any) -> Any:
    """Carry out `act`; what is wrong is said on the ticket's page, with the ticket as it is now."""
    try:
        with edge().sessions.begin() as session:
            act(session, query.by_number(session, number, desk))
    except (Refused, Conflict, Forbidden) as problem:
        with edge().sessions() as session:
            case = query.by_number(session, number, desk)
            return _page(session, case, desk, problem), status_of(problem)
    return redirect(url_for("tickets.ticket", number=number, hasil=1), 303)


def _need_id() -> NeedId | None:
    return NeedId(identifier(request.form["need"])) if request.form.get("need") else None


def _given_need() -> NeedId:
    return NeedId(identifier(request.form.get("need", "")))


def _page(session: Session, case: Case, desk: Desk, problem: GatewayError | None = None) -> str:
    history = query.history_of(session, case, desk)
    options = service.options(session, case, None, desk)
    needs = visibility.needs_seen(desk.actor, case)
    officers = {h.officer_id for h in history if h.officer_id is not None}
    profile = desk.profile
    return render_template(
        "ticket.html",
        case=case,
        ticket=case.ticket,
        options=_others(options),
        needs=[(n, _others(service.options(session, case, n.id, desk))) for n in needs],
        may_route=any(o.move.event == "route" for o in options) or _may_refer(session, case, desk),
        house=desk.actor.holds(*visibility.HOUSE),
        coordinator=desk.actor.holds(Role.UPT_COORDINATOR),
        letters=letters.of_ticket(session, case.ticket.id),
        history=history,
        names=access.names(session, officers),
        typed=request.form.get("reason", "") if problem else "",
        light=_light(desk, case.ticket),
        light_of=lambda need: _light(desk, need),
        machines=service.machines(),
        profile=profile,
        labels=labels(profile),
        place=_place(case),
        masked=show.masked,
        show_id=ids.show,
        problem=problem,
        done="hasil" in request.args,
    )


def _others(options: list[Option]) -> list[Option]:
    return [o for o in options if o.move.event not in _ELSEWHERE]


def _may_refer(session: Session, case: Case, desk: Desk) -> bool:
    """Whether something is still proposed on a ticket in service."""
    return any(
        o.move.event == "issue_referral" and o.problem is None
        for n in case.needs
        if n.state == "proposed"
        for o in service.options(session, case, n.id, desk)
    )


def _light(desk: Desk, standing: Any) -> str | None:
    since: Now = standing.since
    return clock.light(desk.profile, standing.due, since, desk.now)


def _place(case: Case) -> str:
    unit = edge().profile.wilayah.unit(case.ticket.kelurahan or "")
    return unit.name if unit else "–"
