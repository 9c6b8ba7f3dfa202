"""A key hands over to its successor: nobody notices, and death at any step changes nothing."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from connectors import assembly, keybook, rotating
from connectors.assembly import Outside
from connectors.config import Config
from connectors.errors import CallCentre, FixSettings, Wait
from connectors.memory import Memory
from connectors.rotating import Hands
from connectors.runner import Wishes, publish, seal_only
from connectors.speaker import signing_kids
from keys import dsse, rotation
from keys.keyset import PAYLOAD_TYPE, parse_statement
from keys.keystore import KeyStore
from keys.rotation import Step, due_at
from keys.signers import Ed25519Signer
from tests.connectors import gateway as fake
from tests.connectors.dying import lives
from tests.shared import ROOT

AFTER_SWITCH = (Step.SWITCHED, Step.DONE)


@contextmanager
def hands_of(agency, clock: Callable[[], datetime] = fake.now):
    config = Config.load(agency.config, state=agency.state)
    memory = Memory.open(config.places.memory)
    try:
        yield assembly.open_hands(config, memory, Outside(clock, lambda: ""))
    finally:
        memory.close()


@contextmanager
def at_work(agency, clock: Callable[[], datetime] = fake.now):
    config = Config.load(agency.config, state=agency.state)
    outside = Outside(clock, lambda: "")
    with (
        hands_of(agency, clock) as hands,
        assembly.publishing_with(hands, config, outside) as (job, courier),
    ):
        yield hands, job, courier


def later(**delta: float) -> Callable[[], datetime]:
    return lambda: fake.now() + timedelta(**delta)


def signers(gateway) -> list[str]:
    return [kid for kids in gateway.signers for kid in kids]


def test_a_rotation_is_two_versions_one_proof_and_a_new_voice(enrolled, gateway):
    enrolled.run("publish")
    with at_work(enrolled) as (hands, job, courier):
        old = hands.speaker.kid
        rotated = rotating.rotate(hands)
        assert (rotated.step, rotated.old) == (Step.SWITCHED, old)
        assert hands.speaker.kid == rotated.new != old
        enrolled.sql("UPDATE mustahik SET nama = 'Baru' WHERE id = 1")
        publish(job, courier, Wishes())
    assert signers(gateway)[-1] == rotated.new
    assert len(gateway.versions["baz"]) == 2
    answer = enrolled.run("publish", "--json")
    assert (answer.code, answer.json["open"]) == (0, 0)


def test_the_log_must_prove_the_version_before_the_new_key_speaks(enrolled, gateway):
    gateway.integrate_at_once = False
    with hands_of(enrolled) as hands:
        old = hands.speaker.kid
        assert rotating.rotate(hands).step is Step.SUBMITTED
        assert hands.speaker.kid == old
        gateway.integrate()
        assert rotating.rotate(hands).step is Step.SWITCHED
        assert hands.speaker.kid != old


def test_a_proof_of_something_else_is_not_believed(enrolled, gateway):
    honest = gateway._proof_text
    gateway._proof_text = lambda leaf: honest(gateway.leaves[0])
    with hands_of(enrolled) as hands:
        old = hands.speaker.kid
        with pytest.raises(CallCentre) as caught:
            rotating.rotate(hands)
        assert caught.value.code == "trust.proof"
        assert hands.speaker.kid == old


def test_a_keyset_of_the_gateways_own_making_is_not_believed(enrolled, gateway):
    first, thief = gateway.versions["baz"][0], Ed25519Signer.generate("baz")
    (old,) = first.keyset.keys
    payload = rotation.next_statement(first.keyset, first.sha256, old, thief.public, fake.now())
    envelope = dsse.seal(PAYLOAD_TYPE, payload, [thief])
    forged = fake.Version(parse_statement(payload), sha256(payload).digest(), envelope)
    gateway.versions["baz"].append(forged)
    gateway.leaves.append(forged.leaf)
    with hands_of(enrolled) as hands, pytest.raises(CallCentre) as caught:
        rotating.rotate(hands)
    assert caught.value.code == "trust.keyset"
    assert len(gateway.versions["baz"]) == 2


# -- death at every step


def rotate_until(agency, turn: int) -> bool:
    """Rotates with hands that die before the effect number `turn`; True if they lived."""
    return lives(agency, turn, rotating.rotate)


def test_death_between_any_two_effects_comes_to_the_same_end(agency, make_gateway, tmp_path):
    gateway = make_gateway()
    agency.enrol(gateway)
    shutil.copytree(agency.state, tmp_path / "before")
    turn, lived = 0, False
    while not lived:
        turn += 1
        shutil.rmtree(agency.state)
        shutil.copytree(tmp_path / "before", agency.state)
        gateway.versions["baz"] = gateway.versions["baz"][:1]
        gateway.enrolled["baz"]["keyset"] = gateway.versions["baz"][0].keyset
        gateway.rotated.clear()
        lived = rotate_until(agency, turn)
        with hands_of(agency) as hands:
            ended = (
                rotating.rotate(hands)
                if not _switched(hands)
                else rotating.journal(hands.memory)[-1]
            )
            assert ended.step is Step.SWITCHED, turn
            assert set(signing_kids(hands.store)) == {ended.old, ended.new}, turn
            assert hands.speaker.kid == ended.new, turn
            assert hands.book().keyset.version == len(gateway.versions["baz"]) == 2, turn
    assert turn > 15


def _switched(hands: Hands) -> bool:
    return any(each.step in AFTER_SWITCH for each in rotating.journal(hands.memory))


@pytest.mark.slow
def test_kill_9_of_a_real_process_in_a_rotation(enrolled, gateway):
    gateway.pause = 0.15
    for wait in (0.75, 0.95, 1.15, 1.35, 1.55):
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "connectors",
                "--config",
                str(enrolled.config),
                "keys",
                "rotate",
                "--yes",
            ],
            cwd=ROOT,
            env=os.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
    gateway.pause = 0.0
    with hands_of(enrolled) as hands:
        if not _switched(hands):
            rotating.rotate(hands)
        assert len(signing_kids(hands.store)) == len(gateway.versions["baz"]) == 2
        assert hands.speaker.kid == rotating.journal(hands.memory)[-1].new
    assert enrolled.run("publish").code == 0


# -- the answer is lost, another version comes first, too soon


def test_a_lost_answer_is_asked_for_again(enrolled, gateway):
    gateway.faults += fake.lose_answer("POST")
    with hands_of(enrolled) as hands:
        with pytest.raises(Wait):
            rotating.rotate(hands)
        assert rotating.rotate(hands).step is Step.SWITCHED
    assert len(gateway.versions["baz"]) == 2


def test_a_second_rotation_within_a_day_waits_and_makes_no_key(enrolled, gateway):
    with hands_of(enrolled) as hands:
        first = rotating.rotate(hands)
        with pytest.raises(Wait) as caught:
            rotating.rotate(hands)
        assert caught.value.code == "keys.pause"
        assert hands.speaker.kid == first.new
        assert len(signing_kids(hands.store)) == 2
    gateway.clock = later(hours=25)
    with hands_of(enrolled, gateway.clock) as hands:
        second = rotating.rotate(hands)
        assert (second.old, second.step) == (first.new, Step.SWITCHED)
        assert len(signing_kids(hands.store)) == 3


def test_a_key_that_is_known_elsewhere_is_thrown_away(enrolled, gateway):
    with hands_of(enrolled) as hands:
        stale = hands.store.generate("baz")
        gateway.known_elsewhere.add(hands.store.public(stale).raw)
        with pytest.raises(Wait) as caught:
            rotating.rotate(hands)
        assert caught.value.code == "keys.overtaken"
        ended = rotating.rotate(hands)
        assert ended.step is Step.SWITCHED
        assert stale not in signing_kids(hands.store)


def test_a_key_that_a_keyset_has_forgotten_is_thrown_away_too(enrolled, gateway):
    gateway.faults += fake.refuse(409, "key.reused", only="POST")
    with hands_of(enrolled) as hands:
        stale = hands.store.generate("baz")
        with pytest.raises(Wait) as caught:
            rotating.rotate(hands)
        assert caught.value.code == "keys.overtaken"
        assert stale not in signing_kids(hands.store)
        assert rotating.rotate(hands).step is Step.SWITCHED


# -- what a keyset forgets


def test_old_keys_leave_the_keyset_and_a_lost_state_follows_it_all_the_same(enrolled, gateway):
    for days in range(60, 601, 60):
        gateway.clock = later(days=days)
        with hands_of(enrolled, gateway.clock) as hands:
            rotating.clear_away(hands)
            assert rotating.rotate(hands).step is Step.SWITCHED
    versions = gateway.versions["baz"]
    first = next(iter(versions[0].keyset.keys))
    assert first not in versions[-1].keyset.keys
    assert len(versions[-1].keyset.keys) < len(versions) == 11
    with hands_of(enrolled, gateway.clock) as hands:
        hands.memory.drop_fact("keyset")
        rotating.take_up(hands)
        assert hands.book().keyset == versions[-1].keyset


def test_a_full_keyset_stops_the_rotation_and_no_batch(enrolled, gateway):
    gateway.faults += fake.refuse(422, "keyset.full", only="POST")
    with at_work(enrolled) as (hands, job, courier):
        old = hands.speaker.kid
        with pytest.raises(CallCentre, match=r"keyset\.full"):
            rotating.rotate(hands)
        assert hands.speaker.kid == old
        publish(job, courier, Wishes())
    assert set(signers(gateway)) == {old}


# -- the outbox, the overlap, and the end of the old key


def test_queued_batches_of_a_key_that_may_speak_go_as_they_are(enrolled, gateway):
    with at_work(enrolled) as (hands, job, courier):
        old = hands.speaker.kid
        seal_only(job, Wishes())
        rotating.rotate(hands)
        publish(job, courier, Wishes())
    assert set(signers(gateway)) == {old}


def test_queued_batches_of_a_key_that_is_silent_are_signed_anew_and_stay_the_same(
    enrolled, gateway
):
    with at_work(enrolled) as (hands, job, _):
        old = hands.speaker.kid
        seal_only(job, Wishes())
        before = {(p.seq, p.payload_sha256, p.root) for p in hands.memory.outbox.unsent("target")}
        rotated = rotating.rotate(hands)
    gateway.clock = later(days=15)
    with at_work(enrolled, gateway.clock) as (hands, job, courier):
        publish(job, courier, Wishes())
    assert set(signers(gateway)) == {rotated.new} != {old}
    stored = gateway.batches("baz", "target")
    after = {(s.payload.seq, s.payload_sha256, bytes.fromhex(s.payload.root)) for s in stored}
    assert before == after
    assert len(gateway.records("baz", "person")) == 120


def test_the_old_key_is_deleted_a_week_after_its_last_day(enrolled, gateway):
    with hands_of(enrolled) as hands:
        rotated = rotating.rotate(hands)
    for days, there in ((20, True), (22, False)):
        gateway.clock = later(days=days)
        with hands_of(enrolled, gateway.clock) as hands:
            rotating.tend(hands)
            assert (rotated.old in signing_kids(hands.store)) is there
            assert hands.speaker.kid == rotated.new
    with hands_of(enrolled, gateway.clock) as hands:
        assert [each.step for each in rotating.journal(hands.memory)] == [Step.DONE]
        assert rotated.old not in KeyStore(enrolled.state / "keys" / "agency.key", None).kids()


def test_the_gateway_is_told_that_the_old_key_is_gone_once_it_can_be(enrolled, gateway):
    with hands_of(enrolled) as hands:
        rotated = rotating.rotate(hands)
    gateway.clock = later(days=22)
    gateway.faults += fake.refuse(503, "busy", only="PUT")
    for told in ([], [rotated.old], [rotated.old]):
        with hands_of(enrolled, gateway.clock) as hands:
            rotating.clear_away(hands)
            assert rotated.old not in signing_kids(hands.store)
        assert gateway.destroyed == told


def test_a_key_rotates_by_itself_when_it_is_due_and_not_before(enrolled, gateway):
    with hands_of(enrolled) as hands:
        due = due_at(hands.book().speaking(hands.store, fake.now()))
    for moment, step in ((due - timedelta(minutes=1), None), (due, Step.SWITCHED)):
        gateway.clock = lambda moment=moment: moment
        with hands_of(enrolled, gateway.clock) as hands:
            ended = rotating.tend(hands)
            assert (ended and ended.step) == step


# -- lost and old states


def test_a_lost_state_learns_the_keyset_again_from_the_log(enrolled, gateway):
    enrolled.run("publish")
    with hands_of(enrolled) as hands:
        rotated = rotating.rotate(hands)
        kept = keybook.load(hands.memory)
    shutil.rmtree(enrolled.state / "data")
    with hands_of(enrolled) as hands:
        assert hands.speaker.kid == rotated.new
        assert keybook.load(hands.memory) == kept
    assert enrolled.run("publish").code == 0
    assert signers(gateway)[-1] == rotated.new


def test_enrolling_again_without_a_memory_learns_and_changes_nothing(enrolled, gateway):
    with hands_of(enrolled) as hands:
        rotated = rotating.rotate(hands)
        fingerprint = hands.speaker.public.fingerprint()
    shutil.rmtree(enrolled.state / "data")
    answer = enrolled.run("enrol", "--ticket", str(enrolled.folder / "ticket.json"), "--json")
    assert (answer.code, answer.json["state"]) == (0, "active")
    assert answer.json["fingerprint"] == fingerprint
    with hands_of(enrolled) as hands:
        assert hands.speaker.kid == rotated.new


def test_a_lost_state_in_the_middle_goes_on_with_the_key_in_the_file(enrolled, gateway):
    gateway.integrate_at_once = False
    with hands_of(enrolled) as hands:
        begun = rotating.rotate(hands)
    shutil.rmtree(enrolled.state / "data")
    gateway.integrate()
    with hands_of(enrolled) as hands:
        assert hands.speaker.kid == begun.new
        assert len(signing_kids(hands.store)) == 2


def test_an_older_state_from_a_backup_learns_the_versions_it_lacks(enrolled, gateway, tmp_path):
    shutil.copytree(enrolled.state / "data", tmp_path / "data")
    with hands_of(enrolled) as hands:
        first = rotating.rotate(hands)
    shutil.rmtree(enrolled.state / "data")
    shutil.copytree(tmp_path / "data", enrolled.state / "data")
    gateway.clock = later(hours=25)
    with hands_of(enrolled, gateway.clock) as hands:
        second = rotating.rotate(hands)
        assert second.old == first.new
        assert len(signing_kids(hands.store)) == len(gateway.versions["baz"]) == 3


def test_a_connector_whose_keys_all_ended_says_so(enrolled, gateway):
    gateway.clock = later(days=121)
    with pytest.raises(CallCentre) as caught, hands_of(enrolled, gateway.clock):
        pass
    assert caught.value.code == "keys.silent"


def test_a_wrong_clock_is_said_before_a_key_is_blamed(enrolled):
    with pytest.raises(FixSettings) as caught, hands_of(enrolled, later(days=121)):
        pass
    assert caught.value.code == "gateway.clock"


# -- the centre asks for it


def wish(gateway, agency: str = "baz", kind: str = "rotate") -> None:
    gateway.log({"t": "wish", "agency": agency, "kind": kind, "version": 1})


def rounds(agency, clock: Callable[[], datetime], count: int = 1) -> list[str]:
    """The kid that speaks after each round of the service."""
    config = Config.load(agency.config, state=agency.state)
    outside, spoke = Outside(clock, lambda: ""), []
    with hands_of(agency, clock) as hands:
        for _ in range(count):
            assembly.watch_of(hands, config, outside).round()
            rotating.tend(hands)
            spoke.append(hands.speaker.kid)
    return spoke


def test_a_wish_in_the_log_brings_one_new_key_at_the_next_round(enrolled, gateway):
    (first,) = rounds(enrolled, fake.now)
    wish(gateway)
    spoke = rounds(enrolled, fake.now, 3)
    assert len({first, *spoke}) == 2
    assert spoke[-1] != first
    assert len(gateway.versions["baz"]) == 2


def test_a_wish_waits_until_a_day_after_the_last_rotation(enrolled, gateway):
    rounds(enrolled, fake.now)
    wish(gateway)
    second = rounds(enrolled, fake.now, 3)[-1]
    wish(gateway)
    assert rounds(enrolled, fake.now, 2) == [second, second]
    gateway.clock = later(hours=25)
    assert rounds(enrolled, later(hours=25), 3)[-1] != second
    assert len(gateway.versions["baz"]) == 3


@pytest.mark.parametrize("other", [{"agency": "disdik"}, {"kind": "sing"}])
def test_a_wish_for_others_or_for_something_else_changes_nothing(enrolled, gateway, other):
    (first,) = rounds(enrolled, fake.now)
    wish(gateway, **other)
    gateway.clock = later(hours=25)
    assert set(rounds(enrolled, later(hours=25), 2)) == {first}


def test_a_memory_that_was_lost_does_not_hear_an_old_wish(enrolled, gateway):
    rounds(enrolled, fake.now)
    wish(gateway)
    gateway.clock = later(hours=25)
    (second,) = rounds(enrolled, later(hours=25))
    rounds(enrolled, later(hours=25))
    shutil.rmtree(enrolled.state / "data")
    gateway.clock = later(hours=51)
    assert set(rounds(enrolled, later(hours=51), 2)) == {second}
