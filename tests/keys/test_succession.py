"""What may follow a keyset: each rule, what it asks for, and what nobody may do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keys import dsse, keyset, rotation
from keys.errors import BadKey, BadSignature, BadStatement, TrustError
from keys.keyset import MAX_LIFE, PAYLOAD_TYPE, KeyEntry, Keyset, Recovery, Revocation, encode
from keys.signers import Ed25519Signer
from keys.succession import RECOVERY_WAIT, Rule, Standing, Succession, accept_next

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
AUD = "titian.test"


def made(name: str, owner: str = "baz") -> Ed25519Signer:
    return Ed25519Signer.from_seed(owner, name.encode().ljust(32, b"."))


OLD, SIDE, RECOVERY, NEW, THIRD = map(made, ("old", "side", "recovery", "new", "third"))
CENTRE = made("centre", "gateway")


def entry(signer: Ed25519Signer, instance: str = "conn", at: datetime = NOW) -> KeyEntry:
    return keyset.entry_of("baz", signer.public, instance=instance, not_before=at)


START = keyset.parse_statement(
    keyset.build(
        AUD,
        "baz",
        [entry(OLD, at=NOW - 60 * DAY), entry(SIDE, "side", NOW - 60 * DAY)],
        issued=NOW - 60 * DAY,
        recovery=Recovery(1, {RECOVERY.kid: RECOVERY.public}),
    )
)


def standing(current: Keyset = START, **more) -> Standing:
    return Standing(current, dsse.parse(sealed(current, OLD)).payload_sha256, **more)


def sealed(said: Keyset, *signers: Ed25519Signer, kind: str = PAYLOAD_TYPE) -> bytes:
    return dsse.seal(kind, encode(said), signers)


def following(**change) -> Keyset:
    before = standing()
    fields = {
        "version": 2,
        "prev": before.payload_sha256,
        "issued": NOW,
        "expires": NOW + 365 * DAY,
    }
    return replace(START, **{**fields, "reason": "scheduled", **change})


def judged(said: Keyset, *signers: Ed25519Signer, at: Standing | None = None, **more) -> Succession:
    options = {"known_keys": (), "centre": {CENTRE.kid: CENTRE.public}, "now": NOW, **more}
    return accept_next(dsse.parse(sealed(said, *signers)), at or standing(), **options)


def handed(old: Ed25519Signer = OLD, new: Ed25519Signer = NEW, **change) -> Keyset:
    """A rotation of `old` to `new`; `change` is of the new key's entry."""
    leaving = START.keys[old.kid]
    coming = replace(entry(new, leaving.instance), **change)
    keys = {**START.keys, old.kid: replace(leaving, sign_until=NOW + 14 * DAY), new.kid: coming}
    return following(keys=keys)


def lost(*signers: Ed25519Signer, since: datetime = NOW - DAY) -> tuple[Revocation, ...]:
    return tuple(Revocation(s.kid, since, "key_compromise", 7) for s in signers)


def ended() -> dict[str, KeyEntry]:
    return {kid: replace(e, sign_until=NOW) for kid, e in START.keys.items()}


def test_the_plan_of_a_rotation_is_accepted_without_persons():
    payload = rotation.next_statement(START, standing().payload_sha256, OLD.kid, NEW.public, NOW)
    found = judged(keyset.parse_statement(payload), OLD, NEW)
    assert (found.rule, found.persons, found.wait) == (Rule.ROTATE, 0, timedelta(0))
    assert found.added == {NEW.kid}


