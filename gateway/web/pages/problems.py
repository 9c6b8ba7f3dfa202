"""Errors as pages: what happened, what was kept, what to do next."""

from typing import Any

from flask import redirect, render_template, request, url_for

from gateway.errors import GatewayError, Unauthorized
from gateway.web import problems
from gateway.web.language import words_of_request

_TITLES = {403, 404, 409, 413, 422, 429, 503}


def page(error: Exception) -> Any:
    """The page of one of our errors; who is not logged in is led to the login page.

    The API's errors stay problem+json.
    """
    if request.path.startswith(problems.API_PREFIX):
        return problems.answer(error)
    if isinstance(error, Unauthorized):
        return redirect(url_for("login.enter"), 303)
    status = problems.status_of(error)
    code = error.code if isinstance(error, GatewayError) else f"http.{status}"
    said = error.sentence if isinstance(error, GatewayError) else ""
    details = error.details if isinstance(error, GatewayError) else {}
    sentence = words_of_request().get(f"refused.{code}", said, details)
    return plain(status, code, sentence)


def plain(status: int, code: str, sentence: str = "") -> Any:
    """A page that says `status` in words; the API's own errors stay problem+json."""
    if request.path.startswith(problems.API_PREFIX):
        return problems.problem(status, code=code)
    t = words_of_request()
    key = status if status in _TITLES else 500
    return render_template(
        "problem.html",
        title=t(f"problem.title_{key}"),
        sentence=sentence or t(f"problem.text_{key}"),
        code=code,
    ), status
