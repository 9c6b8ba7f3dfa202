"""The page before a high-value action: the very text that is decided, and who decides it.

The first request shows the statement; the second carries its hash back and, unless the officer
proved himself in the last five minutes, his password and code. If the text has changed meanwhile it
is shown again instead of being carried out.

Source: design/trust.md 1.8.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import render_template, request
from sqlalchemy.orm import Session

from gateway.access import stepup
from gateway.access.decisions import Statement
from gateway.errors import GatewayError, TooMany, Unauthorized
from gateway.web import auth
from gateway.web.edge import edge
from gateway.web.problems import status_of
from gateway.web.proving import claim_of_form, judged_here

_OWN = frozenset({"csrf", "shown", "password", "code"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement to be decided, what its page is called, and where leaving it leads."""

    statement: Statement
    title: str
    back: str


def decide(asked: Asked, act: Callable[[Session], Any]) -> Any:
    """Show the statement, or carry it out: `act` and the log's entry in one transaction.

    Raises:
        Forbidden: the officer's role needs a second factor and he has none.
    """
    here, now = auth.present(), edge().clock()
    with edge().sessions() as session:
        stepup.check_able(session, here, edge().settings)
    fresh = stepup.is_fresh(here, now)
    if request.form.get("shown") != asked.statement.sha256.hex():
        return _page(asked, prove=not fresh, changed="shown" in request.form)
    if not fresh:
        claim = claim_of_form(here.officer.username)
        try:
            token = judged_here(lambda s: stepup.prove(s, here, claim, edge().vault, now))
        except (Unauthorized, TooMany) as refused:
            return _page(asked, problem=refused)
        auth.renew(token)
        here = replace(here, confirmed_at=now)
    with edge().sessions.begin() as session:
        stepup.confirm(session, here, asked.statement, edge().vault, now)
        return act(session)


def _page(
    asked: Asked,
    *,
    prove: bool = True,
    changed: bool = False,
    problem: GatewayError | None = None,
) -> Any:
    page = render_template(
        "confirm.html",
        asked=asked,
        text=asked.statement.text.decode(),
        sha256=asked.statement.sha256.hex(),
        fields=[(n, v) for n, v in request.form.items(multi=True) if n not in _OWN],
        prove=prove,
        changed=changed,
        problem=problem,
    )
    return page, 200 if problem is None else status_of(problem)
