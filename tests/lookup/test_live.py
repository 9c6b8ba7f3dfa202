"""An agency asked at once, from the profile to the signed answer on the screen."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from connectors.asked import Handed
from connectors.client import Answer, Problem
from connectors.errors import CallCentre, Wait
from gateway.access.store import query, result
from gateway.ledger.store import log_entry, log_pending
from gateway.lookup.store import inbox_request
from keys import dsse
from keys.canonical import canonical, from_base64
from keys.signers import Ed25519Signer
from schemas.inbox import RESPONSE_TYPE
from tests.line.test_one_record import ONE, InProcess
from tests.line.village import Villager
from tests.lookup.conftest import LIVE, TAG, declare


def test_the_profile_offers_to_ask_and_the_answer_comes_in(asking):
    page = asking.screen.get(
        asking.screen.post("/profil", person=asking.person, purpose="cek_mandiri")
    )
    assert 'action="/langsung"' in page
    address = asking.ask()
    assert TAG.findall(asking.screen.get(address)) == ["Menunggu jawaban"]
    asking.answered()
    page = asking.screen.get(address)
    assert TAG.findall(page) == ["Terdaftar"]
    assert ONE.name in page
    assert "http-equiv" not in page
    assert ONE.nik not in page
    assert not [a for a in asking.screen.addresses if ONE.nik in a]


def test_question_request_and_answer_stand_in_the_log_and_say_nothing(asking):
    address = asking.ask()
    asking.answered()
    asking.screen.get(address)
    asking.screen.get(address)  # shown again: no second entry
    asking.proved()
    with asking.line.database.session() as session:
        asked = session.execute(select(query).order_by(query.c.id.desc()).limit(1)).one()
        told = session.execute(select(result).where(result.c.query_id == asked.id)).all()
        entries = [json.loads(e) for e in session.scalars(select(log_entry.c.entry))]
        row = session.execute(
            select(inbox_request).where(inbox_request.c.query_id == asked.id)
        ).one()
    assert (asked.action, len(told)) == ("live", 1)
    kinds = [e["t"] for e in entries]
    request = next(e for e in reversed(entries) if e["t"] == "request")
    response = next(e for e in reversed(entries) if e["t"] == "response")
    assert request["query"] == asked.leaf.hex()
    assert (response["request"], response["status"]) == (row.leaf.hex(), "ok")
    assert kinds.index("query") < kinds.index("request") < kinds.index("response")
    for entry in (request, response):
        for word in (ONE.nik, ONE.born, *ONE.name.split()):
            assert word.lower() not in json.dumps(entry).lower()
    for column in ("request", "answer"):
        assert ONE.nik.encode() not in row._mapping[column]


def test_a_request_leaves_only_when_the_log_proves_it(asking):
    asking.proved()
    address = asking.ask()
    with asking.line.database.session() as session:
        assert session.execute(select(log_pending)).all()
    with asking.answerer() as answerer:
        assert answerer.client.inbox(answerer.book.cursor(), 0)["requests"] == []
    asking.answered()
    assert TAG.findall(asking.screen.get(address)) == ["Terdaftar"]


def test_no_record_is_a_signed_answer_too(asking):
    asking.line.village.admit([replace(ONE, nik="1376014105900999")])
    try:
        address = asking.ask()
        asking.answered()
        assert TAG.findall(asking.screen.get(address)) == ["Tidak ada catatan"]
    finally:
        asking.line.village.admit([ONE])


def test_the_newest_row_of_the_agencys_own_database_is_shown(asking):
    asking.line.village.admit([replace(ONE, name="Nama Baru")])
    try:
        address = asking.ask()
        asking.answered()
        assert "Nama Baru" in asking.screen.get(address)
    finally:
        asking.line.village.admit([ONE])


def test_a_purpose_that_the_agency_does_not_grant_is_refused(asking):
    address = asking.ask("pengaduan_baru")
    asking.answered()
    page = asking.screen.get(address)
    assert TAG.findall(page) == ["Menolak menjawab"]
    assert "grant.missing" in page
    assert ONE.name not in page


def test_a_request_whose_deadline_has_passed_is_refused(asking):
    address = asking.ask()
    asking.proved()
    with asking.answerer() as answerer:
        told = answerer.client.inbox(answerer.book.cursor(), 0)
        assert told["requests"]
    asking.clock.ahead = timedelta(seconds=40)
    try:
        with asking.answerer() as answerer:
            answerer.turn(0)
            assert answerer.book.lines(1)[0].code == "deadline.passed"
    finally:
        asking.clock.ahead = timedelta()
    assert ONE.name not in asking.screen.get(address)


def test_an_agency_that_is_not_connected_shows_the_age_of_its_data(asking):
    with asking.line.database.session() as session:
        session.connection().exec_driver_sql("delete from inbox_seen")
        session.commit()
    page = asking.screen.get(asking.ask())
    assert "belum pernah terhubung" in page
    assert "Data terakhir darinya" in page
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    asking.answered()


def test_who_holds_no_grant_is_not_offered_and_not_asked(asking):
    with asking.line.database.session() as session:
        end = "update grant_ set valid_until = now() where action = 'live_check'"
        session.connection().exec_driver_sql(end)
        session.commit()
    try:
        address = asking.screen.post("/profil", person=asking.person, purpose="cek_mandiri")
        assert 'action="/langsung"' not in asking.screen.get(address)
        answer = asking.screen.client.post(
            "/langsung",
            base_url=asking.screen.origin,
            data={
                "csrf": asking.screen.csrf,
                "person": asking.person,
                "purpose": "cek_mandiri",
                "agency": "baz",
            },
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        assert answer.status_code == 422
    finally:
        with asking.line.database.session() as session:
            again = "update grant_ set valid_until = null where action = 'live_check'"
            session.connection().exec_driver_sql(again)
            session.commit()


# -- never answered twice


@dataclass(frozen=True)
class Dying:
    """A transport that dies when an answer is about to leave, or has left."""

    inner: InProcess
    after: bool

    def send(self, method, url, headers, body) -> Answer:
        if method == "PUT":
            if self.after:
                self.inner.send(method, url, headers, body)
            raise Wait("gateway.unreachable", reason="killed")
        return self.inner.send(method, url, headers, body)


@pytest.mark.parametrize("after", [False, True], ids=["before it left", "after it arrived"])
def test_a_connector_killed_around_its_answer_sends_the_same_bytes(asking, after):
    address = asking.ask()
    asking.proved()
    with asking.answerer() as answerer:
        dying = replace(answerer.client, transport=Dying(answerer.client.transport, after))
        with pytest.raises(Wait):
            replace(answerer, client=dying).turn(0)
        (kept,) = answerer.book.waiting()
    asking.line.village.admit([replace(ONE, name="Berubah Sesudahnya")])
    try:
        with asking.answerer() as answerer:
            assert answerer.book.waiting() == [kept]
            answerer.turn(0)
            assert answerer.book.waiting() == []
    finally:
        asking.line.village.admit([ONE])
    assert "Berubah" not in asking.screen.get(address)


def test_a_second_different_answer_is_refused_and_kept_as_evidence(asking):
    asking.ask()
    asking.proved()
    with asking.answerer() as answerer:
        answerer.turn(0)
        line = answerer.book.lines(1)[0]
        with asking.line.database.session() as session:
            row = session.execute(select(inbox_request).order_by(inbox_request.c.n.desc())).first()
            other = {
                "v": 1,
                "aud": asking.line.database.settings.aud,
                "rid": line.rid,
                "request_sha256": row.request_sha256.hex(),
                "agency": "baz",
                "answered_at": "2026-11-24T02:00:00Z",
                "status": "not_found",
                "values": [],
            }
        second = dsse.seal(RESPONSE_TYPE, canonical(other), [answerer.signer])
        with pytest.raises(Problem, match=r"answer\.second") as refused:
            answerer.client.put_answer(line.rid, second)
        assert (refused.value.status, "answered_at" in refused.value.details) == (409, True)
        stranger = dsse.seal(RESPONSE_TYPE, canonical(other), [Ed25519Signer.generate("baz")])
        with pytest.raises(Problem, match=r"key\.unknown"):
            answerer.client.put_answer(line.rid, stranger)
        swapped = {**other, "request_sha256": "0" * 64}
        with pytest.raises(Problem, match=r"answer\.other"):
            answerer.client.put_answer(
                line.rid, dsse.seal(RESPONSE_TYPE, canonical(swapped), [answerer.signer])
            )
    with asking.line.database.session() as session:
        kept = session.execute(select(inbox_request).where(inbox_request.c.id == row.id)).one()
    assert (kept.status, kept.conflict is not None) == ("ok", True)


def test_another_agencys_inbox_is_closed(asking):
    with asking.answerer() as answerer:
        other = replace(answerer.client, agency="dstk")
        with pytest.raises(Problem) as refused:
            other.inbox(0, 0)
    assert refused.value.status in {401, 403}


# -- what the connector believes


def _tampered(handed, how):
    envelope, (query_, query_proof), (request, request_proof) = (
        handed.envelope,
        handed.query,
        handed.request,
    )
    stranger = Ed25519Signer.generate("gateway")
    opened = dsse.parse(envelope)
    said = json.loads(opened.payload)
    match how:
        case "signed by a stranger":
            envelope = dsse.seal(opened.payload_type, opened.payload, [stranger])
        case "another kind of statement":
            envelope = dsse.seal(RESPONSE_TYPE, opened.payload, [stranger])
        case "no proof of the question":
            query_proof = request_proof
        case "no proof of the request":
            request_proof = query_proof
        case "the proof of a forged log":
            request_proof = request_proof.replace("\n— ", "\n— x", 1)
        case "another question's entry":
            query_ = request
        case "an entry about somebody else":
            request = canonical(json.loads(request) | {"commit": "0" * 64})
    assert said["subject"]["nik"] == ONE.nik
    return replace(
        handed,
        envelope=envelope,
        query=(query_, query_proof),
        request=(request, request_proof),
    )


UNPROVED = [
    "no proof of the question",
    "no proof of the request",
    "the proof of a forged log",
    "another question's entry",
    "an entry about somebody else",
]


@pytest.fixture(scope="module")
def handed(asking):
    asking.ask()
    asking.proved()
    with asking.answerer() as answerer:
        told = answerer.client.inbox(answerer.book.cursor(), 0)
    said = told["requests"][-1]
    query_, request = (
        (from_base64(said[name]["entry"]), said[name]["proof"]) for name in ("query", "request")
    )
    return Handed(said["n"], from_base64(said["envelope"]), query_, request)


@pytest.mark.parametrize("how", UNPROVED)
def test_without_a_valid_log_proof_nothing_is_looked_up(asking, handed, how):
    with asking.answerer() as answerer:
        judge = answerer.judge
        asked, _ = judge.read(handed)
        assert judge.refusal(handed, asked, asking.clock()) is None
        assert judge.refusal(_tampered(handed, how), asked, asking.clock()) == "log.unproved"


@pytest.mark.parametrize("how", ["signed by a stranger", "another kind of statement"])
def test_what_the_gateway_did_not_sign_is_not_answered_at_all(asking, handed, how):
    with asking.answerer() as answerer, pytest.raises(CallCentre, match=r"not signed|not answered"):
        answerer.judge.read(_tampered(handed, how))


def test_the_log_that_proves_must_be_the_one_that_is_witnessed(asking, handed):
    def split(_):
        raise CallCentre("trust.split", witness="baz")

    with asking.answerer() as answerer:
        judge = replace(answerer.judge, consistent=split)
        asked, _ = judge.read(handed)
        with pytest.raises(CallCentre):
            judge.refusal(handed, asked, asking.clock())


def test_oracle_budget(asking):
    """A day has a limit for each agency; what is beyond it is neither written nor sent."""
    app = asking.line.app
    ours = app.extensions["titian"]
    tight = replace(ours, settings=replace(ours.settings, live_per_day=0))
    app.extensions["titian"] = tight
    try:
        with asking.line.database.session() as session:
            before = len(session.execute(select(inbox_request)).all())
        with pytest.raises(AssertionError):
            asking.ask()
        with asking.line.database.session() as session:
            assert len(session.execute(select(inbox_request)).all()) == before
    finally:
        app.extensions["titian"] = ours


def test_many_rows_are_cut_and_only_declared_columns_leave(asking):
    more = [Villager(n, f"Kembar {n}", ONE.nik, ONE.born) for n in range(50, 60)]
    asking.line.village.admit(more)
    address = asking.ask()
    asking.answered()
    page = asking.screen.get(address)
    assert page.count("Nama di BAZ") == 5
    assert str(ONE.phone) not in page


def test_settings_cannot_ask_beyond_the_allow_list(asking):
    try:
        declare(asking.line.village, LIVE.replace('"Lahir" = "lahir"', '"Kasus" = "kekerasan"'))
        with pytest.raises(Exception, match="allow-list"):
            asking.line.village.config()
        declare(asking.line.village, LIVE.replace('from = "warga"', 'from = "kasus"'))
        with pytest.raises(Exception, match="not declared"):
            asking.line.village.config()
    finally:
        declare(asking.line.village, LIVE)
