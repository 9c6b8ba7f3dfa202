"""The recovery key at work: made offline, named at the enrolment, tried, and used."""

import io
import sys

from connectors.recovery import from_words
from keys.canonical import to_moment
from keys.keystore import KeyStore
from keys.recovery import public_text
from tests.connectors import gateway as fake
from tests.connectors.test_recovery import WORDS

PUBLIC = public_text(from_words(WORDS, "baz").public, "baz")
OTHER = "abandon " * 23 + "art"


def type_words(agency, words: str) -> None:
    agency.monkeypatch.setattr(sys, "stdin", io.StringIO(words + "\n"))


def enrol_with_recovery(agency, gateway):
    assert agency.run("init", "--unattended").code == 0
    assert agency.run("recovery", "add", PUBLIC).code == 0
    ticket = agency.folder / "ticket.json"
    ticket.write_text(gateway.ticket("baz"), encoding="utf-8")
    waiting = agency.run("enrol", "--ticket", str(ticket))
    assert waiting.code == 5
    assert "recovery sign" in waiting.err
    statement = agency.state / "to-sign.json"
    type_words(agency, OTHER)
    assert agency.run("recovery", "sign", str(statement)).code == 4
    type_words(agency, WORDS)
    signed = agency.run("recovery", "sign", str(statement))
    assert signed.code == 0, signed.err
    answer = agency.run("enrol", "--ticket", str(ticket))
    assert answer.code == 0, answer.err


def test_new_prints_and_stores_nothing(agency):
    before = sorted(agency.folder.rglob("*"))
    answer = agency.run("recovery", "new", "--agency", "baz")
    assert answer.code == 0
    assert "titian-recovery:baz:" in answer.out
    assert sorted(agency.folder.rglob("*")) == before


def test_the_first_keyset_names_the_recovery_key_which_has_signed_it(agency, gateway):
    enrol_with_recovery(agency, gateway)
    recovery = gateway.versions["baz"][0].keyset.recovery
    assert list(recovery.keys) == [from_words(WORDS, "baz").kid]
    told = agency.run("status", "--json").json
    assert "warn.recovery" not in told["warnings"]
    assert agency.run("publish").code == 0
    assert agency.run("recovery", "add", PUBLIC).code == 4


def test_a_drill_tells_the_right_paper_from_the_wrong_one(agency, gateway):
    enrol_with_recovery(agency, gateway)
    for words, code in ((WORDS, 0), (OTHER, 4), (WORDS.rpartition(" ")[0], 4)):
        type_words(agency, words)
        assert agency.run("recovery", "drill").code == code
    type_words(agency, WORDS)
    assert agency.run("recovery", "drill", PUBLIC, "--agency", "baz").code == 0


def test_a_drill_without_a_recovery_key_says_so(enrolled):
    assert enrolled.run("recovery", "drill").code == 4


def test_a_stolen_key_is_revoked_by_the_paper_and_a_new_one_speaks(agency, gateway):
    enrol_with_recovery(agency, gateway)
    agency.run("publish")
    assert agency.run("keys", "suspend", "--yes").code == 0
    since = to_moment(fake.now())
    stolen = agency.run("keys", "show", "--json").json["kid"]
    revoke = ("keys", "revoke", "--since", since)
    assert agency.run(*revoke).code == 5
    type_words(agency, WORDS)
    assert agency.run("recovery", "sign", str(agency.state / "to-sign.json")).code == 0
    sent = agency.run(*revoke)
    assert sent.code == 0, sent.err
    assert "pending" in sent.out
    agency.sql("UPDATE mustahik SET nama = 'Baru' WHERE id = 1")
    assert agency.run("publish").code == 6  # suspended, and not approved yet
    gateway.approve_keyset("baz")
    answer = agency.run("publish", "--json")
    assert (answer.code, answer.json["open"]) == (0, 0), answer.err
    listed = agency.run("keys", "list", "--json").json
    states = {line["kid"]: line["state"] for line in listed["keys"]}
    assert states.pop(stolen) == "compromised"
    assert [*states.values()] == ["active"]
    assert gateway.signers[-1] == [*states]
    # What is revoked serves no more: its private half is deleted, and the keyset forgets it.
    assert stolen not in KeyStore(agency.state / "keys" / "agency.key", None).kids()
    assert agency.run("keys", "rotate", "--yes").code == 0
    assert stolen not in gateway.versions["baz"][-1].keyset.keys


def test_a_new_key_that_stood_in_a_keyset_before_is_thrown_away(agency, gateway):
    enrol_with_recovery(agency, gateway)
    revoke = ("keys", "revoke", "--since", to_moment(fake.now()))
    assert agency.run(*revoke).code == 5
    type_words(agency, WORDS)
    assert agency.run("recovery", "sign", str(agency.state / "to-sign.json")).code == 0
    before = held(agency)
    gateway.faults += fake.refuse(409, "key.reused", only="POST")
    assert agency.run(*revoke).code == 6
    assert len(held(agency)) == len(before) - 1
    assert agency.run(*revoke).code == 5  # drawn up anew, with another key
    assert len(held(agency)) == len(before)
    assert held(agency) != before


def held(agency) -> set[str]:
    return set(KeyStore(agency.state / "keys" / "agency.key", None).kids())


def test_a_revocation_needs_a_recovery_key_and_a_moment_of_the_past(enrolled):
    assert enrolled.run("keys", "revoke", "--since", "2026-11-20T08:00:00Z").code == 4
    assert enrolled.run("keys", "revoke", "--since", "yesterday").code == 4
    assert enrolled.run("keys", "revoke", "--since", "2999-01-01T00:00:00Z").code == 4
