"""The plan of a rotation: when, by which key, what is warned of, and what is deleted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import dsse, keyset, rotation
from keys.keyset import MAX_LIFE, PAYLOAD_TYPE, STATEMENT_LIFE, KeyEntry, Keyset, Revocation
from keys.rotation import DESTROY_AFTER, DUE, JITTER, PERIOD, WARN_DAYS
from keys.signers import Ed25519Signer
from keys.succession import OVERLAP, Rule, Standing, accept_next

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def made(number: int) -> Ed25519Signer:
    return Ed25519Signer.from_seed("baz", number.to_bytes(32, "big"))


def entry(number: int, at: datetime = NOW, instance: str = "conn") -> KeyEntry:
    return keyset.entry_of("baz", made(number).public, instance=instance, not_before=at)


def of(*entries: KeyEntry, revoked: tuple[Revocation, ...] = ()) -> Keyset:
    payload = keyset.build("titian.test", "baz", entries, issued=NOW)
    return replace(keyset.parse_statement(payload), revoked=revoked)


def ended(number: int, until: datetime) -> KeyEntry:
    return replace(entry(number), sign_until=until)


def lost(each: KeyEntry) -> tuple[Revocation, ...]:
    return (Revocation(each.kid, NOW, "key_compromise", 7),)


def test_the_periods_are_those_of_the_design() -> None:
    assert (PERIOD, DUE, JITTER) == (90 * DAY, 60 * DAY, 3 * DAY)
    assert (MAX_LIFE, OVERLAP, DESTROY_AFTER) == (120 * DAY, 14 * DAY, 7 * DAY)
    assert WARN_DAYS == (30, 14, 7, 3, 1)


def test_keys_are_due_around_day_sixty_each_on_its_own_day() -> None:
    days = [(rotation.due_at(entry(number)) - NOW) / DAY for number in range(1, 200)]
    assert 57 <= min(days) < 57.2
    assert 62.8 < max(days) <= 63
    assert abs(sum(days) / len(days) - 60) < 0.5
    assert rotation.due_at(entry(1)) == rotation.due_at(entry(1))
    assert rotation.due_at(entry(1, NOW + DAY)) == rotation.due_at(entry(1)) + DAY


def test_a_key_is_due_at_its_moment_unless_it_has_a_successor() -> None:
    one = entry(1)
    due = rotation.due_at(one)
    assert not rotation.is_due(one, due - timedelta(microseconds=1))
    assert rotation.is_due(one, due)
    assert not rotation.is_due(replace(one, sign_until=due + DAY), due)


def test_the_plan_says_what_changes_and_nothing_else() -> None:
    before, later = of(entry(1), entry(2, instance="side")), NOW + 60 * DAY
    payload = rotation.next_statement(before, b"p" * 32, made(1).kid, made(3).public, later)
    after = keyset.parse_statement(payload)
    assert after == replace(
        before,
        version=2,
        prev=b"p" * 32,
        issued=later,
        expires=later + STATEMENT_LIFE,
        keys={
            made(1).kid: replace(entry(1), sign_until=later + OVERLAP),
            made(2).kid: entry(2, instance="side"),
            made(3).kid: entry(3, later),
        },
        reason="scheduled",
    )


def test_a_successor_has_the_uses_and_the_place_of_the_key_it_follows() -> None:
    one = replace(entry(1, instance="side"), uses=frozenset({"http"}))
    payload = rotation.next_statement(of(one), b"p" * 32, one.kid, made(2).public, NOW + DAY)
    coming = keyset.parse_statement(payload).keys[made(2).kid]
    assert (coming.uses, coming.instance) == (one.uses, "side")


def test_the_overlap_ends_with_the_old_key() -> None:
    late = NOW + 115 * DAY
    payload = rotation.next_statement(of(entry(1)), b"p" * 32, made(1).kid, made(2).public, late)
    assert keyset.parse_statement(payload).keys[made(1).kid].sign_until == NOW + MAX_LIFE


def test_what_may_be_left_out_is_left_out() -> None:
    old, gone = entry(1, NOW - 500 * DAY), entry(2)
    before = of(old, gone, entry(3), revoked=lost(gone))
    payload = rotation.next_statement(before, b"p" * 32, made(3).kid, made(4).public, NOW + DAY)
    after = keyset.parse_statement(payload)
    assert after.keys.keys() == {made(3).kid, made(4).kid}
    assert after.revoked == before.revoked


def test_a_key_that_is_not_there_hands_over_to_nobody() -> None:
    with pytest.raises(KeyError):
        rotation.next_statement(of(entry(1)), b"p" * 32, made(2).kid, made(3).public, NOW)


def test_of_the_keys_that_may_speak_the_newest_does() -> None:
    older, newer, other = entry(1), entry(2, NOW + DAY), entry(3, NOW + 2 * DAY, "side")
    held = of(older, newer, other)

    def speaks(at: datetime, silent: tuple[str, ...] = (), known: Keyset = held) -> str | None:
        found = rotation.speaking(known, "conn", at, silent)
        return None if found is None else found.kid

    assert speaks(NOW - SECOND) is None
    assert speaks(NOW) == older.kid
    assert speaks(NOW + DAY) == newer.kid
    assert speaks(NOW + 3 * DAY) == newer.kid
    assert speaks(NOW + DAY, (newer.kid,)) == older.kid
    assert speaks(NOW + DAY, known=replace(held, revoked=lost(newer))) == older.kid
    assert speaks(NOW + MAX_LIFE) == newer.kid
    assert speaks(NOW + MAX_LIFE + DAY) is None
    assert rotation.speaking(held, "elsewhere", NOW + DAY) is None


def test_of_two_keys_of_one_moment_the_same_one_speaks_for_everybody() -> None:
    one, two = sorted((entry(1), entry(2)), key=lambda each: each.kid)
    assert rotation.speaking(of(one, two), "conn", NOW) == two
    assert rotation.speaking(of(two, one), "conn", NOW) == two


@pytest.mark.parametrize(
    ("left", "warned"),
    [
        (31 * DAY, None),
        (30 * DAY + SECOND, None),
        (30 * DAY, 30),
        (14 * DAY + SECOND, 30),
        (14 * DAY, 14),
        (7 * DAY, 7),
        (3 * DAY, 3),
        (DAY + SECOND, 3),
        (DAY, 1),
        (SECOND, 1),
        (timedelta(0), None),
        (-DAY, None),
    ],
)
def test_the_narrowest_warning_is_given(left: timedelta, warned: int | None) -> None:
    assert rotation.warning(entry(1), NOW + MAX_LIFE - left) == warned
    assert rotation.warning(ended(1, NOW + MAX_LIFE), NOW + MAX_LIFE - left) is None


def test_a_key_stops_at_the_earlier_of_its_ends() -> None:
    assert rotation.ends_at(entry(1)) == NOW + MAX_LIFE
    assert rotation.ends_at(ended(1, NOW + DAY)) == NOW + DAY
    assert rotation.ends_at(ended(1, NOW + 121 * DAY)) == NOW + MAX_LIFE


def test_private_halves_go_a_week_after_the_hand_over_or_when_revoked() -> None:
    handed, alone, gone = ended(1, NOW + DAY), entry(2), entry(3)
    held = of(handed, alone, gone, revoked=lost(gone))
    assert rotation.removable(held, NOW) == [gone.kid]
    assert rotation.removable(held, NOW + DAY + DESTROY_AFTER - SECOND) == [gone.kid]
    both = sorted([handed.kid, gone.kid])
    assert rotation.removable(held, NOW + DAY + DESTROY_AFTER) == both
    # … and the only key of all is kept, however long ago it ran out
    assert rotation.removable(held, NOW + 10 * MAX_LIFE) == both


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.5, 50), min_size=1, max_size=40))
def test_a_connector_that_runs_now_and_then_is_never_without_a_key(pauses: list[float]) -> None:
    """However it sleeps (50 days at most), each rotation by the plan is taken, a key may speak at
    every moment between, and what is deleted has a successor that speaks."""
    current, sha256, now, number = of(entry(1)), b"p" * 32, NOW, 1
    rotated: dict[str, datetime] = {}
    for pause in pauses:
        before, now = now, (now + timedelta(days=pause)).replace(microsecond=0)
        _check_voice(current, before, now)
        speaks = rotation.speaking(current, "conn", now)
        assert speaks is not None
        others = current.keys.keys() - {speaks.kid}
        assert rotation.speaking(current, "conn", now, others) == speaks
        _check_deleted(current, now, speaks)
        if not rotation.is_due(speaks, now):
            continue
        number += 1
        old, new = made(number - 1), made(number)
        payload = rotation.next_statement(current, sha256, old.kid, new.public, now)
        envelope = dsse.parse(dsse.seal(PAYLOAD_TYPE, payload, [old, new]))
        found = accept_next(
            envelope, Standing(current, sha256, rotated=rotated), known_keys=(), centre={}, now=now
        )
        assert (found.rule, found.persons) == (Rule.ROTATE, 0)
        current, sha256 = found.keyset, envelope.payload_sha256
        rotated = {"conn": now}


def _check_voice(current: Keyset, begin: datetime, end: datetime) -> None:
    """A key may speak at each moment where something changes between the two, and just before."""
    changes = {begin, end}
    for each in current.keys.values():
        changes |= {each.not_before, rotation.ends_at(each)}
    for at in sorted(changes):
        for moment in (at - SECOND, at):
            if begin <= moment <= end:
                assert rotation.speaking(current, "conn", moment) is not None


def _check_deleted(current: Keyset, now: datetime, speaks: KeyEntry) -> None:
    gone = rotation.removable(current, now)
    assert speaks.kid not in gone
    for kid in gone:
        assert current.keys[kid].not_before < speaks.not_before


def test_in_a_chain_of_rotations_each_old_key_ends_after_its_successor_began() -> None:
    current, chain = of(entry(1)), [entry(1)]
    for number in range(2, 9):
        at = NOW + 60 * DAY * (number - 1)
        payload = rotation.next_statement(
            current, b"p" * 32, made(number - 1).kid, made(number).public, at
        )
        current = keyset.parse_statement(payload)
        chain.append(current.keys[made(number).kid])
    for old, new in pairwise(current.keys[each.kid] for each in chain if each.kid in current.keys):
        assert old.sign_until is not None
        assert new.not_before < old.sign_until
