"""What an officer does about keys with the centre: wakes one, objects, names a recovery key, attests."""

import io
import sys

import pytest

from connectors.recovery import from_words
from keys import dsse
from keys.keyset import Recovery, encode
from keys.recovery import public_text, signer_of
from keys.signers import fingerprint_of
from tests.connectors import gateway as fake
from tests.connectors.test_recovery import WORDS
from tests.connectors.test_recovery_commands import OTHER, PUBLIC, enrol_with_recovery, type_words


def kid_of(agency) -> str:
    return agency.run("keys", "show", "--json").json["kid"]


def change(agency) -> None:
    agency.sql("UPDATE mustahik SET nama = 'Baru' WHERE id = 1")


def sign(agency, words: str = WORDS):
    type_words(agency, words)
    return agency.run("recovery", "sign", str(agency.state / "to-sign.json"))


# -- a suspended key -------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["the officer", "the centre", "the log"])
def test_status_tells_that_the_key_is_suspended(enrolled, gateway, by):
    assert enrolled.run("publish").code == 0
    kid = kid_of(enrolled)
    if by == "the officer":
        assert enrolled.run("keys", "suspend", "--yes").code == 0
    else:
        if by == "the log":  # the gateway refuses even the look at its log
            gateway.faults += fake.refuse(401, "key.suspended", times=9, only="GET")
        gateway.silenced.add(kid)
        change(enrolled)
        assert enrolled.run("publish").code == 6
    told = enrolled.run("status", "--json")
    assert told.code == 6
    assert told.json["warnings"]["warn.suspended"] == {"kid": kid}
    assert told.json["key"]["state"] == "suspended"
    for lang, words in (("en", "keys resume"), ("id", "dibekukan")):
        assert words in enrolled.run("status", lang=lang).out
    gateway.silenced.clear()
    gateway.faults.clear()
    assert enrolled.run("publish").code == 0
    assert "warn.suspended" not in enrolled.run("status", "--json").json["warnings"]


def test_without_a_recovery_key_the_centre_is_asked(enrolled, gateway):
    enrolled.run("publish")
    enrolled.run("keys", "suspend", "--yes")
    shown = enrolled.run("keys", "show", "--json").json
    for lang, words in (("en", "two persons at UPT-KAN"), ("id", "dua orang di UPT-KAN")):
        answer = enrolled.run("keys", "resume", lang=lang)
        assert answer.code == 5
        assert words in answer.err
        assert shown["fingerprint"] in answer.err
    gateway.silenced.clear()  # two persons have
    assert enrolled.run("keys", "resume").code == 0
    assert enrolled.run("status", "--json").json["key"]["state"] == "active"


def test_the_paper_wakes_a_suspended_key(agency, gateway):
    enrol_with_recovery(agency, gateway)
    agency.run("publish")
    agency.run("keys", "suspend", "--yes")
    assert agency.run("keys", "resume").code == 5
    assert "may speak again" in sign(agency).out
    answer = agency.run("keys", "resume")
    assert answer.code == 0, answer.err
    assert gateway.silenced == set()
    change(agency)
    assert agency.run("publish").code == 0


def test_a_gateway_that_is_down_costs_no_second_walk_to_the_paper(agency, gateway):
    enrol_with_recovery(agency, gateway)
    agency.run("publish")
    agency.run("keys", "suspend", "--yes")
    assert agency.run("keys", "resume").code == 5
    sign(agency)
    gateway.faults += fake.refuse(503, "database.unavailable", times=3, only="POST")
    assert agency.run("keys", "resume").code == 5
    assert not (agency.state / "to-sign.json").exists()
    gateway.faults.clear()
    answer = agency.run("keys", "resume")
    assert answer.code == 0, answer.err


def test_another_paper_wakes_nothing(agency, gateway):
    enrol_with_recovery(agency, gateway)
    agency.run("keys", "suspend", "--yes")
    agency.run("keys", "resume")
    assert sign(agency, OTHER).code == 0  # the statement names no recovery key; the gateway does
    assert agency.run("keys", "resume").code == 5
    assert gateway.silenced == {kid_of(agency)}


def test_a_key_that_speaks_needs_no_waking(enrolled, gateway):
    assert enrolled.run("keys", "resume").code == 0
    assert enrolled.run("keys", "resume", "baz:unknown").code == 4


# -- an objection ----------------------------------------------------------------------------


def hand_in_amendment(gateway) -> None:
    """What somebody hands in who would put his own recovery key in the agency's place."""
    stored = gateway.versions["baz"][-1]
    mine = signer_of("baz", bytes(32))
    said = fake.Keyset(
        **{
            **{name: getattr(stored.keyset, name) for name in stored.keyset.__slots__},
            "version": stored.keyset.version + 1,
            "prev": stored.sha256,
            "recovery": Recovery(1, {mine.kid: mine.public}),
        }
    )
    data = dsse.seal("application/vnd.titian.keyset.v1+json", encode(said), [mine])
    envelope = dsse.parse(data)
    gateway.versions["baz"].append(fake.Version(said, envelope.payload_sha256, data, pending=True))


