"""What an IT officer types about keys, and what the service does by itself."""

import pytest

from connectors.config import Config
from connectors.memory import Memory
from keys import dsse, keyset
from keys.canonical import to_base64
from keys.keystore import Cost, KeyStore
from tests.connectors import gateway as fake

AUD = fake.AUD


def enrol_since(agency, gateway, days: int) -> str:
    """Enrols the agency with a key that is so many days old; its kid."""
    ticket = agency.folder / "ticket.json"
    ticket.write_text(gateway.ticket("baz"), encoding="utf-8")
    assert agency.run("init", "--unattended").code == 0
    passphrase = (agency.state / "keys" / "passphrase").read_text().strip()
    store = KeyStore(agency.state / "keys" / "agency.key", passphrase, Cost(8, 1))
    kid = store.generate("baz")
    begun = fake.now() - fake.timedelta(days=days)
    entry = keyset.entry_of("baz", store.public(kid), instance="old", not_before=begun)
    payload = keyset.build(AUD, "baz", [entry], issued=fake.now())
    envelope = dsse.seal(keyset.PAYLOAD_TYPE, payload, [store.signer(kid)])
    config = Config.load(agency.config, state=agency.state)
    memory = Memory.open(config.places.memory)
    memory.put_fact("keyset", {"kid": kid, "aud": AUD, "envelope": to_base64(envelope)})
    memory.close()
    answer = agency.run("enrol", "--ticket", str(ticket))
    assert answer.code == 0, answer.err
    return kid


def test_rotate_is_one_command(enrolled, gateway):
    before = enrolled.run("keys", "show", "--json").json
    answer = enrolled.run("keys", "rotate", "--yes", "--json")
    assert (answer.code, answer.json["step"], answer.json["old"]) == (0, "switched", before["kid"])
    listed = enrolled.run("keys", "list", "--json").json
    assert listed["version"] == 2
    states = [(line["kid"], line["state"], line["speaks"]) for line in listed["keys"]]
    assert states == [
        (answer.json["new"], "active", True),
        (answer.json["old"], "retiring", False),
    ]
    shown = enrolled.run("keys", "show", answer.json["new"])
    assert answer.json["fingerprint"] in shown.out
    assert enrolled.run("publish").code == 0
    assert gateway.signers[-1] == [answer.json["new"]]


def test_rotate_asks_first_and_a_dry_run_changes_nothing(enrolled, gateway):
    assert "Nothing was changed" in enrolled.run("keys", "rotate", "--dry-run").out
    assert len(gateway.versions["baz"]) == 1
    assert enrolled.run("keys", "list", lang="id").code == 0


def test_publishing_rotates_a_key_that_is_due_and_sends_everything(agency, gateway):
    old = enrol_since(agency, gateway, 64)
    answer = agency.run("publish", "--json")
    assert (answer.code, answer.json["open"]) == (0, 0)
    assert "rotated by schedule" in answer.err
    assert len(gateway.records("baz", "person")) == 120
    assert all(old not in kids for kids in gateway.signers)


def test_the_service_rotates_by_itself(agency, gateway):
    enrol_since(agency, gateway, 64)
    answer = agency.run("run", "--cycles", "2")
    assert answer.code == 0, answer.err
    assert len(gateway.versions["baz"]) == 2
    assert agency.run("status", "--json").json["key"]["kid"] == gateway.signers[-1][0]


def test_a_gateway_that_takes_no_keysets_stops_no_batch(agency, gateway):
    enrol_since(agency, gateway, 64)
    gateway.faults += fake.refuse(503, "busy", only="POST")
    answer = agency.run("publish", "--json")
    assert (answer.code, answer.json["open"]) == (0, 0)
    assert len(gateway.versions["baz"]) == 1
    assert agency.run("publish").code == 0
    assert len(gateway.versions["baz"]) == 2


@pytest.mark.parametrize(
    ("age", "code", "days"), [(80, 0, None), (91, 4, 28), (107, 4, 12), (119, 4, 0)]
)
def test_status_warns_before_the_key_ends(agency, gateway, age, code, days):
    enrol_since(agency, gateway, age)
    answer = agency.run("status", "--json")
    assert answer.code == code
    warned = answer.json["warnings"].get("warn.ends")
    assert (warned and warned["days"]) == days
    assert "WARNING" in agency.run("status").out or code == 0
    assert "keys rotate" in agency.run("status", lang="id").out or code == 0
    assert agency.run("keys", "rotate", "--yes").code == 0
    assert agency.run("status").code == 0


def test_status_shows_the_key_and_that_recovery_lacks(enrolled):
    told = enrolled.run("status", "--json").json
    assert (told["key"]["state"], told["key"]["days_left"]) == ("active", 119)
    assert told["key"]["next_rotation"] is not None
    assert "warn.recovery" in told["warnings"]


def test_suspending_stops_the_key_within_the_command(enrolled, gateway):
    enrolled.run("publish")
    answer = enrolled.run("keys", "suspend", "--yes")
    assert answer.code == 0, answer.err
    enrolled.sql("UPDATE mustahik SET nama = 'Baru' WHERE id = 1")
    stopped = enrolled.run("publish")
    assert stopped.code == 6
    assert "key.suspended" in stopped.err
    assert enrolled.run("keys", "suspend", "baz:unknown", "--yes").code == 4
