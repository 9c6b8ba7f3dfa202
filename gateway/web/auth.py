"""Who is at the screen: the session cookie, the forms' token, and where a request came from.

Source: design/trust.md 4.8.
"""

import re
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Response, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gateway.access import sessions
from gateway.access.model import Action, Duty, Officer, Purpose, Role
from gateway.access.sessions import Current
from gateway.errors import Forbidden, Unauthorized
from gateway.web import locked
from gateway.web.edge import edge

_SAFE = {"GET", "HEAD", "OPTIONS"}
_YEAR = 31_536_000
_DUTIES = {Duty.PASSWORD: "account.password", Duty.FACTOR: "account.factor"}
"""The page that an officer is led to until he has done what he must."""
_DEVICE = re.compile(r"[A-Za-z0-9_-]{43}")
SCRIPTED = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may do whose script asks our own pages again, and runs no other."""
_NOTHING = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
"""What no page of ours asks of the browser."""


def cookie_name() -> str:
    """`__Host-titian`, or `titian` over plain http (the demo on loopback or a LAN)."""
    return "__Host-titian" if _secure() else "titian"


def remember(answer: AnyResponse, token: str) -> AnyResponse:
    """Put the session into the browser: not for scripts, not for other sites."""
    return _keep(answer, cookie_name(), token, None)


def device() -> str:
    """This browser's own secret, by which it has one session; a new one where it has none."""
    if "device" not in g:
        given = request.cookies.get(f"{cookie_name()}-perangkat", "")
        g.device = given if _DEVICE.fullmatch(given) else sessions.new_token()
    found: str = g.device
    return found


def renew(made: str) -> None:
    """The session has a new token: the answer to this request will carry it."""
    g.renewed = made


def forget(answer: AnyResponse) -> AnyResponse:
    """Take the session, and what the browser kept of it, away."""
    answer.delete_cookie(cookie_name(), path="/", secure=_secure(), httponly=True)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def token() -> str | None:
    """The session token of this request."""
    return request.cookies.get(cookie_name())


def current() -> Current | None:
    """The session of this request; None where nobody is logged in or the screen is locked."""
    found = held()
    return None if found is None or found.locked else found


def held() -> Current | None:
    """The session of this request, locked or not, looked up once."""
    if "current" not in g:
        g.current = None
        given = token()
        if given:
            with edge().sessions() as session:
                g.current = sessions.current(session, given, edge().settings, edge().clock())
                session.commit()
    found: Current | None = g.current
    return found


def officer() -> Officer:
    """Who is logged in.

    Raises:
        Unauthorized: nobody is.
    """
    return present().officer


def present() -> Current:
    """The session of whoever is logged in.

    Raises:
        Unauthorized: nobody is.
    """
    found = current()
    if found is None:
        raise Unauthorized("session.none", "Masuklah terlebih dahulu.")
    return found


def members_only(view: Callable[..., Any]) -> Callable[..., Any]:
    """A page for anyone who is logged in; others are led to the login page.

    A locked screen asks to be unlocked first, and keeps what was sent.
    """

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        found = held()
        if found is None:
            return _to_login()
        if found.locked:
            return locked.screen(found)
        if request.method not in _SAFE:
            check_form()
        if found.duty is not None and request.blueprint not in {"account", "login"}:
            return redirect(url_for(_DUTIES[found.duty]), 303)
        return view(*args, **kwargs)

    return guarded


def _to_login() -> Any:
    """The login page; what was sent by whoever's session has ended goes along, sealed for him."""
    given = token()
    if request.method == "POST" and given:
        check_origin()
        with edge().sessions() as session:
            officer_id = sessions.whose(session, given, edge().clock())
        if officer_id is not None:
            kept = locked.kept_for(officer_id)
            page = render_template("login.html", username="", problem=None, kept=kept)
            return page, 401
    return redirect(url_for("login.enter"), 303)


def holds(roles: Collection[Role]) -> bool:
    """Whether the officer at the screen has one of these roles."""
    found = current()
    return found is not None and any(role in roles for role in found.officer.roles)


def may(action: Action, purpose: Purpose | None = None) -> bool:
    """Whether the officer at the screen may do `action`: for some purpose, or for this one."""
    found = current()
    return found is not None and found.officer.acting_for(action, purpose) is not None


def check_form() -> None:
    """A form must carry its session's token and come from our own pages.

    Raises:
        Forbidden: it does not.
    """
    check_origin()
    found = held()
    given = request.form.get("csrf", "") or request.headers.get("X-Titian-Csrf", "")
    if found is None or not sessions.csrf_holds(found, given):
        raise Forbidden(
            "form.stale", "Formulir ini sudah tidak berlaku. Muat ulang halaman, lalu kirim lagi."
        )


def check_origin() -> None:
    """Refuse a form that another site sent.

    Raises:
        Forbidden: the browser says that it came from elsewhere.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    own = site in {"same-origin", "none"} if site else _same_host(origin)
    if not own:
        raise Forbidden("form.foreign", "Formulir ini tidak dikirim dari halaman Titian.")


def harden(answer: Response) -> Response:
    """Headers of every answer: nothing from elsewhere, no frame, no referrer, nothing kept."""
    headers = answer.headers
    headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
    )
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", _NOTHING)
    if _secure():
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    if "device" in g:
        _keep(answer, f"{cookie_name()}-perangkat", device(), _YEAR)
    if "renewed" in g:
        remember(answer, g.renewed)
    return answer


def _keep(answer: AnyResponse, name: str, value: str, max_age: int | None) -> AnyResponse:
    answer.set_cookie(
        name,
        value,
        max_age=max_age,
        secure=_secure(),
        httponly=True,
        samesite="Strict",
        path="/",
    )
    return answer


def _same_host(origin: str | None) -> bool:
    try:
        return origin is None or urlsplit(origin).netloc == request.host
    except ValueError:
        return False


def _secure() -> bool:
    return edge().settings.origin.startswith("https://")
