"""Batches over HTTP: only the agency itself, signed; each refusal is a problem with a code."""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.app import create_app
from gateway.settings import Settings
from gateway.web.edge import edge
from keys import dsse, httpsig
from keys.signers import Signer
from schemas.receipt import load_receipt, load_result
from tests.conftest import Database
from tests.intake.factory import Agency, Parcel, apply, enrol, line, person, tools_of
from tests.intake.revoking import another_key, revoke, work

NOW = datetime.now(UTC) - timedelta(seconds=1)


@pytest.fixture(scope="module")
def app(database: Database) -> Iterator[Flask]:
    made = create_app(database.settings)
    yield made
    with made.app_context():
        edge().sessions.kw["bind"].dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def agency(database: Database) -> Agency:
    return enrol(database, now=NOW)


def headers(
    settings: Settings,
    signer: Signer,
    method: str,
    path: str,
    body: bytes | None = None,
    **how: Any,
) -> dict[str, str]:
    fields = {}
    if body is not None:
        fields = {
            "Content-Type": "application/vnd.titian.batch.v1",
            "Content-Length": str(len(body)),
        }
    request = httpsig.Request(
        method,
        settings.origin + path,
        {name: [value] for name, value in fields.items()},
        None if body is None else hashlib.sha256(body).digest(),
    )
    nonce = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    created = how.get("created", datetime.now(UTC))
    return fields | httpsig.sign_headers(request, signer, created=created, nonce=nonce)


def put(client: FlaskClient, database: Database, parcel: Parcel, **how: Any):
    body = how.pop("body", parcel.sealed.body)
    signer = how.pop("by", parcel.agency).signer
    signed = headers(database.settings, signer, "PUT", parcel.url, body, **how)
    return client.put(parcel.url, data=how.get("sent", body), headers=signed)


def get(client: FlaskClient, database: Database, agency: Agency, path: str):
    return client.get(path, headers=headers(database.settings, agency.signer, "GET", path))


def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"


def test_a_batch_gets_its_receipt_and_the_same_one_again(client, database, agency):
    parcel = agency.people(range(3))
    first, again = put(client, database, parcel), put(client, database, parcel)
    assert (first.status_code, again.status_code) == (201, 200)
    assert "Titian-Replayed" not in first.headers
    assert again.headers["Titian-Replayed"] == "1"
    assert first.data == again.data
    receipt = load_receipt(dsse.parse(first.data).payload)
    assert receipt.payload_sha256 == parcel.sealed.payload_sha256.hex()


def test_the_ways_out_of_quarantine_are_told_to_the_agency(client, database, agency):
    streams = f"/v1/agencies/{agency.code}/streams/target"
    none = get(client, database, agency, f"{streams}/recovery").get_json()
    assert none == {"epoch": None, "prev": None, "quarantined": []}
    thief = another_key(database, agency)
    good = agency.people([1]).advance()
    stolen = agency.people([2], signer=thief)
    assert [put(client, database, p).status_code for p in (good, stolen)] == [201, 201]
    revoke(database, agency, thief.kid, 0)
    work(database, tools_of(database))
    told = get(client, database, agency, f"{streams}/recovery").get_json()
    assert (told["epoch"], told["prev"]) == (2, good.sealed.payload_sha256.hex())
    mine = {"epoch": 1, "seq": 2, "payload_sha256": stolen.sealed.payload_sha256.hex()}
    assert told["quarantined"] == [mine]


def test_head_result_and_dispositions_are_for_the_agency(client, database, agency):
    streams = f"/v1/agencies/{agency.code}/streams/target"
    empty = get(client, database, agency, f"{streams}/head").get_json()
    assert (empty["epoch"], empty["seq"], empty["payload_sha256"]) == (1, 0, None)
    version = agency.version()
    lines = [line(f"p{n}", version, person(n)) for n in range(9)] + [b"not json"]
    parcel = agency.seal(lines, max_reject=0.5)
    assert put(client, database, parcel).status_code == 201
    head = get(client, database, agency, f"{streams}/head").get_json()
    assert (head["seq"], head["payload_sha256"]) == (1, parcel.sealed.payload_sha256.hex())
    waiting = get(client, database, agency, f"{parcel.url}/result")
    assert (waiting.status_code, waiting.get_json()) == (202, {"state": "accepted"})
    apply(database, tools_of(database), parcel)
    result = get(client, database, agency, f"{parcel.url}/result")
    assert load_result(dsse.parse(result.data).payload).applied == 9
    said = get(client, database, agency, f"{parcel.url}/dispositions").get_json()
    assert said["dispositions"] == [{"i": 9, "code": "json.syntax", "level": "E", "field": None}]
    assert said["next"] is None


