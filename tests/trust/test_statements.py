"""What persons decided on can be shown again; and each question about what is not there is refused."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.errors import NotFound, Refused, Unauthorized
from gateway.trust import anchors, centre, expiry, keylist, query, suspending
from keys import dsse
from keys.canonical import canonical, from_base64, read_json
from keys.signers import Ed25519Signer
from keys.suspension import Action, parse_suspension
from tests.trust.test_keylife import FIRST, OTHER, Owner, integrate, refused
from tests.trust.test_leaving import left
from tests.trust.test_reenrolling import Returning

DAY = timedelta(days=1)


@pytest.fixture
def owner(database) -> Owner:
    return Owner(database).active()


def shown(owner: Owner, sha256: bytes) -> bytes | None:
    with owner.database.session() as session:
        return query.statement(session, owner.code, sha256)


def refusal(owner: Owner) -> Unauthorized:
    with owner.database.session() as session, pytest.raises(Unauthorized) as found:
        query.speaker(session, owner.code, owner.signer.kid, "http", owner.now)
    return found.value


def test_keysets_suspensions_and_grants_are_shown_by_their_hash(owner):
    sha256 = owner.current()[1]
    assert hashlib.sha256(shown(owner, sha256)).digest() == sha256
    owner.decided(Action.SUSPEND, FIRST)
    envelope = dsse.parse(from_base64(str(refusal(owner).details["statement"])))
    assert shown(owner, envelope.payload_sha256) == envelope.payload
    integrate(owner.database)
    assert shown(owner, envelope.payload_sha256) == envelope.payload
    grants = [
        {"action": "publish", "basis": "PKS-1", "record_type": each}
        for each in ("benefit", "person")
    ]
    hashed = hashlib.sha256(canonical(grants)).digest()
    assert read_json(shown(owner, hashed)) == grants
    assert shown(owner, bytes(32)) is None


def test_the_centres_own_keysets_are_shown_and_named(fresh_database):
    with fresh_database.session() as session:
        centre.publish(session, fresh_database.vault, fresh_database.settings.aud, Owner.now)
        session.commit()
        (row,) = centre.versions(session)
        assert query.keyset_leaves(session, centre.OWNER) == [row.leaf]
        assert query.statement(session, centre.OWNER, row.payload_sha256) is not None
        assert centre.version(session, 1) == row
        refused(NotFound, "keyset.none", centre.version, session, 2)


def test_a_suspended_key_is_told_by_which_statement(owner):
    owner.decided(Action.SUSPEND, FIRST)
    owner.now += DAY
    owner.decided(Action.RESUME, FIRST, OTHER)
    owner.now += DAY
    owner.decided(Action.SUSPEND, FIRST)
    told = refusal(owner)
    assert told.code == "key.suspended"
    envelope = dsse.parse(from_base64(str(told.details["statement"])))
    said = parse_suspension(envelope)
    assert (said.kid, said.action, said.issued) == (owner.signer.kid, Action.SUSPEND, owner.now)
    assert envelope.verify(owner.centre)


def test_a_key_that_is_over_is_told_no_statement(owner):
    owner.decided(Action.SUSPEND, FIRST)
    owner.now += 120 * DAY
    assert refusal(owner).code == "key.expired"
    assert refusal(owner).details == {}


def test_an_agency_that_is_silent_as_a_whole_has_no_statement(owner):
    with owner.database.session() as session:
        session.execute(
            text("update agency set state = 'suspended' where code = :c"), {"c": owner.code}
        )
        session.commit()
    assert refusal(owner).details == {}


def test_silent_keys_and_who_has_spoken_for_them(owner):
    kids = [owner.signer.kid]

    def first() -> dict[str, str]:
        with owner.database.session() as session:
            return suspending.first_of_two(session, kids, owner.now)

    assert first() == {}
    owner.decided(Action.SUSPEND, FIRST)
    with owner.database.session() as session:
        assert [key.kid for key in keylist.silent(session, owner.now, owner.code)] == kids


def test_what_is_not_there(owner, database):
    with database.session() as session:
        assert query.keyset_leaves(session, owner.code)
        assert query.maker(session, owner.code, owner.current()[1]) is None
        assert query.keyset_or_none(session, "nobody") is None
        refused(NotFound, "departure.unknown", query.departure, session, 1 << 40)
        refused(NotFound, "revocation.unknown", query.revocation, session, 1 << 40)
        refused(NotFound, "agency.unknown", query.agency, session, "nobody")
        refused(NotFound, "keyset.none", query.keyset_version, session, owner.code, 9)
        refused(
            Refused, "policy.quorum", anchors.policy, session, owner.settings, database.vault, 1
        )


def test_a_successor_that_the_newest_keyset_does_not_name_signs_nothing(fresh_database):
    vault, settings = fresh_database.vault, fresh_database.settings
    with fresh_database.session() as session:
        centre.publish(session, vault, settings.aud, Owner.now)
        session.commit()
    vault.next_receipt(Owner.now)
    with fresh_database.session() as session:
        refused(NotFound, "centre.none", centre.switch, session, vault)


def test_the_centres_keys_of_a_known_day_have_an_end(fresh_database):
    vault = fresh_database.vault
    vault.next_receipt(Owner.now)
    vault.replace_receipt()
    with fresh_database.session() as session:
        left = expiry.seconds_left(
            session, vault, fresh_database.settings.log_origin, Owner.now + DAY
        )
    assert left["gateway", "receipt"] == (89 * DAY).total_seconds()


def test_a_departure_that_counts_is_told_by_its_number(database):
    gone = Returning(database).active()
    left(gone)
    with database.session() as session:
        (one,) = query.departures(session, gone.code)
        assert query.departure(session, one.id) == one


def test_a_rotation_leaves_the_agency_two_versions(owner):
    owner.submit(owner.rotation(Ed25519Signer.generate(owner.code)))
    with owner.database.session() as session:
        assert len(query.keysets(session, owner.code)) == 2
        assert len(query.keyset_leaves(session, owner.code)) == 2