ALLOWED: dict[str, tuple[Callable[[], Succession], Rule, int]] = {
    "revoked by recovery": (
        lambda: judged(following(revoked=lost(OLD)), RECOVERY), Rule.REVOKE, 1,
    ),
    "revoked by the centre": (
        lambda: judged(following(revoked=lost(OLD)), CENTRE), Rule.REVOKE, 2,
    ),
    "revoked and replaced by recovery": (
        lambda: judged(
            following(revoked=lost(OLD), keys={**START.keys, NEW.kid: entry(NEW)}), RECOVERY, NEW
        ), Rule.REVOKE, 1,
    ),
    "other recovery": (
        lambda: judged(
            following(recovery=Recovery(1, {NEW.kid: NEW.public})), RECOVERY, NEW
        ), Rule.AMEND, 1,
    ),
    "leaves by its key": (lambda: judged(following(keys=ended()), OLD), Rule.LEAVE, 1),
    "leaves by the centre": (lambda: judged(following(keys=ended()), CENTRE), Rule.LEAVE, 2),
    "enrols anew": (
        lambda: judged(
            following(keys={NEW.kid: entry(NEW)}, recovery=None, reason="reenrol"), NEW, CENTRE
        ), Rule.REENROL, 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed(name):
    act, rule, persons = ALLOWED[name]
    found = act()
    assert (found.rule, found.persons) == (rule, persons)
    assert found.wait == (RECOVERY_WAIT if name == "other recovery" else timedelta(0))


REFUSED: dict[str, tuple[Callable[[], Succession], type[TrustError], str]] = {
    "another type": (
        lambda: accept_next(
            dsse.parse(sealed(handed(), OLD, NEW, kind="x")), standing(), known_keys=(),
            centre={}, now=NOW,
        ), BadStatement, "keyset.type",
    ),
    "another gateway": (
        lambda: judged(replace(handed(), aud="other"), OLD, NEW), BadStatement, "keyset.aud",
    ),
    "a version left out": (
        lambda: judged(replace(handed(), version=3), OLD, NEW), BadStatement, "keyset.version",
    ),
    "another previous one": (
        lambda: judged(replace(handed(), prev=b"x" * 32), OLD, NEW), BadStatement, "keyset.version",
    ),
    "from the future": (
        lambda: judged(replace(handed(), issued=NOW + DAY), OLD, NEW), BadStatement, "keyset.time",
    ),
    "too old": (
        lambda: judged(replace(handed(), issued=NOW - 31 * DAY), OLD, NEW), BadStatement,
        "keyset.time",
    ),
    "lasts too long": (
        lambda: judged(replace(handed(), expires=NOW + 366 * DAY), OLD, NEW), BadStatement,
        "keyset.time",
    ),
    "a life too long": (
        lambda: judged(handed(not_after=NOW + MAX_LIFE + DAY), OLD, NEW), BadStatement,
        "keyset.time",
    ),
    "a key that wakes next year": (
        lambda: judged(handed(not_before=NOW + 300 * DAY, not_after=NOW + 400 * DAY), OLD, NEW),
        BadStatement, "keyset.time",
    ),
    "a key back-dated": (
        lambda: judged(handed(not_before=NOW - DAY), OLD, NEW), BadStatement, "keyset.time",
    ),
    "the new key has not signed": (
        lambda: judged(handed(), OLD), BadStatement, "keyset.possession",
    ),
    "the old key has not signed": (
        lambda: judged(handed(), NEW), BadSignature, "keyset.signer",
    ),
    "another instance signs": (
        lambda: judged(handed(), SIDE, NEW), BadSignature, "keyset.signer",
    ),
    "another instance's key is ended": (
        lambda: judged(handed(instance="side"), OLD, NEW), BadSignature, "keyset.signer",
    ),
    "two keys at once": (
        lambda: judged(
            replace(handed(), keys={**handed().keys, THIRD.kid: entry(THIRD)}), OLD, NEW, THIRD
        ), BadStatement, "keyset.change",
    ),
    "a key that was known": (
        lambda: judged(handed(), OLD, NEW, known_keys={NEW.public.raw}), BadKey, "key.known",
    ),
    "the recovery key signs from now on": (
        lambda: judged(
            replace(handed(new=RECOVERY), recovery=None), OLD, RECOVERY
        ), BadKey, "key.known",
    ),
    "the old key lives on": (
        lambda: judged(following(keys={**START.keys, NEW.kid: entry(NEW)}), OLD, NEW),
        BadStatement, "keyset.change",
    ),
    "the overlap is too long": (
        lambda: judged(
            replace(handed(), keys={
                **handed().keys, OLD.kid: replace(START.keys[OLD.kid], sign_until=NOW + 15 * DAY),
            }), OLD, NEW,
        ), BadStatement, "keyset.change",
    ),
    "the old key changes": (
        lambda: judged(
            replace(handed(), keys={
                **handed().keys,
                OLD.kid: replace(handed().keys[OLD.kid], not_after=NOW + 100 * DAY),
            }), OLD, NEW,
        ), BadStatement, "keyset.change",
    ),
    "a key vanishes": (
        lambda: judged(
            replace(handed(), keys={k: e for k, e in handed().keys.items() if k != SIDE.kid}),
            OLD, NEW,
        ), BadStatement, "keyset.change",
    ),
    "twice in a day": (
        lambda: judged(handed(), OLD, NEW, at=standing(rotated={"conn": NOW - DAY / 2})),
        BadStatement, "keyset.pause",
    ),
    "a suspended key rotates": (
        lambda: judged(handed(), OLD, NEW, at=standing(suspended=frozenset({OLD.kid}))),
        BadSignature, "keyset.signer",
    ),
    "a key that ran out rotates": (
        lambda: judged(handed(), OLD, NEW, now=NOW + 70 * DAY), BadStatement, "keyset.time",
    ),
    "revoked by the key itself": (
        lambda: judged(following(revoked=lost(OLD)), OLD), BadSignature, "keyset.signer",
    ),
    "revoked since tomorrow": (
        lambda: judged(following(revoked=lost(OLD, since=NOW + DAY)), RECOVERY), BadStatement,
        "keyset.change",
    ),
    "revoked twice": (
        lambda: judged(following(revoked=lost(OLD, OLD)), RECOVERY), BadStatement, "keyset.change",
    ),
    "a stranger revoked": (
        lambda: judged(following(revoked=lost(THIRD)), RECOVERY), BadStatement, "keyset.change",
    ),
    "a new key beside a revocation by the centre": (
        lambda: judged(
            following(revoked=lost(OLD), keys={**START.keys, NEW.kid: entry(NEW)}), CENTRE, NEW
        ), BadSignature, "keyset.signer",
    ),
    "revoked, and recovery changed": (
        lambda: judged(following(revoked=lost(OLD), recovery=None), RECOVERY), BadStatement,
        "keyset.change",
    ),
    "recovery changed by the online key": (
        lambda: judged(following(recovery=None), OLD), BadSignature, "keyset.signer",
    ),
    "recovery and a key at once": (
        lambda: judged(replace(handed(), recovery=None), RECOVERY, OLD, NEW), BadStatement,
        "keyset.change",
    ),
    "nothing changes": (lambda: judged(following(), OLD), BadStatement, "keyset.change"),
    "one of two keys leaves": (
        lambda: judged(following(keys={**START.keys, OLD.kid: ended()[OLD.kid]}), OLD),
        BadStatement, "keyset.change",
    ),
    "enrols anew with an old key": (
        lambda: judged(
            following(keys={NEW.kid: entry(NEW), OLD.kid: START.keys[OLD.kid]}, reason="reenrol"),
            NEW, CENTRE,
        ), BadStatement, "keyset.change",
    ),
    "enrols anew by nobody's leave": (
        lambda: judged(
            following(keys={NEW.kid: entry(NEW)}, recovery=None, reason="reenrol"), NEW
        ), BadSignature, "keyset.signer",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    act, kind, code = REFUSED[name]
    with pytest.raises(kind) as found:
        act()
    assert found.value.code == code


def test_a_retiring_key_hands_over_to_nobody_else():
    first = judged(handed(), OLD, NEW).keyset
    current = Standing(first, dsse.parse(sealed(first, OLD)).payload_sha256)
    later = NOW + 2 * DAY
    keys = {
        **first.keys,
        OLD.kid: replace(first.keys[OLD.kid], sign_until=NOW + 13 * DAY),
        THIRD.kid: entry(THIRD, at=later),
    }
    said = replace(first, version=3, prev=current.payload_sha256, issued=later, keys=keys)
    with pytest.raises(BadSignature) as found:
        judged(said, OLD, THIRD, at=current, now=later)
    assert found.value.code == "keyset.signer"


def test_a_keyset_of_another_agency_follows_nothing():
    other = made("old", "bpjs")
    said = keyset.parse_statement(
        keyset.build(
            AUD,
            "bpjs",
            [keyset.entry_of("bpjs", other.public, instance="conn", not_before=NOW)],
            issued=NOW,
        )
    )
    with pytest.raises(BadStatement) as found:
        judged(said, other)
    assert found.value.code == "keyset.agency"


def test_encoding_a_keyset_reads_back():
    for said in (START, handed(), following(revoked=lost(OLD, SIDE))):
        assert keyset.parse_statement(encode(said)) == said
