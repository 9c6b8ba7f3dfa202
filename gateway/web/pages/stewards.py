"""The data desk: what the engine could not decide. Who may call it: who may `judge` (policy.csv).

A task is opened as any person is: POST (the question, committed) → 303 → GET (the answer).
"""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from gateway.access import service as access
from gateway.access.decisions import Statement
from gateway.access.model import Action, Purpose, decide
from gateway.errors import GatewayError, NotFound, Refused, TooMany
from gateway.index.verdict import Verdict
from gateway.stewards import breakers, bulk, deciding, query
from gateway.stewards.deciding import Decision, Desk
from gateway.stewards.model import Task, kinds
from gateway.storage import ids
from gateway.web import auth, confirming
from gateway.web.edge import edge
from gateway.web.language import words_of_request
from gateway.web.pages.desk import door
from gateway.web.persons import labels, speaker
from gateway.web.problems import status_of

blueprint = Blueprint("stewards", __name__, url_prefix="/meja-data")

_DIGITS = {v: str(n) for n, v in enumerate(Verdict, 1)}
_LEAST = (0.0, -1.0, -2.0, -3.0)
"""Thresholds offered for a round, in bits on average."""


@blueprint.after_request
def with_keys(answer: Response) -> Response:
    """These pages have one script of ours, for the keyboard; everything works without it."""
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return answer


@blueprint.get("")
@auth.members_only
def overview() -> Any:
    """What waits, by cause, and what was decided lately."""
    _only()
    with edge().sessions() as session:
        found = [c for c in query.causes(session) if not c.hidden]
        return _page(
            "stewards.html",
            ours=[c for c in found if c.kind.to in query.OURS],
            theirs=[c for c in found if c.kind.to not in query.OURS],
            recent=query.recent(session),
            week=query.new_a_week(session, edge().clock()),
            done=request.args.get("hasil"),
        )


@blueprint.get("/sebab/<kind>")
@auth.members_only
def cause(kind: str) -> Any:
    """The tasks of one cause, the most useful first; no person's data stand here."""
    _only()
    if kind not in kinds():
        raise NotFound("task.unknown", "Tugas itu tidak ada. Kembali ke meja data.")
    agency = request.args.get("instansi") or None
    aside = "disisihkan" in request.args
    with edge().sessions() as session:
        return _page(
            "steward_tasks.html",
            kind=kinds()[kind],
            agency=agency,
            aside=aside,
            tasks=query.tasks(session, kind, agency, aside=aside),
            done=request.args.get("hasil"),
            made=request.args.get("putusan"),
            least=_LEAST if kind == bulk.KIND else (),
        )


@blueprint.post("/tugas/<task_id>")
@auth.members_only
def ask(task_id: str) -> Any:
    """Log that the persons of a task are looked at."""
    _only()
    with edge().sessions() as session:
        task = deciding.find(session, _id(task_id))
        if not task.persons:
            return redirect(url_for("stewards.plain", task_id=task_id), 303)
        question = (task_id, task.persons)
        asked = access.ask_compare(session, auth.officer(), question, door(), edge().clock())
        session.commit()
    return redirect(url_for("stewards.task", task_id=task_id, query_id=ids.show(asked.id)), 303)


@blueprint.get("/tugas/<task_id>/<query_id>")
@auth.members_only
def task(task_id: str, query_id: str) -> Any:
    """One task: the evidence side by side, what was considered, what would move."""
    _only()
    return _task(task_id, query_id)


@blueprint.get("/tugas/<task_id>")
@auth.members_only
def plain(task_id: str) -> Any:
    """A task about no single person."""
    _only()
    with edge().sessions() as session:
        found = deciding.find(session, _id(task_id))
        if found.persons:
            return redirect(url_for("stewards.cause", kind=found.kind.code), 303)
        return _page("steward_task.html", **_of_task(session, found), found=None, problem=None)


@blueprint.post("/tugas/<task_id>/putusan")
@auth.members_only
def judge(task_id: str) -> Any:
    """Decide a task, then go on with the next one of its cause."""
    try:
        verdict = Verdict(request.form.get("verdict", ""))
    except ValueError as err:
        raise Refused("task.verdict", "Pilih salah satu keputusan.") from err
    decision = Decision(_id(task_id), verdict, request.form.get("reason", ""))
    try:
        with edge().sessions.begin() as session:
            kind = deciding.find(session, decision.task_id).kind.code
            made = deciding.judge(session, decision, _desk())
    except TooMany as hasty:
        with edge().sessions.begin() as session:
            breakers.tell(session, auth.officer(), edge().clock())
        raise hasty from None
    except Refused as refused:
        if request.form.get("query"):
            return _task(task_id, request.form["query"], refused), status_of(refused)
        raise
    done = url_for("stewards.cause", kind=kind, hasil=verdict.value, putusan=ids.show(made))
    return redirect(done, 303)


