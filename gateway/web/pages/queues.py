"""What is to be done next. Who may call it: the house, and those who steer it (`queues.queue`)."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for

from gateway.complaints import acting, queues, referring
from gateway.complaints.lifecycle import Kind, lifecycle
from gateway.complaints.model import TicketId
from gateway.complaints.queues import Bucket, Whose
from gateway.errors import GatewayError
from gateway.storage import ids
from gateway.web import counter
from gateway.web.auth import members_only
from gateway.web.edge import edge
from gateway.web.pages.desk import SCRIPTED, identifier
from gateway.web.persons import labels

blueprint = Blueprint("queues", __name__, url_prefix="/antrean")


@blueprint.after_request
def with_script(answer: Response) -> Response:
    """The keyboard of these pages is a script of ours; everything works without it."""
    answer.headers["Content-Security-Policy"] = SCRIPTED
    return answer


@blueprint.get("")
@members_only
def overview() -> Any:
    """Mine, a desk's or the unit's, by when it is due."""
    return _page("queues.html")


@blueprint.get("/serah-terima")
@members_only
def hand_over() -> Any:
    """The day's hand-over on one printed page."""
    return _page("hand_over.html")


@blueprint.post("/massal")
@members_only
def bulk() -> Any:
    """Take over, or refer, all that is ticked; what could not be done is counted."""
    done = left = 0
    for text in dict.fromkeys(request.form.getlist("ticket")):
        ticket_id, desk = TicketId(identifier(text)), counter.desk()
        try:
            with edge().sessions.begin() as session:
                if request.form.get("act") == "refer":
                    referring.refer_all(session, ticket_id, {}, desk)
                else:
                    acting.assign(session, ticket_id, desk)
            done += 1
        except GatewayError:
            left += 1
    whose = request.form.get("siapa", Whose.UNIT.value)
    return redirect(url_for("queues.overview", siapa=whose, selesai=done, sisa=left), 303)


@blueprint.post("/uji-petik/<event_id>")
@members_only
def review(event_id: str) -> Any:
    """Look at a single-handed decision."""
    with edge().sessions.begin() as session:
        said = request.form.get("reason", "")
        acting.review(session, identifier(event_id), said, counter.desk())
    return redirect(url_for("queues.overview"), 303)


def _page(template: str) -> str:
    given = request.args.get("siapa", Whose.UNIT.value)
    whose = Whose(given) if given in {w.value for w in Whose} else Whose.UNIT
    desk, profile = counter.desk(), edge().profile
    code = request.args.get("loket") or next(iter(profile.counters))
    with edge().sessions() as session:
        found = queues.queue(session, whose, code, desk)
        samples = queues.samples(session, desk)
    return render_template(
        template,
        queue=found,
        samples=samples,
        events=lifecycle()[Kind.COMPLAINT].events,
        whose=whose,
        chosen=code,
        buckets=list(Bucket),
        profile=profile,
        labels=labels(profile),
        today=edge().today,
        show_id=ids.show,
        done=request.args.get("selesai", "", str),
        left=request.args.get("sisa", "", str),
    )
