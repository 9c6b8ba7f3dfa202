"""Errors on the wire: one table from an error's class to its HTTP status, as problem+json.

An error whose class has no row answers as its nearest ancestor does. What no row covers is ours: it
answers 500 and says nothing of what happened. `detail` is the error's own sentence, which by house
rule holds no personal data; nothing of the request is repeated.

Source: RFC 9457.
"""

import logging
from typing import Any, ClassVar

import orjson
from flask import Flask, Response, request
from flask_smorest import Api
from psycopg.errors import DiskFull
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from gateway.errors import (
    Conflict,
    Forbidden,
    GatewayError,
    NotFound,
    Refused,
    TooLarge,
    TooMany,
    Unauthorized,
    Unavailable,
)
from keys.errors import (
    BadEnvelope,
    BadJson,
    BadSignature,
    BadTicket,
    KeyFileError,
    NotAnExtension,
    TrustError,
    VaultError,
)
from schemas.errors import SchemaError
from schemas.exchange import ProblemSchema

PROBLEM_JSON = "application/problem+json"
API_PREFIX = "/v1/"
STATUS: dict[type[Exception], int] = {
    Refused: 422,
    TooLarge: 413,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooMany: 429,
    Unavailable: 503,
    TrustError: 422,
    BadJson: 400,
    BadEnvelope: 400,
    BadSignature: 401,
    BadTicket: 401,
    KeyFileError: 503,
    NotAnExtension: 503,
    VaultError: 503,
    SchemaError: 422,
    OperationalError: 503,
    PoolTimeout: 503,
}
"""The table. A database that does not answer is ours, and temporary."""

TITLES = {
    400: "The message cannot be read",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    409: "The state has moved on",
    413: "Too large",
    422: "Refused",
    429: "Too many requests",
    500: "Our mistake",
    503: "Not available now",
}
_RETRY_SECONDS = 2
_log = logging.getLogger(__name__)


class ProblemApi(Api):  # type: ignore[misc]  # flask-smorest carries no types
    """flask-smorest whose errors, and their description in OpenAPI, are problem+json."""

    DEFAULT_RESPONSE_CONTENT_TYPE: str
    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME: ClassVar[str] = "DEFAULT_ERROR"

    def _register_responses(self) -> None:
        kept = Api.DEFAULT_RESPONSE_CONTENT_TYPE
        self.DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM_JSON
        try:
            super()._register_responses()
        finally:
            self.DEFAULT_RESPONSE_CONTENT_TYPE = kept

    def handle_http_exception(self, error: HTTPException) -> Response | HTTPException:
        """A routing or validation error; outside the API it stays what a browser expects."""
        if not request.path.startswith(API_PREFIX):
            return error
        status = error.code or 500
        given: dict[str, Any] = getattr(error, "data", None) or {}
        members: dict[str, Any] = {"title": error.name, "code": f"http.{status}"}
        if "messages" in given:
            members |= {"code": "request.invalid", "errors": given["messages"]}
        if "message" in given:
            members["detail"] = given["message"]
        answer = problem(status, **members)
        for name, value in error.get_headers():
            if name.lower() in {"allow", "retry-after", "www-authenticate"}:
                answer.headers[name] = value
        # webargs sets the headers of a 422 to None
        answer.headers.extend(dict(given.get("headers") or {}))
        return answer


def status_of(error: Exception) -> int:
    """The HTTP status of an error: its own row or the nearest ancestor's; 500 without one."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem(status: int, **members: Any) -> Response:
    """A problem+json response; `code` names its type."""
    code = members.get("code")
    body = {
        "type": f"urn:titian:problem:{code}" if code else "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        **members,
    }
    answer = Response(orjson.dumps(body), status=status, content_type=PROBLEM_JSON)
    answer.headers["Cache-Control"] = "no-store"
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Signature realm="titian"'
    return answer


def answer(error: Exception) -> Response:
    """What the API says of one of our errors."""
    status = status_of(error)
    if isinstance(error, GatewayError):
        made = problem(status, code=error.code, detail=error.sentence, **error.details)
        retry = error.details.get("retry_after")
    elif isinstance(error, TrustError | SchemaError):
        made = problem(status, code=error.code, detail=str(error))
        retry = None
    else:
        made = _database(status, error)
        retry = None
    if status in {429, 503}:
        made.headers["Retry-After"] = str(_RETRY_SECONDS if retry is None else retry)
    return made


def unexpected(error: Exception) -> Response:
    """An error that nobody foresaw: 500; the log names its class and place, never its values."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "?" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    _log.error("unexpected %s at %s", type(error).__name__, place)
    return problem(500, code="internal", detail="Nothing was stored. The operator can find it.")


def install(app: Flask) -> None:
    """Answer all our errors by the table; a blueprint of pages may answer its own as HTML."""
    for kind in (GatewayError, TrustError, SchemaError, OperationalError, PoolTimeout):
        app.register_error_handler(kind, answer)
    app.register_error_handler(Exception, unexpected)


def _database(status: int, error: Exception) -> Response:
    if isinstance(error, DBAPIError) and isinstance(error.orig, DiskFull):
        return problem(
            status, code="storage.full", detail="The disk is full; nothing was stored. Try later."
        )
    return problem(
        status,
        code="database.unavailable",
        detail="The database does not answer; nothing was stored. Try again shortly.",
    )