def test_the_agency_objects_to_a_change_that_it_did_not_ask_for(enrolled, gateway):
    enrolled.run("publish")
    none = enrolled.run("keys", "object", "--yes")
    assert (none.code, "No change of keys waits" in none.err) == (4, True)
    hand_in_amendment(gateway)
    enrolled.monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert enrolled.run("keys", "object").code == 130
    assert gateway.versions["baz"][-1].pending
    done = enrolled.run("keys", "object", "--yes")
    assert done.code == 0, done.err
    assert "rejected" in done.out
    assert len(gateway.versions["baz"]) == 1


# -- a first recovery key ---------------------------------------------------------------------


def test_a_recovery_key_is_named_after_the_enrolment(enrolled, gateway):
    enrolled.run("publish")
    waiting = enrolled.run("recovery", "add", PUBLIC)
    assert waiting.code == 5
    assert sign(enrolled, OTHER).code == 4
    assert sign(enrolled).code == 0
    sent = enrolled.run("recovery", "add", PUBLIC)
    assert sent.code == 0, sent.err
    version = gateway.versions["baz"][-1]
    assert version.pending
    assert fingerprint_of(version.sha256) in sent.out
    assert enrolled.run("publish").code == 0
    assert "warn.recovery" in enrolled.run("status", "--json").json["warnings"]
    gateway.approve_keyset("baz")
    answer = enrolled.run("publish")
    assert answer.code == 0, answer.err
    told = enrolled.run("status", "--json").json
    assert "warn.recovery" not in told["warnings"]
    assert told["alarms"] == []
    # One that exists is not named over.
    again = enrolled.run("recovery", "add", PUBLIC)
    assert again.code == 4
    assert "already" in again.err
    assert enrolled.run("keys", "rotate", "--yes").code == 0


# -- another recovery key ---------------------------------------------------------------------

NEXT = "zoo " * 23 + "vote"


def test_two_papers_sign_one_file_to_replace_a_recovery_key(agency, gateway):
    enrol_with_recovery(agency, gateway)
    agency.run("publish")
    replace = ("recovery", "replace", public_text(from_words(NEXT, "baz").public, "baz"))
    asked = agency.run(*replace, lang="id")
    assert asked.code == 5
    assert "0 dari 2" in asked.err
    assert "OLD" in sign(agency).out
    assert "1 of 2" in agency.run(*replace).err  # what has signed stays in the file
    stranger = sign(agency, OTHER)  # the file cannot know; the connector does
    assert "OLD" in stranger.out
    assert "1 of 2" in agency.run(*replace).err
    shown = sign(agency, NEXT)
    assert "NEW" in shown.out
    assert from_words(NEXT, "baz").public.fingerprint() in shown.out
    sent = agency.run(*replace)
    assert sent.code == 0, sent.err
    version = gateway.versions["baz"][-1]
    assert version.pending
    assert fingerprint_of(version.sha256) in sent.out
    assert agency.run("publish").code == 0
    assert drill(agency, WORDS) == 0  # until it counts, the old paper does
    gateway.approve_keyset("baz")
    assert agency.run("publish").code == 0
    assert (drill(agency, WORDS), drill(agency, NEXT)) == (4, 0)
    assert agency.run("status", "--json").json["alarms"] == []
    assert agency.run(*replace).code == 4  # it is the recovery key already


def test_there_is_nothing_to_replace_without_a_recovery_key(enrolled):
    refused = enrolled.run("recovery", "replace", PUBLIC)
    assert refused.code == 4
    assert "no recovery key" in refused.err


def drill(agency, words: str) -> int:
    type_words(agency, words)
    return agency.run("recovery", "drill").code


# -- after a revocation -------------------------------------------------------------------------


def test_it_attests_its_own_batches_and_no_others(enrolled, gateway):
    assert enrolled.run("publish").code == 0
    ours = list(gateway.batches("baz", "target"))
    gateway.quarantined = {each.payload_sha256 for each in ours[1:]}
    gateway.foreign = [{"epoch": 1, "seq": 99, "payload_sha256": "ab" * 32}]
    enrolled.monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert enrolled.run("attest").code == 130
    assert len(gateway.batches("baz", "target")) == len(ours)
    count = len(ours) - 1
    done = enrolled.run("attest", "--yes", "--json")
    assert done.code == 0, done.err
    assert done.json == [{"stream": "target", "ours": count, "others": 1}]
    sent = gateway.batches("baz", "target")[-1]
    assert sent.payload.kind == "attest"
    named = [(a.epoch, a.seq, a.payload_sha256) for a in sent.payload.attests]
    assert named == [(1, each.payload.seq, each.payload_sha256.hex()) for each in ours[1:]]
    change(enrolled)
    assert enrolled.run("publish", "--json").json["open"] == 0


@pytest.mark.parametrize(("lang", "words"), [("en", "No batch of ours"), ("id", "Tidak ada")])
def test_where_nothing_is_in_quarantine_nothing_is_sent(enrolled, gateway, lang, words):
    enrolled.run("publish")
    before = len(gateway.batches("baz", "target"))
    answer = enrolled.run("attest", lang=lang)
    assert answer.code == 0, answer.err
    assert words in answer.out
    assert len(gateway.batches("baz", "target")) == before
