"""What seldom happens to keys: races, repeated acts, and acts of those who may not."""

import base64
import hashlib
import json
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import Conflict, Forbidden, NotFound, TooLarge
from gateway.trust import keylife, query, service, store, suspending
from gateway.trust.model import AgencyState, Loss, Outcome
from keys import dsse
from keys.canonical import canonical, read_json, to_base64
from keys.checkpoint import TYPE_COSIGNATURE
from keys.errors import BadKey, BadStatement
from keys.keyset import PAYLOAD_TYPE, Recovery, encode
from keys.signers import Ed25519Signer
from keys.suspension import Action, Suspension, seal_suspension
from tests.shared import shared
from tests.trust.enrolling import REGISTRAR, SECOND, Agency
from tests.trust.test_keylife import FIRST, Owner, refused


@pytest.fixture
def owner(database) -> Owner:
    return Owner(database).active()


def behind(database, lock: str, act):
    """Begins `act` in a thread while this transaction holds the agency's row; what comes of it."""
    came: list[object] = []

    def run() -> None:
        try:
            came.append(act())
        except Exception as err:  # noqa: BLE001 -- the caller looks at it
            came.append(err)

    thread = threading.Thread(target=run)
    with database.session() as session:
        store.lock_agency(session, lock)
        thread.start()
        yield session
        session.commit()
    thread.join(20)
    yield came[0]


def amended(owner: Owner) -> None:
    """A change of recovery keys that one person has approved; it waits for objections."""
    mine = Ed25519Signer.generate(owner.code)
    other = Recovery(1, {mine.kid: mine.public})
    made = owner.submit(owner.following(owner.recovery, mine, recovery=other, reason="amend"))
    owner.approve(REGISTRAR, "key_admin", " ".join(made.fingerprint.split()[-2:]))


def test_an_objection_at_the_last_moment_comes_before_the_count(owner, database):
    amended(owner)
    owner.now += timedelta(hours=72)
    steps = behind(database, owner.code, lambda: owner.do(keylife.count_waiting, owner.now))
    session = next(steps)
    time.sleep(0.2)  # the other reads what waits, and stands before the lock
    keylife.cancel(session, owner.code, 2, owner.now)
    assert next(steps) == 0
    assert owner.current()[0].version == 1


def test_key_reuse_of_two_agencies_at_one_moment_lets_one_in(database):
    one, two = Agency(database).invited(), Agency(database).invited()
    sent = []
    for agency in (one, two):
        agency.signer = Ed25519Signer.from_seed(agency.code, bytes([77]) * 32)
        envelope = agency.keyset()
        sent.append((envelope, agency.proof(envelope, agency.challenge())))
    begun, came = threading.Event(), []

    def late() -> None:
        begun.set()
        with pytest.raises(Conflict) as found:
            two.send(*sent[1])
        came.append(found.value.code)

    thread = threading.Thread(target=late)
    with database.session() as session:
        service.enrol(session, one.code, sent[0], one.gate, one.now)
        thread.start()
        begun.wait(10)
        time.sleep(0.3)  # it has looked for the key, found none, and waits for ours
        session.commit()
    thread.join(20)
    assert came == ["key.reused"]
    assert (one.shown().state, two.shown().state) == (AgencyState.PENDING, AgencyState.INVITED)


def test_after_a_rejection_the_agency_is_invited_again(database):
    agency = Agency(database).invited().enrolled()
    agency.do(service.reject, agency.code, FIRST, agency.now)
    ticket = agency.ticket.ticket_id
    standing = agency.do(service.standing, agency.code, ticket, agency.now)
    assert standing.state is AgencyState.INVITED


def test_a_suspended_key_is_revoked_and_stays_silent(owner):
    owner.decided(Action.SUSPEND, FIRST)
    made = owner.revoke(owner.now)
    assert not owner.speaks()
    end = " ".join(made.fingerprint.split()[-2:])
    assert owner.approve(SECOND, "mayor_delegate", end).outcome is Outcome.COMPLETED


def test_what_the_centre_signed_is_decided_by_its_persons_alone(owner):
    centre = owner.database.vault.signer("receipt")
    refused(Forbidden, "suspension.persons", owner.says, Action.SUSPEND, centre)
    refused(Forbidden, "suspension.persons", owner.says, Action.RESUME, centre)
    assert owner.speaks()


def test_nobody_silences_a_key_that_is_not_there(owner):
    said = Suspension(owner.settings.aud, owner.code, "x", Action.SUSPEND, owner.now, "drill")
    signer = owner.database.vault.signer("receipt")
    refused(NotFound, "key.unknown", owner.do, suspending.decide, said, [FIRST], signer, owner.now)


def test_a_revocation_that_never_was_is_not_found(owner, database):
    with database.session() as session:
        refused(NotFound, "revocation.unknown", query.revocation, session, 10**9)
        assert query.revocations(session, owner.code) == []
    made = owner.revoke(owner.now)
    owner.approve(SECOND, "mayor_delegate", " ".join(made.fingerprint.split()[-2:]))
    with database.session() as session:
        (found,) = query.revocations(session, owner.code)
        assert query.revocation(session, found.id) == found
    assert (found.kid, found.since, found.size_at_since) == (owner.signer.kid, owner.now, 0)


