"""Whatever judges a password at the screen counts as a try to log in: one limit for all of it.

Source: design/trust.md 4.7.
"""

from collections.abc import Callable
from typing import TypeVar

from flask import request
from sqlalchemy.orm import Session

from gateway.access import sessions
from gateway.access.logins import Claim
from gateway.errors import GatewayError, Unauthorized
from gateway.web import auth
from gateway.web.edge import edge

_T = TypeVar("_T")


def claim_of_form(username: str) -> Claim:
    """What the form says to prove that one is `username`."""
    return Claim(
        username, request.form.get("password", "")[:1000], request.form.get("code", "")[:40]
    )


def judged(username: str, act: Callable[[Session], _T]) -> _T:
    """What `act` returns, in one transaction; if it finds a wrong password, that is counted.

    Raises:
        TooMany: too many wrong ones in 15 minutes; `act` was not asked.
    """
    address, now = request.remote_addr or "", edge().clock()
    with edge().sessions.begin() as session:
        tried = sessions.begin_try(session, username, address, now)
    try:
        with edge().sessions.begin() as session:
            made = act(session)
    except Unauthorized:
        raise
    except GatewayError:
        with edge().sessions.begin() as session:
            sessions.succeeded(session, tried)  # the password was right, something else was not
        raise
    with edge().sessions.begin() as session:
        sessions.succeeded(session, tried)
    return made


def judged_here(act: Callable[[Session], _T]) -> _T:
    """`judged`, of the officer at the screen."""
    return judged(auth.officer().username, act)
