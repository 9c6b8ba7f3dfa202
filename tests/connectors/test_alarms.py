"""What an officer sees of an alarm: in `status`, in `alarms`, beside the work, in both languages."""

from dataclasses import replace
from datetime import timedelta

from connectors import alarms
from keys import dsse
from keys.bundle import keyset_entry
from keys.keyset import PAYLOAD_TYPE, STATEMENT_LIFE, Revocation, encode
from keys.rotation import next_statement
from keys.signers import Ed25519Signer
from tests.connectors import gateway as fake
from tests.shared import ROOT


def swap_key(gateway) -> None:
    """The gateway logs a keyset that the agency never made."""
    first, forged = gateway.versions["baz"][0], Ed25519Signer.generate("baz")
    (old,) = first.keyset.keys
    payload = next_statement(first.keyset, first.sha256, old, forged.public, fake.now())
    gateway.log(keyset_entry("baz", 2, dsse.seal(PAYLOAD_TYPE, payload, [forged])))


def test_without_alarms_status_and_alarms_end_well(enrolled):
    enrolled.run("publish")
    assert enrolled.run("status", "--json").json["alarms"] == []
    answer = enrolled.run("alarms")
    assert (answer.code, answer.out) == (0, "No alarms.\n")
    assert enrolled.run("alarms", lang="id").out == "Tidak ada alarm.\n"


def test_a_log_that_stands_still_is_an_alarm_and_stops_nothing(enrolled, gateway):
    gateway.beats = False
    answer = enrolled.run("publish", "--json")
    assert (answer.code, answer.json["sent"], answer.json["open"]) == (0, 120, 0)
    assert "no sign of life" in answer.err
    status = enrolled.run("status", "--json")
    assert status.code == 6
    (alarm,) = status.json["alarms"]
    assert alarm["code"] == "trust.log_stale"
    assert "ALARM trust.log_stale" in enrolled.run("status").out
    assert "tanda hidup" in enrolled.run("alarms", lang="id").out
    gateway.beats = True
    assert enrolled.run("publish").code == 0
    assert enrolled.run("status").code == 0


def test_a_foreign_keyset_stops_publishing_until_a_person_closes_the_alarm(enrolled, gateway):
    enrolled.run("publish")
    swap_key(gateway)
    enrolled.sql("UPDATE mustahik SET nama = 'Baru' WHERE id = 1")
    stopped = enrolled.run("publish", lang="id")
    assert stopped.code == 6
    assert "TELEPON UPT-KAN SEKARANG" in stopped.err
    assert len(gateway.batches("baz", "target")) == 3
    shown = enrolled.run("alarms", "--json")
    assert shown.code == 6
    assert [alarm["code"] for alarm in shown.json] == ["trust.foreign_keyset_open"]
    assert "envelope" not in shown.json[0]
    assert len(list((enrolled.state / "fork-evidence").glob("*-keyset-2.json"))) == 1
    assert enrolled.run("alarms", "--close", "trust.foreign_keyset_open").code == 0
    assert enrolled.run("publish").code == 0
    assert len(gateway.batches("baz", "target")) == 4


def test_a_warning_is_not_headed_as_an_alarm(enrolled):
    memory = enrolled.memory()
    alarms.put(memory, alarms.ALONE, fake.now(), heard=1, of=3, silent="x")
    memory.close()
    for lang, word in (("id", "PERINGATAN"), ("en", "WARNING")):
        answer = enrolled.run("alarms", lang=lang)
        assert answer.code == 0
        assert answer.out.startswith(f"{word} trust.unwitnessed")
        assert "ALARM" not in answer.out


def test_an_alarm_of_silence_ends_when_the_key_is_heard(enrolled, gateway):
    enrolled.run("publish")
    memory = enrolled.memory()
    alarms.put(memory, alarms.SILENCED, fake.now(), kid="x", refusal="key.suspended")
    memory.close()
    assert enrolled.run("alarms").code == 6
    assert enrolled.run("keys", "resume").code == 0
    assert enrolled.run("alarms").code == 0


