"""A keyset never fills up: not in an honest decade, and not for the owner when a thief rotates."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from keys import dsse, keyset, rotation
from keys.bundle import keyset_entry
from keys.canonical import canonical
from keys.errors import BadStatement
from keys.forgetting import REMEMBERED, ROOM, carried, forgettable
from keys.keyset import MAX_LIFE, PAYLOAD_TYPE, KeyEntry, Keyset, Recovery, Revocation, encode
from keys.signers import Ed25519Signer
from keys.succession import Rule, Standing, Succession, accept_next

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
LARGEST_ENTRY = 65_535
"""Bytes of an entry in a tile of the log (C2SP tlog-tiles: a length of 16 bits)."""
LONGEST = "a" * 40
"""The longest code of an agency, and the longest name of a connector."""


def made(number: int) -> Ed25519Signer:
    return Ed25519Signer.from_seed(LONGEST, number.to_bytes(32, "big"))


RECOVERY = made(1)


@dataclass
class Agency:
    """An agency's chain of keysets, each judged as the centre and every connector judge it."""

    now: datetime = START
    signers: list[Ed25519Signer] = field(default_factory=lambda: [made(2)])
    keyset: Keyset = field(init=False)
    sha256: bytes = field(init=False)
    rotated: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        recovery = Recovery(1, {RECOVERY.kid: RECOVERY.public})
        entries = [self.entry(self.signers[0])]
        payload = keyset.build("titian.test", LONGEST, entries, issued=self.now, recovery=recovery)
        self.keyset, self.sha256 = keyset.parse_statement(payload), _sha256(payload)

    def entry(self, signer: Ed25519Signer) -> KeyEntry:
        return keyset.entry_of(LONGEST, signer.public, instance=LONGEST, not_before=self.now)

    def fresh(self) -> Ed25519Signer:
        return made(len(self.signers) + 2)

    def take(self, payload: bytes, *signers: Ed25519Signer) -> Succession:
        envelope = dsse.parse(dsse.seal(PAYLOAD_TYPE, payload, signers))
        standing = Standing(self.keyset, self.sha256, rotated=self.rotated)
        found = accept_next(envelope, standing, known_keys=(), centre={}, now=self.now)
        self.keyset, self.sha256 = found.keyset, envelope.payload_sha256
        if found.rule is Rule.ROTATE:
            self.rotated = {LONGEST: self.now}
        self.signers += [each for each in signers if each.kid in found.added]
        return found

    def rotate(self) -> Succession:
        old, new = self.signers[-1], self.fresh()
        payload = rotation.next_statement(self.keyset, self.sha256, old.kid, new.public, self.now)
        return self.take(payload, old, new)

    def say(self, *signers: Ed25519Signer, **change: object) -> Succession:
        """The next version with some fields changed."""
        said = replace(
            self.keyset,
            version=self.keyset.version + 1,
            prev=self.sha256,
            issued=self.now,
            expires=self.now + 365 * DAY,
            **change,  # type: ignore[arg-type]
        )
        return self.take(encode(said), *signers)

    def lost(self, kids: Sequence[str]) -> tuple[Revocation, ...]:
        return tuple(Revocation(kid, self.now, "key_compromise", 7) for kid in kids)

    def revoke_all(self) -> Succession:
        """The owner's answer to a thief: nothing there is believed, and one new key begins."""
        new = self.fresh()
        done = {each.kid for each in self.keyset.revoked}
        more = self.lost([kid for kid in self.keyset.keys if kid not in done])
        keys = {**self.keyset.keys, new.kid: self.entry(new)}
        revoked = (*carried(self.keyset), *more)
        return self.say(RECOVERY, new, keys=keys, revoked=revoked, reason="revoke")

    def steal(self) -> int:
        """A thief rotates once a day until the rules stop him; how often he could."""
        for times in range(100):
            self.now += DAY
            try:
                self.rotate()
            except BadStatement as err:
                if err.code == "keyset.full":
                    return times
                raise
        raise AssertionError("nothing stopped him")


def _sha256(payload: bytes) -> bytes:
    return dsse.Envelope(PAYLOAD_TYPE, payload, ()).payload_sha256


def test_an_honest_decade_and_a_half_is_never_full() -> None:
    agency = Agency()
    most = 0
    while agency.now < START + 15 * 365 * DAY:
        agency.now = rotation.due_at(agency.keyset.keys[agency.signers[-1].kid])
        assert agency.rotate().persons == 0
        most = max(most, len(agency.keyset.keys))
    assert len(agency.signers) > 90
    assert most <= 10


def test_a_thief_is_stopped_while_the_owner_has_room() -> None:
    agency = Agency()
    assert agency.steal() == 47
    assert len(agency.keyset.keys) == ROOM == 48
    found = agency.revoke_all()
    assert (found.rule, found.persons) == (Rule.REVOKE, 1)
    assert len(agency.keyset.revoked) == ROOM
    spoken = rotation.speaking(agency.keyset, LONGEST, agency.now)
    assert spoken is not None
    assert spoken.kid == agency.signers[-1].kid


