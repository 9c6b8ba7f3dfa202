"""The rules at their edges: to the second, to the key, and in both directions."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from keys import dsse, keyset
from keys.checkpoint import TYPE_COSIGNATURE, NoteKey
from keys.errors import BadKey, BadSignature, BadStatement, TrustError
from keys.keyset import KeyEntry, Keyset, Recovery
from keys.signers import Ed25519Signer
from keys.succession import Rule, Standing, Succession, accept_first
from tests.keys.test_succession import (
    CENTRE,
    DAY,
    NEW,
    NOW,
    OLD,
    RECOVERY,
    SIDE,
    START,
    THIRD,
    entry,
    following,
    handed,
    judged,
    lost,
    made,
    sealed,
    standing,
)

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
WITNESS = made("witness")
NAMED = NoteKey("baz.witness", TYPE_COSIGNATURE, WITNESS.public)


def ends(at: timedelta) -> dict[str, KeyEntry]:
    """The keys of the start, each ending so long from now."""
    return {k: replace(e, sign_until=NOW + at) for k, e in START.keys.items()}


def until(at: timedelta) -> Keyset:
    """A rotation in which the old key's last moment is so long from now."""
    said = handed()
    return replace(
        said, keys={**said.keys, OLD.kid: replace(START.keys[OLD.kid], sign_until=NOW + at)}
    )


def living(life: timedelta, begin: timedelta = timedelta(0)) -> Keyset:
    """A rotation to a key that begins so long from now and lives so long."""
    return handed(not_before=NOW + begin, not_after=NOW + begin + life)


def paused(ago: timedelta) -> Standing:
    return standing(rotated={"conn": NOW - ago, "side": NOW})


def rotates(said: Keyset, **more: Any) -> Succession:
    return judged(said, OLD, NEW, **more)


ALLOWED: dict[str, tuple[Callable[[], Succession], Rule]] = {
    "issued five minutes ahead": (
        lambda: rotates(replace(handed(not_before=NOW + 5 * MINUTE), issued=NOW + 5 * MINUTE)),
        Rule.ROTATE,
    ),
    "issued thirty days ago": (
        lambda: judged(
            replace(following(revoked=lost(OLD)), issued=NOW - 30 * DAY, expires=NOW + DAY),
            RECOVERY,
        ), Rule.REVOKE,
    ),
    "runs out in a second": (
        lambda: rotates(replace(handed(), expires=NOW + SECOND)), Rule.ROTATE,
    ),
    "a key of a minute": (lambda: rotates(living(MINUTE)), Rule.ROTATE),
    "a key of 120 days": (lambda: rotates(living(120 * DAY)), Rule.ROTATE),
    "a key from five minutes ago": (
        lambda: rotates(living(DAY, -5 * MINUTE)), Rule.ROTATE,
    ),
    "a key in a fortnight": (lambda: rotates(living(DAY, 14 * DAY)), Rule.ROTATE),
    "the old key goes on for a fortnight and five minutes": (
        lambda: rotates(until(14 * DAY + 5 * MINUTE)), Rule.ROTATE,
    ),
    "the old key ends at once": (lambda: rotates(until(timedelta(0))), Rule.ROTATE),
    "24 hours after the last": (lambda: rotates(handed(), at=paused(24 * HOUR)), Rule.ROTATE),
    "a week after the last": (lambda: rotates(handed(), at=paused(7 * DAY)), Rule.ROTATE),
    "fewer uses": (lambda: rotates(handed(uses=frozenset({"http"}))), Rule.ROTATE),
    "everything revoked": (lambda: judged(following(revoked=lost(OLD, SIDE)), RECOVERY),
                           Rule.REVOKE),
    "revoked since this moment": (
        lambda: judged(following(revoked=lost(OLD, since=NOW)), RECOVERY), Rule.REVOKE,
    ),
    "called an amendment": (
        lambda: judged(following(revoked=lost(OLD), reason="amend"), RECOVERY), Rule.REVOKE,
    ),
    "called by the last word of the alphabet": (
        lambda: judged(following(revoked=lost(OLD), reason="zzz"), RECOVERY), Rule.REVOKE,
    ),
    "leaves in five minutes": (
        lambda: judged(following(keys=ends(5 * MINUTE)), OLD), Rule.LEAVE,
    ),
    "left a minute ago": (lambda: judged(following(keys=ends(-MINUTE)), OLD), Rule.LEAVE),
}  # fmt: skip


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_just_allowed(name: str) -> None:
    act, rule = ALLOWED[name]
    assert act().rule is rule


