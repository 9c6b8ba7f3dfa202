"""Two persons who are not the creator, each with what was read to him, let an agency in."""

import json
from datetime import timedelta

import pytest

from gateway.errors import Conflict, Forbidden, NotFound, TooMany, Unauthorized
from gateway.ledger import query as ledger
from gateway.ledger import service as log
from gateway.ledger import store as log_store
from gateway.trust import keylist, query, rules, service
from gateway.trust.model import AgencyState, Approver, Outcome
from keys import merkle
from keys.keyset import MAX_LIFE, State
from keys.signers import Ed25519Signer
from tests.trust.enrolling import CLERK, MINUTE, REGISTRAR, SECOND, Agency, anchors


@pytest.fixture
def agency(database) -> Agency:
    return Agency(database).invited().enrolled()


def refused(kind, code: str, act, *arguments):
    with pytest.raises(kind) as found:
        act(*arguments)
    assert found.value.code == code


def test_two_persons_let_it_in(agency, database):
    with database.session() as session:
        refused(
            Unauthorized, "key.not_yet_active", query.speaker,
            session, agency.code, agency.signer.kid, "http", agency.now,
        )  # fmt: skip
        refused(
            Unauthorized, "key.not_yet_active", query.check_publisher,
            session, agency.code, agency.signer.kid, "person", agency.now,
        )  # fmt: skip
        refused(NotFound, "keyset.none", query.keyset, session, agency.code)
        assert not any(
            k.state is State.ACTIVE for k in keylist.keys(session, agency.now, agency.code)
        )
    assert agency.approve(REGISTRAR, "key_admin").outcome is Outcome.RECORDED
    assert agency.shown().state is AgencyState.PENDING
    made = agency.approve(SECOND, "mayor_delegate", now=agency.now + MINUTE)
    assert (made.outcome, made.approvals) == (Outcome.COMPLETED, 2)
    row = agency.shown()
    assert row.state is AgencyState.ACTIVE
    assert [(a.officer_id, a.role) for a in row.approvals] == [
        (REGISTRAR, "key_admin"), (SECOND, "mayor_delegate"),
    ]  # fmt: skip
    with database.session() as session:
        kid, agency.now = agency.signer.kid, agency.now + MINUTE
        assert query.speaker(session, agency.code, kid, "batch", agency.now) == agency.signer.public
        assert [
            k.kid for k in keylist.keys(session, agency.now, agency.code) if k.state is State.ACTIVE
        ] == [kid]
        query.check_publisher(session, agency.code, agency.signer.kid, "person", agency.now)
        refused(
            Forbidden, "grant.missing", query.check_publisher,
            session, agency.code, kid, "household", agency.now,
        )  # fmt: skip
        assert query.keyset(session, agency.code).leaf is not None
    refused(Conflict, "enrolment.not_pending", agency.approve, "third", "steering")


def test_the_log_says_so_and_names_nobody(fresh_database):
    agency = Agency(fresh_database).active()
    with fresh_database.session() as session:
        log.sequence(session)
        entries = log_store.get_entries(session, 0, 100)
        told = [json.loads(entry) for entry in entries]
        assert [(e["t"], e.get("kind")) for e in told] == [
            ("decision", "approve_key"), ("decision", "approve_key"),
            ("keyset", None), ("decision", "grant"),
        ]  # fmt: skip
        assert merkle.leaf_hash(entries[2]) == query.keyset(session, agency.code).leaf
        for person in (REGISTRAR, SECOND, CLERK):
            assert person not in b"".join(entries).decode()
        session.rollback()


def test_nothing_is_logged_of_an_approval_that_was_undone(agency, database):
    with database.session() as session:
        before = ledger.pending(session)
        service.approve(
            session, agency.code, Approver(REGISTRAR, "key_admin"), agency.end, agency.now
        )
        session.rollback()
        assert ledger.pending(session) == before
    assert agency.shown().approvals == ()


@pytest.mark.parametrize("who", [CLERK, CLERK.upper(), f" {CLERK} "])
def test_the_creator_may_not(agency, who: str):
    refused(Forbidden, "approval.own", agency.approve, who, "key_admin")
    agency.approve(REGISTRAR, "key_admin")
    refused(Forbidden, "approval.own", agency.approve, who, "steering")


@pytest.mark.parametrize("who", [REGISTRAR, REGISTRAR.upper(), f"{REGISTRAR} "])
def test_single_registrar(agency, who: str):
    """One person counts once, however he writes his name and in whichever role."""
    agency.approve(REGISTRAR, "key_admin")
    for role in ("key_admin", "mayor_delegate"):
        refused(Conflict, "approval.same_person", agency.approve, who, role)
    assert agency.shown().state is AgencyState.PENDING


