"""For citizens: file a complaint, follow a ticket. Who may call it: anyone, without login.

Nothing is told but one of six words and what comes next; nothing personal stands in an address.
"""

from typing import Any

from flask import Blueprint, render_template, request

from gateway.complaints import drafts, tracking
from gateway.complaints.model import CITIZEN_ACTOR, Channel, Desk
from gateway.errors import GatewayError, NotFound, Refused, TooMany
from gateway.storage import ids
from gateway.web import auth, counter
from gateway.web.edge import edge
from gateway.web.problems import status_of

blueprint = Blueprint("tracking", __name__)


@blueprint.get("/lacak")
def ask() -> Any:
    """Number and PIN."""
    return render_template("track.html", stage=None, problem=None, number="")


@blueprint.post("/lacak")
def answer() -> Any:
    """Where the ticket stands; unknown and wrong look alike."""
    auth.check_origin()
    number, pin = request.form.get("number", "")[:40], request.form.get("pin", "")[:20]
    desk = _desk()
    try:
        with edge().sessions.begin() as session:
            tracking.count_try(session, number, _address(), desk)
        with edge().sessions() as session:
            case, stage = tracking.track(session, number, pin, desk)
    except (NotFound, TooMany) as problem:
        page = render_template("track.html", stage=None, problem=problem, number=number)
        return page, status_of(problem)
    return render_template(
        "track.html", stage=stage, problem=None, number=case.ticket.number, stages=tracking.STAGES
    )


@blueprint.get("/lapor")
def tell() -> Any:
    """The form for a phone."""
    return _form({}, None)


@blueprint.post("/lapor")
def file() -> Any:
    """Keep what a citizen filed until an officer confirms it."""
    auth.check_origin()
    fields = {**counter.fields_of_form(), "channel": Channel.PORTAL.value}
    desk = _desk()
    try:
        with edge().sessions.begin() as session:
            tracking.count_try(session, f"lapor {_address()}", _address(), desk)
        counter.check_filing(fields, edge().profile)
        with edge().sessions.begin() as session:
            filed = drafts.begin(session, {"fields": fields, "check": {}}, desk)
    except (Refused, TooMany) as problem:
        return _form(fields, problem), status_of(problem)
    return render_template("filed.html", code=ids.show(filed)[-6:].upper())


def _form(fields: dict[str, Any], problem: GatewayError | None) -> str:
    profile = edge().profile
    return render_template(
        "file.html",
        fields=fields,
        problem=problem,
        kinds=[k for k in profile.need_kinds.values() if not k.restricted],
        places=sorted(profile.wilayah.active, key=lambda u: u.name),
    )


def _desk() -> Desk:
    return counter.desk(CITIZEN_ACTOR)


def _address() -> str:
    return request.remote_addr or ""
