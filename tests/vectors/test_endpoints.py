"""Every endpoint of the API refuses what is shaped like JOSE, as a body and as a signature."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from gateway.app import create_app
from gateway.web.edge import edge
from tests.conftest import Database
from tests.vectors.samples import keys, messages

PLACES = {
    "agency": "dinsos",
    "stream": "target",
    "epoch": 1,
    "seq": 1,
    "version": 1,
    "level": 0,
    "path": "000",
}
TYPES = ("application/jose", "application/jose+json", "application/json")


@pytest.fixture(scope="module")
def app(database: Database) -> Iterator[Flask]:
    made = create_app(database.settings)
    yield made
    with made.app_context():
        edge().sessions.kw["bind"].dispose()


def addresses(app: Flask) -> list[tuple[str, str]]:
    """(method, path) of everything under /v1 that takes a body."""
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/v1/"):
            continue
        methods = sorted((rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"})
        found += [(method, _path(app, rule)) for method in methods]
    return found


def _path(app: Flask, rule: Rule) -> str:
    given = {name: PLACES.get(name, "x") for name in rule.arguments}
    with app.test_request_context():
        return app.url_map.bind("localhost").build(rule.endpoint, given, rule_methods(rule))


def rule_methods(rule: Rule) -> str:
    return next(iter((rule.methods or {"POST"}) & {"POST", "PUT", "PATCH", "DELETE"}))


def samples() -> list[str]:
    """A few of each kind: the compact ones, those in JSON, the keys."""
    found = [each for each in messages() if each]
    compact = [each for each in found if not each.startswith("{")]
    plain = [each for each in found if each.startswith("{")]
    return [*compact[::60], *plain[::4], *keys()[::20]]


def test_no_endpoint_takes_a_sample(app: Flask) -> None:
    client: FlaskClient = app.test_client()
    places = addresses(app)
    assert len(places) >= 8
    chosen = samples()
    assert len(chosen) >= 12
    for method, path in places:
        for number, sample in enumerate(chosen):
            answer = client.open(
                path,
                method=method,
                data=sample.encode(),
                content_type=TYPES[number % len(TYPES)],
                headers={"Authorization": f"Bearer {''.join(sample.split())[:500]}"},
            )
            assert 400 <= answer.status_code < 500, (method, path, answer.status_code)
            assert sample[:40].encode() not in answer.data
