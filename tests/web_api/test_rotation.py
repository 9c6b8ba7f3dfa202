"""The connector's own code rotates its key at the real gateway."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors import (
    amending,
    countersigning,
    enrolment,
    keybook,
    revoking,
    rotating,
    silence,
    waking,
)
from connectors.client import Problem
from connectors.enrolment import anchors_of
from connectors.errors import CallCentre, Wait
from connectors.rotating import Hands
from connectors.speaker import Speaker, signing_kids
from gateway.trust import keylife
from gateway.trust import service as trust
from gateway.trust.model import Approver
from keys import dsse, keyset, rotation
from keys.canonical import to_base64
from keys.enrolment import seal_enrolment
from keys.keyset import PAYLOAD_TYPE
from keys.recovery import public_text
from keys.rotation import Step
from keys.signers import Ed25519Signer
from keys.suspension import Action, Suspension, seal_suspension
from tests.web_api.conftest import connecting, now


@pytest.fixture
def hands(centre, tmp_path, request):
    code = f"rotates-{abs(hash(request.node.name)) % 10_000}"
    with connecting(centre, code, tmp_path / "state") as made:
        ticket = centre.invite(code)
        centre.approve(code, made.enrol(ticket).fingerprint)
        centre.integrate()
        assert made.enrol(ticket).state == "active"
        speaker = Speaker(made.store.signer(made.store.kids()[0]))
        client = replace(made.client, signer=speaker)
        yield Hands(made.store, speaker, client, anchors_of(ticket), made.memory, now)


def test_a_rotation_needs_nobody_and_waits_for_the_log_alone(centre, hands):
    old = hands.speaker.kid
    assert rotating.rotate(hands).step is Step.SUBMITTED
    assert hands.speaker.kid == old
    assert hands.client.keyset(1)["version"] == 1
    centre.integrate()
    rotated = rotating.rotate(hands)
    assert rotated.step is Step.SWITCHED
    assert hands.speaker.kid == rotated.new != old
    assert hands.client.keyset(1)["version"] == 1  # the new key is heard
    hands.speaker.speak_as(hands.store.signer(old))
    assert hands.client.keyset(1)["version"] == 1  # and the old one still is


def test_the_same_statement_twice_and_a_rotation_too_soon(centre, hands):
    begun = rotating.rotate(hands)
    told = hands.client.put_keyset(begun.envelope)
    assert (told["version"], told["state"]) == (2, "active")
    centre.integrate()
    rotating.rotate(hands)
    with pytest.raises(Wait) as caught:
        rotating.rotate(hands)
    assert caught.value.code == "keys.pause"


def test_key_reuse_409(centre, hands, enrolled, tmp_path):
    """A key that another agency has is taken neither by a rotation nor by an enrolment."""
    seed = enrolled.store.signer(signing_kids(enrolled.store)[0])._private.private_bytes_raw()
    taken = Ed25519Signer.from_seed(hands.client.agency, seed)
    book = hands.book()
    payload = rotation.next_statement(
        book.keyset, book.payload_sha256, hands.speaker.kid, taken.public, now()
    )
    with pytest.raises(Problem) as refused:
        hands.client.put_keyset(dsse.seal(PAYLOAD_TYPE, payload, [hands.speaker, taken]))
    assert (refused.value.status, refused.value.code) == (409, "key.reused")
    with connecting(centre, "takes-keys", tmp_path / "takes") as made:
        ticket = centre.invite("takes-keys")
        same = Ed25519Signer.from_seed("takes-keys", seed)
        entry = keyset.entry_of("takes-keys", same.public, instance="conn", not_before=now())
        first = keyset.build(ticket.aud, "takes-keys", [entry], issued=now())
        sealed = dsse.seal(PAYLOAD_TYPE, first, [same])
        nonce, _ = made.client.challenge(ticket.ticket_id)
        proof = seal_enrolment(ticket, nonce, dsse.parse(sealed).payload_sha256, [same])
        with pytest.raises(Problem) as refused:
            made.client.enrol(to_base64(sealed), to_base64(proof))
    assert (refused.value.status, refused.value.code) == (409, "key.reused")


def test_the_keyset_is_learnt_again_from_the_first_version_on(centre, hands):
    rotating.rotate(hands)
    centre.integrate()
    rotating.rotate(hands)
    kept = keybook.load(hands.memory)
    assert keybook.learn(hands.client, hands.anchors, None) == kept


def test_a_suspended_key_is_silent_at_once(hands):
    kid = hands.speaker.kid
    said = Suspension(
        hands.anchors.aud, hands.client.agency, kid, Action.SUSPEND, now(), "key_suspected"
    )
    hands.client.put_suspension(seal_suspension(said, [hands.speaker]))
    with pytest.raises(CallCentre) as caught:
        rotating.rotate(hands)
    assert "key.suspended" in str(caught.value)


def enrolled_with_recovery(centre, made, code, folder):
    paper = Ed25519Signer.generate(code)
    kept = {"agency": code, "public": public_text(paper.public, code)}
    made.memory.put_fact(countersigning.FACT, kept)
    ticket, path = centre.invite(code), folder / "to-sign.json"
    enrolment.prepare(ticket, made.store, made.client, made.memory, now())
    with pytest.raises(Wait):
        enrolment.countersign(made.memory, path)
    path.write_bytes(countersigning.with_signature(path.read_bytes(), paper))
    enrolment.countersign(made.memory, path)
    centre.approve(code, made.enrol(ticket).fingerprint)
    centre.integrate()
    assert made.enrol(ticket).state == "active"
    speaker = Speaker(made.store.signer(made.store.kids()[0]))
    client = replace(made.client, signer=speaker)
    return paper, Hands(made.store, speaker, client, anchors_of(ticket), made.memory, now)


@pytest.mark.parametrize("rotates_first", [False, True], ids=["as enrolled", "after a rotation"])
def test_the_paper_revokes_a_stolen_key_and_one_person_approves(centre, tmp_path, rotates_first):
    code, path = f"stolen-{int(rotates_first)}", tmp_path / "to-sign.json"
    with connecting(centre, code, tmp_path / "state") as made:
        paper, hands = enrolled_with_recovery(centre, made, code, tmp_path)
        lost, since = hands.speaker.kid, now().replace(microsecond=0)
        if rotates_first:  # the thief, or the connector itself: both with the stolen key
            rotating.rotate(hands)
            centre.integrate()
            rotating.rotate(hands)
        sent = None
        for _ in range(3):
            try:
                sent = revoking.revoke(hands, lost, since, path)
                break
            except Wait:
                path.write_bytes(countersigning.with_signature(path.read_bytes(), paper))
        assert sent is not None
        assert sent.state == "pending"
        with centre.database.session() as session:
            end = " ".join(sent.new.fingerprint().split()[-2:])
            trust.approve(session, code, Approver("registrar", "key_admin"), end, now())
            session.commit()
        centre.integrate()
        revoking.follow(hands)
        rotating.take_up(hands)
        assert hands.speaker.kid == sent.kid
        assert hands.client.keyset(1)["version"] == 1


def test_a_recovery_key_is_named_at_the_real_gateway_after_the_enrolment(centre, hands, tmp_path):
    code, path = hands.client.agency, tmp_path / "to-sign.json"
    paper = Ed25519Signer.generate(code)
    with pytest.raises(Wait):
        amending.name_recovery(hands, paper.public, path)
    path.write_bytes(countersigning.with_signature(path.read_bytes(), paper))
    made = amending.name_recovery(hands, paper.public, path)
    assert (made.version, made.state) == (2, "pending")
    centre.approve(code, made.fingerprint)
    amending.follow(hands)
    assert hands.book().keyset.recovery is None
    with centre.database.session() as session:
        assert keylife.count_waiting(session, now() + timedelta(hours=73)) == 1
        session.commit()
    centre.integrate()
    amending.follow(hands)
    assert list(hands.book().keyset.recovery.keys) == [paper.kid]
    assert amending.awaited(hands) == frozenset()


def test_the_agency_objects_in_time_at_the_real_gateway(hands, tmp_path):
    paper, path = Ed25519Signer.generate(hands.client.agency), tmp_path / "to-sign.json"
    with pytest.raises(Wait):
        amending.name_recovery(hands, paper.public, path)
    path.write_bytes(countersigning.with_signature(path.read_bytes(), paper))
    amending.name_recovery(hands, paper.public, path)
    assert hands.client.keyset(2)["state"] == "pending"
    hands.client.put_objection(2)
    assert hands.client.keyset(2) is None


def test_a_suspended_key_is_woken_by_the_paper_at_the_real_gateway(centre, tmp_path):
    code, path = "wakes", tmp_path / "to-sign.json"
    with connecting(centre, code, tmp_path / "state") as made:
        paper, hands = enrolled_with_recovery(centre, made, code, tmp_path)
        kid = hands.speaker.kid
        assert waking.speaks(hands, kid)
        said = Suspension(
            hands.anchors.aud, code, kid, Action.SUSPEND, now() - timedelta(seconds=5), "drill"
        )
        hands.client.put_suspension(seal_suspension(said, [hands.speaker]))
        assert not waking.speaks(hands, kid)
        assert list(silence.of(hands.memory)) == [kid]
        with pytest.raises(Wait):
            waking.wake(hands, kid, path)
        path.write_bytes(countersigning.with_signature(path.read_bytes(), paper))
        waking.wake(hands, kid, path)
        assert waking.speaks(hands, kid)
        assert silence.of(hands.memory) == {}