@pytest.mark.parametrize("role", ["operator", "counter_officer", "mayor_delegate", ""])
def test_the_first_is_a_key_admin(agency, role: str):
    refused(Forbidden, "approval.role", agency.approve, REGISTRAR, role)


@pytest.mark.parametrize("role", ["operator", "counter_officer", "auditor", ""])
def test_the_second_has_a_role_that_may(agency, role: str):
    agency.approve(REGISTRAR, "key_admin")
    refused(Forbidden, "approval.role", agency.approve, SECOND, role)


def test_the_role_in_which_a_person_acts():
    assert rules.acting_role(["steering", "key_admin"], 0) == "key_admin"
    assert rules.acting_role(["auditor", "steering", "key_admin"], 1) == "steering"
    for roles, given in ((["steering"], 0), (["operator"], 1), ([], 1)):
        with pytest.raises(Forbidden):
            rules.acting_role(roles, given)


def test_three_wrong_answers_close_it_for_a_while(agency):
    lefts = [agency.approve(REGISTRAR, "key_admin", "abcd efgh").tries_left for _ in range(3)]
    assert lefts == [2, 1, 0]
    for now in (agency.now, agency.now + 15 * MINUTE - timedelta(seconds=1)):
        with pytest.raises(TooMany) as locked:
            agency.approve("another", "key_admin", None, now)
        assert locked.value.code == "approval.locked"
        assert 0 < locked.value.details["retry_after"] <= 901
    later = agency.now + 15 * MINUTE
    assert agency.approve(REGISTRAR, "key_admin", None, later).outcome is Outcome.RECORDED


def test_a_right_answer_begins_the_count_anew(agency):
    for _ in range(2):
        agency.approve(REGISTRAR, "key_admin", "abcd efgh")
    agency.approve(REGISTRAR, "key_admin")
    assert agency.approve(SECOND, "steering", "abcd efgh").tries_left == 2


@pytest.mark.parametrize(
    "change",
    [str.upper, lambda end: end.replace(" ", ""), lambda end: f" {end.replace(' ', '-')}\n"],
)
def test_how_it_was_written_down_does_not_matter(agency, change):
    assert agency.approve(REGISTRAR, "key_admin", change(agency.end)).outcome is Outcome.RECORDED


@pytest.mark.parametrize(
    "part", [slice(0, 2), slice(-3, -1), slice(-1, None), slice(-3, None), slice(None)]
)
def test_enrol_with_a_fingerprint_off_by_one_group(agency, part: slice):
    typed = " ".join(agency.signer.public.fingerprint().split()[part])
    assert agency.approve(REGISTRAR, "key_admin", typed).outcome is Outcome.WRONG_GROUPS
    assert agency.approve(REGISTRAR, "key_admin", "ｂéta").outcome is Outcome.WRONG_GROUPS


def test_a_foreign_key_is_rejected_and_another_comes_in(agency, database):
    refused(
        Forbidden,
        "approval.role",
        agency.do,
        service.reject,
        agency.code,
        Approver("x", "operator"),
        agency.now,
    )
    agency.approve(REGISTRAR, "key_admin")
    agency.do(service.reject, agency.code, Approver(SECOND, "mayor_delegate"), agency.now)
    assert agency.shown().fingerprint is None
    refused(Conflict, "enrolment.not_pending", agency.approve, SECOND, "mayor_delegate")
    agency.ticket = agency.do(service.new_ticket, agency.code, anchors(database), agency.now)
    agency.signer = Ed25519Signer.generate(agency.code)
    agency.enrolled()
    assert agency.shown().approvals == ()
    agency.approve(REGISTRAR, "key_admin")
    assert agency.approve(SECOND, "mayor_delegate").outcome is Outcome.COMPLETED


def test_a_key_speaks_for_its_time_and_its_use(agency, database):
    agency.approve(REGISTRAR, "key_admin")
    agency.approve(SECOND, "upt_coordinator")
    code, kid = agency.code, agency.signer.kid
    with database.session() as session:
        for use, now, refusal in (
            ("http", agency.now - MINUTE, "key.not_yet_active"),
            ("http", agency.now + MAX_LIFE, "key.expired"),
            ("log", agency.now, "key.use"),
        ):
            refused(Unauthorized, refusal, query.speaker, session, code, kid, use, now)
        refused(
            Unauthorized, "key.unknown", query.speaker, session, "other", kid, "http", agency.now
        )
        service.store.set_state(session, code, AgencyState.SUSPENDED)
        refused(
            Unauthorized, "key.suspended", query.speaker, session, code, kid, "http", agency.now
        )
