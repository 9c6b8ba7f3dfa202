"""How keys come in: by a ticket, once, and only keys that nobody ever had."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import Conflict, GatewayError, NotFound, Refused, Unauthorized
from gateway.trust import query, service
from gateway.trust.model import AgencyDraft, AgencyState
from keys import dsse, keyset
from keys.canonical import canonical, to_base64
from keys.enrolment import format_ticket, parse_ticket
from keys.errors import BadKey, TrustError
from keys.signers import Ed25519Signer
from tests.trust.enrolling import CLERK, MINUTE, Agency, anchors

LOW_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
]


@pytest.fixture
def agency(database) -> Agency:
    return Agency(database).invited()


def refused(kind, code: str, act, *arguments, **named):
    with pytest.raises(kind) as found:
        act(*arguments, **named)
    assert found.value.code == code


def test_a_ticket_lets_one_keyset_in(agency):
    envelope = agency.keyset()
    pending = agency.send(envelope, agency.proof(envelope, agency.challenge()))
    assert pending.state is AgencyState.PENDING
    assert pending.fingerprint == agency.signer.public.fingerprint()
    assert (pending.approvals, pending.leaf) == (0, None)
    assert agency.shown().fingerprint == pending.fingerprint


def test_a_lost_answer_costs_nothing(agency):
    envelope = agency.keyset()
    proof = agency.proof(envelope, agency.challenge())
    assert agency.send(envelope, proof) == agency.send(envelope, proof)
    assert agency.send(envelope, proof, agency.now + timedelta(days=30)).approvals == 0
    refused(Conflict, "ticket.used", agency.challenge)


def test_a_used_ticket_takes_no_other_keys(agency):
    agency.enrolled()
    other = Ed25519Signer.generate(agency.code)
    envelope = agency.keyset(agency.entry(other), by=[other])
    proof = agency.proof(envelope, "x" * 32, by=[other])
    refused(Conflict, "ticket.used", agency.send, envelope, proof)


def test_the_text_of_a_ticket_holds_what_was_made(agency, database):
    assert parse_ticket(format_ticket(agency.ticket), now=agency.now) == agency.ticket
    with database.session() as session:
        stored = session.execute(service.store.ticket.select()).mappings().all()
    assert agency.ticket.secret not in [value for row in stored for value in row.values()]


@pytest.mark.parametrize("later", [timedelta(hours=72), timedelta(days=400)])
def test_a_ticket_runs_out(agency, later):
    agency.now += later
    refused(Unauthorized, "ticket.expired", agency.challenge)


def test_enrol_by_a_ticket_that_is_none(agency):
    wrong = replace(agency.ticket, ticket_id="none")
    refused(
        Unauthorized,
        "ticket.unknown",
        agency.do,
        service.challenge,
        agency.code,
        "none",
        agency.now,
    )
    envelope = agency.keyset()
    proof = agency.proof(envelope, agency.challenge(), ticket=wrong)
    refused(Unauthorized, "ticket.unknown", agency.send, envelope, proof)


def test_the_ticket_of_another_agency(agency, database):
    other = Agency(database).invited()
    agency.ticket = other.ticket
    refused(Unauthorized, "ticket.unknown", agency.challenge)


def test_a_new_ticket_voids_the_old(agency, database):
    old = agency.ticket
    agency.ticket = agency.do(service.new_ticket, agency.code, anchors(database), agency.now)
    refused(
        Unauthorized,
        "ticket.unknown",
        agency.do,
        service.challenge,
        agency.code,
        old.ticket_id,
        agency.now,
    )
    agency.enrolled()
    refused(
        Conflict,
        "enrolment.begun",
        agency.do,
        service.new_ticket,
        agency.code,
        anchors(database),
        agency.now,
    )


def test_enrol_without_the_secret_of_the_ticket(agency):
    envelope = agency.keyset()
    guessed = replace(agency.ticket, secret=bytes(16))
    proof = agency.proof(envelope, agency.challenge(), ticket=guessed)
    refused(TrustError, "enrol.secret", agency.send, envelope, proof)


def test_only_the_newest_challenge_counts(agency):
    envelope, old = agency.keyset(), agency.challenge()
    agency.challenge()
    refused(TrustError, "enrol.challenge", agency.send, envelope, agency.proof(envelope, old))


def test_no_challenge_and_one_that_ran_out(agency):
    envelope = agency.keyset()
    refused(
        Unauthorized, "enrol.challenge", agency.send, envelope, agency.proof(envelope, "x" * 32)
    )
    proof = agency.proof(envelope, agency.challenge())
    agency.now += 10 * MINUTE
    refused(Unauthorized, "enrol.challenge", agency.send, envelope, proof)


def test_a_keyset_of_two_keys_has_two_fingerprints(agency):
    other = Ed25519Signer.generate(agency.code)
    both = [agency.signer, other]
    envelope = agency.keyset(agency.entry(), agency.entry(other), by=both)
    proof = agency.proof(envelope, agency.challenge(), by=both)
    refused(Refused, "keyset.form", agency.send, envelope, proof)


def test_a_keyset_for_another_gateway(agency):
    envelope = agency.keyset(aud="elsewhere.example")
    proof = agency.proof(envelope, agency.challenge())
    refused(TrustError, "keyset.aud", agency.send, envelope, proof)


def test_a_keyset_of_another_agency(agency, database):
    other = Agency(database)
    envelope = other.keyset()
    proof = agency.proof(envelope, agency.challenge(), by=[other.signer])
    refused(Refused, "keyset.agency", agency.send, envelope, proof)


def test_enrol_a_key_that_did_not_sign(agency):
    stranger = Ed25519Signer.generate(agency.code)
    envelope = agency.keyset(by=[stranger])
    with pytest.raises(TrustError):
        agency.send(envelope, agency.proof(envelope, agency.challenge()))
    good = agency.keyset()
    with pytest.raises(TrustError):
        agency.send(good, agency.proof(good, agency.challenge(), by=[stranger]))
    assert agency.shown().state is AgencyState.INVITED


@pytest.mark.parametrize("raw", LOW_ORDER)
def test_a_key_of_low_order_is_refused(agency, raw: str):
    payload = json.loads(dsse.parse(agency.keyset()).payload)
    payload["keys"][agency.signer.kid]["pub"] = to_base64(bytes.fromhex(raw))
    envelope = dsse.seal(keyset.PAYLOAD_TYPE, canonical(payload), [agency.signer])
    with pytest.raises(BadKey):
        agency.send(envelope, agency.proof(envelope, agency.challenge()))


def test_a_key_is_never_taken_twice(agency, database):
    first = Agency(database)
    first.signer = Ed25519Signer.from_seed(first.code, bytes([5]) * 32)
    first.invited().enrolled()
    agency.signer = Ed25519Signer.from_seed(agency.code, bytes([5]) * 32)
    envelope = agency.keyset()
    proof = agency.proof(envelope, agency.challenge())
    refused(Conflict, "key.reused", agency.send, envelope, proof)


def test_how_it_stands(agency):
    def standing(ticket_id: str):
        return agency.do(service.standing, agency.code, ticket_id, agency.now)

    refused(NotFound, "enrolment.unknown", standing, agency.ticket.ticket_id)
    agency.enrolled()
    assert standing(agency.ticket.ticket_id).state is AgencyState.PENDING
    refused(NotFound, "enrolment.unknown", standing, "other")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"code": "Dinas Sosial"}, "agency.code"),
        ({"code": ""}, "agency.code"),
        ({"code": "dinas\n"}, "agency.code"),
        ({"code": "1376015410900002"}, "log.value"),
        ({"record_types": ()}, "agency.records"),
        ({"record_types": ("person", "secret")}, "agency.records"),
    ],
)
def test_a_draft_that_is_none(database, session, change, code: str):
    draft = AgencyDraft("dinas-x", "Dinas", ("person",), "PKS-1", CLERK)
    with pytest.raises(Refused) as found:
        service.create_agency(session, replace(draft, **change), anchors(database), Agency.now)
    assert found.value.code == code


def test_an_agency_is_created_once(agency):
    refused(GatewayError, "agency.exists", agency.invited)
    with agency.database.session() as session:
        refused(NotFound, "agency.unknown", query.agency, session, "nobody")
        assert agency.code in [row.code for row in query.agencies(session)]
