"""The web side put together: the only place that knows every blueprint. Nobody imports it."""

import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime
from threading import Semaphore
from typing import Any

import orjson
from flask import Flask, request
from flask.json.provider import JSONProvider
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from gateway.access.model import Action, Role
from gateway.complaints import inbox as inbox_of_agency
from gateway.complaints.visibility import HOUSE
from gateway.errors import GatewayError
from gateway.migrations import schema
from gateway.settings import Settings
from gateway.storage import deks
from gateway.storage.engine import connect, sessions
from gateway.storage.wake import Wakes
from gateway.web import auth, edge, jsonbody, jsonlog, problems, show
from gateway.web.api import (
    batches,
    enrolments,
    findings,
    inbox,
    keysets,
    log,
    status,
    verifications,
)
from gateway.web.language import words_of_request
from gateway.web.pages import (
    account,
    agencies,
    counter,
    desk,
    evidence,
    home,
    keyacts,
    letters,
    live,
    locks,
    login,
    mayor,
    programs,
    quality,
    queues,
    referrals,
    stewards,
    surveys,
    tickets,
    tracking,
    trail,
)
from gateway.web.pages import problems as page_problems
from gateway.web.waiting import AtOnce
from schemas.profile import Profile

_APIS = (log, enrolments, keysets, batches, inbox, findings, verifications)
_PAGES = (login, locks, account, agencies, keyacts, home, desk, live, stewards, trail, evidence)
_DESK = (counter, tickets, queues, tracking, letters, surveys, quality)
_PROGRAMS = (programs, referrals, mayor)


class OrjsonProvider(JSONProvider):
    """JSON by orjson: the fastest well-kept encoder, strict about what it takes."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application, connected to its database and its secrets.

    Raises:
        Unavailable: the database does not answer or may forget a commit.
        VaultError: the vault is missing or can be read by others.
    """
    chosen = Settings.from_env() if settings is None else settings
    jsonlog.install(chosen.log_level)
    app = Flask(__name__, template_folder="web/templates", static_folder="web/static")
    app.json = OrjsonProvider(app)
    if chosen.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=chosen.proxies)  # type: ignore[method-assign]
    app.config.update(
        API_TITLE="Titian",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/v1",
        OPENAPI_JSON_PATH="openapi.json",
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        MAX_FORM_MEMORY_SIZE=64 * 1024,
        MAX_CONTENT_LENGTH=jsonbody.LARGEST,  # a batch says its own limit
    )
    profile = Profile.load(chosen.profile)
    gate = Semaphore(chosen.at_once)
    edge.install(
        app,
        edge.Edge(
            settings=chosen,
            sessions=sessions(connect(chosen)),
            vault=deks.open_vault(chosen),
            clock=lambda: datetime.now(UTC),
            profile=profile,
            revision=schema.newest(),
            wakes=Wakes(chosen.broker_url),
            seats=Semaphore(chosen.waiters),
            gate=gate,
        ),
    )
    app.wsgi_app = AtOnce(app.wsgi_app, gate)  # type: ignore[method-assign]
    _blueprints(app)
    _pages(app, profile)
    logging.getLogger(__name__).info("gateway ready")
    return app


def _blueprints(app: Flask) -> None:
    problems.install(app)
    api = problems.ProblemApi(app)
    for module in _APIS:
        api.register_blueprint(module.blueprint)
    app.register_blueprint(status.blueprint)
    for page in (*_PAGES, *_DESK, *_PROGRAMS):
        app.register_blueprint(page.blueprint)
    app.register_error_handler(GatewayError, page_problems.page)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(auth.harden)


def _pages(app: Flask, profile: Profile) -> None:
    def context() -> Mapping[str, Any]:
        found = None if request.path.startswith(problems.API_PREFIX) else auth.current()
        return {
            "t": words_of_request(),
            "officer": found.officer if found else None,
            "csrf": found.csrf if found else None,
            "workstation": found.workstation if found else None,
            "no_second_factor": edge.edge().settings.second_factor == "off",
            "may_see_agencies": auth.holds(agencies.VIEWERS),
            "may_read_trail": auth.may(Action.TRAIL),
            "may_queue": auth.holds((*HOUSE, Role.STEERING)),
            "may_review": auth.holds(inbox_of_agency.READERS),
            "may_approve": auth.holds((Role.MAYOR_DELEGATE,)),
            "may_draft": auth.holds((Role.COUNTER_OFFICER, Role.FIELD_VERIFIER)),
            "may_survey": auth.holds(HOUSE),
            "may_judge": auth.may(Action.JUDGE),
            "may_prove": auth.may(Action.PROVE),
            "may_prove_look": auth.may(Action.PROVE_LOOK),
            "city_name": profile.city.name,
            "unit_name": profile.unit.name,
            "business_date": profile.business_date,
        }

    app.context_processor(lambda: dict(context()))
    app.add_template_filter(_speaking(show.day), "day")
    app.add_template_filter(_speaking(show.moment), "moment")
    app.add_template_filter(_speaking(show.number), "number")
    app.add_template_filter(show.rupiah, "rupiah")
    app.add_template_filter(show.masked, "masked")
    app.add_template_filter(show.grouped, "grouped")


def _speaking(filter_: Any) -> Any:
    def shown(value: date | datetime | int | str | None) -> str:
        text: str = filter_(value, words_of_request().language)
        return text

    return shown


def _http_problem(error: HTTPException) -> Any:
    if error.code is not None and error.code < 400:
        return error
    return page_problems.plain(error.code or 500, f"http.{error.code}")


def _unexpected(error: Exception) -> Any:
    made = problems.unexpected(error)
    if request.path.startswith(problems.API_PREFIX):
        return made
    return page_problems.plain(500, "internal")
