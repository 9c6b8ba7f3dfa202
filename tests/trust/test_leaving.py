"""An agency leaves by two persons of the centre; its keys and grants end, and the log says why."""

import pytest
from sqlalchemy import text

from gateway.errors import Conflict, Forbidden, NotFound, Refused
from gateway.trust import keylife, leaving, query
from gateway.trust.leaving import Parting
from gateway.trust.model import AgencyState, Approver, Fate, Outcome
from keys import dsse, keyset
from keys.keyset import State
from keys.signers import Ed25519Signer
from tests.trust.enrolling import MINUTE, REGISTRAR, SECOND
from tests.trust.test_keylife import DAY, FIRST, OTHER, refused
from tests.trust.test_reenrolling import Returning


@pytest.fixture
def owner(database) -> Returning:
    return Returning(database).active()


def leave(owner, fate=Fate.KEEP, person=FIRST, reason="agreement_ended"):
    parting = Parting(owner.code, fate, reason)
    signer = owner.database.vault.signer("receipt")
    return owner.do(leaving.leave, parting, person, signer, owner.now)


def left(owner, fate=Fate.KEEP) -> None:
    made = leave(owner, fate)
    end = " ".join(made.fingerprint.split()[-2:])
    assert owner.approve(SECOND, "mayor_delegate", end).outcome is Outcome.COMPLETED


def promised(owner) -> int:
    with owner.database.session() as session:
        return session.scalar(
            text(
                "select count(*) from outbox join departure d"
                " on args->>'departure' = d.id::text where agency = :a"
            ),
            {"a": owner.code},
        )


def test_two_persons_let_an_agency_leave(owner):
    made = leave(owner)
    assert (made.rule, made.needed, made.approvals, made.leaf) == ("leave", 2, 1, None)
    assert owner.publishes(), "nothing changes before the second person"
    end = " ".join(made.fingerprint.split()[-2:])
    refused(Conflict, "approval.same_person", owner.approve, REGISTRAR, "key_admin", end)
    owner.approve(SECOND, "mayor_delegate", end)
    assert owner.shown().state is AgencyState.LEFT
    assert owner.state() is State.DEACTIVATED
    assert not owner.publishes()
    with owner.database.session() as session:
        (found,) = query.departures(session, owner.code)
    assert (found.fate, found.reason, found.at) == (Fate.KEEP, "agreement_ended", owner.now)
    assert promised(owner) == 0


def test_what_becomes_of_its_records_stands_in_the_statement(owner):
    left(owner, Fate.WITHDRAW)
    with owner.database.session() as session:
        _, envelope = query.keysets(session, owner.code)[-1]
        kids = query.withdrawn_keys(session, owner.code)
    said = keyset.parse_statement(dsse.parse(envelope).payload)
    assert said.reason == "leave_withdraw"
    assert set(kids) == {owner.signer.kid}
    assert promised(owner) == 1


def test_the_agency_itself_may_ask_to_be_taken_back(owner):
    signer = owner.signer
    parting = Parting(owner.code, Fate.WITHDRAW, "x")
    with owner.database.session() as session:
        said = leaving.compose(session, parting, owner.now)
    made = owner.submit(dsse.seal(keyset.PAYLOAD_TYPE, keyset.encode(said), [signer]))
    owner.approve(REGISTRAR, "key_admin", " ".join(made.fingerprint.split()[-2:]))
    with owner.database.session() as session:
        assert query.departures(session, owner.code)[0].fate is Fate.WITHDRAW


def test_keys_of_an_agency_that_came_again_are_not_withdrawn(owner):
    new = Ed25519Signer.generate(owner.code)
    owner.submit(owner.rotation(new))
    owner.now += DAY
    left(owner, Fate.WITHDRAW)
    before = {owner.signer.kid, new.kid}
    owner.ticket_again().lost_everything().sent_again()
    owner.approve(REGISTRAR, "key_admin")
    owner.approve(SECOND, "mayor_delegate")
    with owner.database.session() as session:
        assert set(query.withdrawn_keys(session, owner.code)) == before
    owner.now += MINUTE
    left(owner, Fate.KEEP)
    with owner.database.session() as session:
        assert set(query.withdrawn_keys(session, owner.code)) == before
        assert [d.fate for d in query.departures(session, owner.code)] == [
            Fate.WITHDRAW,
            Fate.KEEP,
        ]


def test_a_rejected_departure_changes_nothing(owner):
    leave(owner, Fate.WITHDRAW)
    owner.do(keylife.approvals.reject, owner.code, OTHER, owner.now)
    assert owner.publishes()
    with owner.database.session() as session:
        assert query.departures(session, owner.code) == []
        assert query.withdrawn_keys(session, owner.code) == {}


def test_it_leaves_once(owner):
    left(owner)
    refused(Conflict, "agency.left", leave, owner)


def test_who_may_not_and_what_cannot_be(owner, database):
    refused(Forbidden, "approval.role", leave, owner, person=Approver("x", "mayor_delegate"))
    refused(NotFound, "keyset.none", leave, Returning(database).invited())
    refused(Refused, "log.value", leave, owner, reason="Pak Budi, 0812 3456 7890")
    with database.session() as session, pytest.raises(NotFound):
        query.departure(session, 10**6)


def test_one_statement_waits_at_a_time(owner):
    leave(owner)
    owner.now += MINUTE
    refused(Conflict, "keyset.pending", leave, owner)
