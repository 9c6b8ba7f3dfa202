"""Keys as the administrators' pages and the inventory show them: state, end, warning, history."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import NotFound, Unauthorized
from gateway.trust import inventory, keylist, query, service
from gateway.trust.keylist import KeyLine
from keys.keyset import State
from keys.rotation import due_at
from keys.signers import Ed25519Signer
from keys.suspension import Action
from tests.trust.enrolling import REGISTRAR, SECOND
from tests.trust.test_keylife import FIRST, OTHER, Owner, refused

DAY = timedelta(days=1)


@pytest.fixture
def owner(database) -> Owner:
    return Owner(database).active()


def lines(owner: Owner) -> list[KeyLine]:
    with owner.database.session() as session:
        return keylist.keys(session, owner.now, owner.code)


def expiring(owner: Owner) -> list[tuple[str, int, int]]:
    with owner.database.session() as session:
        found = keylist.expiring(session, owner.now)
    return [(e.key.kid, e.days, e.warning) for e in found if e.key.agency == owner.code]


def living(owner: Owner) -> list[str]:
    with owner.database.session() as session:
        return [line.kid for line in keylist.living(session, owner.now, owner.code)]


def test_a_key_that_waits_hides_the_end_of_its_fingerprint(database):
    waiting = Owner(database).invited().enrolled()
    (line,) = lines(waiting)
    whole = waiting.signer.public.fingerprint().split()
    assert line.fingerprint.split() == [*whole[:-2], "····", "····"]
    assert (line.state, line.approved, line.revoked) == (State.PRE_ACTIVE, False, None)
    assert living(waiting) == expiring(waiting) == []


def test_a_line_says_when_the_key_ends_and_when_its_connector_replaces_it(owner):
    (line,) = lines(owner)
    began = owner.now
    assert line.fingerprint == owner.signer.public.fingerprint()
    assert (line.not_before, line.ends_at) == (began, began + 120 * DAY)
    assert line.rotates_at == due_at(owner.entry())
    new = Ed25519Signer.generate(owner.code)
    owner.now += 60 * DAY
    owner.submit(owner.rotation(new))
    assert [(each.kid, each.ends_at) for each in lines(owner)] == [
        (owner.signer.kid, owner.now + 14 * DAY),
        (new.kid, owner.now + 120 * DAY),
    ]
    assert living(owner) == [owner.signer.kid, new.kid]
    owner.now += 14 * DAY
    assert living(owner) == [new.kid]


@pytest.mark.parametrize(
    ("age", "days", "warning"),
    [(89, 31, None), (90, 30, 30), (105, 15, 30), (106, 14, 14), (116, 4, 7), (119, 1, 1)],
)
def test_a_key_that_runs_out_is_warned_of_by_full_days(owner, age, days, warning):
    owner.now += age * DAY
    told = [] if warning is None else [(owner.signer.kid, days, warning)]
    assert expiring(owner) == told


def test_a_silent_or_ended_key_is_not_warned_of(owner):
    owner.now += 110 * DAY
    owner.decided(Action.SUSPEND, FIRST)
    assert expiring(owner) == []
    assert living(owner) == [owner.signer.kid]
    owner.decided(Action.RESUME, FIRST, OTHER)
    assert len(expiring(owner)) == 1
    owner.now += 10 * DAY
    assert expiring(owner) == living(owner) == []


def test_the_most_urgent_key_comes_first(database):
    later, sooner = Owner(database), Owner(database)
    later.now += DAY
    for each in (later, sooner):
        each.active()
    with database.session() as session:
        found = keylist.expiring(session, sooner.now + 115 * DAY)
    ends = [each.key.ends_at for each in found]
    assert ends == sorted(ends)
    kids = [each.key.kid for each in found]
    assert kids.index(sooner.signer.kid) < kids.index(later.signer.kid)


def test_the_history_tells_what_happened_in_order(owner):
    owner.now += DAY
    made = owner.revoke(owner.now)
    owner.now += DAY
    owner.do(service.reject, owner.code, OTHER, owner.now)
    assert made.rule == "revoke"
    with owner.database.session() as session:
        events = keylist.history(session, owner.code)
    assert [(each.what, each.who) for each in events[:2]] == [
        ("created", "panitera"),
        ("approved", REGISTRAR),
    ]
    assert sorted(each.what for each in events) == sorted(
        ["created", "keyset", "approved", "approved", "active", "keyset", "approved", "rejected"]
    )
    assert [each.at for each in events] == sorted(each.at for each in events)
    active = next(each for each in events if each.what == "active")
    assert active.leaf is not None
    assert {each.who for each in events if each.what == "approved"} == {REGISTRAR, SECOND}
    assert all(each.leaf for each in events if each.what == "approved")


def test_the_history_tells_of_silence_and_speech(owner):
    owner.decided(Action.SUSPEND, FIRST)
    owner.now += DAY
    owner.decided(Action.RESUME, FIRST, OTHER)
    with owner.database.session() as session:
        told = keylist.history(session, owner.code)
    assert [each.what for each in told[-2:]] == ["suspend_key", "resume_key"]
    assert all(each.leaf for each in told[-2:])


def test_a_keyset_is_asked_for_where_there_is_none(database):
    invited = Owner(database).invited()
    with database.session() as session:
        refused(NotFound, "keyset.none", query.keyset, session, invited.code)
        assert query.keyset_entries(session, invited.code) == {}
        assert query.keyset_witnesses(session, invited.code) == {}
        assert query.keysets(session, invited.code) == []


def test_the_keys_in_force_are_told_by_kid(owner):
    with owner.database.session() as session:
        assert query.keyset_entries(session, owner.code).keys() == {owner.signer.kid}
        assert query.keyset_witnesses(session, owner.code) == {}
        sha256 = owner.current()[1]
        assert set(query.approvers(session, owner.code, sha256)) == {REGISTRAR, SECOND}


def test_a_key_of_other_uses_does_not_speak_here(database):
    narrow = Owner(database).invited()
    entry = replace(narrow.entry(), uses=frozenset({"http"}))
    envelope = narrow.keyset(entry)
    narrow.send(envelope, narrow.proof(envelope, narrow.challenge()))
    narrow.approve(REGISTRAR, "key_admin")
    narrow.approve(SECOND, "mayor_delegate")
    with database.session() as session:
        query.speaker(session, narrow.code, narrow.signer.kid, "http", narrow.now)
        with pytest.raises(Unauthorized) as found:
            query.speaker(session, narrow.code, narrow.signer.kid, "batch", narrow.now)
    assert found.value.code == "key.use"


def of_agency(owner: Owner) -> list[tuple[str, str]]:
    """(kid, state) of the agency's keys in the inventory."""
    origin = owner.settings.log_origin
    with owner.database.session() as session:
        found = inventory.inventory(session, owner.database.vault, origin, owner.now)
    return [(each.name, each.state) for each in found if each.holder.startswith(f"{owner.code} ")]


