"""Two at once: a batch and a revocation, two administrators, two connectors with one key."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from gateway.errors import Conflict, GatewayError, Unauthorized
from gateway.index import modelfile
from gateway.intake import store, store_reevaluation
from gateway.intake.model import IntakeTools, State
from gateway.trust import approvals, keylife, query, requests, service, suspending
from gateway.trust.model import AgencyState, Approver, Loss, Outcome
from keys.signers import Ed25519Signer
from keys.suspension import Action, Suspension
from tests.conftest import Database
from tests.intake import factory
from tests.intake.factory import NOW, line, live, person, put, send, tools_of
from tests.intake.revoking import integrate, work
from tests.trust.enrolling import REGISTRAR, SECOND, Agency
from tests.trust.test_keylife import Owner

ROUNDS = range(4)
FIRST, OTHER = Approver(REGISTRAR, "key_admin"), Approver(SECOND, "mayor_delegate")


@pytest.fixture(scope="module")
def tools(database: Database) -> IntakeTools:
    return tools_of(database, modelfile.load())


def at_once(*acts):
    """What each act returned or raised, all begun in the same moment."""
    gate = threading.Barrier(len(acts))

    def run(act):
        gate.wait(10)
        try:
            return act()
        except GatewayError as err:
            return err

    with ThreadPoolExecutor(len(acts)) as pool:
        return [done.result() for done in [pool.submit(run, act) for act in acts]]


def one(agency, name: str, n: int):
    return agency.seal([line(name, agency.version(), person(n))])


def state_of(database, parcel) -> State | None:
    with database.session() as session:
        found = store.find(session, parcel.place)
    return None if found is None else found.state


def approve(database, agency, fingerprint: str, approver: Approver):
    with database.session() as session:
        groups = " ".join(fingerprint.split()[-2:])
        done = approvals.approve(session, agency.code, approver, groups, NOW)
        session.commit()
    return done


@pytest.mark.parametrize("turn", ROUNDS)
def test_no_batch_is_accepted_after_a_revocation_and_none_is_lost(database, tools, turn):
    """The key is revoked since before everything, so all that it signed must end in quarantine."""
    agency = factory.enrol(database)
    before = send(database, tools, one(agency, "a", 1))
    work(database, tools)
    integrate(database)
    signer, since = database.vault.signer("receipt"), NOW - timedelta(days=1)
    with database.session() as session:
        lost = Loss(agency.code, agency.signer.kid, since, "key_compromise")
        made = keylife.revoke(session, lost, FIRST, signer, NOW)
        # The race is with the revocation, so the key that was silenced at once speaks again.
        said = Suspension(agency.aud, agency.code, agency.signer.kid, Action.RESUME, NOW, "drill")
        suspending.decide(session, said, (FIRST, OTHER), signer, NOW)
        session.commit()
    parcels = [one(agency, "b", 2)]
    for n in (3, 4):
        parcels.append(one_after(agency, parcels[-1], n))
    committed = threading.Event()

    def revoke():
        done = approve(database, agency, made.fingerprint, OTHER)
        committed.set()
        return done

    def publish():
        answers = []
        for parcel in parcels:
            was_over = committed.is_set()
            try:
                put(database, tools, parcel)
                answers.append((parcel, was_over, None))
            except GatewayError as err:
                answers.append((parcel, was_over, err))
        return answers

    outcome, answers = at_once(revoke, publish)
    assert outcome.outcome is Outcome.COMPLETED
    work(database, tools)
    for parcel, was_over, err in answers:
        if err is None:
            assert not was_over, "a batch was accepted after the revocation had committed"
            assert state_of(database, parcel) is State.QUARANTINED
        else:
            assert err.code in {"key.compromised", "stream.gap"}
            assert state_of(database, parcel) is None
    assert state_of(database, before) is State.QUARANTINED
    assert live(database, agency) == set()
    with database.session() as session:
        evidence = store_reevaluation.quarantined_in(session, agency.code, "target", 100)
    assert len(evidence) == 1 + sum(err is None for _, _, err in answers), "nothing is lost"


def one_after(agency, parcel, n: int):
    """A batch that follows on another which has not been sent yet."""
    heads = dict(agency.heads)
    parcel.advance()
    made = one(agency, "abcdef"[n], n)
    agency.heads = heads
    return made


@pytest.mark.parametrize("turn", ROUNDS)
def test_two_administrators_approve_at_once(database, turn):
    agency = Agency(database).invited().enrolled()
    assert agency.approve(REGISTRAR, "key_admin").outcome is Outcome.RECORDED
    done = at_once(
        lambda: agency.approve("satu", "mayor_delegate"),
        lambda: agency.approve("dua", "steering"),
    )
    counted = [each for each in done if not isinstance(each, GatewayError)]
    late = [each for each in done if isinstance(each, GatewayError)]
    assert [each.outcome for each in counted] == [Outcome.COMPLETED]
    assert [each.code for each in late] == ["enrolment.not_pending"]
    assert agency.shown().state is AgencyState.ACTIVE
    assert len(agency.shown().approvals) == 2
    with database.session() as session:
        assert len(query.keysets(session, agency.code)) == 1


@pytest.mark.parametrize("turn", ROUNDS)
def test_one_person_twice_at_once_is_one(database, turn):
    agency = Agency(database).invited().enrolled()
    done = at_once(*[lambda: agency.approve(REGISTRAR, "key_admin")] * 2)
    assert sorted(type(each).__name__ for each in done) == ["ApprovalState", "Conflict"]
    assert agency.shown().state is AgencyState.PENDING
    assert len(agency.shown().approvals) == 1


def test_approved_and_rejected_at_once_is_one_of_both(database):
    agency = Agency(database).invited().enrolled()
    agency.approve(REGISTRAR, "key_admin")
    at_once(
        lambda: agency.approve(SECOND, "mayor_delegate"),
        lambda: agency.do(service.reject, agency.code, FIRST, agency.now),
    )
    shown = agency.shown()
    with database.session() as session:
        counts = query.keyset_or_none(session, agency.code) is not None
    assert (shown.state is AgencyState.ACTIVE) is counts
    assert shown.state in {AgencyState.ACTIVE, AgencyState.INVITED}


@pytest.mark.parametrize("turn", ROUNDS)
def test_two_rotations_at_once_are_one_version(database, turn):
    owner = Owner(database).active()
    statements = [owner.rotation(Ed25519Signer.generate(owner.code)) for _ in range(2)]
    done = at_once(*[lambda data=data: owner.submit(data) for data in statements])
    refused = [each for each in done if isinstance(each, GatewayError)]
    assert [each.code for each in refused] == ["keyset.version"]
    assert owner.current()[0].version == 2


@pytest.mark.parametrize("turn", ROUNDS)
def test_two_connectors_with_one_key_are_found_out(database, tools, turn):
    agency = factory.enrol(database)
    send(database, tools, one(agency, "a", 1))
    here, there = one(agency, "b", 2), one(agency, "c", 3)
    done = at_once(
        lambda: put(database, tools, here),
        lambda: put(database, tools, there),
    )
    refused = [each for each in done if isinstance(each, GatewayError)]
    assert [each.code for each in refused] == ["stream.fork"]
    assert isinstance(refused[0], Conflict)
    with database.session() as session:
        head = store.head(session, agency.code, "target")
    assert (head.seq, head.suspended) == (2, "fork")
    # Both histories are evidence, and nobody goes on before a person has looked.
    with pytest.raises(Conflict):
        put(database, tools, one_after(agency, here, 4))


def test_one_request_twice_at_once_counts_once(database):
    agency = Agency(database).active()
    request = agency.request()

    def asks():
        with database.session() as session:
            caller = requests.authenticate(session, request, "http", agency.settings, agency.now)
            session.commit()
        return caller

    done = at_once(asks, asks)
    refused = [each for each in done if isinstance(each, Unauthorized)]
    assert [each.code for each in refused] == ["http.replayed"]
