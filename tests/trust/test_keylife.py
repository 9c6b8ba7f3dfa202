"""An agency's keys after the first: they rotate, fall silent, are revoked, and nobody does it alone."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.errors import Conflict, Forbidden, NotFound, Refused, Unauthorized
from gateway.ledger import service as log
from gateway.ledger import store_cosignatures
from gateway.ledger.store_cosignatures import Cosignature
from gateway.trust import keylife, keylist, query, service, suspending
from gateway.trust.model import AgencyState, Approver, Loss, Outcome
from keys import dsse, keyset, rotation
from keys.errors import BadSignature, BadStatement
from keys.keyset import PAYLOAD_TYPE, Keyset, Recovery, State, encode
from keys.signers import Ed25519Signer
from keys.suspension import Action, Suspension, seal_suspension
from tests.trust.enrolling import MINUTE, REGISTRAR, SECOND, Agency

DAY = timedelta(days=1)
FIRST, OTHER = Approver(REGISTRAR, "key_admin"), Approver(SECOND, "mayor_delegate")


@dataclass
class Owner(Agency):
    """An active agency whose connector can do what its keys allow."""

    recovery: Ed25519Signer = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.recovery = Ed25519Signer.generate(self.code)

    def enrolled(self) -> "Owner":
        first = keyset.build(
            self.settings.aud,
            self.code,
            [self.entry()],
            issued=self.now,
            recovery=Recovery(1, {self.recovery.kid: self.recovery.public}),
        )
        envelope = dsse.seal(PAYLOAD_TYPE, first, [self.signer, self.recovery])
        proof = self.proof(envelope, self.challenge(), by=[self.signer, self.recovery])
        self.send(envelope, proof)
        return self

    @property
    def centre(self):
        signer = self.database.vault.signer("receipt")
        return {signer.kid: signer.public}

    def current(self) -> tuple[Keyset, bytes]:
        with self.database.session() as session:
            row = query.keyset(session, self.code)
        envelope = dsse.parse(row.envelope)
        return keyset.parse_statement(envelope.payload), envelope.payload_sha256

    def submit(self, data: bytes):
        return self.do(keylife.submit, self.code, data, self.centre, self.now)

    def rotation(self, new: Ed25519Signer, old: Ed25519Signer | None = None) -> bytes:
        old = old or self.signer
        payload = rotation.next_statement(*self.current(), old.kid, new.public, self.now)
        return dsse.seal(PAYLOAD_TYPE, payload, [old, new])

    def following(self, *signers: Ed25519Signer, **change) -> bytes:
        """The next version with some fields changed, signed as asked."""
        now, sha256 = self.current()
        said = replace(now, version=now.version + 1, prev=sha256, issued=self.now, **change)
        return dsse.seal(PAYLOAD_TYPE, encode(said), signers)

    def state(self, signer: Ed25519Signer | None = None) -> State:
        with self.database.session() as session:
            rows = keylist.keys(session, self.now, self.code)
        return next(row.state for row in rows if row.kid == (signer or self.signer).kid)

    def speaks(self, signer: Ed25519Signer | None = None) -> bool:
        try:
            with self.database.session() as session:
                query.speaker(session, self.code, (signer or self.signer).kid, "batch", self.now)
        except Unauthorized:
            return False
        return True

    def says(self, action: Action, *signers: Ed25519Signer, kid: str | None = None, now=None):
        said = Suspension(
            self.settings.aud, self.code, kid or self.signer.kid, action, now or self.now, "drill"
        )
        data = seal_suspension(said, signers)
        return self.do(suspending.take, self.code, data, self.centre, self.now)

    def decided(self, action: Action, *persons: Approver):
        said = Suspension(
            self.settings.aud, self.code, self.signer.kid, action, self.now, "call_from_agency"
        )
        signer = self.database.vault.signer("receipt")
        return self.do(suspending.decide, said, persons, signer, self.now)

    def revoke(self, since, person=FIRST, kid: str | None = None):
        lost = Loss(self.code, kid or self.signer.kid, since, "key_compromise")
        return self.do(
            keylife.revoke, lost, person, self.database.vault.signer("receipt"), self.now
        )

    def reevaluations(self) -> int:
        with self.database.session() as session:
            return session.scalar(
                text(
                    "select count(*) from outbox join revocation r"
                    " on args->>'revocation' = r.id::text where job = 'reevaluate' and agency = :a"
                ),
                {"a": self.code},
            )


@pytest.fixture
def owner(database) -> Owner:
    return Owner(database).active()


def refused(kind, code: str, act, *arguments, **more):
    with pytest.raises(kind) as found:
        act(*arguments, **more)
    assert found.value.code == code
    return found.value


def integrate(database) -> int:
    signer = database.vault.log_signer(database.settings.log_origin)
    with database.session() as session:
        made = log.integrate(session, signer)
        session.commit()
        return 0 if made is None else made.size


def test_a_rotation_needs_nobody_and_both_keys_speak(owner):
    new = Ed25519Signer.generate(owner.code)
    data = owner.rotation(new)
    made = owner.submit(data)
    assert (made.version, made.rule, made.needed, made.repeated) == (2, "rotate", 0, False)
    assert made.leaf is not None
    assert (owner.state(), owner.state(new)) == (State.RETIRING, State.ACTIVE)
    assert owner.speaks()
    assert owner.speaks(new)
    again = owner.submit(data)
    assert again.repeated
    assert (again.version, again.leaf) == (2, made.leaf)
    owner.now += timedelta(days=14)
    assert owner.state() is State.DEACTIVATED
    assert not owner.speaks()
    assert owner.speaks(new)


def test_a_rotation_once_a_day(owner):
    new = Ed25519Signer.generate(owner.code)
    owner.submit(owner.rotation(new))
    newer = Ed25519Signer.generate(owner.code)
    refused(BadStatement, "keyset.pause", owner.submit, owner.rotation(newer, new))
    owner.now += DAY
    assert owner.submit(owner.rotation(newer, new)).version == 3


def test_of_two_next_versions_one_counts(owner):
    one, two = (owner.rotation(Ed25519Signer.generate(owner.code)) for _ in range(2))
    owner.submit(one)
    error = refused(Conflict, "keyset.version", owner.submit, two)
    assert error.details["version"] == 2


def test_a_key_that_was_anywhere_is_not_taken(owner, database):
    other = Owner(database).active()
    for known in (other.signer, other.recovery):
        taken = Ed25519Signer.from_seed(owner.code, known._private.private_bytes_raw())
        refused(Conflict, "key.reused", owner.submit, owner.rotation(taken))
    assert owner.current()[0].version == 1


def test_without_a_keyset_there_is_nothing_to_follow(owner, database):
    data = owner.rotation(Ed25519Signer.generate(owner.code))
    invited = Owner(database).invited()
    refused(NotFound, "keyset.none", invited.submit, data)


def test_the_agency_silences_its_key_and_the_key_cannot_take_it_back(owner):
    said = owner.says(Action.SUSPEND, owner.signer)
    assert not said.repeated
    assert owner.state() is State.SUSPENDED
    assert not owner.speaks()
    assert owner.says(Action.SUSPEND, owner.signer).repeated
    refused(BadSignature, "suspension.signer", owner.says, Action.RESUME, owner.signer)
    new = Ed25519Signer.generate(owner.code)
    refused(BadSignature, "keyset.signer", owner.submit, owner.rotation(new))
    refused(Conflict, "suspension.old", owner.says, Action.RESUME, owner.recovery)
    owner.now += MINUTE
    owner.says(Action.RESUME, owner.recovery)
    assert owner.speaks()


def test_one_person_silences_and_two_let_it_speak(owner):
    owner.decided(Action.SUSPEND, FIRST)
    assert not owner.speaks()
    refused(Conflict, "suspension.none", owner.decided, Action.SUSPEND, FIRST)
    refused(Forbidden, "approval.persons", owner.decided, Action.RESUME, FIRST)
    twice = (FIRST, Approver(REGISTRAR.upper(), "key_admin"))
    refused(Conflict, "approval.same_person", owner.decided, Action.RESUME, *twice)
    officer = Approver("loket", "counter_officer")
    refused(Forbidden, "approval.role", owner.decided, Action.RESUME, FIRST, officer)
    owner.decided(Action.RESUME, FIRST, OTHER)
    assert owner.speaks()


def test_a_wish_to_resume_does_not_outlive_three_days_or_another_silence(owner):
    signer = owner.database.vault.signer("receipt")

    def agrees(person):
        said = Suspension(
            owner.settings.aud, owner.code, owner.signer.kid, Action.RESUME, owner.now, "drill"
        )
        return owner.do(suspending.agree_to_resume, said, person, signer, owner.now)

    refused(Conflict, "suspension.none", agrees, FIRST)
    owner.decided(Action.SUSPEND, FIRST)
    refused(Forbidden, "approval.role", agrees, Approver("loket", "counter_officer"))
    assert agrees(FIRST) is None
    owner.now += 4 * DAY
    assert agrees(OTHER) is None, "the first has waited too long, so this is the first"
    owner.now += MINUTE
    owner.decided(Action.RESUME, FIRST, OTHER)
    owner.now += MINUTE
    owner.decided(Action.SUSPEND, FIRST)
    assert agrees(FIRST) is None, "what was agreed before this silence is forgotten"
    refused(Conflict, "approval.same_person", agrees, FIRST)
    assert agrees(OTHER) is not None
    assert owner.speaks()


def test_two_persons_revoke_and_the_key_is_silent_from_the_first(owner, database):
    since = owner.now - DAY
    made = owner.revoke(since)
    assert (made.rule, made.needed, made.approvals, made.leaf) == ("revoke", 2, 1, None)
    assert owner.state() is State.SUSPENDED
    assert owner.reevaluations() == 0
    end = " ".join(made.fingerprint.split()[-2:])
    refused(Conflict, "approval.same_person", owner.approve, REGISTRAR, "key_admin", end)
    assert owner.approve(SECOND, "mayor_delegate", end).outcome is Outcome.COMPLETED
    assert owner.state() is State.COMPROMISED
    assert owner.reevaluations() == 1
    with database.session() as session:
        with pytest.raises(Unauthorized) as found:
            query.speaker(session, owner.code, owner.signer.kid, "http", owner.now)
        assert found.value.code == "key.compromised"
    refused(Conflict, "revocation.done", owner.revoke, since)


def test_a_revocation_in_the_future_is_refused(owner):
    refused(Refused, "revocation.since", owner.revoke, owner.now + MINUTE)
    refused(NotFound, "key.unknown", owner.revoke, owner.now, kid="none")


def test_a_rejected_revocation_leaves_the_key_silent_until_two_resume_it(owner):
    owner.revoke(owner.now)
    owner.do(service.reject, owner.code, OTHER, owner.now)
    assert owner.state() is State.SUSPENDED
    owner.decided(Action.RESUME, FIRST, OTHER)
    assert owner.speaks()


def test_the_thief_rotates_and_what_he_brought_in_is_revoked_with_it(owner, database):
    owner.now += DAY
    cosigned = integrate(database)
    at = owner.now - timedelta(hours=1)
    with database.session() as session:
        store_cosignatures.add(session, Cosignature(cosigned, "w", at, "line"))
        session.commit()
    thief = Ed25519Signer.generate(owner.code)
    owner.submit(owner.rotation(thief))
    integrate(database)
    assert owner.speaks(thief)
    new = Ed25519Signer.generate(owner.code)
    lost = keyset.Revocation(owner.signer.kid, at, "key_compromise", cosigned)
    keys = {**owner.current()[0].keys, new.kid: owner.entry(new)}
    # 1. The agency's own statement, by the recovery key, forgets the thief's key: refused.
    short = owner.following(owner.recovery, new, keys=keys, revoked=(lost,), reason="revoke")
    error = refused(Refused, "revocation.incomplete", owner.submit, short)
    assert error.details["kids"] == thief.kid
    # 2. Another size than the log's own is refused as well.
    wrong = replace(lost, size_at_since=cosigned + 1)
    also = replace(wrong, kid=thief.kid)
    data = owner.following(owner.recovery, new, keys=keys, revoked=(wrong, also), reason="revoke")
    assert refused(Refused, "revocation.size", owner.submit, data).details["size"] == cosigned
    # 3. Complete: one person beside the recovery key, and the new key takes over.
    both = (lost, replace(lost, kid=thief.kid))
    data = owner.following(owner.recovery, new, keys=keys, revoked=both, reason="revoke")
    made = owner.submit(data)
    assert (made.needed, made.approvals) == (1, 0)
    assert owner.speaks(thief), "nothing changes before the person has approved"
    end = " ".join(new.public.fingerprint().split()[-2:])
    assert owner.approve(REGISTRAR, "key_admin", end).outcome is Outcome.COMPLETED
    assert not owner.speaks(thief)
    assert not owner.speaks()
    assert owner.speaks(new)
    assert owner.reevaluations() == 2


def test_the_online_key_cannot_touch_recovery(owner):
    mine = Ed25519Signer.generate(owner.code)
    other = Recovery(1, {mine.kid: mine.public})
    data = owner.following(owner.signer, mine, recovery=other, reason="amend")
    refused(BadSignature, "keyset.signer", owner.submit, data)


def test_new_recovery_keys_wait_for_objections(owner):
    mine = Ed25519Signer.generate(owner.code)
    other = Recovery(1, {mine.kid: mine.public})
    made = owner.submit(owner.following(owner.recovery, mine, recovery=other, reason="amend"))
    end = " ".join(made.fingerprint.split()[-2:])
    owner.approve(REGISTRAR, "key_admin", end)
    assert owner.current()[0].version == 1
    owner.now += timedelta(hours=71)
    assert owner.do(keylife.count_waiting, owner.now) == 0
    refused(NotFound, "keyset.none", owner.do, keylife.cancel, owner.code, 3, owner.now)
    owner.now += timedelta(hours=1)
    assert owner.do(keylife.count_waiting, owner.now) == 1
    assert owner.current()[0].recovery == other


def test_an_objection_ends_the_wait(owner):
    mine = Ed25519Signer.generate(owner.code)
    other = Recovery(1, {mine.kid: mine.public})
    made = owner.submit(owner.following(owner.recovery, mine, recovery=other, reason="amend"))
    owner.approve(REGISTRAR, "key_admin", " ".join(made.fingerprint.split()[-2:]))
    blocked = owner.rotation(Ed25519Signer.generate(owner.code))
    refused(Conflict, "keyset.pending", owner.submit, blocked)
    owner.do(keylife.cancel, owner.code, 2, owner.now)
    owner.now += timedelta(hours=72)
    assert owner.do(keylife.count_waiting, owner.now) == 0
    assert owner.current()[0].recovery != other
    assert owner.submit(owner.rotation(Ed25519Signer.generate(owner.code))).version == 2


def test_a_thief_cannot_object_to_his_revocation(owner):
    owner.revoke(owner.now - DAY)
    refused(NotFound, "keyset.none", owner.do, keylife.cancel, owner.code, 2, owner.now)
    with owner.database.session() as session:
        assert query.pending(session, owner.code) is not None


def test_an_agency_without_a_recovery_key_names_one_by_two_persons(database):
    plain = Agency(database)
    owner = Owner(database, code=plain.code)
    owner.invited()
    Agency.enrolled(owner)
    for who, role in ((REGISTRAR, "key_admin"), (SECOND, "mayor_delegate")):
        owner.approve(who, role)
    paper = Ed25519Signer.generate(owner.code)
    named = Recovery(1, {paper.kid: paper.public})
    unproved = owner.following(owner.signer, recovery=named, reason="amend")
    refused(BadStatement, "keyset.possession", owner.submit, unproved)
    alone = owner.following(paper, recovery=named, reason="amend")
    refused(BadSignature, "keyset.signer", owner.submit, alone)
    made = owner.submit(owner.following(owner.signer, paper, recovery=named, reason="amend"))
    assert (made.rule, made.needed) == ("amend", 2)
    end = " ".join(made.fingerprint.split()[-2:])
    for who, role in ((REGISTRAR, "key_admin"), (SECOND, "mayor_delegate")):
        owner.approve(who, role, end)
    assert owner.current()[0].recovery is None
    owner.now += timedelta(hours=72)
    assert owner.do(keylife.count_waiting, owner.now) == 1
    assert owner.current()[0].recovery == named
    # Once there is one, the online key names no other.
    mine = Ed25519Signer.generate(owner.code)
    other = Recovery(1, {mine.kid: mine.public})
    swapped = owner.following(owner.signer, mine, recovery=other, reason="amend")
    refused(BadSignature, "keyset.signer", owner.submit, swapped)


def test_an_agency_leaves(owner):
    ended = {
        kid: replace(entry, sign_until=owner.now) for kid, entry in owner.current()[0].keys.items()
    }
    made = owner.submit(owner.following(owner.signer, keys=ended, reason="leave"))
    assert (made.rule, made.needed) == ("leave", 1)
    assert owner.speaks()
    owner.approve(REGISTRAR, "key_admin", " ".join(made.fingerprint.split()[-2:]))
    assert not owner.speaks()
    assert owner.shown().state is AgencyState.LEFT


def test_a_rotation_does_not_hide_who_let_the_agency_in(owner):
    owner.submit(owner.rotation(Ed25519Signer.generate(owner.code)))
    assert {each.officer_id for each in owner.shown().approvals} == {REGISTRAR, SECOND}


def test_the_chain_can_be_read(owner, database):
    data = owner.rotation(Ed25519Signer.generate(owner.code))
    owner.submit(data)
    with database.session() as session:
        found = query.keysets(session, owner.code)
        assert [made.version for made, _ in found] == [1, 2]
        assert found[1][1] == data
        assert query.keyset_version(session, owner.code, 2)[0].rule == "rotate"
        assert query.pending(session, owner.code) is None
        with pytest.raises(NotFound):
            query.keyset_version(session, owner.code, 3)


def test_a_revocation_never_waits_behind_what_a_thief_handed_in(owner):
    ended = {
        kid: replace(entry, sign_until=owner.now) for kid, entry in owner.current()[0].keys.items()
    }
    leave = owner.following(owner.signer, keys=ended, reason="leave")
    owner.submit(leave)
    made = owner.revoke(owner.now - DAY)
    assert (made.rule, made.version) == ("revoke", 2)
    refused(Conflict, "keyset.rejected", owner.submit, leave)
    end = " ".join(made.fingerprint.split()[-2:])
    assert owner.approve(SECOND, "mayor_delegate", end).outcome is Outcome.COMPLETED
    assert owner.state() is State.COMPROMISED


def test_persons_may_reject_what_waits_for_its_time(owner):
    mine = Ed25519Signer.generate(owner.code)
    other = Recovery(1, {mine.kid: mine.public})
    made = owner.submit(owner.following(owner.recovery, mine, recovery=other, reason="amend"))
    end = " ".join(made.fingerprint.split()[-2:])
    owner.approve(REGISTRAR, "key_admin", end)
    refused(Conflict, "enrolment.not_pending", owner.approve, SECOND, "mayor_delegate", end)
    owner.do(service.reject, owner.code, OTHER, owner.now)
    owner.now += timedelta(hours=73)
    assert owner.do(keylife.count_waiting, owner.now) == 0