@blueprint.post("/putusan/<judgement_id>/kedua")
@auth.members_only
def second(judgement_id: str) -> Any:
    """The second person confirms a merge across registered NIKs."""
    role = _only()
    reason, desk = request.form.get("reason", ""), _desk()
    body = {"judgement": judgement_id, "reason": reason}
    statement = Statement("second_judgement", role.value, body, f"judgement/{judgement_id}")

    def act(session: Session) -> Any:
        deciding.second(session, _id(judgement_id), reason, desk)
        return redirect(url_for("stewards.overview", hasil="second"), 303)

    asked = confirming.Asked(statement, "second_judgement", url_for("stewards.overview"))
    return confirming.decide(asked, act)


@blueprint.post("/putusan/<judgement_id>/batal")
@auth.members_only
def undo(judgement_id: str) -> Any:
    """Take a decision back: a worker restores what was before it."""
    with edge().sessions.begin() as session:
        deciding.undo(session, _id(judgement_id), request.form.get("reason", ""), _desk())
    return redirect(url_for("stewards.overview", hasil="undone"), 303)


@blueprint.post("/putaran")
@auth.members_only
def draw() -> Any:
    """Draw a round of alike pairs."""
    try:
        least = float(request.form.get("least", ""))
    except ValueError as err:
        raise Refused("bulk.least", "Pilih ambang kemiripan.") from err
    with edge().sessions.begin() as session:
        made = bulk.draw(session, least, _desk())
    return redirect(url_for("stewards.round_", round_id=ids.show(made)), 303)


@blueprint.get("/putaran/<round_id>")
@auth.members_only
def round_(round_id: str) -> Any:
    """A round: its sample, and what would be accepted."""
    _only()
    with edge().sessions() as session:
        return _page("steward_round.html", round=bulk.look(session, _id(round_id)))


@blueprint.post("/putaran/<round_id>")
@auth.members_only
def accept(round_id: str) -> Any:
    """Accept the rest of a round; the very text is confirmed with password and code."""
    role = _only()
    with edge().sessions() as session:
        found = bulk.look(session, _id(round_id))
    reason, desk = request.form.get("reason", ""), _desk()
    body = {"round": round_id, "least_bits": str(found.least), "reason": reason}
    body["tasks"] = " ".join(ids.show(t.id) for t in found.rest)
    statement = Statement("accept_round", role.value, body, f"round/{round_id}")

    def act(session: Session) -> Any:
        bulk.accept(session, _id(round_id), reason, desk)
        return redirect(url_for("stewards.overview", hasil="bulk"), 303)

    back = url_for("stewards.round_", round_id=round_id)
    return confirming.decide(confirming.Asked(statement, "accept_round", back), act)


def _task(task_id: str, query_id: str, problem: GatewayError | None = None) -> Any:
    with edge().sessions() as session:
        found = deciding.find(session, _id(task_id))
        asked = (_id(query_id), found.records)
        _, seen = access.open_compare(session, auth.officer(), asked, door(), edge().clock())
        session.commit()
        context = _of_task(session, found)
    return _page("steward_task.html", **context, found=seen, query_id=query_id, problem=problem)


def _of_task(session: Session, found: Task) -> dict[str, Any]:
    return {
        "task": found,
        "past": query.past_of(session, found),
        "digits": _DIGITS,
        "mine": auth.officer().id,
    }


def _page(name: str, **context: Any) -> Any:
    return render_template(
        name,
        labels=labels(edge().profile),
        show_id=ids.show,
        say=speaker(edge().profile, words_of_request()),
        purpose=Purpose.DATA_REVIEW.value,
        **context,
    )


def _desk() -> Desk:
    return Desk(auth.officer(), edge().vault, edge().clock())


def _only() -> Any:
    """The role in which the officer judges; Forbidden if he may not."""
    return decide(auth.officer(), Action.JUDGE, Purpose.DATA_REVIEW)


def _id(text: str) -> UUID:
    found = ids.parse(text)
    if found is None:
        raise NotFound("task.unknown", "Tugas itu tidak ada. Kembali ke meja data.")
    return found
