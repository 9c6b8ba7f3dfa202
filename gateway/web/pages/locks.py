"""Lock and unlock the screen of a workstation. Who may call it: whoever's session it is."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from gateway.access import locks
from gateway.web import auth, locked
from gateway.web.edge import edge

blueprint = Blueprint("locks", __name__)


@blueprint.post("/kunci")
@auth.members_only
def lock() -> Any:
    """Lock the screen now; where one was is where one comes back to."""
    with edge().sessions.begin() as session:
        locks.lock(session, auth.present(), edge().clock())
    return redirect(url_for("home.glance"), 303)


@blueprint.post("/buka")
def unlock() -> Any:
    """Go on where the screen was locked; after three wrong tries to the login page."""
    found = auth.held()
    if found is None or not found.locked:
        return redirect(url_for("home.glance"), 303)
    auth.check_form()
    typed = request.form.get("pin", "").strip()[:40]
    sealed = request.form.get("kept", "")
    with edge().sessions.begin() as session:
        token, left = locks.unlock(session, found, typed, edge().vault, edge().clock())
    if token is None:
        if left:
            return locked.screen(found, sealed, left)
        return auth.forget(redirect(url_for("login.enter"), 303))
    auth.renew(token)
    kept = locked.opened(found.id, sealed)
    if kept.fields is None:
        return redirect(kept.path, 303)
    return render_template("resume.html", kept=kept, token=found.csrf, title="lock")
