"""Statements about keys over HTTP: anybody may carry one; what it says of itself decides."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.app import create_app
from gateway.ledger import query as ledger
from gateway.trust import centre, store
from gateway.web.edge import edge
from keys import dsse
from keys.canonical import canonical, from_base64
from keys.checkpoint import parse_checkpoint, parse_note, witness_key
from keys.cosignature import cosign
from keys.dsse import MAX_BYTES
from keys.keyset import PAYLOAD_TYPE, Recovery, State, build, encode, parse_statement
from keys.signers import Ed25519Signer
from keys.suspension import Action, Suspension, seal_suspension
from tests.conftest import Database
from tests.intake.test_http import headers
from tests.trust.enrolling import REGISTRAR, SECOND
from tests.trust.test_keylife import Owner, integrate


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
def owner(database: Database) -> Owner:
    return Owner(database, now=datetime.now(UTC).replace(microsecond=0)).active()


def signed(owner: Owner, method: str, path: str, signer=None) -> dict[str, str]:
    return headers(owner.settings, signer or owner.signer, method, path)


def test_a_rotation_is_handed_in_and_proved(client, database, owner):
    path = f"/v1/agencies/{owner.code}/keysets"
    new = Ed25519Signer.generate(owner.code)
    data = owner.rotation(new)
    first, again = client.post(path, data=data), client.post(path, data=data)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json()["state"] == "active"
    assert first.get_json()["proof"] is None
    integrate(database)
    answer = client.get(f"{path}/2", headers=signed(owner, "GET", f"{path}/2", new)).get_json()
    assert answer["proof"] is not None
    assert from_base64(answer["envelope"]) == data
    listed = client.get(path, headers=signed(owner, "GET", path)).get_json()["keysets"]
    assert [each["version"] for each in listed] == [1, 2]


def test_a_silent_key_is_heard_only_in_statements(client, owner):
    said = Suspension(
        owner.settings.aud, owner.code, owner.signer.kid, Action.SUSPEND, owner.now, "x"
    )
    path = f"/v1/agencies/{owner.code}/suspensions"
    data = seal_suspension(said, [owner.signer])
    assert [client.post(path, data=data).status_code for _ in range(2)] == [201, 200]
    keysets = f"/v1/agencies/{owner.code}/keysets"
    answer = client.get(keysets, headers=signed(owner, "GET", keysets))
    assert (answer.status_code, answer.get_json()["code"]) == (401, "key.suspended")
    back = seal_suspension(
        Suspension(
            said.aud, said.agency, said.kid, Action.RESUME, owner.now + timedelta(seconds=1), "x"
        ),
        [owner.recovery],
    )
    assert client.post(path, data=back).status_code == 201
    assert client.get(keysets, headers=signed(owner, "GET", keysets)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "envelope.json"),
        (b"{}", 400, "envelope.fields"),
        (b"x" * (MAX_BYTES + 1), 413, "http.too_large"),
    ],
)
def test_what_is_no_statement_is_refused(client, owner, body, status, code):
    for name in ("keysets", "suspensions"):
        answer = client.post(f"/v1/agencies/{owner.code}/{name}", data=body)
        assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_an_agency_that_is_not_here(client, owner):
    data = owner.rotation(Ed25519Signer.generate(owner.code))
    answer = client.post("/v1/agencies/nobody/keysets", data=data)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "agency.unknown")
    assert client.post("/v1/agencies/NO!/keysets", data=data).status_code == 404


def test_only_the_agency_objects(client, database, owner):
    other = Owner(database, now=owner.now).active()
    path = f"/v1/agencies/{owner.code}/keysets/2/objection"

    def objects(who: Owner):
        return client.put(
            path, data=b"{}", headers=headers(owner.settings, who.signer, "PUT", path, b"{}")
        )

    mine = Ed25519Signer.generate(owner.code)
    recovery = Recovery(1, {mine.kid: mine.public})
    made = owner.submit(owner.following(owner.recovery, mine, recovery=recovery, reason="amend"))
    answer = objects(other)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "agency.foreign")
    assert made.version == 2
    assert objects(owner).status_code == 204
    answer = objects(owner)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "keyset.none")


def test_a_destroyed_key_is_reported_by_its_agency_after_its_end(client, database, owner):
    new = Ed25519Signer.generate(owner.code)
    owner.submit(owner.rotation(new))
    other = Owner(database, now=owner.now).active()

    def reports(kid: str, who: Owner = owner, signer=new):
        path = f"/v1/agencies/{owner.code}/keysets/destroyed/{kid}"
        sent = headers(owner.settings, signer, "PUT", path, b"{}")
        answer = client.put(path, data=b"{}", headers=sent)
        return answer.status_code, (answer.get_json(silent=True) or {}).get("code")

    old = owner.signer.kid
    assert reports(old) == (409, "key.speaks")
    with database.session() as session:
        table = store.key
        session.execute(table.update().where(table.c.kid == old).values(sign_until=owner.now))
        session.commit()
    assert reports(old, signer=other.signer) == (403, "agency.foreign")
    assert owner.state() is State.DEACTIVATED
    assert [reports(old) for _ in range(2)] == [(204, None), (204, None)]
    assert owner.state() is State.DESTROYED
    assert reports(f"{owner.code}:unknown") == (404, "key.unknown")
    # A copy may have been taken before: it may still be revoked.
    made = owner.revoke(owner.now - timedelta(days=1), kid=old)
    owner.approve(SECOND, "mayor_delegate", " ".join(made.fingerprint.split()[-2:]))
    assert owner.state() is State.COMPROMISED


def test_the_size_at_a_moment(client, owner):
    path = f"/v1/agencies/{owner.code}/keysets/size"
    assert client.get(path, query_string={"since": "2001-01-01T00:00:00Z"}).get_json() == {
        "size": 0
    }
    assert client.get(path).status_code == 422


def test_a_witness_is_heard_and_shown(client, database):
    owner = Owner(database, now=datetime.now(UTC).replace(microsecond=0)).invited()
    witness = Ed25519Signer.generate(owner.code)
    key = witness_key(owner.code, witness.public)
    plain = parse_statement(
        build(owner.settings.aud, owner.code, [owner.entry()], issued=owner.now)
    )
    signers = [owner.signer, witness]
    first = dsse.seal(PAYLOAD_TYPE, encode(replace(plain, witness={witness.kid: key})), signers)
    owner.send(first, owner.proof(first, owner.challenge(), by=signers))
    owner.approve(REGISTRAR, "key_admin")
    owner.approve(SECOND, "mayor_delegate")
    integrate(database)
    note = client.get("/v1/log/checkpoint").data
    head = parse_checkpoint(parse_note(note).text)
    line = cosign(head, key, witness, datetime.now(UTC))
    path = "/v1/log/cosignatures"

    def says(body: bytes):
        return client.post(
            path, data=body, headers=headers(owner.settings, owner.signer, "POST", path, body)
        )

    assert says(canonical({"size": head.size, "line": line})).status_code == 204
    assert line in client.get("/v1/log/checkpoint").get_data(as_text=True)
    with database.session() as session:
        assert ledger.cosigned_size(session, datetime.now(UTC)) == head.size
    for body, status, code in (
        (b"[]", 422, "log.cosignature"),
        (b"x" * 3000, 422, "log.cosignature"),
        (canonical({"size": head.size + 1, "line": line}), 409, "log.size"),
        (canonical({"size": head.size, "line": "no line"}), 422, "log.cosignature"),
    ):
        answer = says(body)
        assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_the_centres_own_keysets_are_told_with_their_proof(client, database, owner):
    path = "/v1/agencies/gateway/keysets/1"

    def asks():
        return client.get(path, headers=signed(owner, "GET", path))

    assert asks().status_code == 404
    with database.session() as session:
        centre.publish(session, database.vault, owner.settings.aud, owner.now)
        session.commit()
    integrate(database)
    told = asks().get_json()
    said = parse_statement(dsse.parse(from_base64(told["envelope"])).payload)
    assert database.vault.signer("receipt").kid in said.keys
    assert (told["rule"], told["state"], told["proof"] is None) == ("enrol", "active", False)
    assert client.get(path).status_code == 401
