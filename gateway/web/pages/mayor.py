"""The mayor's approvals, in batches under one decree. Who may call it: `mayor_delegate`.

The list names no person: ticket, kind of need, agency, programme, amount. The very text of the
batch is confirmed with password and code; what one need refuses is told, and the others stand.
"""

from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy.orm import Session

from gateway.access.decisions import Statement
from gateway.access.model import Role
from gateway.complaints import batch, inbox
from gateway.complaints.inbox import Line
from gateway.complaints.model import Act
from gateway.complaints.service import Target
from gateway.errors import GatewayError, Refused
from gateway.storage import ids
from gateway.web import auth, confirming, counter
from gateway.web.edge import edge
from gateway.web.persons import labels
from gateway.web.problems import status_of

blueprint = Blueprint("mayor", __name__, url_prefix="/persetujuan")

_EVENTS = ("mayor_approve", "mayor_return", "mayor_reject")


@blueprint.after_request
def with_keys(answer: Response) -> Response:
    """These pages have one script of ours, for the keyboard; everything works without it."""
    answer.headers["Content-Security-Policy"] = auth.SCRIPTED
    return answer


@blueprint.get("")
@auth.members_only
def overview() -> Any:
    """What waits for the mayor."""
    return _overview()


@blueprint.post("")
@auth.members_only
def decide() -> Any:
    """Decide all that are ticked; the confirmed text names each of them."""
    desk = counter.desk()
    with edge().sessions() as session:
        waiting = inbox.for_mayor(session, desk)
    ticked = set(request.form.getlist("need"))
    chosen = [line for line in waiting if ids.show(line.need_id) in ticked]
    try:
        act = _act(ticked)
    except Refused as refused:
        return _overview(refused), status_of(refused)
    missing = len(ticked) - len(chosen)

    def carry_out(session: Session) -> Any:
        acts = [(Target(line.ticket_id, line.need_id), act) for line in chosen]
        return _overview(done=batch.decide(session, acts, desk), missing=missing)

    statement = _statement(act, chosen)
    asked = confirming.Asked(statement, "decide_batch", url_for("mayor.overview"))
    return confirming.decide(asked, carry_out)


def _act(ticked: set[str]) -> Act:
    if not ticked:
        raise Refused("mayor.none_ticked", "Centang sedikitnya satu kebutuhan.")
    event, reason = request.form.get("event", ""), request.form.get("reason", "").strip()
    decree = request.form.get("decree", "").strip()
    if event not in _EVENTS:
        raise Refused("mayor.event", "Pilih setujui, kembalikan, atau tolak.")
    if event == "mayor_approve" and not decree:
        raise Refused("mayor.decree", "Isikan nomor keputusan Wali Kota.")
    if event != "mayor_approve" and not reason:
        raise Refused("mayor.reason", "Tuliskan alasannya.")
    return Act(event, reason, {"decree": decree} if decree else {})


def _statement(act: Act, chosen: list[Line]) -> Statement:
    lines = " ".join(f"{line.number}/{line.n}:{line.amount_idr or 0}" for line in chosen)
    body = {"event": act.event, "needs": lines, "reason": act.reason}
    if act.data:
        body["decree"] = str(act.data["decree"])
    return Statement("decide_batch", Role.MAYOR_DELEGATE.value, body, "mayor")


def _overview(
    problem: GatewayError | None = None,
    done: list[batch.Outcome] | None = None,
    missing: int = 0,
) -> str:
    desk = counter.desk()
    with edge().sessions() as session:
        waiting = inbox.for_mayor(session, desk)
    moved = {outcome.target.need_id for outcome in done or () if outcome.problem is None}
    return render_template(
        "mayor.html",
        waiting=[line for line in waiting if line.need_id not in moved],
        labels=labels(edge().profile),
        kinds=edge().profile.need_kinds,
        show_id=ids.show,
        problem=problem,
        done=done,
        missing=missing,
        ticked=set(request.form.getlist("need")),
        typed=request.form,
    )