def test_the_inventory_follows_the_life_of_a_key(owner):
    kid, new = owner.signer.kid, Ed25519Signer.generate(owner.code)
    assert of_agency(owner) == [(kid, "active")]
    owner.decided(Action.SUSPEND, FIRST)
    assert of_agency(owner) == [(kid, "suspended")]
    owner.decided(Action.RESUME, FIRST, OTHER)
    owner.now += 60 * DAY
    owner.submit(owner.rotation(new))
    assert of_agency(owner) == [(kid, "active"), (new.kid, "active")]
    owner.now += 14 * DAY
    assert of_agency(owner) == [(kid, "expired"), (new.kid, "active")]
    made = owner.revoke(owner.now, kid=new.kid)
    owner.approve(SECOND, "mayor_delegate", " ".join(made.fingerprint.split()[-2:]))
    assert of_agency(owner) == [(kid, "expired"), (new.kid, "revoked")]


def test_the_inventory_waits_with_the_agency(database):
    waiting = Owner(database).invited().enrolled()
    assert of_agency(waiting) == [(waiting.signer.kid, "waiting")]


def test_the_inventory_names_the_centres_keys_and_counts_data_keys(fresh_database):
    owner = Owner(fresh_database).active()
    vault = fresh_database.vault
    vault.seal("person|x", b"a", b"secret")
    vault.seal("person|y", b"a", b"secret")
    vault.add_version("kek", owner.now)
    with fresh_database.session() as session:
        found = inventory.inventory(session, vault, owner.settings.log_origin, owner.now)
    shown = [(each.kind, each.name, each.state, each.count) for each in found]
    log_vkey = vault.log_signer(owner.settings.log_origin).vkey
    assert shown == [
        ("G-log", log_vkey, "active", 1),
        ("G-rcpt", vault.signer("receipt").kid, "active", 1),
        ("house", vault.signer("house").kid, "active", 1),
        ("KEK", "version 2", "active", 1),
        ("KEK", "version 1", "old", 1),
        ("BIX", "version 1", "active", 1),
        ("DEK", "under KEK 1", "old", 2),
        ("A-sign", owner.signer.kid, "active", 1),
    ]
    kek = next(each for each in found if each.name == "version 2")
    assert (kek.created, kek.expires) == (owner.now, owner.now + 365 * DAY)
    receipt = next(each for each in found if each.kind == "G-rcpt")
    assert receipt.fingerprint == vault.signer("receipt").public.fingerprint()
    assert (receipt.created, receipt.expires) == (None, None)
