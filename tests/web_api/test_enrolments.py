"""The connector's own code enrols through the real API; what is not so is a problem+json."""

import pytest

from connectors import enrolment, keybook
from connectors.client import Problem
from connectors.errors import CallCentre
from keys.canonical import to_base64
from tests.web_api.conftest import connecting


@pytest.fixture
def dstk(centre, tmp_path):
    with connecting(centre, "dstk", tmp_path / "state") as made:
        yield made


def test_a_connector_enrols_from_ticket_to_active(centre, dstk):
    ticket = centre.invite("dstk")
    standing = dstk.enrol(ticket)
    assert (standing.state, standing.approvals) == ("pending", 0)
    assert dstk.enrol(ticket) == standing
    centre.approve("dstk", standing.fingerprint)
    assert dstk.enrol(ticket).state == "pending"  # approved, but not in a signed checkpoint
    centre.integrate()
    assert dstk.enrol(ticket).state == "active"
    assert dstk.memory.fact("keyset_proof") is not None
    assert dstk.client.checkpoint().note.startswith(centre.database.settings.log_origin.encode())


def test_whoever_asks_later_is_not_told_the_fingerprint(centre, enrolled):
    ticket_id = enrolled.memory.fact("enrolment")["ticket_id"]
    told = enrolled.client.enrolment(ticket_id)
    assert told["state"] == "active"
    assert set(told) == {"state", "approvals", "keyset_leaf", "envelope", "proof"}


def test_another_ticket_is_needed_for_other_keys(centre, enrolled, tmp_path):
    ticket_id = enrolled.memory.fact("enrolment")["ticket_id"]
    with pytest.raises(Problem) as refused:
        enrolled.client.challenge(ticket_id)
    assert (refused.value.status, refused.value.code) == (409, "ticket.used")


def test_a_refusal_is_a_fact_for_the_officer(centre, dstk):
    ticket = centre.invite("dstk-two")
    with pytest.raises(CallCentre):
        dstk.enrol(ticket)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("dinkes/challenge", {"ticket_id": "none"}, 401, "ticket.unknown"),
        ("dinkes/challenge", {"ticket_id": "a\x00b"}, 422, "request.invalid"),
        ("dinkes/challenge", {"ticket_id": 7}, 422, "request.invalid"),
        ("dinkes/challenge", {}, 422, "request.invalid"),
        ("dinkes/challenge", {"ticket_id": "a", "more": 1}, 422, "request.invalid"),
        ("dinkes/challenge", [], 422, "request.invalid"),
        ("Dinas%20X/challenge", {"ticket_id": "a"}, 404, "agency.unknown"),
        ("a%00b/challenge", {"ticket_id": "a"}, 404, "agency.unknown"),
        ("dinkes", {"keyset": "!", "proof": "!"}, 400, None),
        ("dinkes", {"keyset": to_base64(b"{}"), "proof": to_base64(b"{}")}, 400, None),
        ("dinkes", {"keyset": "a" * 70_000, "proof": ""}, 422, "request.invalid"),
        ("dinkes", {"keyset": "a" * 300_000, "proof": ""}, 413, "http.413"),
    ],
)
def test_what_is_not_so_is_a_problem(centre, path, body, status, code):
    answer = centre.app.test_client().post(f"/v1/enrolments/{path}", json=body)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert code is None or answer.json["code"] == code
    assert answer.json["status"] == status


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"ticket_id": NaN}', b"[" * 100_000])
def test_what_is_not_json_is_a_problem(centre, body: bytes):
    answer = centre.app.test_client().post(
        "/v1/enrolments/dinkes/challenge", data=body, content_type="application/json"
    )
    assert answer.status_code in {400, 422}
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "status"), [("?ticket_id=none", 404), ("", 422), ("?ticket_id=a%00", 422)]
)
def test_a_standing_that_is_none(centre, query: str, status: int):
    answer = centre.app.test_client().get(f"/v1/enrolments/dinkes{query}")
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_an_agency_that_lost_its_folder_comes_again(centre, tmp_path):
    with connecting(centre, "lost", tmp_path / "first") as first:
        centre.approve("lost", first.enrol(centre.invite("lost")).fingerprint)
        centre.integrate()
        old = first.store.kids()
    with connecting(centre, "lost", tmp_path / "second") as second:
        ticket = centre.invite_again("lost")
        standing = second.enrol(ticket)
        assert (standing.state, standing.approvals) == ("pending", 0)
        centre.approve("lost", standing.fingerprint)
        assert second.enrol(ticket).state == "pending"
        centre.integrate()
        assert second.enrol(ticket).state == "active"
        book = keybook.load(second.memory)
        assert (book.keyset.version, book.keyset.reason) == (2, "reenrol")
        assert not book.keyset.keys.keys() & set(old)
        # Whoever knows nothing learns the chain from its first version, under the ticket's keys.
        anchors = enrolment.anchors_of(ticket)
        assert keybook.learn(second.client, anchors, None) == book
