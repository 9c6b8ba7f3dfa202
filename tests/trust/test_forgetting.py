"""A keyset that a thief has filled: its owner has room, and what it leaves out stays known here."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from gateway.errors import Conflict, NotFound, Unauthorized
from gateway.trust import query, store
from gateway.trust.model import Outcome
from keys.errors import BadStatement
from keys.forgetting import ROOM, carried
from keys.keyset import Revocation, State
from keys.signers import Ed25519Signer
from tests.trust.enrolling import REGISTRAR, SECOND
from tests.trust.test_keylife import Owner, integrate, refused

DAY = timedelta(days=1)


@pytest.fixture
def robbed(database) -> tuple[Owner, list[Ed25519Signer]]:
    """An agency whose thief rotates each day until he is stopped, and the thief's keys."""
    owner, thief = Owner(database).active(), []
    since = owner.now
    while True:
        owner.now += DAY
        old, new = (thief or [owner.signer])[-1], Ed25519Signer.generate(owner.code)
        try:
            owner.submit(owner.rotation(new, old))
        except BadStatement as err:
            if err.code != "keyset.full":
                raise
            break
        thief.append(new)
    integrate(database)
    owner.since = since
    return owner, thief


def replaced(owner: Owner, lost: list[Ed25519Signer]) -> Ed25519Signer:
    """The owner revokes these keys by the recovery key and one person; his new key."""
    now, _ = owner.current()
    new = Ed25519Signer.generate(owner.code)
    more = [Revocation(each.kid, owner.since, "key_compromise", 0) for each in lost]
    data = owner.following(
        *(owner.recovery, new),
        keys={**now.keys, new.kid: owner.entry(new)},
        revoked=(*carried(now), *more),
        reason="revoke",
    )
    owner.submit(data)
    end = " ".join(new.public.fingerprint().split()[-2:])
    assert owner.approve(REGISTRAR, "key_admin", end).outcome is Outcome.COMPLETED
    return new


def test_the_owner_has_room_and_goes_on(robbed, database):
    owner, thief = robbed
    assert len(owner.current()[0].keys) == ROOM
    new = replaced(owner, [owner.signer, *thief])
    assert owner.speaks(new)
    assert not any(owner.speaks(each) for each in thief)
    assert owner.reevaluations() == ROOM
    # 1. The next rotation leaves out all that was revoked …
    owner.now += DAY
    newer = Ed25519Signer.generate(owner.code)
    owner.submit(owner.rotation(newer, new))
    assert owner.current()[0].keys.keys() == {new.kid, newer.kid}
    # 2. … which the centre goes on knowing: as compromised, and as known.
    assert owner.state(thief[0]) is State.COMPROMISED
    with database.session() as session:
        with pytest.raises(Unauthorized) as found:
            query.speaker(session, owner.code, thief[0].kid, "batch", owner.now)
        rows = session.scalar(
            select(func.count()).select_from(store.key).where(store.key.c.agency == owner.code)
        )
    assert found.value.code == "key.compromised"
    assert rows == ROOM + 2
    owner.now += DAY
    refused(Conflict, "key.reused", owner.submit, owner.rotation(thief[0], newer))


def test_a_second_theft_is_revoked_by_two_persons_without_the_first_ones_list(robbed, database):
    owner, thief = robbed
    new = replaced(owner, [owner.signer, *thief])
    owner.now += DAY
    newer = Ed25519Signer.generate(owner.code)
    owner.submit(owner.rotation(newer, new))
    integrate(database)
    owner.since = owner.now
    made = owner.revoke(owner.now, kid=newer.kid)
    end = " ".join(made.fingerprint.split()[-2:])
    assert owner.approve(SECOND, "mayor_delegate", end).outcome is Outcome.COMPLETED
    assert [each.kid for each in owner.current()[0].revoked] == [newer.kid]
    assert owner.reevaluations() == ROOM + 1
    refused(NotFound, "key.unknown", owner.revoke, owner.now, kid=thief[0].kid)
