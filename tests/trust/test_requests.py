"""Who signed a request, and that it counts once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from gateway.errors import Forbidden, TooMany, Unauthorized
from gateway.trust import requests, service, store_requests
from keys.errors import BadSignature
from keys.signers import Ed25519Signer
from tests.trust.enrolling import MINUTE, Agency


@pytest.fixture(scope="module")
def agency(database) -> Agency:
    return Agency(database).active()


def ask(agency, request, use="http", now=None):
    return agency.do(requests.authenticate, request, use, agency.settings, now or agency.now)


def test_the_caller_is_who_signed(agency):
    caller = ask(agency, agency.request())
    assert (caller.agency, caller.kid) == (agency.code, agency.signer.kid)
    caller.must_be(agency.code)
    with pytest.raises(Forbidden):
        caller.must_be("other")


def test_replay_of_a_request_is_refused(agency):
    request = agency.request()
    ask(agency, request)
    for later in (0, 1, 4):
        with pytest.raises(Unauthorized) as refused:
            ask(agency, request, now=agency.now + later * MINUTE)
        assert refused.value.code == "http.replayed"


def test_once_its_nonce_is_forgotten_its_clock_refuses_it(agency):
    request = agency.request()
    ask(agency, request)
    later = agency.now + 11 * MINUTE
    agency.do(service.forget_nonces, later - 10 * MINUTE)
    with agency.database.session() as session:
        assert session.scalar(select(func.count()).select_from(store_requests.nonce)) == 0
    with pytest.raises(BadSignature) as refused:
        ask(agency, request, now=later)
    assert refused.value.code == "http.clock_skew"


def test_some_requests_tidy_up_the_nonces_of_old_ones(agency):
    agency.do(service.forget_nonces, agency.now + MINUTE)
    ask(agency, agency.request())
    later = agency.now + 11 * MINUTE
    ask(agency, agency.request(nonce="B" * 22, now=later), now=later)
    with agency.database.session() as session:
        assert session.scalar(select(func.count()).select_from(store_requests.nonce)) == 2
    ask(agency, agency.request(nonce="A" * 22, now=later), now=later)
    with agency.database.session() as session:
        left = session.scalars(select(store_requests.nonce.c.nonce)).all()
    assert sorted(left) == ["A" * 22, "B" * 22]


def test_two_agencies_may_draw_the_same_nonce(agency, database):
    other = Agency(database).active()
    for each in (agency, other):
        assert ask(each, each.request(nonce="n" * 22)).agency == each.code


@pytest.mark.parametrize(
    "change", [{"method": "PUT"}, {"path_and_query": "/v1/x?a=2"}, {"headers": {}}]
)
def test_what_was_not_signed_does_not_pass(agency, change):
    with pytest.raises(BadSignature):
        ask(agency, replace(agency.request(), **change))


def test_another_origin_does_not_pass(agency):
    moved = replace(agency.settings, origin="https://elsewhere.example")
    with pytest.raises(BadSignature):
        agency.do(requests.authenticate, agency.request(), "http", moved, agency.now)


def test_a_stranger_does_not_pass(agency):
    with pytest.raises(Unauthorized) as refused:
        ask(agency, agency.request(signer=Ed25519Signer.generate(agency.code)))
    assert refused.value.code == "key.unknown"


def test_a_key_that_waits_for_approval_does_not_pass(database):
    waiting = Agency(database).invited().enrolled()
    with pytest.raises(Unauthorized) as refused:
        ask(waiting, waiting.request())
    assert refused.value.code == "key.not_yet_active"


def test_a_minute_takes_so_many_batches(agency):
    few = replace(agency.settings, batches_per_minute=3)
    for _ in range(3):
        agency.do(requests.admit_batch, agency.code, 1, few, agency.now)
    with pytest.raises(TooMany) as refused:
        agency.do(requests.admit_batch, agency.code, 1, few, agency.now + timedelta(seconds=40))
    assert refused.value.details["retry_after"] == 21
    agency.do(requests.admit_batch, "other", 1, few, agency.now)
    agency.do(requests.admit_batch, agency.code, 1, few, agency.now + MINUTE)


def test_a_day_takes_so_many_bytes(agency):
    few = replace(agency.settings, bytes_per_day=1_000)
    day = agency.now.replace(hour=22, minute=58, second=30, microsecond=0) + timedelta(days=3)
    for size in (400, 600):
        agency.do(requests.admit_batch, agency.code, size, few, day)
    with pytest.raises(TooMany) as refused:
        agency.do(requests.admit_batch, agency.code, 1, few, day + MINUTE)
    assert refused.value.code == "rate.bytes"
    assert refused.value.details["retry_after"] == 60 * 60 + 30 + 1
    agency.do(requests.admit_batch, "other", 1_000, few, day + MINUTE)
    agency.do(requests.admit_batch, agency.code, 1_000, few, day + timedelta(hours=2))
