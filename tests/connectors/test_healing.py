"""What the connector believes, what it heals by itself, and where it stops and calls a person."""

import shutil
from datetime import timedelta

import pytest

from connectors.assembly import Outside, publishing
from connectors.config import Config
from connectors.errors import CallCentre
from keys.signers import Ed25519Signer
from tests.connectors import gateway as fake


def _state_file(agency):
    return agency.state / "data" / "memory.sqlite"


def test_a_gateway_restored_from_a_backup_gets_again_what_it_lost(enrolled, gateway):
    enrolled.run("publish")
    before = gateway.records("baz", "person")
    gateway.forget_after("baz", "target", 1)
    assert enrolled.run("publish", "--json").json["settled"] == 3
    assert gateway.records("baz", "person") == before
    assert len(gateway.batches("baz", "target")) == 3


def test_a_lost_state_goes_on_from_the_proved_head_with_a_full_snapshot(enrolled, gateway):
    enrolled.run("publish")
    enrolled.sql("DELETE FROM mustahik WHERE id = 4")
    shutil.rmtree(enrolled.state / "data")
    assert enrolled.run("publish", "--json").json["sent"] == 119
    assert gateway.batches("baz", "target")[3].payload.kind == "snapshot_begin"
    assert "4" not in gateway.records("baz", "person")
    assert enrolled.run("publish", "--json").json["sent"] == 0
    warned = enrolled.run("alarms", "--json")
    assert (warned.code, [each["code"] for each in warned.json]) == (0, ["trust.adopted"])
    assert enrolled.run("alarms", "--close", "trust.adopted").code == 0


def test_a_lost_state_and_no_proof_stops(enrolled, gateway):
    enrolled.run("publish")
    shutil.rmtree(enrolled.state / "data")
    gateway.give_receipt_in_head = False
    answer = enrolled.run("publish")
    assert answer.code == 6
    assert "does not prove its head" in answer.err
    assert len(gateway.batches("baz", "target")) == 3


def test_an_old_state_from_a_backup_is_noticed_and_healed(enrolled, gateway, tmp_path):
    enrolled.run("publish")
    shutil.copy(_state_file(enrolled), tmp_path / "backup")
    enrolled.sql("UPDATE mustahik SET nama = 'Baru' WHERE id = 1")
    enrolled.run("publish")
    shutil.rmtree(enrolled.state / "data")
    (enrolled.state / "data").mkdir()
    shutil.copy(tmp_path / "backup", _state_file(enrolled))
    enrolled.sql("UPDATE mustahik SET nama = 'Lebih baru' WHERE id = 1")
    assert enrolled.run("publish").code == 0
    assert gateway.records("baz", "person")["1"]["name_source"] == "Lebih baru"
    assert gateway.batches("baz", "target")[4].payload.kind == "snapshot_begin"


def test_two_computers_with_one_key_are_noticed(enrolled, gateway, tmp_path):
    enrolled.run("publish")
    shutil.copytree(enrolled.state, tmp_path / "clone")
    for n, state in enumerate(("state", "clone", "state")):
        enrolled.sql("UPDATE mustahik SET nama = ? WHERE id = 1", f"Baru {n}")
        answer = enrolled.run("--state", str(tmp_path / state), "publish")
        assert answer.code == 0, answer.err
    enrolled.sql("UPDATE mustahik SET nama = 'Baru 4' WHERE id = 1")
    answer = enrolled.run("--state", str(tmp_path / "clone"), "publish")
    assert answer.code == 6
    assert "copied to another computer" in answer.err


def test_a_foreign_batch_in_our_place_is_a_fork(enrolled, gateway, tmp_path):
    enrolled.run("publish")
    gateway.forget_after("baz", "target", 2)
    shutil.copytree(enrolled.state, tmp_path / "clone")
    with enrolled.memory().change():
        pass
    clone = Config.load(enrolled.config, state=tmp_path / "clone")
    memory = enrolled.memory().open(clone.places.memory)
    with memory.change():
        memory.outbox.send_again("target", 1, 3)
        memory.outbox.drop_unsent("target")
        stored = gateway.batches("baz", "target")[-1]
        memory.put_head("target", type(memory.head("target"))(1, 2, stored.payload_sha256))
    memory.close()
    enrolled.sql("UPDATE mustahik SET nama = 'Lain' WHERE id = 1")
    assert enrolled.run("--state", str(tmp_path / "clone"), "publish").code == 0
    answer = enrolled.run("publish")
    assert answer.code == 6
    assert "trust.fork" in str(answer.err) or "did not send" in answer.err