def test_after_a_theft_the_owner_rotates_as_before_and_survives_another() -> None:
    agency = Agency()
    for _ in range(4):
        agency.steal()
        agency.revoke_all()
        agency.now += DAY
        agency.rotate()
        assert agency.keyset.keys.keys() == {each.kid for each in agency.signers[-2:]}
        assert len(agency.keyset.revoked) <= ROOM


def test_sixteen_revocations_in_a_row_have_room() -> None:
    agency = Agency()
    agency.steal()
    for _ in range(64 - ROOM):
        agency.now += DAY
        agency.revoke_all()
    assert len(agency.keyset.keys) == 64


def test_the_fullest_statement_is_an_entry_of_the_log() -> None:
    agency = Agency()
    agency.steal()
    for _ in range(64 - ROOM):
        agency.revoke_all()
    agency.say(RECOVERY, revoked=(*agency.keyset.revoked, *agency.lost([agency.signers[-1].kid])))
    assert len(agency.keyset.keys) == len(agency.keyset.revoked) == 64
    envelope = dsse.seal(PAYLOAD_TYPE, encode(agency.keyset), [RECOVERY] * 16)
    assert len(canonical(keyset_entry(LONGEST, 99, envelope))) < LARGEST_ENTRY


def rotated(agency: Agency) -> tuple[str, ...]:
    """Three keys, one after the other; the kids of the two that have handed over."""
    for _ in range(2):
        agency.now += 60 * DAY
        agency.rotate()
    return tuple(each.kid for each in agency.signers[:2])


def without(agency: Agency, kid: str, at: datetime) -> Succession:
    """A rotation at that moment that leaves out one key."""
    agency.now = at
    old, new = agency.signers[-1], agency.fresh()
    leaving = agency.keyset.keys[old.kid]
    keys = {
        **{each: entry for each, entry in agency.keyset.keys.items() if each != kid},
        old.kid: replace(leaving, sign_until=at),
        new.kid: agency.entry(new),
    }
    return agency.say(old, new, keys=keys, reason="scheduled")


def test_a_key_is_left_out_a_year_after_its_longest_life_and_not_before() -> None:
    assert REMEMBERED == MAX_LIFE + 365 * DAY
    agency = Agency()
    first, second = rotated(agency)
    began = agency.keyset.keys[first].not_before
    assert forgettable(agency.keyset, began + REMEMBERED - SECOND) == set()
    assert forgettable(agency.keyset, began + REMEMBERED) == {first}
    later = agency.keyset.keys[second].not_before
    assert forgettable(agency.keyset, later + REMEMBERED) == {first, second}


def test_a_key_that_is_left_out_too_soon_is_missed() -> None:
    agency = Agency()
    first, _ = rotated(agency)
    with pytest.raises(BadStatement) as refused:
        without(agency, first, agency.now + DAY)
    assert refused.value.code == "keyset.change"


def test_a_revoked_key_may_be_left_out_of_the_version_after() -> None:
    agency = Agency()
    first, _ = rotated(agency)
    keys = {kid: entry for kid, entry in agency.keyset.keys.items() if kid != first}
    with pytest.raises(BadStatement) as refused:
        agency.say(RECOVERY, keys=keys, revoked=agency.lost([first]), reason="revoke")
    assert refused.value.code == "keyset.change"
    agency.say(RECOVERY, revoked=agency.lost([first]), reason="revoke")
    assert without(agency, first, agency.now + DAY).rule is Rule.ROTATE
    assert [each.kid for each in agency.keyset.revoked] == [first]


def test_to_leave_keys_out_is_no_reason_for_a_version() -> None:
    agency = Agency()
    first, _ = rotated(agency)
    agency.say(RECOVERY, revoked=agency.lost([first]), reason="revoke")
    keys = {kid: entry for kid, entry in agency.keyset.keys.items() if kid != first}
    with pytest.raises(BadStatement) as refused:
        agency.say(RECOVERY, keys=keys, reason="scheduled")
    assert refused.value.code == "keyset.change"


def test_a_revocation_goes_on_until_its_key_has_been_left_out() -> None:
    agency = Agency()
    first, second = rotated(agency)
    agency.say(RECOVERY, revoked=agency.lost([first]), reason="revoke")
    with pytest.raises(BadStatement) as refused:
        agency.say(RECOVERY, revoked=agency.lost([second]), reason="revoke")
    assert refused.value.code == "keyset.change"
    without(agency, first, agency.now + DAY)
    assert carried(agency.keyset) == ()
    agency.say(RECOVERY, revoked=agency.lost([second]), reason="revoke")
    assert [each.kid for each in agency.keyset.revoked] == [second]


def test_revocations_keep_their_order_and_their_words() -> None:
    agency = Agency()
    first, second = rotated(agency)
    third = agency.signers[-1].kid
    agency.say(RECOVERY, revoked=agency.lost([first, second]), reason="revoke")
    one, two = agency.keyset.revoked
    more = agency.lost([third])
    for wrong in (
        (two, one, *more),
        (*more, one, two),
        (replace(one, size_at_since=8), two, *more),
    ):
        with pytest.raises(BadStatement) as refused:
            agency.say(RECOVERY, revoked=wrong, reason="revoke")
        assert refused.value.code == "keyset.change"
    agency.say(RECOVERY, revoked=(one, two, *more), reason="revoke")
    assert len(agency.keyset.revoked) == 3
