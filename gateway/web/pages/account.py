"""One's own account: sessions, password, second factor, PIN. Who may call it: anyone logged in."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from gateway.access import factors, locks, logins, passwords, sessions, totp
from gateway.access import query as access
from gateway.access.locks import Workstation
from gateway.access.model import Officer
from gateway.errors import GatewayError, NotFound
from gateway.storage import ids
from gateway.web import auth, show
from gateway.web.edge import edge
from gateway.web.problems import status_of
from gateway.web.proving import claim_of_form, judged_here

blueprint = Blueprint("account", __name__, url_prefix="/akun")
_DONE = {"password", "pin", "ended", "workstation", "unregistered"}


@blueprint.get("")
@auth.members_only
def overview() -> Any:
    """Where one is logged in, what one looked at, and what can be changed."""
    here, now = auth.present(), edge().clock()
    with edge().sessions() as session:
        return render_template(
            "account.html",
            devices=logins.devices(session, here, edge().settings, now),
            looks=access.own_looks(session, here.officer),
            has_phone=factors.has_phone(session, here.officer.id),
            workstations=_workstations(session, here.officer),
            done=_done(),
            show_id=ids.show,
        )


@blueprint.post("/sesi")
@auth.members_only
def end() -> Any:
    """End one of one's sessions, or all but this one."""
    given = request.form.get("session")
    chosen = None if given is None else ids.parse(given)
    if given is not None and chosen is None:
        raise NotFound("session.unknown", "Sesi itu sudah berakhir.")
    with edge().sessions.begin() as session:
        logins.end(session, auth.present(), chosen)
    return _back("ended")


@blueprint.post("/komputer")
@auth.members_only
def workstation() -> Any:
    """Register this computer as one of the office's."""
    name, now = request.form.get("name", "").replace("\0", ""), edge().clock()
    with edge().sessions.begin() as session:
        locks.register(session, auth.officer(), auth.device(), name, now)
    return _back("workstation")


@blueprint.post("/komputer/hapus")
@auth.members_only
def unregister() -> Any:
    """A computer is none of the office's any more."""
    with edge().sessions.begin() as session:
        locks.unregister(session, auth.officer(), request.form.get("device", ""))
    return _back("unregistered")


@blueprint.route("/kata-sandi", methods=["GET", "POST"])
@auth.members_only
def password() -> Any:
    """Change one's own password."""
    problem = None
    if request.method == "POST":
        old, new = (request.form.get(name, "")[:1000] for name in ("password", "new"))
        city, here = edge().profile.city.name, auth.present()
        try:
            judged_here(lambda s: logins.change_password(s, here, old, new, city))
            return _back("password")
        except GatewayError as refused:
            problem = refused
    page = render_template(
        "password.html", problem=problem, due=auth.present().duty, shortest=passwords.SHORTEST
    )
    return page, 200 if problem is None else status_of(problem)


@blueprint.route("/pin", methods=["GET", "POST"])
@auth.members_only
def pin() -> Any:
    """Choose the PIN that unlocks a workstation's screen."""
    problem = None
    if request.method == "POST":
        me = auth.officer()
        given, chosen = (request.form.get(name, "")[:1000] for name in ("password", "pin"))

        def change(session: Session) -> None:
            sessions.authenticate(session, me.username, given)
            factors.set_pin(session, me.id, chosen)

        try:
            judged_here(change)
            return _back("pin")
        except GatewayError as refused:
            problem = refused
    page = render_template("pin.html", problem=problem)
    return page, 200 if problem is None else status_of(problem)


@blueprint.get("/faktor")
@auth.members_only
def factor() -> Any:
    """How to set up the second factor, or that it stands."""
    return _factor_page(None)


@blueprint.post("/faktor/mulai")
@auth.members_only
def begin_factor() -> Any:
    """A fresh secret for the phone; a phone that counts is replaced by proving it once more."""
    me, now = auth.officer(), edge().clock()

    def begin(session: Session) -> None:
        logins.prove(session, claim_of_form(me.username), edge().vault, now)
        factors.remove_phone(session, me.id)
        factors.begin(session, me.id, edge().vault)

    try:
        judged_here(begin)
    except GatewayError as refused:
        return _factor_page(refused)
    return redirect(url_for("account.factor"), 303)


@blueprint.post("/faktor/selesai")
@auth.members_only
def finish_factor() -> Any:
    """The phone counts from now on; its recovery codes are shown this once."""
    me, typed, now = auth.officer(), request.form.get("code", "")[:40], edge().clock()
    try:
        codes = judged_here(lambda s: factors.finish(s, me.id, typed, edge().vault, now))
    except GatewayError as refused:
        return _factor_page(refused)
    return render_template("recovery.html", codes=codes)


def _factor_page(problem: GatewayError | None) -> Any:
    me = auth.officer()
    with edge().sessions() as session:
        has = factors.has_phone(session, me.id)
        secret = factors.waiting(session, me.id, edge().vault)
    link = None if secret is None else totp.link(secret, "Titian", me.username)
    page = render_template(
        "factor.html",
        problem=problem,
        has_phone=has,
        must=auth.present().duty is not None,
        secret=None if secret is None else totp.written(secret),
        link=link,
        qr=None if link is None else show.qr(link),
    )
    return page, 200 if problem is None else status_of(problem)


def _workstations(session: Session, me: Officer) -> list[Workstation] | None:
    """The computers of the office, for those who look after them; None for others."""
    return locks.workstations(session) if locks.may_register(me) else None


def _done() -> str | None:
    given = request.args.get("hasil", "")
    return given if given in _DONE else None


def _back(done: str) -> Any:
    return redirect(url_for("account.overview", hasil=done), 303)