def test_a_receipt_by_a_strange_key_is_not_believed(enrolled, gateway):
    gateway.receipt_key = Ed25519Signer.generate("gateway")
    answer = enrolled.run("publish")
    assert answer.code == 6
    assert "receipt does not hold" in answer.err
    assert enrolled.run("status", "--json").json["outbox"]["waiting"] == 3


def test_a_receipt_for_something_else_is_not_believed(enrolled, gateway):
    honest = gateway._receipt
    gateway._receipt = lambda payload, hashed, leaf: honest(payload, b"\0" * 32, leaf)
    answer = enrolled.run("publish")
    assert answer.code == 6
    assert "payload_sha256" in answer.err


def test_a_log_that_shrinks_is_noticed(enrolled, gateway):
    enrolled.run("publish")
    gateway.leaves = gateway.leaves[:2]
    enrolled.sql("UPDATE mustahik SET nama = 'Baru' WHERE id = 1")
    answer = enrolled.run("publish")
    assert answer.code == 6
    assert "contradicts" in answer.err


def test_a_proof_that_leads_elsewhere_is_not_believed(enrolled, gateway):
    gateway._proof_text = lambda leaf, honest=gateway._proof_text: honest(gateway.leaves[0])
    answer = enrolled.run("publish")
    assert answer.code == 6
    assert "log proof does not hold" in answer.err


def test_a_promise_that_is_not_kept_is_an_alarm(enrolled, gateway):
    gateway.integrate_at_once = False
    told = enrolled.run("publish", "--settle", "0", "--json").json
    assert (told["settled"], told["open"]) == (0, 3)
    config = Config.load(enrolled.config, state=enrolled.state)
    late = Outside(lambda: fake.now() + timedelta(seconds=90), lambda: "")
    memory = enrolled.memory()
    with publishing(config, memory, late) as (_, courier), pytest.raises(CallCentre) as caught:
        courier.settle()
    memory.close()
    assert caught.value.code == "trust.promise"
    gateway.integrate()
    assert enrolled.run("publish", "--json").json["settled"] == 3


def test_a_suspended_stream_sends_nothing(enrolled, gateway):
    gateway.suspended = True
    answer = enrolled.run("publish")
    assert answer.code == 6
    assert "suspended" in answer.err
    assert gateway.batches("baz", "target") == []


def test_without_the_gateway_changes_wait_sealed_in_the_outbox(enrolled, gateway):
    gateway.down = True
    answer = enrolled.run("run", "--cycles", "2")
    assert "outbox (0 batches)" in answer.err
    assert enrolled.run("status", "--json").json["outbox"]["waiting"] == 3
    gateway.down = False
    assert enrolled.run("publish", "--json").json["settled"] == 3
    assert len(gateway.records("baz", "person")) == 120


def test_publishing_waits_for_the_two_approvals(agency, gateway):
    gateway.approve_at_once = False
    ticket = agency.folder / "ticket.json"
    ticket.write_text(gateway.ticket("baz"))
    agency.run("init", "--unattended")
    answer = agency.run("enrol", "--ticket", str(ticket), "--json")
    assert (answer.code, answer.json["state"]) == (5, "pending")
    assert agency.run("publish").code == 5
    gateway.approve("baz")
    again = agency.run("enrol", "--ticket", str(ticket), "--json")
    assert (again.code, again.json["state"]) == (0, "active")
    assert again.json["fingerprint"] == answer.json["fingerprint"]
    assert agency.run("publish").code == 0


def test_a_ticket_of_another_agency_is_refused(agency, gateway):
    ticket = agency.folder / "ticket.json"
    ticket.write_text(gateway.ticket("dstk"))
    agency.run("init", "--unattended")
    answer = agency.run("enrol", "--ticket", str(ticket))
    assert answer.code == 4
    assert "another agency" in answer.err


def test_publishing_before_enrolling_says_what_to_do(agency):
    agency.run("init", "--unattended")
    answer = agency.run("publish")
    assert answer.code == 4
    assert "titian-connector enrol" in answer.err