def test_an_agency_that_enrols_anew_begins_with_other_keys_alone(owner):
    new, other = (Ed25519Signer.generate(owner.code) for _ in range(2))
    recovery = Recovery(1, {other.kid: other.public})
    data = owner.following(
        *(owner.recovery, new, other),
        keys={new.kid: owner.entry(new)},
        recovery=recovery,
        reason="reenrol",
    )
    made = owner.submit(data)
    assert (made.rule, made.needed, made.leaf) == ("reenrol", 2, None)
    end = " ".join(new.public.fingerprint().split()[-2:])
    assert owner.approve(REGISTRAR, "key_admin", end).outcome is Outcome.RECORDED
    assert (owner.speaks(), owner.speaks(new)) == (True, False)
    assert owner.approve(SECOND, "mayor_delegate", end).outcome is Outcome.COMPLETED
    assert (owner.speaks(), owner.speaks(new)) == (False, True)
    assert owner.current()[0].recovery == recovery
    assert owner.shown().state is AgencyState.ACTIVE


def test_a_statement_that_the_log_would_not_take_is_refused_when_it_is_handed_in(owner):
    one = {"alg": "hpke-x25519", "pub": "A" * 43 + "=", "not_after": "2027-01-01T00:00:00Z"}
    for length, fits in ((600, True), (800, False)):
        enc = {f"{number:02d}" + "x" * length: one for number in range(64)}
        now, sha256 = owner.current()
        said = replace(now, version=2, prev=sha256, issued=owner.now, enc=enc, reason="amend")
        data = dsse.seal(PAYLOAD_TYPE, encode(said), [owner.recovery])
        if fits:
            assert owner.submit(data).rule == "amend"
            owner.do(service.reject, owner.code, FIRST, owner.now)
        else:
            refused(TooLarge, "keyset.size", owner.submit, data)


def test_a_loss_names_a_key_of_the_agency(owner, database):
    other = Owner(database).active()
    lost = Loss(owner.code, other.signer.kid, owner.now, "key_compromise")
    with database.session() as session:
        refused(NotFound, "key.unknown", keylife.compose_revocation, session, lost, owner.now)


def entrances(owner: Owner, raw: bytes) -> dict[str, dict]:
    """What a keyset statement says where such a key stands in each of its places."""
    hashed = base64.b32encode(hashlib.sha256(b"ed25519\0" + raw).digest()).decode().lower()
    kid, typed = f"{owner.code}:{hashed[:26]}", bytes([TYPE_COSIGNATURE]) + raw
    hint = hashlib.sha256(b"w\n" + typed).digest()[:4].hex()
    entry = read_json(dsse.parse(owner.keyset()).payload)["keys"][owner.signer.kid]
    return {
        "keys": {kid: entry | {"pub": to_base64(raw)}},
        "witness": {kid: {"vkey": f"w+{hint}+{to_base64(typed)}"}},
        "recovery": {"threshold": 1, "kids": [kid], "pubs": {kid: to_base64(raw)}},
    }


@pytest.mark.parametrize("act", ["enrol", "rotate"])
def test_low_order_keys(database, act):
    """None of the 14 encodings comes in, in no place of a statement, first or later."""
    path = shared("data/vectors/own/ed25519-low-order-keys.json")
    encodings = [bytes.fromhex(text) for text in json.loads(path.read_text())["encodings"]]
    assert len(encodings) == 14
    owner = Owner(database).active() if act == "rotate" else Owner(database).invited()

    def hand_in(envelope: bytes) -> None:
        if act == "rotate":
            owner.submit(envelope)
        else:
            owner.send(envelope, owner.proof(envelope, owner.challenge()))

    for raw in encodings:
        for place, value in entrances(owner, raw).items():
            if act == "rotate":
                data = owner.rotation(Ed25519Signer.generate(owner.code))
            else:
                data = owner.keyset()
            said = read_json(dsse.parse(data).payload)
            said[place] = {**said["keys"], **value} if place == "keys" else value
            envelope = dsse.seal(PAYLOAD_TYPE, canonical(said), [owner.signer])
            with pytest.raises(BadKey) as found:
                hand_in(envelope)
            assert found.value.code in {"key.low_order", "key.not_canonical"}


def test_the_agencys_own_statement_does_not_pass_for_another(owner, database):
    other = Owner(database).active()
    said = Suspension(
        owner.settings.aud, other.code, other.signer.kid, Action.SUSPEND, owner.now, "drill"
    )
    data = seal_suspension(said, [other.signer])
    refused(
        *(BadStatement, "suspension.key"),
        *(owner.do, suspending.take, owner.code, data, owner.centre, owner.now),
    )
    assert other.speaks()
