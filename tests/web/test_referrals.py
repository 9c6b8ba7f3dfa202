"""The agencies' desk over HTTP: whose it is, what is logged, what a late or wrong form is told."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.complaints import registering, service
from gateway.complaints.clock import Now
from gateway.complaints.model import Act, Actor, Body, Channel, Desk
from gateway.complaints.needs import Wanted
from gateway.complaints.registering import Registration
from gateway.complaints.service import Target
from gateway.storage import ids
from tests.complaints.conftest import LISTED, MONDAY, PROFILE, ROSMAINI, SCHOOL
from tests.programs.conftest import PROGRAM, index_tools, publish
from tests.web.conftest import PASSWORD, Browser

__all__ = ["index_tools", "publish"]

_FIELDS = re.compile(r'name="(\w+)" value="([^"]*)"')


@pytest.fixture(scope="module")
def house(app, database, publish):
    criteria = {"all": [{"field": "desil", "max": 4}, {"not": {"field": "sex", "is": "L"}}]}
    publish({**PROGRAM, "need_kinds": [SCHOOL], "criteria": criteria, "residency_rule": "KTP_CITY"})
    with database.session() as session:
        for name, unit, role in (
            ("telaah", "disdik", Role.AGENCY_REVIEWER),
            ("tetangga", "dinkes", Role.AGENCY_REVIEWER),
            ("wali", "upt-kan", Role.MAYOR_DELEGATE),
        ):
            sessions.add_officer(session, NewOfficer(name, name.title(), unit, (role,), PASSWORD))
        session.commit()
    return database


@pytest.fixture
def need(house):
    """The id of a need that was referred to DISDIK, and its ticket's number."""
    with house.session() as session:
        desk = Desk(
            Actor(("counter_officer",), "upt-kan"),
            house.vault,
            PROFILE,
            Now(MONDAY, datetime.now(UTC)),
        )
        told = {**ROSMAINI, "nik": "", "birth_date": "1961-02-03", "name": "Rosmaini"}
        body = Body(told, "", {}, "Menunggak dua bulan", LISTED)
        given = Registration(body, [Wanted(SCHOOL)], Channel.COUNTER, MONDAY, note="lagi")
        case = registering.register(session, given, desk).case
        service.handle(
            session, Target(case.ticket.id, case.needs[0].id), Act("issue_referral"), desk
        )
        session.commit()
    return ids.show(case.needs[0].id), case.ticket.number


def at(app, name):
    browser = Browser(app)
    browser.log_in(name)
    return browser


def open_need(browser, need_id):
    browser.get("/meja-instansi")
    page = browser.post(f"/meja-instansi/{need_id}")
    return page, page.request.path.rsplit("/", 1)[1]


def confirm(browser, page, path):
    fields = dict(_FIELDS.findall(page.get_data(as_text=True)))
    fields.pop("csrf", None)
    return browser.post(path, **fields | {"password": PASSWORD})


def test_the_catalogue_is_for_everybody_and_says_the_rules_in_words(app, house):
    page = Browser(app).get("/program?keadaan=running").get_data(as_text=True)
    assert "Perlengkapan Sekolah" in page
    assert "KTP kota ini; Desil: paling tinggi 4; tidak berlaku: Jenis kelamin: L" in page
    assert "Tidak ada program seperti itu" in Browser(app).get("/program?bidang=X").get_data(
        as_text=True
    )


def test_who_opens_a_referral_has_received_it_and_the_look_is_logged(app, house, need):
    browser = at(app, "telaah")
    page, query = open_need(browser, need[0])
    said = page.get_data(as_text=True)
    assert "Rosmaini" in said
    assert "Desil belum diketahui; syarat: paling tinggi 4" in said
    assert "Ditelaah SKPD" in said
    with house.session() as session:
        looks = session.scalars(text("select action from query")).all()
    assert "case" in looks
    assert at(app, "tetangga").get(f"/meja-instansi/{need[0]}/{query}").status_code == 404


@pytest.mark.parametrize(("name", "status"), [("tetangga", 404), ("petugas", 403), ("wali", 404)])
def test_nobody_else_opens_it(app, house, need, name, status):
    browser = at(app, name)
    browser.get("/program")
    assert browser.post(f"/meja-instansi/{need[0]}").status_code == status


def test_a_decision_is_confirmed_once_and_a_double_submit_is_told(app, house, need):
    browser = at(app, "telaah")
    _, query = open_need(browser, need[0])
    path = f"/meja-instansi/{need[0]}/putusan"
    page = browser.post(path, event="approve", amount_idr="Rp500.000,-", query=query)
    assert "amount_idr&#34;:&#34;500000" in page.get_data(as_text=True)
    done = confirm(browser, page, path)
    assert f"Keputusan atas tiket {need[1]} tersimpan." in done.get_data(as_text=True)
    again = confirm(browser, page, path)
    assert again.status_code == 409
    assert "tidak dapat dilakukan lagi" in again.get_data(as_text=True)


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"event": "approve", "amount_idr": "1"}, 422, "di luar rentang program"),
        ({"event": "approve", "amount_idr": "banyak"}, 422, "jumlah bantuan dalam rupiah"),
        ({"event": "propose_next_fy", "target_fy": "x"}, 422, "empat angka"),
        ({"event": "decline"}, 422, "alasan"),
        ({"event": "queue"}, 409, "Program masih berjalan"),
    ],
    ids="range words year reason room".split(),
)
def test_a_wrong_form_keeps_what_was_typed_and_changes_nothing(
    app, house, need, form, status, said
):
    browser = at(app, "telaah")
    _, query = open_need(browser, need[0])
    path = f"/meja-instansi/{need[0]}/putusan"
    page = browser.post(path, query=query, **form)
    assert page.status_code == status
    assert said in page.get_data(as_text=True)
    with house.session() as session:
        state = session.scalar(
            text("select state from need where id = :id"), {"id": ids.parse(need[0])}
        )
    assert state == "under_review"


def test_an_agency_does_not_decide_on_the_ticket_page(app, house, need):
    browser = at(app, "telaah")
    open_need(browser, need[0])
    page = browser.post(
        f"/tiket/{need[1]}/langkah", event="approve", need=need[0], amount_idr="500000"
    )
    assert page.status_code == 403


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"event": "mayor_approve", "decree": "SK-1"}, "Centang sedikitnya satu"),
        ({"event": "mayor_approve", "need": "x"}, "nomor keputusan"),
        ({"event": "mayor_reject", "need": "x"}, "Tuliskan alasannya"),
        ({"event": "approve", "need": "x"}, "Pilih setujui"),
    ],
    ids="none decree reason event".split(),
)
def test_what_the_mayors_form_lacks_is_said(app, house, form, said):
    browser = at(app, "wali")
    browser.get("/persetujuan")
    page = browser.post("/persetujuan", **form)
    assert page.status_code == 422
    assert said in page.get_data(as_text=True)
