"""The gateway's receipt key hands over: the connector learns it from the log and keeps both."""

from datetime import timedelta

from keys import dsse, keyset, rotation
from keys.bundle import keyset_entry
from keys.keyset import PAYLOAD_TYPE
from keys.signers import Ed25519Signer
from tests.connectors import gateway as fake

RESPONSE = frozenset({"response"})


def first_keyset(gateway) -> bytes:
    now = fake.now() - timedelta(days=2)
    entry = keyset.entry_of(
        "gateway", gateway.receipt_key.public, instance="receipt", not_before=now, uses=RESPONSE
    )
    payload = keyset.build(fake.AUD, "gateway", [entry], issued=now)
    return dsse.seal(PAYLOAD_TYPE, payload, [gateway.receipt_key])


def next_keyset(before: bytes, old: Ed25519Signer, new: Ed25519Signer) -> bytes:
    parsed = dsse.parse(before)
    said = keyset.parse_statement(parsed.payload)
    payload = rotation.next_statement(said, parsed.payload_sha256, old.kid, new.public, fake.now())
    return dsse.seal(PAYLOAD_TYPE, payload, [old, new])


def hand_over(gateway) -> Ed25519Signer:
    """As the centre does it: both versions in the log, and only then the successor signs."""
    first, old, new = first_keyset(gateway), gateway.receipt_key, Ed25519Signer.generate("gateway")
    gateway.log(keyset_entry("gateway", 1, first))
    gateway.log(keyset_entry("gateway", 2, next_keyset(first, old, new)))
    gateway.receipt_key = new
    return old


def change(agency, name: str) -> None:
    agency.sql("UPDATE mustahik SET nama = ? WHERE id = 1", name)


def test_receipts_of_the_successor_are_believed_after_the_log_said_so(enrolled, gateway):
    assert enrolled.run("publish").code == 0
    old = hand_over(gateway)
    change(enrolled, "Satu")
    answer = enrolled.run("publish", "--json")
    assert (answer.code, answer.json["open"]) == (0, 0), answer.err
    # Both are kept, also by the next process.
    gateway.receipt_key, new = old, gateway.receipt_key
    change(enrolled, "Dua")
    assert enrolled.run("publish").code == 0
    gateway.receipt_key = new
    change(enrolled, "Tiga")
    assert enrolled.run("publish").code == 0


def test_a_successor_that_the_log_does_not_name_is_refused(enrolled, gateway):
    assert enrolled.run("publish").code == 0
    gateway.receipt_key = Ed25519Signer.generate("gateway")
    change(enrolled, "Satu")
    answer = enrolled.run("publish")
    assert answer.code == 6
    assert "receipt" in answer.err


def test_a_successor_that_the_old_key_did_not_name_stops_publishing(enrolled, gateway):
    assert enrolled.run("publish").code == 0
    first, thief = first_keyset(gateway), Ed25519Signer.generate("gateway")
    parsed = dsse.parse(first)
    payload = rotation.next_statement(
        keyset.parse_statement(parsed.payload),
        parsed.payload_sha256,
        gateway.receipt_key.kid,
        thief.public,
        fake.now(),
    )
    gateway.log(keyset_entry("gateway", 1, first))
    gateway.log(keyset_entry("gateway", 2, dsse.seal(PAYLOAD_TYPE, payload, [thief])))
    gateway.receipt_key = thief
    change(enrolled, "Satu")
    for lang, words in (("en", "gateway's keys"), ("id", "Kunci gerbang")):
        answer = enrolled.run("publish", lang=lang)
        assert answer.code == 6
        assert words in answer.err


def test_who_enrols_after_the_hand_over_believes_both(agency, gateway):
    old = hand_over(gateway)
    agency.enrol(gateway)
    assert agency.run("publish").code == 0
    gateway.receipt_key = old
    change(agency, "Satu")
    assert agency.run("publish").code == 0
