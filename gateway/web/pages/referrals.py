"""The agencies' desk: what waits, one need, its decision. Who may call it: `inbox.READERS`.

A need is opened as any person is: POST (the question, committed) → 303 → GET (the answer). What is
decided is confirmed with password and code, once in five minutes.
"""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from gateway.access import cases as access
from gateway.access.decisions import Statement
from gateway.access.model import Role
from gateway.complaints import deciding, inbox, service
from gateway.complaints.deciding import Decision, Sheet
from gateway.complaints.model import Act, NeedId
from gateway.complaints.service import Target
from gateway.errors import Conflict, GatewayError, NotFound, Refused
from gateway.storage import ids
from gateway.web import auth, confirming, counter, show
from gateway.web.edge import edge
from gateway.web.pages.desk import door
from gateway.web.persons import labels
from gateway.web.problems import status_of
from schemas.codes import lists
from schemas.errors import Unreadable
from schemas.rupiah import parse_rupiah

blueprint = Blueprint("referrals", __name__, url_prefix="/meja-instansi")

_TEXTS = ("program_code", "target_fy", "asnaf", "evidence_no", "agency")


@blueprint.after_request
def with_keys(answer: Response) -> Response:
    """These pages have one script of ours, for the keyboard; everything works without it."""
    answer.headers["Content-Security-Policy"] = auth.SCRIPTED
    return answer


@blueprint.get("")
@auth.members_only
def overview() -> Any:
    """What waits for the agency, the most urgent first; no person's data stand here."""
    desk = counter.desk()
    with edge().sessions() as session:
        return _page(
            "referrals.html",
            review=inbox.of_agency(session, inbox.TO_REVIEW, desk),
            deliver=inbox.of_agency(session, inbox.TO_DELIVER, desk),
            waiting=inbox.of_agency(session, inbox.WAITING, desk),
            programs=deciding.programs_of(session, desk),
            twice=deciding.touching(session, desk),
            done=request.args.get("hasil", ""),
            number=request.args.get("tiket", ""),
        )


@blueprint.post("/<need_id>")
@auth.members_only
def ask(need_id: str) -> Any:
    """Log that a need is opened; the reviewer who opens it first acknowledges it."""
    desk = counter.desk()
    with edge().sessions() as session:
        target = _target(session, need_id)
        deciding.acknowledge(session, target, desk)
        asked = access.ask_case(session, auth.officer(), need_id, door(), edge().clock())
        session.commit()
    return redirect(url_for("referrals.need", need_id=need_id, query_id=ids.show(asked.id)), 303)


@blueprint.get("/<need_id>/<query_id>")
@auth.members_only
def need(need_id: str, query_id: str) -> Any:
    """One need: who, what for, what the programmes say, and what may be decided."""
    return _need(need_id, query_id)


@blueprint.post("/<need_id>/putusan")
@auth.members_only
def decide(need_id: str) -> Any:
    """Decide: the very text is shown, confirmed, and carried out."""
    desk, form = counter.desk(), request.form
    query_id = form.get("query", "")
    try:
        with edge().sessions() as session:
            target = _target(session, need_id)
            sheet = deciding.sheet(session, target, None, desk)
            act = _act()
            if "shown" not in form:  # what cannot be done is said before a password is typed
                service.handle(session, target, act, desk)
                session.rollback()
        statement = _statement(sheet, act)

        def carry_out(session: Session) -> Any:
            service.handle(session, target, act, desk)
            number = sheet.case.ticket.number
            return redirect(url_for("referrals.overview", hasil=act.event, tiket=number), 303)

        back = url_for("referrals.need", need_id=need_id, query_id=query_id)
        return confirming.decide(confirming.Asked(statement, "decide_need", back), carry_out)
    except (Refused, Conflict) as refused:
        if ids.parse(query_id) is None:
            raise
        return _need(need_id, query_id, refused), status_of(refused)


def _need(need_id: str, query_id: str, problem: GatewayError | None = None) -> Any:
    desk, now = counter.desk(), edge().clock()
    query = ids.parse(query_id)
    if query is None:
        raise _unknown()
    with edge().sessions() as session:
        target = _target(session, need_id)
        person = deciding.person_of(session, target, desk)
        view = access.open_case(session, auth.officer(), (query, need_id, person), door(), now)
        session.commit()
        sheet = deciding.sheet(session, target, view, desk)
    return _page(
        "referral.html",
        sheet=sheet,
        view=view,
        query_id=query_id,
        problem=problem,
        typed=request.form,
        asnaf=lists.load("asnaf").rows.values(),
        next_year=desk.now.today.year + 1,
    )


def _act() -> Act:
    form = request.form
    data: dict[str, Any] = {k: form[k].strip() for k in _TEXTS if form.get(k, "").strip()}
    try:
        amount = parse_rupiah(form.get("amount_idr"), smallest=1)
    except Unreadable as err:
        raise Refused("need.no_amount", "Isikan jumlah bantuan dalam rupiah.") from err
    if amount is not None:
        data["amount_idr"] = amount
    if form.get("override"):
        data["override"] = True
    if "target_fy" in data and not data["target_fy"].isdigit():
        raise Refused("need.year", "Isikan tahun anggaran dengan empat angka.")
    return Act(form.get("event", ""), form.get("reason", "").strip(), data)


def _statement(sheet: Sheet, act: Act) -> Statement:
    """The text that is confirmed: the decision by its codes, and no person."""
    body = {"ticket": sheet.case.ticket.number, "need": sheet.need.n, "event": act.event}
    role = auth.officer().roles[0].value
    said = Decision(act).words()
    return Statement("decide_need", role, {**body, **said}, f"need/{ids.show(sheet.need.id)}")


def _target(session: Session, need_id: str) -> Target:
    found: UUID | None = ids.parse(need_id)
    ticket = None if found is None else deciding.ticket_of(session, NeedId(found))
    if found is None or ticket is None:
        raise _unknown()
    return Target(ticket, NeedId(found))


def _unknown() -> NotFound:
    return NotFound("need.unknown", "Kebutuhan itu tidak ada pada meja Anda.")


def _page(name: str, **context: Any) -> str:
    return render_template(
        name,
        labels=labels(edge().profile),
        kinds=edge().profile.need_kinds,
        states=deciding.states(),
        show_id=ids.show,
        age=show.age,
        today=edge().today,
        partner=auth.holds((Role.PARTNER_REVIEWER,)),
        **context,
    )
