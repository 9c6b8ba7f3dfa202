"""An agency that lost everything, or left, comes again: by a ticket, two persons, and new keys alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import Conflict, Forbidden, NotFound, Refused, Unauthorized
from gateway.trust import keylife, query, service
from gateway.trust.model import AgencyState, Approver, Outcome
from keys import dsse, keyset
from keys.errors import BadSignature, TrustError
from keys.keyset import PAYLOAD_TYPE, State
from keys.signers import Ed25519Signer
from tests.trust.enrolling import CLERK, MINUTE, REGISTRAR, SECOND, anchors
from tests.trust.test_keylife import OTHER, Owner, refused

ASKED = Approver("pembuat", "key_admin")


class Returning(Owner):
    """An agency that had keys, and makes new ones."""

    def ticket_again(self, person: Approver = ASKED) -> "Returning":
        self.now += MINUTE
        self.ticket = self.do(
            service.ticket_again, self.code, person, anchors(self.database), self.now
        )
        return self

    def lost_everything(self) -> "Returning":
        self.old, self.signer = self.signer, Ed25519Signer.generate(self.code)
        return self

    def again(self, *, reason: str = "reenrol", by=None, keys=None) -> bytes:
        payload = keyset.build_again(*self.current(), keys or [self.entry()], issued=self.now)
        said = replace(keyset.parse_statement(payload), reason=reason)
        return dsse.seal(PAYLOAD_TYPE, keyset.encode(said), by or [self.signer])

    def sent_again(self) -> "Returning":
        envelope = self.again()
        self.send(envelope, self.proof(envelope, self.challenge()))
        return self

    def leave(self) -> None:
        ended = {k: replace(e, sign_until=self.now) for k, e in self.current()[0].keys.items()}
        made = self.submit(self.following(self.signer, keys=ended, reason="leave"))
        self.approve(REGISTRAR, "key_admin", " ".join(made.fingerprint.split()[-2:]))

    def publishes(self) -> bool:
        try:
            with self.database.session() as session:
                query.check_publisher(session, self.code, self.signer.kid, "person", self.now)
        except (Unauthorized, Forbidden):
            return False
        return True

    def standing(self):
        return self.do(service.standing, self.code, self.ticket.ticket_id, self.now)


@pytest.fixture
def owner(database) -> Returning:
    return Returning(database).active()


def test_an_agency_that_lost_all_keys_comes_again_by_two_persons(owner):
    owner.ticket_again().lost_everything().sent_again()
    assert owner.speaks(owner.old), "nothing changes before two persons have approved"
    assert (owner.standing().state, owner.standing().approvals) == (AgencyState.PENDING, 0)
    assert owner.approve(REGISTRAR, "key_admin").outcome is Outcome.RECORDED
    assert owner.approve(SECOND, "mayor_delegate").outcome is Outcome.COMPLETED
    assert owner.publishes()
    assert owner.state(owner.old) is State.DEACTIVATED
    said, _ = owner.current()
    assert (said.version, list(said.keys)) == (2, [owner.signer.kid])
    stands = owner.standing()
    assert stands.state is AgencyState.ACTIVE
    signed = {each.keyid for each in dsse.parse(stands.envelope).signatures}
    assert signed == {owner.signer.kid, *owner.centre}, "the centre signs for the two persons"


def test_an_agency_that_left_publishes_again(owner):
    owner.leave()
    assert not owner.publishes()
    assert owner.shown().record_types == ()
    owner.ticket_again().lost_everything().sent_again()
    assert owner.shown().state is AgencyState.LEFT
    owner.approve(REGISTRAR, "key_admin")
    owner.approve(SECOND, "mayor_delegate")
    assert owner.shown().state is AgencyState.ACTIVE
    assert owner.shown().record_types == ("benefit", "person")
    assert owner.publishes()
    with owner.database.session() as session:
        grants = session.execute(
            service.store.grant_.select().where(service.store.grant_.c.agency == owner.code)
        ).all()
    assert len(grants) == 4, "what it held before is still told"


def test_it_leaves_and_comes_again_twice(owner):
    for version in (3, 5):
        owner.leave()
        owner.ticket_again().lost_everything().sent_again()
        owner.approve(REGISTRAR, "key_admin")
        owner.approve(SECOND, "mayor_delegate")
        assert owner.current()[0].version == version
        assert owner.publishes()
        owner.now += MINUTE


def test_whoever_made_the_ticket_does_not_approve(owner):
    owner.ticket_again().lost_everything().sent_again()
    refused(Forbidden, "approval.own", owner.approve, ASKED.officer_id.upper(), "key_admin")
    # Who created the agency long ago is not barred for that.
    assert owner.approve(CLERK, "key_admin").outcome is Outcome.RECORDED


def test_only_a_key_admin_makes_such_a_ticket(owner):
    refused(Forbidden, "approval.role", owner.ticket_again, OTHER)


def test_an_agency_without_keys_needs_none(database):
    invited = Returning(database).invited()
    refused(Conflict, "reenrol.first", invited.ticket_again)
    refused(Conflict, "reenrol.first", invited.enrolled().ticket_again)


def test_a_lost_answer_and_another_keyset_under_the_same_ticket(owner):
    owner.ticket_again().lost_everything()
    envelope = owner.again()
    proof = owner.proof(envelope, owner.challenge())
    assert owner.send(envelope, proof) == owner.send(envelope, proof)
    owner.signer = Ed25519Signer.generate(owner.code)
    other = owner.again()
    refused(Conflict, "ticket.used", owner.send, other, owner.proof(other, "x" * 32))
    refused(Conflict, "reenrol.begun", owner.ticket_again)


def test_rejected_keys_need_another_ticket(owner):
    owner.ticket_again().lost_everything().sent_again()
    owner.do(service.reject, owner.code, OTHER, owner.now)
    assert owner.standing().state is AgencyState.INVITED
    assert owner.speaks(owner.old)
    owner.ticket_again()
    refused(Conflict, "key.reused", owner.sent_again)
    owner.signer = Ed25519Signer.generate(owner.code)
    owner.sent_again()
    assert owner.standing().state is AgencyState.PENDING


@pytest.mark.parametrize("reason", ["scheduled", "enrol"])
def test_under_such_a_ticket_only_a_re_enrolment_comes_in(owner, reason):
    owner.ticket_again().lost_everything()
    envelope = owner.again(reason=reason)
    proof = owner.proof(envelope, owner.challenge())
    refused(Refused, "keyset.form", owner.send, envelope, proof)


def test_a_first_version_does_not_restart_the_chain(owner):
    owner.ticket_again().lost_everything()
    envelope = owner.keyset()
    refused(Refused, "keyset.form", owner.send, envelope, owner.proof(envelope, owner.challenge()))


def test_an_old_key_does_not_come_again(owner):
    owner.ticket_again()
    envelope = owner.again()
    with pytest.raises((TrustError, Conflict)):
        owner.send(envelope, owner.proof(envelope, owner.challenge()))


def test_without_a_ticket_a_stranger_is_refused(owner):
    stranger = Ed25519Signer.generate(owner.code)
    data = owner.again(keys=[owner.entry(stranger)], by=[stranger])
    refused(BadSignature, "keyset.signer", owner.submit, data)


def test_what_a_thief_handed_in_is_put_aside_but_a_revocation_is_not(owner):
    ended = {k: replace(e, sign_until=owner.now) for k, e in owner.current()[0].keys.items()}
    owner.submit(owner.following(owner.signer, keys=ended, reason="leave"))
    owner.ticket_again().lost_everything().sent_again()
    with owner.database.session() as session:
        assert query.pending(session, owner.code).rule == "reenrol"
    # Two persons revoke the old key while the new ones wait: that goes first.
    owner.revoke(owner.now, kid=owner.old.kid)
    assert owner.standing().state is AgencyState.INVITED
    owner.signer, owner.old = Ed25519Signer.generate(owner.code), owner.old
    owner.ticket_again()
    refused(Conflict, "keyset.pending", owner.sent_again)


def test_what_was_revoked_stays_revoked(owner):
    made = owner.revoke(owner.now)
    owner.approve(SECOND, "mayor_delegate", " ".join(made.fingerprint.split()[-2:]))
    owner.ticket_again().lost_everything().sent_again()
    owner.approve(REGISTRAR, "key_admin")
    owner.approve(SECOND, "mayor_delegate")
    assert owner.state(owner.old) is State.COMPROMISED
    assert owner.current()[0].revoked[0].kid == owner.old.kid
    assert owner.publishes()


def test_a_new_ticket_voids_an_unused_one(owner):
    owner.ticket_again()
    old = owner.ticket
    owner.ticket_again()
    owner.ticket, new = old, owner.ticket
    refused(Unauthorized, "ticket.unknown", owner.challenge)
    owner.ticket = new
    assert owner.challenge()
    owner.now += timedelta(hours=72)
    refused(Unauthorized, "ticket.expired", owner.challenge)


def test_what_waits_tells_nobody_the_end_of_its_fingerprint(owner):
    owner.ticket_again().lost_everything().sent_again()
    assert owner.shown().fingerprint == owner.old.public.fingerprint()


def test_the_chain_is_whole(owner):
    owner.ticket_again().lost_everything().sent_again()
    owner.approve(REGISTRAR, "key_admin")
    owner.approve(SECOND, "mayor_delegate")
    with owner.database.session() as session:
        found = query.keysets(session, owner.code)
    hashes = [made.payload_sha256 for made, _ in found]
    read = [keyset.parse_statement(dsse.parse(data).payload) for _, data in found]
    assert [said.prev for said in read] == [None, hashes[0]]
    refused(NotFound, "keyset.none", owner.do, keylife.cancel, owner.code, 2, owner.now)
