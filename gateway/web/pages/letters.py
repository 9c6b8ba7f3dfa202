"""Print: letters, receipts, survey forms, the hand-over. Who may call it: the house.

`/s/<code>` is what the code on a letter leads to: anyone may ask it, and learns no name.
"""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for

from gateway.complaints import printing, query
from gateway.complaints.model import SYSTEM_ACTOR
from gateway.errors import NotFound
from gateway.letters.model import Copy, Kind, Paper
from gateway.letters.service import Wish
from gateway.web import auth, counter
from gateway.web.auth import members_only
from gateway.web.edge import edge
from gateway.web.pages.desk import identifier

blueprint = Blueprint("letters", __name__)


@blueprint.post("/surat/<letter_id>")
@members_only
def print_(letter_id: str) -> Response:
    """A letter; whoever prints it again gets a copy that says so."""
    with edge().sessions.begin() as session:
        found, pdf = printing.letter(session, identifier(letter_id), _wish(), counter.desk())
    return _pdf(pdf, found.number.replace("/", "-"))


@blueprint.post("/surat/tiket/<number>/<kind>")
@members_only
def sheet(number: str, kind: str) -> Response:
    """A receipt, or an empty survey form."""
    desk = counter.desk()
    with edge().sessions() as session:
        case = query.by_number(session, number, desk)
    if kind == Kind.RECEIPT:
        pdf = printing.receipt(case, request.form.get("pin", ""), _wish(), desk)
    elif kind == Kind.SURVEY:
        pdf = printing.survey_form(case, _wish(), desk)
    else:
        raise NotFound("letter.unknown", "Cetakan itu tidak ada. Kembali ke tiketnya.")
    return _pdf(pdf, f"{kind}-{case.ticket.number}")


@blueprint.post("/surat/serah-terima")
@members_only
def hand_over() -> Response:
    """The day's hand-over on one page."""
    with edge().sessions() as session:
        pdf = printing.hand_over(session, _wish(), counter.desk())
    return _pdf(pdf, f"serah-terima-{edge().today.isoformat()}")


@blueprint.get("/s/<code>")
def check(code: str) -> Any:
    """Whether a letter is ours, and the citizen's word for its case; staff are led to the case."""
    with edge().sessions() as session:
        found = printing.genuine(session, code, counter.desk(SYSTEM_ACTOR))
    if found is not None and auth.current() is not None:
        return redirect(url_for("tickets.ticket", number=found.number), 303)
    return render_template("letter_check.html", found=found), 200 if found else 404


def _wish() -> Wish:
    """How the form wants it printed; A4 for the citizen where it does not say."""
    paper, copy = request.form.get("paper", ""), request.form.get("for", "")
    return Wish(
        Paper(paper) if paper in {p.value for p in Paper} else Paper.A4,
        Copy(copy) if copy in {c.value for c in Copy} else Copy.CITIZEN,
        edge().settings.origin,
    )


def _pdf(body: bytes, name: str) -> Response:
    answer = Response(body, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer
