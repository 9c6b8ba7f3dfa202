"""The ticket reads in plain sentences, and only its holder's proof is taken."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from keys import dsse, enrolment, keyset
from keys.canonical import to_base64
from keys.checkpoint import NoteSigner
from keys.enrolment import Challenge, Ticket, format_ticket, parse_ticket
from keys.errors import BadSignature, BadStatement, BadTicket
from keys.signers import Ed25519Signer

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
RECEIPT = Ed25519Signer.from_seed("gateway", bytes([9]) * 32)
ONE = Ed25519Signer.from_seed("dinsos", bytes([1]) * 32)
TWO = Ed25519Signer.from_seed("dinsos", bytes([2]) * 32)
TICKET = Ticket(
    gateway="https://gw.example.go.id",
    aud="titian.example",
    log_origin="titian.example/log/2026",
    log_vkey=NoteSigner("titian.example/log/2026", bytes([7]) * 32).vkey,
    receipt_kid=RECEIPT.kid,
    receipt=RECEIPT.public,
    ticket_id="T-7",
    secret=bytes(range(16)),
    agency="dinsos",
    expires=NOW + timedelta(hours=72),
)
CHALLENGE = Challenge("titian.example", "T-7", "nonce-1", enrolment.ticket_key(TICKET.secret))
ENTRIES = [
    keyset.entry_of("dinsos", signer.public, instance="conn-a", not_before=NOW)
    for signer in (ONE, TWO)
]
PAYLOAD = keyset.build("titian.example", "dinsos", ENTRIES, issued=NOW)
KEYSET = keyset.parse_statement(PAYLOAD)
SHA = dsse.parse(dsse.seal(keyset.PAYLOAD_TYPE, PAYLOAD, [ONE])).payload_sha256


def text(**change: Any) -> str:
    return json.dumps({**json.loads(format_ticket(TICKET)), **change})


def proof(ticket: Ticket = TICKET, nonce: str = "nonce-1", sha: bytes = SHA) -> dsse.Envelope:
    return dsse.parse(enrolment.seal_enrolment(ticket, nonce, sha, [ONE, TWO]))


def test_a_ticket_reads_back_also_with_a_changed_end_of_line() -> None:
    assert parse_ticket(format_ticket(TICKET), now=NOW) == TICKET
    assert parse_ticket(format_ticket(TICKET).replace("\n", "\r\n") + "\n", now=NOW) == TICKET


TICKETS: dict[str, tuple[Callable[[], str], str]] = {
    "empty": (lambda: "", "ticket.unreadable"),
    "cut": (lambda: format_ticket(TICKET)[:-20], "ticket.unreadable"),
    "another file": (lambda: '{"hello": 1}', "ticket.unreadable"),
    "lone surrogate": (lambda: "\ud800", "ticket.unreadable"),
    "version": (lambda: text(titian_ticket=2), "ticket.version"),
    "older version": (lambda: text(titian_ticket=0), "ticket.version"),
    "secret cut": (lambda: text(secret="QUJD"), "ticket.field"),
    "gateway": (lambda: text(gateway="gw.example/path"), "ticket.field"),
    "receipt": (lambda: text(receipt={}), "ticket.field"),
    "log key of another log": (lambda: text(log_origin="other.example"), "ticket.keys"),
    "log key of a log that sorts later": (lambda: text(log_origin="zz.example"), "ticket.keys"),
    "receipt kid that sorts later": (
        lambda: text(
            receipt={
                "kid": RECEIPT.kid[:-1] + "z",
                "alg": "ed25519",
                "pub": to_base64(RECEIPT.public.raw),
            }
        ),
        "ticket.keys",
    ),
    "receipt kid that sorts earlier": (
        lambda: text(
            receipt={
                "kid": RECEIPT.kid[:-1] + "2",
                "alg": "ed25519",
                "pub": to_base64(RECEIPT.public.raw),
            }
        ),
        "ticket.keys",
    ),
    "log key": (lambda: text(log_vkey="x"), "ticket.keys"),
    "receipt kid": (
        lambda: text(
            receipt={"kid": "gateway:x", "alg": "ed25519", "pub": to_base64(RECEIPT.public.raw)}
        ),
        "ticket.keys",
    ),
    "low-order receipt key": (
        lambda: text(
            receipt={"kid": "g:x", "alg": "ed25519", "pub": to_base64(b"\x01" + bytes(31))}
        ),
        "ticket.keys",
    ),
    "expired": (lambda: text(expires="2026-11-24T02:00:00Z"), "ticket.expired"),
    "expired long ago": (lambda: text(expires="2026-11-01T02:00:00Z"), "ticket.expired"),
}


@pytest.mark.parametrize("name", TICKETS)
def test_a_bad_ticket_is_refused_in_a_plain_sentence(name: str) -> None:
    make, code = TICKETS[name]
    with pytest.raises(BadTicket) as refused:
        parse_ticket(make(), now=NOW)
    assert refused.value.code == code
    assert str(refused.value)[0].isupper()
    assert str(refused.value).endswith(".")


def test_a_ticket_is_a_field_a_line_for_who_must_read_it_out() -> None:
    lines = format_ticket(TICKET).split("\n")
    assert (lines[0], lines[1], lines[-2:]) == ("{", '  "titian_ticket": 1,', ["}", ""])
    assert timedelta(days=3) == enrolment.TICKET_LIFE


def test_a_ticket_never_shows_its_secret() -> None:
    assert repr(TICKET.secret) not in repr(TICKET)
    assert repr(CHALLENGE.key) not in repr(CHALLENGE)


def test_a_proof_of_the_holder_is_taken() -> None:
    envelope = proof()
    assert enrolment.ticket_of(envelope) == "T-7"
    enrolment.check_enrolment(envelope, CHALLENGE, KEYSET, SHA)
    assert to_base64(TICKET.secret).encode() not in envelope.payload


@pytest.mark.parametrize(
    ("envelope", "code"),
    [
        (proof(nonce="nonce-2"), "enrol.challenge"),
        (proof(sha=bytes(32)), "enrol.challenge"),
        (proof(sha=b"\xff" * 32), "enrol.challenge"),
        (proof(replace(TICKET, aud="other.example")), "enrol.challenge"),
        (proof(replace(TICKET, ticket_id="T-8")), "enrol.challenge"),
        (proof(replace(TICKET, secret=bytes(16))), "enrol.secret"),
        (
            dsse.parse(enrolment.seal_enrolment(TICKET, "nonce-1", SHA, [ONE])),
            "enrol.possession",
        ),
        (
            dsse.parse(dsse.seal(enrolment.PAYLOAD_TYPE, proof().payload, [RECEIPT])),
            "sig.unknown_key",
        ),
        (dsse.parse(dsse.seal("application/other", proof().payload, [ONE, TWO])), "enrol.type"),
        (dsse.parse(dsse.seal("zzz", proof().payload, [ONE, TWO])), "enrol.type"),
        (
            dsse.parse(
                dsse.seal(
                    enrolment.PAYLOAD_TYPE, proof().payload.replace(b'"v":1', b'"v":0'), [ONE, TWO]
                )
            ),
            "enrol.version",
        ),
        (
            dsse.parse(
                dsse.seal(
                    enrolment.PAYLOAD_TYPE, proof().payload.replace(b'"v":1', b'"v":2'), [ONE, TWO]
                )
            ),
            "enrol.version",
        ),
        (dsse.parse(dsse.seal(enrolment.PAYLOAD_TYPE, b"{}", [ONE, TWO])), "statement.fields"),
    ],
)
def test_any_other_proof_is_refused(envelope: dsse.Envelope, code: str) -> None:
    with pytest.raises((BadSignature, BadStatement)) as refused:
        enrolment.check_enrolment(envelope, CHALLENGE, KEYSET, SHA)
    assert refused.value.code == code


def test_a_recovery_key_lies_offline_and_need_not_answer_the_challenge() -> None:
    recovery = Ed25519Signer.from_seed("dinsos", bytes([3]) * 32)
    named = replace(KEYSET, recovery=keyset.Recovery(1, {recovery.kid: recovery.public}))
    sha = sha256(keyset.encode(named)).digest()
    enrolment.check_enrolment(proof(sha=sha), CHALLENGE, named, sha)
