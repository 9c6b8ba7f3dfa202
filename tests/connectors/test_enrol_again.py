"""Enrolling anew where keys are already: asked first, the old ones kept, everything goes on."""

import io
import json
import sys

from connectors.memory import Memory
from keys.keystore import KeyStore
from tests.connectors.test_recovery import WORDS
from tests.connectors.test_recovery_commands import PUBLIC, type_words


def ticket(agency, gateway, name: str = "again.json"):
    path = agency.folder / name
    path.write_text(gateway.ticket("baz"), encoding="utf-8")
    return str(path)


def put_aside(agency):
    return sorted((agency.state / "keys").glob("old-*"))


def test_another_ticket_alone_replaces_nothing(enrolled, gateway):
    before = (enrolled.state / "keys" / "agency.key").read_bytes()
    for lang, word in (("en", "--again"), ("id", "kunci lama")):
        answer = enrolled.run("enrol", "--ticket", ticket(enrolled, gateway), lang=lang)
        assert answer.code == 4
        assert word in answer.err
    assert (enrolled.state / "keys" / "agency.key").read_bytes() == before


def test_it_asks_before_it_replaces(enrolled, gateway):
    enrolled.monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    answer = enrolled.run("enrol", "--again", "--ticket", ticket(enrolled, gateway))
    assert answer.code == 130
    assert not put_aside(enrolled)
    assert enrolled.run("publish").code == 0


def test_new_keys_go_on_where_the_old_ones_stopped(enrolled, gateway):
    assert enrolled.run("publish").code == 0
    before = enrolled.run("keys", "show", "--json").json["kid"]
    again = ticket(enrolled, gateway)
    answer = enrolled.run("enrol", "--again", "--yes", "--ticket", again)
    assert answer.code == 0, answer.err
    listed = enrolled.run("keys", "list", "--json").json
    assert listed["version"] == 2
    (line,) = listed["keys"]
    assert line["kid"] != before
    assert line["speaks"]
    enrolled.sql("UPDATE mustahik SET nama = 'Baru' WHERE id = 1")
    sent = enrolled.run("publish", "--json")
    assert (sent.code, sent.json["sent"], sent.json["open"]) == (0, 1, 0)
    assert gateway.signers[-1] == [line["kid"]]
    assert len(gateway.records("baz", "person")) == 120
    # The same once more changes nothing, and tells how it stands.
    told = enrolled.run("enrol", "--again", "--ticket", again, "--json")
    assert (told.code, told.json["state"]) == (0, "active")
    assert len(put_aside(enrolled)) == 1


def test_the_old_keys_are_kept_as_evidence(enrolled, gateway):
    kid = enrolled.run("keys", "show", "--json").json["kid"]
    passphrase = (enrolled.state / "keys" / "passphrase").read_text().strip()
    enrolled.run("enrol", "--again", "--yes", "--ticket", ticket(enrolled, gateway))
    (folder,) = put_aside(enrolled)
    assert {p.name for p in folder.iterdir()} == {"agency.key", "anchors.json", "evidence.json"}
    assert all(p.stat().st_mode & 0o777 == 0o600 for p in folder.iterdir())
    assert kid in KeyStore(folder / "agency.key", passphrase).kids()
    evidence = json.loads((folder / "evidence.json").read_text())
    assert evidence["keyset"]["kid"] == kid
    assert evidence["keyset_proof"]["proof"]


def test_where_everything_was_lost_the_ticket_alone_suffices(agency, gateway):
    agency.enrol(gateway)
    agency.run("publish")
    for path in sorted((agency.state).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert agency.run("init", "--unattended").code == 0
    answer = agency.run("enrol", "--ticket", ticket(agency, gateway))
    assert answer.code == 0, answer.err
    assert agency.run("publish").code == 0
    assert gateway.versions["baz"][-1].keyset.reason == "reenrol"
    assert len(gateway.records("baz", "person")) == 120


def test_a_ticket_that_ran_out_puts_nothing_aside(enrolled, gateway):
    old = json.loads(gateway.ticket("baz")) | {"expires": "2020-01-01T00:00:00Z"}
    path = enrolled.folder / "old.json"
    path.write_text(json.dumps(old), encoding="utf-8")
    answer = enrolled.run("enrol", "--again", "--yes", "--ticket", str(path))
    assert answer.code == 4
    assert not put_aside(enrolled)


def test_keys_that_were_rejected_make_room_for_others(agency, make_gateway):
    gateway = make_gateway(approve_at_once=False)
    first = ticket(agency, gateway, "first.json")
    assert agency.run("init", "--unattended").code == 0
    assert agency.run("enrol", "--ticket", first).code == 5
    del gateway.versions["baz"]
    gateway.approve_at_once = True
    answer = agency.run("enrol", "--again", "--yes", "--ticket", ticket(agency, gateway))
    assert answer.code == 0, answer.err
    assert len(gateway.versions["baz"]) == 1


def test_new_keys_name_a_new_recovery_key(enrolled, gateway):
    again = ticket(enrolled, gateway)
    arguments = ("enrol", "--again", "--yes", "--recovery", PUBLIC, "--ticket", again)
    assert enrolled.run(*arguments).code == 5
    statement = enrolled.state / "to-sign.json"
    type_words(enrolled, WORDS)
    assert enrolled.run("recovery", "sign", str(statement)).code == 0
    answer = enrolled.run("enrol", "--ticket", again)
    assert answer.code == 0, answer.err
    assert "warn.recovery" not in enrolled.run("status", "--json").json["warnings"]
    assert gateway.versions["baz"][-1].keyset.recovery is not None


def test_memory_of_what_was_sent_survives(enrolled, gateway):
    enrolled.run("publish")
    enrolled.run("enrol", "--again", "--yes", "--ticket", ticket(enrolled, gateway))
    memory = Memory.open(enrolled.state / "data" / "memory.sqlite")
    try:
        assert memory.head("target") is not None
    finally:
        memory.close()
    assert enrolled.run("publish", "--json").json["sent"] == 0