@pytest.mark.parametrize(
    "what", ["", "/result", "/dispositions"], ids=["put", "result", "dispositions"]
)
def test_one_agency_may_not_speak_for_or_read_of_another(client, database, agency, what):
    other = enrol(database, now=NOW)
    parcel = agency.people(range(1))
    if not what:
        refused(put(client, database, parcel, by=other), 403, "agency.foreign")
        return
    put(client, database, parcel)
    refused(get(client, database, other, parcel.url + what), 403, "agency.foreign")


def test_an_unsigned_request_is_refused(client, agency):
    parcel = agency.people(range(1))
    answer = client.put(parcel.url, data=parcel.sealed.body)
    refused(answer, 401, "http.signature_missing")
    refused(client.get(parcel.url + "/result"), 401, "http.signature_missing")


def test_a_body_altered_on_the_way_is_refused(client, database, agency):
    parcel = agency.people(range(1))
    altered = bytes([parcel.sealed.body[0] ^ 1]) + parcel.sealed.body[1:]
    refused(put(client, database, parcel, sent=altered), 401, "http.digest")


def test_a_request_of_another_time_is_refused(client, database, agency):
    late = datetime.now(UTC) - timedelta(minutes=6)
    refused(put(client, database, agency.people([1]), created=late), 401, "http.clock_skew")


def test_replay_of_a_request_is_refused_and_of_its_batch_is_not(client, database, agency):
    parcel = agency.people(range(1))
    signed = headers(database.settings, agency.signer, "PUT", parcel.url, parcel.sealed.body)
    first = client.put(parcel.url, data=parcel.sealed.body, headers=signed)
    again = client.put(parcel.url, data=parcel.sealed.body, headers=signed)
    assert first.status_code == 201
    refused(again, 401, "http.replayed")
    assert put(client, database, parcel).status_code == 200


def test_a_body_of_unknown_length_is_refused(client, database, agency):
    parcel = agency.people(range(1))
    signed = headers(database.settings, agency.signer, "PUT", parcel.url, parcel.sealed.body)
    del signed["Content-Length"]
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    answer = client.open(
        parcel.url, method="PUT", headers=signed, environ_overrides=environ, input_stream=None
    )
    assert answer.status_code == 411


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(client, database, agency):
    body = b"x" * (database.settings.max_body + 1)
    refused(put(client, database, agency.people([1]), body=body), 413, "http.too_large")


@pytest.mark.parametrize(
    ("spoil", "status", "code"),
    [
        (lambda a: a.people([1], aud="elsewhere"), 403, "aud.foreign"),
        (lambda a: a.people([1], prev="00" * 32), 409, "stream.genesis"),
        (lambda a: a.people([1], seq=5), 409, "stream.gap"),
        (lambda a: a.seal([], kind="confirm", confirms="00" * 32), 422, "confirm.unknown"),
    ],
    ids=["aud", "genesis", "gap", "confirm"],
)
def test_a_refusal_says_its_code(client, database, agency, spoil, status, code):
    refused(put(client, database, spoil(agency)), status, code)


def test_a_fork_is_told_and_kept(client, database, agency):
    assert put(client, database, agency.people([1])).status_code == 201
    refused(put(client, database, agency.people([2])), 409, "stream.fork")
    streams = f"/v1/agencies/{agency.code}/streams/target"
    assert get(client, database, agency, f"{streams}/head").get_json()["suspended"] == "fork"


def test_too_many_batches_in_a_minute_are_told_when_to_come_back(database, agency):
    slow = replace(database.settings, batches_per_minute=2)
    made = create_app(slow)
    parcel = agency.people([1])
    answers = [put(made.test_client(), database, parcel) for _ in range(4)]
    with made.app_context():
        edge().sessions.kw["bind"].dispose()
    late = [a for a in answers if a.status_code == 429]
    assert late
    assert int(late[-1].headers["Retry-After"]) <= 61
