"""Agencies asked at once about one person. Who may call it: roles of `access/policy.csv`.

POST (the question, committed; then the requests, committed) → 303 → GET, which shows what has come
and is opened again until all is there: by the browser itself, or by a small script of ours.
"""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for

from gateway.access import live as access
from gateway.access.model import Asked
from gateway.intake import query as intake
from gateway.lookup.model import ANSWERS, Standing, topic
from gateway.storage import ids
from gateway.web import auth, waiting
from gateway.web.edge import edge
from gateway.web.pages.desk import door, identifier, purpose_of_form
from gateway.web.persons import labels
from gateway.web.waiting import Seen

blueprint = Blueprint("live", __name__, url_prefix="/langsung")

FIRST_WAIT, WAIT = 1.0, 10.0
"""Seconds that a page waits for answers, when it is opened first and when the script asks."""


@blueprint.after_request
def with_script(answer: Response) -> Response:
    """The page has one script of ours, which only asks for the page again."""
    answer.headers["Content-Security-Policy"] = auth.SCRIPTED
    return answer


@blueprint.post("")
@auth.members_only
def ask() -> Any:
    """Log the question, then put it into the agencies' inboxes."""
    person, purpose = identifier(request.form.get("person", "")), purpose_of_form()
    wanted = (person, purpose, request.form.getlist("agency"))
    officer, now = auth.officer(), edge().clock()
    with edge().sessions() as session:
        asked = access.ask_live(session, officer, wanted, door(), now)
        session.commit()
        agencies = access.open_live(session, asked, door(), now)
        session.commit()
    for agency in agencies:
        edge().wakes.say(topic(agency))
    return redirect(url_for("live.answers", query_id=ids.show(asked.id)), 303)


@blueprint.get("/<query_id>")
@auth.members_only
def answers(query_id: str) -> Any:
    """What the agencies have answered so far; `sudah` says how many answers are on the screen."""
    known: UUID = identifier(query_id)
    had, patience = request.args.get("sudah", 0, int), request.args.get("tunggu", 0, int)

    def look() -> Seen[tuple[Asked, list[Standing]]]:
        with edge().sessions() as session:
            found = access.look_live(session, (known, auth.officer()), door(), edge().clock())
            session.commit()
        come = sum(not each.is_open for each in found[1])
        everything = come == len(found[1])
        return Seen(found, enough=everything or (bool(patience) and come > had))

    (asked, standing), _ = waiting.until(ANSWERS, look, WAIT if patience else FIRST_WAIT)
    with edge().sessions() as session:
        sent = intake.overview(session)
    return render_template(
        "live.html",
        person=asked.terms["person"],
        purpose=asked.purpose.value,
        standing=standing,
        query_id=query_id,
        come=sum(not each.is_open for each in standing),
        waits=any(each.is_open for each in standing),
        sent={agency: row.accepted_at for agency, row in sent.items()},
        labels=labels(edge().profile),
    )
