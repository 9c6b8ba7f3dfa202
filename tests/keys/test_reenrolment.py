"""The payload of a re-enrolment: all keys new, the chain goes on, what was revoked stays."""

from dataclasses import replace
from datetime import timedelta

from keys import dsse, keyset
from keys.keyset import STATEMENT_LIFE, Recovery, Revocation, build_again, entry_of, parse_statement
from tests.keys import city
from tests.keys.city import AGENCY, NEXT, NOW, RECOVERY, STRANGER

LATER = NOW + timedelta(days=400)
LOST = Revocation(AGENCY.kid, NOW, "key_compromise", 7)
PAPER = Recovery(1, {RECOVERY.kid: RECOVERY.public})


def again(before: keyset.Keyset, recovery: Recovery | None = None) -> keyset.Keyset:
    entry = entry_of("dinsos", NEXT.public, instance="conn-b", not_before=LATER)
    return parse_statement(
        build_again(before, b"\x07" * 32, [entry], issued=LATER, recovery=recovery)
    )


def test_it_follows_the_one_before_with_none_of_its_keys() -> None:
    first = parse_statement(dsse.parse(city.first_keyset()).payload)
    before = replace(first, version=5, revoked=(LOST,))
    made = again(before)
    assert (made.version, made.prev) == (6, b"\x07" * 32)
    assert (made.issued, made.expires) == (LATER, LATER + STATEMENT_LIFE)
    assert made.keys.keys() == {NEXT.kid}
    assert (made.witness, made.enc, made.recovery) == ({}, {}, None)
    assert (made.revoked, made.reason) == ((LOST,), "reenrol")
    assert (made.aud, made.agency) == (first.aud, first.agency)


def test_it_names_the_recovery_key_that_it_is_given() -> None:
    first = parse_statement(dsse.parse(city.first_keyset()).payload)
    assert again(first, PAPER).recovery == PAPER
    assert (
        again(replace(first, recovery=Recovery(1, {STRANGER.kid: STRANGER.public}))).recovery
        is None
    )