def test_an_alarm_that_is_not_on_cannot_be_closed(enrolled):
    answer = enrolled.run("alarms", "--close", "trust.split")
    assert answer.code == 4
    assert "trust.split" in answer.err


def test_a_wrong_clock_is_an_alarm_of_its_own_and_rotates_nothing(enrolled, gateway):
    gateway.clock = lambda: fake.now() + timedelta(minutes=7)
    answer = enrolled.run("publish")
    assert answer.code == 4
    assert "7 minutes apart" in answer.err or "6 minutes apart" in answer.err
    assert enrolled.run("status").code == 4
    assert enrolled.run("keys", "rotate", "--yes").code == 4
    assert len(gateway.versions["baz"]) == 1


def test_the_service_goes_on_watching_while_it_may_not_publish(enrolled, gateway):
    enrolled.run("publish")
    swap_key(gateway)
    answer = enrolled.run("run", "--cycles", "2")
    assert answer.code == 6
    assert gateway.requests.count(("GET", "/v1/log/checkpoint")) >= 4
    assert answer.err.count("CALL UPT-KAN NOW") == 2, "said once, and as the end"


def test_the_service_outlives_a_wrong_clock(enrolled, gateway):
    gateway.clock = lambda: fake.now() + timedelta(minutes=7)
    answer = enrolled.run("run", "--cycles", "2")
    assert answer.code == 4
    assert gateway.requests.count(("GET", "/v1/log/checkpoint")) >= 2


def test_a_suspension_in_the_log_is_shown(enrolled, gateway):
    enrolled.run("publish")
    old = enrolled.run("keys", "show", "--json").json["kid"]
    assert enrolled.run("keys", "rotate", "--yes").code == 0
    assert enrolled.run("keys", "suspend", old, "--reason", "old_key", "--yes").code == 0
    assert enrolled.run("publish").code == 0
    status = enrolled.run("status", "--json")
    said = [each for each in status.json["news"] if each["kind"] == "suspend"]
    assert [(each["kid"], each["reason"]) for each in said] == [(old, "old_key")]
    assert "old_key" in enrolled.run("status").out


def test_a_broken_promise_leaves_the_receipt_as_evidence(enrolled, gateway):
    gateway.integrate_at_once = False
    enrolled.run("publish", "--settle", "0")
    memory = enrolled.memory()
    past = "2026-01-01T00:00:00Z"
    for batch in memory.outbox.unsettled():
        memory._file.run("UPDATE outbox SET received_at = ? WHERE seq = ?", past, batch.seq)
    memory.close()
    assert enrolled.run("publish").code == 6
    kept = sorted(path.name for path in (enrolled.state / "fork-evidence").iterdir())
    assert len([name for name in kept if "-receipt-target-1-" in name]) == 3
    assert enrolled.run("status", "--json").json["alarms"][0]["code"] == "trust.promise"
    gateway.integrate()
    assert enrolled.run("publish").code == 0
    assert enrolled.run("status", "--json").json["alarms"] == []


def test_each_alarm_has_its_paragraph():
    text = (ROOT / "docs" / "how-to" / "alarm-konektor.md").read_text(encoding="utf-8")
    named = {v for k, v in vars(alarms).items() if k.isupper() and isinstance(v, str)}
    named |= {"trust.log_shrank", "trust.log_rewritten", "trust.split", "trust.entries"}
    assert [code for code in sorted(named - {alarms._FACT}) if f"`{code}`" not in text] == []


def test_status_says_that_a_key_was_revoked_as_the_log_does(enrolled, gateway):
    enrolled.run("publish")
    first = gateway.versions["baz"][0]
    (lost,) = first.keyset.keys
    now = fake.now()
    said = replace(
        first.keyset,
        version=2,
        prev=first.sha256,
        issued=now,
        expires=now + STATEMENT_LIFE,
        revoked=(Revocation(lost, now, "key_compromise", 1),),
        reason="revoke",
    )
    gateway.log(
        keyset_entry("baz", 2, dsse.seal(PAYLOAD_TYPE, encode(said), [gateway.receipt_key]))
    )
    enrolled.run("publish")
    said = enrolled.run("status").out
    assert "no key may sign" in said
    assert "Key: active" not in said
