"""Surveys: the walk, the sheet on a phone or from paper, the decision. Who may call it: the house.

The sheet works without a line: a script of ours keeps it on the device and sends it when the line
is back; its id is made there, so nothing is kept twice.
"""

from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for

from gateway.access.model import Role
from gateway.complaints import criteria, query, surveying
from gateway.complaints.criteria import Verdict
from gateway.complaints.model import Case
from gateway.complaints.surveying import Decision, Filled
from gateway.errors import Conflict, Forbidden, GatewayError, Refused, Unavailable
from gateway.intake.model import IntakeTools
from gateway.storage import ids
from gateway.web import counter, show
from gateway.web.auth import members_only
from gateway.web.edge import edge
from gateway.web.pages.desk import SCRIPTED, identifier
from gateway.web.problems import status_of

blueprint = Blueprint("surveys", __name__, url_prefix="/survei")

_NOTES = ("respondent", "witness", "location", "no_photo", "remarks", "recommendation")


@blueprint.after_request
def with_script(answer: Response) -> Response:
    """The script keeps a sheet while the line is down; with a line everything works without it."""
    answer.headers["Content-Security-Policy"] = SCRIPTED
    return answer


@blueprint.get("")
@members_only
def walk() -> Any:
    """Who is to be visited, by kelurahan and RT, and whose survey waits for a decision."""
    desk = counter.desk()
    with edge().sessions() as session:
        visits, decisions = surveying.to_visit(session, desk), surveying.to_decide(session, desk)
    return render_template(
        "surveys.html",
        visits=[(place, list(cases)) for place, cases in groupby(visits, key=_kelurahan)],
        decisions=decisions,
        place=_place,
        coordinator=desk.actor.holds(Role.UPT_COORDINATOR),
        done="hasil" in request.args,
    )


@blueprint.get("/<number>")
@members_only
def sheet(number: str) -> Any:
    """The sheet of one visit."""
    return _sheet(number, None)


@blueprint.post("/<number>")
@members_only
def submit(number: str) -> Any:
    """Keep a sheet: from a form it leads on, to the script it says which sheet it has kept."""
    desk = counter.desk()
    scripted = "X-Titian-Csrf" in request.headers
    try:
        filled = _filled()
        with edge().sessions.begin() as session:
            case = query.by_number(session, number, desk)
            surveying.submit(session, case.ticket.id, filled, desk)
    except (Refused, Conflict, Forbidden) as problem:
        if scripted:
            return jsonify(kept="", sentence=problem.sentence), status_of(problem)
        return _sheet(number, problem), status_of(problem)
    if scripted:
        return jsonify(kept=request.form["sheet"])
    return redirect(url_for("surveys.walk", hasil=1), 303)


@blueprint.get("/<number>/telaah")
@members_only
def review(number: str) -> Any:
    """The answers side by side with what the rules make of them."""
    return _review(number, None)


@blueprint.post("/<number>/putusan")
@members_only
def decide(number: str) -> Any:
    """Decide: records, move and letter in one transaction."""
    desk, here = counter.desk(), edge()
    try:
        decision = Decision(_verdict(), request.form.get("reason", ""), "single" in request.form)
        tools = IntakeTools(here.vault, here.settings, here.profile, here.index)
        with here.sessions.begin() as session:
            case = query.by_number(session, number, desk)
            surveying.decide(session, case.ticket.id, decision, tools, desk)
    except (Refused, Conflict, Forbidden, Unavailable) as problem:
        return _review(number, problem), status_of(problem)
    return redirect(url_for("tickets.ticket", number=number, hasil=1), 303)


def _sheet(number: str, problem: GatewayError | None) -> str:
    desk = counter.desk()
    with edge().sessions() as session:
        case = query.by_number(session, number, desk)
    return render_template(
        "survey_sheet.html",
        ticket=case.ticket,
        place=_place(case),
        rules=criteria.in_force(desk.now.today),
        old_rules=[r for r in criteria.rule_sets().values() if r.valid_to],
        pmks=criteria.pmks_codes(),
        notes=_NOTES,
        today=edge().today,
        new_id=request.form.get("sheet") or ids.show(ids.new()),
        typed=request.form,
        pmks_typed=request.form.getlist("pmks"),
        problem=problem,
    )


def _review(number: str, problem: GatewayError | None) -> str:
    desk = counter.desk()
    with edge().sessions() as session:
        case = query.by_number(session, number, desk)
        _, kept, outcome = surveying.review(session, case.ticket.id, desk)
    return render_template(
        "survey_review.html",
        ticket=case.ticket,
        place=_place(case),
        sheet=kept,
        outcome=outcome,
        verdicts=[v for v in Verdict if v is not Verdict.PMKS or kept.pmks],
        pmks=criteria.pmks_codes(),
        mine=kept.officer_id == desk.actor.officer_id,
        typed=request.form,
        masked=show.masked,
        problem=problem,
    )


def _filled() -> Filled:
    form = request.form
    day = _day(form.get("visited_on", ""))
    asked = criteria.in_force(day).questions
    given = {q.code: form.get(f"q_{q.code}", "") for q in asked}
    return Filled(
        id=_sheet_id(form.get("sheet", "")),
        answers={code: said == "ya" for code, said in given.items() if said in ("ya", "tidak")},
        pmks=tuple(form.getlist("pmks")),
        notes={name: form[name].replace("\0", "") for name in _NOTES if form.get(name)},
        visited_on=day,
        on_paper="on_paper" in form,
    )


def _sheet_id(text: str) -> UUID:
    found: UUID = identifier(text)
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as err:
        raise Refused("form.date", "Tanggal itu tidak ada. Contoh: 3-11-2025.") from err


def _verdict() -> Verdict:
    try:
        return Verdict(request.form.get("verdict", ""))
    except ValueError as err:
        raise Refused("survey.verdict", "Pilih salah satu putusan.") from err


def _place(case: Case) -> str:
    told = case.ticket.body.person if case.ticket.body else {}
    return _kelurahan(case) + (f" · RT {told['rt']}" if told.get("rt") else "")


def _kelurahan(case: Case) -> str:
    unit = edge().profile.wilayah.unit(case.ticket.kelurahan or "")
    return unit.name if unit else "–"
