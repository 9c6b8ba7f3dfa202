"""In and out, and the language. Who may call it: anyone."""

import re
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from gateway.access import logins, sessions
from gateway.access.sessions import Opened
from gateway.errors import GatewayError, TooMany, Unauthorized
from gateway.web import auth, locked
from gateway.web.edge import edge
from gateway.web.problems import status_of
from gateway.web.proving import claim_of_form, judged
from gateway.web.words import DEFAULT, LANGUAGES

_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")

blueprint = Blueprint("login", __name__)


@blueprint.get("/masuk")
def enter() -> Any:
    """The login page."""
    if auth.current() is not None:
        return redirect(url_for("home.glance"), 303)
    return render_template("login.html", username="", problem=None)


@blueprint.post("/masuk")
def submit() -> Any:
    """Check name, password and code; a new session, which ends the one that the device had."""
    auth.check_origin()
    username = request.form.get("username", "").replace("\0", "")[:100]
    claim, now = claim_of_form(username), edge().clock()

    def log_in(session: Session) -> Opened:
        sessions.close_session(session, auth.token() or "")
        return logins.log_in(session, claim, auth.device(), edge().vault, now)

    try:
        opened = judged(username, log_in)
    except (Unauthorized, TooMany) as refused:
        return _again(username, refused), status_of(refused)
    return auth.remember(_onward(opened), opened.token)


def _onward(opened: Opened) -> Response:
    """The main page, or what the officer had sent when his last session had ended."""
    sealed = request.form.get("kept", "")
    kept = locked.opened(opened.officer.id, sealed) if sealed else None
    if kept is None or kept.fields is None:
        return redirect(url_for("home.glance"), 303)
    with edge().sessions() as session:
        here = sessions.current(session, opened.token, edge().settings, edge().clock())
    csrf = "" if here is None else here.csrf
    return make_response(render_template("resume.html", kept=kept, token=csrf, title="login"))


@blueprint.post("/keluar")
@auth.members_only
def leave() -> Any:
    """End the session."""
    with edge().sessions() as session:
        sessions.close_session(session, auth.token() or "")
        session.commit()
    return auth.forget(redirect(url_for("login.enter"), 303))


@blueprint.post("/bahasa")
def language() -> Any:
    """Choose the language of the pages; kept a year in a cookie of its own."""
    auth.check_origin()
    chosen = request.form.get("language", DEFAULT)
    back = request.form.get("back", "/")
    target = back if _OWN_PATH.fullmatch(back) else "/"
    answer = redirect(target, 303)
    if chosen in LANGUAGES:
        answer.set_cookie("titian-bahasa", chosen, max_age=31_536_000, samesite="Lax", path="/")
    return answer


def _again(username: str, problem: GatewayError) -> str:
    return render_template(
        "login.html", username=username, problem=problem, kept=request.form.get("kept", "")
    )
