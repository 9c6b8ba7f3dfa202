"""I12: every (state, act) of a key, at the real database; and what the database refuses by itself."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from gateway.errors import Conflict, GatewayError
from gateway.trust import keylife, suspending
from gateway.trust.model import Approver
from keys import dsse, keyset
from keys.errors import TrustError
from keys.keyset import PAYLOAD_TYPE, State
from keys.lifecycle import Act, may
from keys.signers import Ed25519Signer
from keys.suspension import Action, Suspension
from tests.trust.enrolling import MINUTE, SECOND
from tests.trust.test_keylife import DAY, FIRST, OTHER, Owner, integrate

AFTER = {
    (State.PRE_ACTIVE, Act.REVOKE): State.COMPROMISED,
    (State.ACTIVE, Act.SUSPEND): State.SUSPENDED,
    (State.ACTIVE, Act.REVOKE): State.COMPROMISED,
    (State.RETIRING, Act.SUSPEND): State.SUSPENDED,
    (State.RETIRING, Act.REVOKE): State.COMPROMISED,
    (State.SUSPENDED, Act.RESUME): State.ACTIVE,
    (State.SUSPENDED, Act.REVOKE): State.COMPROMISED,
    (State.DEACTIVATED, Act.REVOKE): State.COMPROMISED,
    (State.DEACTIVATED, Act.DESTROY): State.DESTROYED,
    (State.COMPROMISED, Act.DESTROY): State.COMPROMISED,
    (State.DESTROYED, Act.REVOKE): State.COMPROMISED,
    (State.DESTROYED, Act.DESTROY): State.DESTROYED,
}
"""The whole table: what is not here is refused, and changes nothing."""
PAIRS = [(state, act) for state in State for act in Act]


class Subject(Owner):
    """An agency with one key in a chosen state."""

    def brought_to(self, state: State) -> "Subject":
        return getattr(self, f"_to_{state.value}")()

    def _to_active(self):
        return self

    def _to_pre_active(self):
        new = Ed25519Signer.generate(self.code)
        now, sha256 = self.current()
        later = keyset.entry_of(
            self.code, new.public, instance="conn", not_before=self.now + timedelta(hours=1)
        )
        ended = replace(now.keys[self.signer.kid], sign_until=self.now + DAY)
        keys = {self.signer.kid: ended, new.kid: later}
        said = replace(now, version=2, prev=sha256, issued=self.now, keys=keys)
        self.submit(dsse.seal(PAYLOAD_TYPE, keyset.encode(said), [self.signer, new]))
        self.signer = new
        return self

    def _to_retiring(self):
        self.submit(self.rotation(Ed25519Signer.generate(self.code)))
        return self

    def _to_suspended(self):
        self.decided(Action.SUSPEND, FIRST)
        self.now += MINUTE
        return self

    def _to_deactivated(self):
        self._to_retiring()
        self.now += 15 * DAY
        return self

    def _to_compromised(self):
        self._to_deactivated()
        self.undergo(Act.REVOKE)
        return self

    def _to_destroyed(self):
        self._to_deactivated()
        self.undergo(Act.DESTROY)
        return self

    def undergo(self, act: Act) -> None:
        if act is Act.DESTROY:
            self.do(keylife.report_destroyed, self.code, self.signer.kid, self.now)
        elif act is Act.REVOKE:
            made = self.revoke(self.now)
            self.approve(SECOND, "mayor_delegate", " ".join(made.fingerprint.split()[-2:]))
        elif act is Act.SUSPEND:
            self.decided(Action.SUSPEND, FIRST)
        else:
            self.decided(Action.RESUME, FIRST, OTHER)


@pytest.mark.parametrize(("state", "act"), PAIRS, ids=lambda value: value.value)
def test_every_state_and_act(database, state, act):
    subject = Subject(database).active().brought_to(state)
    assert subject.state() is state
    expected = AFTER.get((state, act))
    assert may(act, state) is (expected is not None)
    if expected is None:
        with pytest.raises(GatewayError):
            subject.undergo(act)
        assert subject.state() is state
    else:
        subject.undergo(act)
        assert subject.state() is expected


@pytest.mark.parametrize(
    ("state", "later", "becomes"),
    [
        (State.PRE_ACTIVE, timedelta(hours=1), State.ACTIVE),
        (State.ACTIVE, 120 * DAY, State.DEACTIVATED),
        (State.RETIRING, 14 * DAY, State.DEACTIVATED),
        (State.SUSPENDED, 120 * DAY - MINUTE, State.DEACTIVATED),
        (State.DEACTIVATED, 1000 * DAY, State.DEACTIVATED),
        (State.COMPROMISED, 1000 * DAY, State.COMPROMISED),
        (State.DESTROYED, 1000 * DAY, State.DESTROYED),
    ],
    ids=str,
)
def test_what_time_does(database, state, later, becomes):
    subject = Subject(database).active().brought_to(state)
    subject.now += later - timedelta(seconds=1)
    assert subject.state() is state
    subject.now += timedelta(seconds=1) + MINUTE
    assert subject.state() is becomes


@pytest.mark.parametrize("state", [s for s in State if s is not State.ACTIVE])
def test_only_an_active_key_hands_over(database, state):
    subject = Subject(database).active().brought_to(state)
    with pytest.raises((TrustError, Conflict)):
        subject.submit(subject.rotation(Ed25519Signer.generate(subject.code)))


def test_the_agencys_own_word_cannot_wake_what_is_revoked(database):
    subject = Subject(database).active().brought_to(State.SUSPENDED)
    subject.undergo(Act.REVOKE)
    subject.now += MINUTE
    with pytest.raises(Conflict) as caught:
        subject.says(Action.RESUME, subject.recovery)
    assert caught.value.code == "suspension.over"
    assert subject.state() is State.COMPROMISED


# -- the database by itself ------------------------------------------------------------------


_INSERT = (
    "insert into keyset (agency, payload_sha256, version, envelope, fingerprint, received_at, leaf)"
    " values (:a, 'x',"
)
FORBIDDEN = {
    "a revocation is taken back": (State.COMPROMISED, "revoked_at = null"),
    "a revoked key is resumed": (State.COMPROMISED, "suspended_at = now()"),
    "a revocation is moved": (State.COMPROMISED, "revoked_at = now()"),
    "a destroyed key comes back": (State.DESTROYED, "destroyed_at = null"),
    "a key that speaks is destroyed": (State.ACTIVE, "destroyed_at = '2025-11-03T02:00:00Z'"),
    "an end is put off": (State.RETIRING, "sign_until = sign_until + interval '1 hour'"),
    "an end is taken back": (State.DEACTIVATED, "sign_until = null"),
    "an approval is taken back": (State.ACTIVE, "approved_at = null"),
    "another key under the same name": (State.ACTIVE, "raw = raw || 'x'::bytea"),
    "a longer life": (State.ACTIVE, "not_after = not_after + interval '1 day'"),
    "an earlier begin": (State.PRE_ACTIVE, "not_before = not_before - interval '1 day'"),
    "more uses": (State.ACTIVE, "uses = array['batch']"),
    "another agency": (State.ACTIVE, "agency = (select min(code) from agency)"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_the_database_refuses(database, name):
    Subject(database).active()
    state, change = FORBIDDEN[name]
    subject = Subject(database, code="z-" + Subject(database).code).active().brought_to(state)
    with database.session() as session, pytest.raises(IntegrityError):
        session.execute(
            text(f"update key set {change} where kid = :kid"), {"kid": subject.signer.kid}
        )
    assert subject.state() is state


@pytest.mark.parametrize(
    "statement",
    [
        "delete from key where agency = :a",
        "delete from keyset where agency = :a",
        "update keyset set leaf = null where agency = :a",
        "update keyset set leaf = 'x'::bytea where agency = :a",
        "update keyset set rejected_at = now() where agency = :a",
        "update keyset set version = 7 where agency = :a",
        "update keyset set envelope = 'x'::bytea where agency = :a",
        f"{_INSERT} 1, 'x', 'x', now(), 'x')",
        f"{_INSERT} 3, 'x', 'x', now(), 'x')",
        "update agency set state = 'invited' where code = :a",
        "update agency set state = 'pending' where code = :a",
    ],
)
def test_the_database_refuses_of_keysets_and_agencies(database, statement):
    subject = Subject(database).active()
    with database.session() as session, pytest.raises(IntegrityError):
        session.execute(text(statement), {"a": subject.code})
    assert subject.speaks()
    assert integrate(database) >= 0


def test_an_unapproved_key_is_neither_silenced_nor_revoked(database):
    subject = Subject(database).invited().enrolled()
    for column in ("suspended_at", "revoked_at", "destroyed_at"):
        with database.session() as session, pytest.raises(IntegrityError):
            session.execute(
                text(f"update key set {column} = now() where kid = :kid"),
                {"kid": subject.signer.kid},
            )


def test_one_of_the_agencys_people_alone_wakes_nothing(database):
    subject = Subject(database).active().brought_to(State.SUSPENDED)
    said = Suspension(
        subject.settings.aud, subject.code, subject.signer.kid, Action.RESUME, subject.now, "x"
    )
    signer = database.vault.signer("receipt")
    asked = (said, Approver("satu", "key_admin"), signer, subject.now)
    assert subject.do(suspending.agree_to_resume, *asked) is None
    with pytest.raises(Conflict) as caught:
        subject.do(suspending.agree_to_resume, *asked)
    assert caught.value.code == "approval.same_person"
    assert subject.state() is State.SUSPENDED