def _narrow_hands_over_to_wide() -> Succession:
    narrow = replace(START.keys[OLD.kid], uses=frozenset({"http"}))
    current = replace(START, keys={**START.keys, OLD.kid: narrow})
    said = handed()
    keys = {**said.keys, OLD.kid: replace(narrow, sign_until=NOW + DAY)}
    at = standing(current)
    return judged(replace(said, keys=keys, prev=at.payload_sha256), OLD, NEW, at=at)


def _without_recovery() -> Succession:
    at = standing(replace(START, recovery=None))
    said = replace(following(revoked=lost(OLD)), recovery=None, prev=at.payload_sha256)
    return judged(said, OLD, at=at)


def _by_recovery(threshold: int, *signers: Ed25519Signer) -> Succession:
    """A revocation where three recovery keys are named and so many must sign."""
    three = {each.kid: each.public for each in (RECOVERY, NEW, THIRD)}
    recovery = Recovery(threshold, three)
    at = standing(replace(START, recovery=recovery))
    said = replace(following(revoked=lost(OLD)), recovery=recovery, prev=at.payload_sha256)
    return judged(said, *signers, at=at)


REFUSED: dict[str, tuple[Callable[[], Succession], type[TrustError], str]] = {
    "issued later than five minutes ahead": (
        lambda: rotates(replace(handed(), issued=NOW + 5 * MINUTE + SECOND)), BadStatement,
        "keyset.time",
    ),
    "issued more than thirty days ago": (
        lambda: judged(
            replace(
                following(revoked=lost(OLD)), issued=NOW - 30 * DAY - SECOND, expires=NOW + DAY
            ), RECOVERY,
        ), BadStatement, "keyset.time",
    ),
    "runs out now": (lambda: rotates(replace(handed(), expires=NOW)), BadStatement, "keyset.time"),
    "ran out yesterday": (
        lambda: rotates(replace(handed(), issued=NOW - 2 * DAY, expires=NOW - DAY)), BadStatement,
        "keyset.time",
    ),
    "lasts a second more than a year": (
        lambda: rotates(replace(handed(), expires=NOW + 365 * DAY + SECOND)), BadStatement,
        "keyset.time",
    ),
    "a key of no time": (lambda: rotates(living(timedelta(0))), BadStatement, "keyset.time"),
    "a key that ends before it begins": (
        lambda: rotates(living(-SECOND, DAY)), BadStatement, "keyset.time",
    ),
    "a key of 120 days and a second": (
        lambda: rotates(living(120 * DAY + SECOND)), BadStatement, "keyset.time",
    ),
    "a key that ends now": (
        lambda: rotates(living(5 * MINUTE, -5 * MINUTE)), BadStatement, "keyset.time",
    ),
    "a key from before five minutes ago": (
        lambda: rotates(living(DAY, -5 * MINUTE - SECOND)), BadStatement, "keyset.time",
    ),
    "a key in more than a fortnight": (
        lambda: rotates(living(DAY, 14 * DAY + SECOND)), BadStatement, "keyset.time",
    ),
    "the old key goes on too long": (
        lambda: rotates(until(14 * DAY + 5 * MINUTE + SECOND)), BadStatement, "keyset.change",
    ),
    "a second too early": (
        lambda: rotates(handed(), at=paused(24 * HOUR - SECOND)), BadStatement, "keyset.pause",
    ),
    "more uses": (
        _narrow_hands_over_to_wide, BadStatement, "keyset.change",
    ),
    "another gateway, earlier in the alphabet": (
        lambda: rotates(replace(handed(), aud="a")), BadStatement, "keyset.aud",
    ),
    "another gateway, later in the alphabet": (
        lambda: rotates(replace(handed(), aud="z")), BadStatement, "keyset.aud",
    ),
    "the version in force again": (
        lambda: rotates(replace(handed(), version=1)), BadStatement, "keyset.version",
    ),
    "a previous one that sorts earlier": (
        lambda: rotates(replace(handed(), prev=bytes(32))), BadStatement, "keyset.version",
    ),
    "a previous one that sorts later": (
        lambda: rotates(replace(handed(), prev=b"\xff" * 32)), BadStatement, "keyset.version",
    ),
    "no previous one": (
        lambda: rotates(replace(handed(), prev=None)), BadStatement, "keyset.version",
    ),
    "revoked a second ahead": (
        lambda: judged(following(revoked=lost(OLD, since=NOW + SECOND)), RECOVERY), BadStatement,
        "keyset.change",
    ),
    "leaves in more than five minutes": (
        lambda: judged(following(keys=ends(5 * MINUTE + SECOND)), OLD), BadStatement,
        "keyset.change",
    ),
    "an amendment and an end": (
        lambda: judged(following(recovery=None, keys=ends(timedelta(0))), RECOVERY), BadStatement,
        "keyset.change",
    ),
    "an amendment and a key": (
        lambda: judged(
            following(recovery=None, keys={**START.keys, NEW.kid: entry(NEW)}), RECOVERY, NEW
        ), BadStatement, "keyset.change",
    ),
    "a revocation and an end": (
        lambda: judged(following(revoked=lost(OLD), keys=ends(timedelta(0))), RECOVERY),
        BadStatement, "keyset.change",
    ),
    "revoked by nobody, where there is no recovery key": (
        _without_recovery, BadSignature, "keyset.signer",
    ),
    "one recovery key of two": (lambda: _by_recovery(2, RECOVERY), BadSignature, "keyset.signer"),
    "enrols anew with no new key": (
        lambda: judged(following(keys=START.keys, reason="reenrol"), CENTRE), BadStatement,
        "keyset.change",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_just_refused(name: str) -> None:
    act, kind, code = REFUSED[name]
    with pytest.raises(kind) as refused:
        act()
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("threshold", "signers"),
    [(1, [RECOVERY]), (1, [NEW, THIRD]), (2, [RECOVERY, THIRD]), (2, [RECOVERY, NEW, THIRD])],
)
def test_as_many_recovery_keys_as_it_takes_or_more(
    threshold: int, signers: list[Ed25519Signer]
) -> None:
    assert _by_recovery(threshold, *signers).persons == 1


def test_new_recovery_keys_reach_their_own_threshold() -> None:
    three = Recovery(1, {each.kid: each.public for each in (RECOVERY, NEW, THIRD)})
    at = standing(replace(START, recovery=three))
    said = replace(
        following(recovery=replace(three, threshold=2)), prev=at.payload_sha256, reason="amend"
    )
    assert judged(said, RECOVERY, THIRD, at=at).rule is Rule.AMEND
    assert judged(said, RECOVERY, THIRD, NEW, at=at).rule is Rule.AMEND
    for signers in ((RECOVERY,), (RECOVERY, OLD), (RECOVERY, OLD, SIDE, CENTRE)):
        with pytest.raises(BadSignature) as refused:
            judged(said, *signers, at=at)
        assert refused.value.code == "keyset.threshold"


def test_a_recovery_key_that_signs_twice_counts_once() -> None:
    with pytest.raises(BadSignature) as refused:
        _by_recovery(2, RECOVERY, RECOVERY)
    assert refused.value.code == "keyset.signer"


@pytest.mark.parametrize("code", ["aaa", "zzz"])
def test_a_keyset_of_another_agency_follows_nothing(code: str) -> None:
    other = made("old", code)
    payload = keyset.build(
        START.aud,
        code,
        [keyset.entry_of(code, other.public, instance="conn", not_before=NOW)],
        issued=NOW,
    )
    with pytest.raises(BadStatement) as refused:
        judged(keyset.parse_statement(payload), other)
    assert refused.value.code == "keyset.agency"


def test_a_change_of_the_witness_counts_at_once_and_of_recovery_in_three_days() -> None:
    witness = judged(following(witness={WITNESS.kid: NAMED}), RECOVERY, WITNESS)
    assert (witness.rule, witness.persons, witness.wait) == (Rule.AMEND, 1, timedelta(0))
    both = judged(following(recovery=None, witness={WITNESS.kid: NAMED}), RECOVERY, WITNESS)
    assert (both.rule, both.wait) == (Rule.AMEND, timedelta(hours=72))
    enc = {
        "baz:e1": {"alg": "hpke-x25519", "pub": "A" * 43 + "=", "not_after": "2027-01-01T00:00:00Z"}
    }
    assert judged(following(enc=enc), CENTRE).persons == 2


def test_of_two_keys_of_a_connector_one_hands_over_and_both_may_sign() -> None:
    two = replace(START, keys={**START.keys, THIRD.kid: entry(THIRD, at=NOW - DAY)})
    at = standing(two)
    said = replace(handed(), prev=at.payload_sha256)
    said = replace(said, keys={**said.keys, THIRD.kid: two.keys[THIRD.kid]})
    assert judged(said, OLD, THIRD, NEW, at=at).rule is Rule.ROTATE
    # … but a key that has not signed is ended by nobody
    keys = {**said.keys, THIRD.kid: replace(two.keys[THIRD.kid], sign_until=NOW + DAY)}
    with pytest.raises(BadStatement) as refused:
        judged(replace(said, keys=keys), OLD, NEW, at=at)
    assert refused.value.code == "keyset.change"
    assert judged(replace(said, keys=keys), OLD, THIRD, NEW, at=at).rule is Rule.ROTATE


def test_the_end_of_a_retiring_key_comes_sooner_and_never_later() -> None:
    retiring = {
        **START.keys,
        SIDE.kid: replace(START.keys[SIDE.kid], sign_until=NOW + MINUTE),
    }
    at = standing(replace(START, keys=retiring))

    def leaves(side_until: timedelta) -> Succession:
        keys = {
            OLD.kid: replace(START.keys[OLD.kid], sign_until=NOW),
            SIDE.kid: replace(START.keys[SIDE.kid], sign_until=NOW + side_until),
        }
        return judged(replace(following(keys=keys), prev=at.payload_sha256), OLD, at=at)

    assert leaves(MINUTE).rule is Rule.LEAVE
    assert leaves(-HOUR).rule is Rule.LEAVE
    with pytest.raises(BadStatement) as refused:
        leaves(2 * MINUTE)
    assert refused.value.code == "keyset.change"


def test_an_end_is_never_taken_back() -> None:
    retiring = {**START.keys, OLD.kid: replace(START.keys[OLD.kid], sign_until=NOW + DAY)}
    at = standing(replace(START, keys=retiring))
    said = replace(following(keys=dict(START.keys)), prev=at.payload_sha256)
    with pytest.raises(BadStatement) as refused:
        judged(said, OLD, at=at)
    assert refused.value.code == "keyset.change"


def test_a_key_that_is_in_force_is_not_added_under_another_role() -> None:
    for role in ("witness", "recovery"):
        change: dict[str, Any] = (
            {"witness": {OLD.kid: NoteKey("baz.witness", TYPE_COSIGNATURE, OLD.public)}}
            if role == "witness"
            else {"recovery": Recovery(1, {OLD.kid: OLD.public})}
        )
        with pytest.raises(BadStatement) as refused:
            judged(following(**change), RECOVERY, OLD)
        assert refused.value.code == "keyset.key"


def first(**change: Any) -> Keyset:
    entries = [entry(OLD)]
    payload = keyset.build(START.aud, "baz", entries, issued=NOW)
    return replace(keyset.parse_statement(payload), **change)


def enrols(said: Keyset, *signers: Ed25519Signer, known: tuple[bytes, ...] = ()) -> Keyset:
    envelope = dsse.parse(sealed(said, *(signers or (OLD,))))
    return accept_first(envelope, START.aud, known_keys=known, now=NOW)


@pytest.mark.parametrize(
    ("act", "kind", "code"),
    [
        (lambda: enrols(first(version=2)), BadStatement, "keyset.version"),
        (lambda: enrols(first(prev=bytes(32))), BadStatement, "keyset.version"),
        (lambda: enrols(first(revoked=lost(OLD))), BadStatement, "keyset.version"),
        (lambda: enrols(first(keys={})), BadStatement, "keyset.key"),
        (lambda: enrols(first(aud="a")), BadStatement, "keyset.aud"),
        (lambda: enrols(first(aud="z")), BadStatement, "keyset.aud"),
        (lambda: enrols(first(), known=(OLD.public.raw,)), BadKey, "key.known"),
        (
            lambda: enrols(first(recovery=Recovery(1, {OLD.kid: OLD.public}))),
            BadStatement,
            "keyset.key",
        ),
        (
            lambda: enrols(first(recovery=Recovery(1, {RECOVERY.kid: RECOVERY.public}))),
            BadStatement,
            "keyset.possession",
        ),
        (lambda: enrols(first(), NEW), BadSignature, "sig.unknown_key"),
    ],
    ids=range(10),
)
def test_what_no_first_keyset_is(
    act: Callable[[], Keyset], kind: type[TrustError], code: str
) -> None:
    with pytest.raises(kind) as refused:
        act()
    assert refused.value.code == code


def test_a_type_that_sorts_before_or_after_is_no_keyset() -> None:
    for kind in ("a", "z"):
        with pytest.raises(BadStatement) as refused:
            accept_first(
                dsse.parse(sealed(first(), OLD, kind=kind)), START.aud, known_keys=(), now=NOW
            )
        assert refused.value.code == "keyset.type"
