"""Agencies and keys through the pages: who may, what is shown, what is confirmed and logged."""

import re
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.app import create_app
from gateway.web.edge import install
from keys.enrolment import parse_ticket
from tests.trust.enrolling import Agency
from tests.trust.test_reenrolling import Returning
from tests.web.conftest import PASSWORD, Browser

OFFICERS = {
    "satu": (Role.KEY_ADMIN,),
    "dua": (Role.MAYOR_DELEGATE,),
    "tiga": (Role.KEY_ADMIN, Role.UPT_COORDINATOR),
    "auditor": (Role.AUDITOR,),
    "loket": (Role.COUNTER_OFFICER,),
}
_SHOWN = re.compile(r'name="shown" value="([0-9a-f]{64})"')


class Clock:
    def __init__(self):
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def clock():
    return Clock()


@pytest.fixture(scope="module")
def app(database, clock):
    made = create_app(replace(database.settings, second_factor="off"))
    edge = made.extensions["titian"]
    install(made, replace(edge, clock=clock))
    with database.session() as session:
        for name, roles in OFFICERS.items():
            new = NewOfficer(name, name.title(), "upt-kan", roles, PASSWORD)
            sessions.add_officer(session, new)
        session.commit()
    yield made
    edge.sessions.kw["bind"].dispose()


@pytest.fixture
def person(app):
    def logged_in(name):
        made = Browser(app)
        made.log_in(name)
        return made

    return logged_in


@pytest.fixture
def pending(database, clock):
    """An agency, created by an officer who is none of these, whose key waits for approval."""
    made = Agency(database, now=clock.now).invited()
    made.enrolled()
    return made


def page(answer):
    return answer.get_data(as_text=True)


def confirmed(browser, path, *, password=PASSWORD, **fields):
    """Read the statement, then confirm it, as a browser without JavaScript would."""
    fields = {"reason": "dicocokkan lewat telepon", **fields}
    shown = _SHOWN.search(page(browser.post(path, **fields)))
    if shown is None:
        return browser.post(path, **fields)
    return browser.post(path, **fields, shown=shown[1], password=password)


def count(database, kind):
    with database.session() as session:
        return session.scalar(
            text("select count(*) from confirmation where kind = :kind"), {"kind": kind}
        )


def test_an_agency_goes_from_created_to_active_through_the_pages(person, database, clock):
    code = "dinas-" + secrets.token_hex(3).replace("9", "a")
    admin = person("satu")
    fields = {
        "code": code,
        "label": "Dinas Sosial",
        "records": ["person", "benefit"],
        "basis": "PKS-1",
    }
    admin.get("/instansi/_baru")
    asked = admin.post("/instansi/_baru", **fields, reason="perjanjian baru")
    assert "Teks pernyataan" in page(asked)
    assert "&#34;label&#34;:&#34;Dinas Sosial&#34;" in page(asked)
    assert "Instansi terdaftar" in page(confirmed(admin, "/instansi/_baru", **fields))
    ticket = confirmed(admin, f"/instansi/{code}/tiket")
    assert ticket.headers["Content-Disposition"] == f'attachment; filename="{code}.ticket.json"'
    agency = Agency(database, code=code, now=clock.now)
    agency.ticket = parse_ticket(page(ticket), now=clock.now)
    agency.enrolled()
    first = confirmed(person("tiga"), f"/instansi/{code}/setujui", groups=agency.end)
    assert "seorang lagi" in page(first)
    done = confirmed(person("dua"), f"/instansi/{code}/setujui", groups=agency.end)
    assert "instansi aktif" in page(done)
    assert agency.signer.public.fingerprint() in page(done)
    assert "dicocokkan lewat telepon" in page(done)


def test_session_single_administrator_cannot_approve_himself(person, database, clock):
    admin = person("satu")
    code = "dinas-" + secrets.token_hex(3).replace("9", "a")
    fields = {"code": code, "label": "Dinas", "records": ["person"], "basis": "PKS-1"}
    confirmed(admin, "/instansi/_baru", **fields)
    agency = Agency(database, code=code, now=clock.now)
    ticket = confirmed(admin, f"/instansi/{code}/tiket")
    agency.ticket = parse_ticket(page(ticket), now=clock.now)
    agency.enrolled()
    shown = page(admin.get(f"/instansi/{code}"))
    assert "/setujui" not in shown
    assert "tidak boleh menyetujuinya" in shown
    before = count(database, "approve_key")
    for _ in range(2):
        answer = confirmed(admin, f"/instansi/{code}/setujui", groups=agency.end)
        assert answer.status_code == 403
    assert count(database, "approve_key") == before


def test_session_one_person_cannot_be_both_approvers(person, pending):
    path = f"/instansi/{pending.code}/setujui"
    admin = person("tiga")
    assert "seorang lagi" in page(confirmed(admin, path, groups=pending.end))
    again = confirmed(admin, path, groups=pending.end)
    assert again.status_code == 409
    assert "orang lain" in page(again)


def test_the_second_approver_cannot_be_first(person, pending):
    answer = confirmed(person("dua"), f"/instansi/{pending.code}/setujui", groups=pending.end)
    assert answer.status_code == 403


def test_the_screen_does_not_show_what_must_be_read_out(person, pending):
    browser = person("tiga")
    end = pending.signer.public.fingerprint().split()[-2:]
    pages = [
        page(browser.get("/instansi")),
        page(browser.get(f"/instansi/{pending.code}")),
        page(
            browser.post(
                f"/instansi/{pending.code}/setujui", groups="aaaa aaaa", reason="coba saja"
            )
        ),
    ]
    for shown in pages:
        assert not any(group in shown for group in end)


def test_three_wrong_answers_close_the_approval(person, pending):
    browser, path = person("tiga"), f"/instansi/{pending.code}/setujui"
    for _ in range(3):
        assert "percobaan tercatat" in page(confirmed(browser, path, groups="aaaa aaaa"))
    closed = confirmed(browser, path, groups=pending.end)
    assert closed.status_code == 429


def test_a_key_that_is_not_the_agency_s_is_rejected(person, pending):
    done = confirmed(person("dua"), f"/instansi/{pending.code}/tolak")
    assert "Kunci ditolak" in page(done)
    assert confirmed(person("dua"), f"/instansi/{pending.code}/tolak").status_code == 409


def test_stepup_a_wrong_password_changes_nothing_and_says_so(person, pending, database):
    before = count(database, "reject_key")
    answer = confirmed(person("tiga"), f"/instansi/{pending.code}/tolak", password="salah-salah-x")
    assert answer.status_code == 401
    assert "Tidak ada yang diubah" in page(answer)
    assert count(database, "reject_key") == before


def test_stepup_serves_a_batch_of_decisions_for_five_minutes(person, database, clock):
    codes = [Agency(database, now=clock.now).invited().code for _ in range(3)]
    browser = person("satu")
    browser.get("/instansi")
    before = browser.client.get_cookie("titian").value
    confirmed(browser, f"/instansi/{codes[0]}/tiket")
    assert browser.client.get_cookie("titian").value != before
    clock.now += timedelta(minutes=4)
    asked = browser.post(f"/instansi/{codes[1]}/tiket", reason="tiket kedua")
    assert 'name="password"' not in page(asked)
    answer = confirmed(browser, f"/instansi/{codes[1]}/tiket", password="")
    assert answer.content_type == "application/json"
    clock.now += timedelta(minutes=1)
    asked = browser.post(f"/instansi/{codes[2]}/tiket", reason="tiket ketiga")
    assert 'name="password"' in page(asked)


def test_assertion_wrong_statement(person, pending, database):
    """The hash of one text does not carry out another."""
    browser, path = person("tiga"), f"/instansi/{pending.code}/tolak"
    shown = _SHOWN.search(page(browser.post(path, reason="alasan yang satu")))[1]
    before = count(database, "reject_key")
    answer = browser.post(path, reason="alasan yang lain", shown=shown, password=PASSWORD)
    assert "Bacalah lagi" in page(answer)
    assert count(database, "reject_key") == before


def test_csrf_an_agency_s_forms_need_their_token(person, pending):
    browser = person("satu")
    for act in ("tiket", "setujui", "tolak"):
        answer = browser.client.post(
            f"/instansi/{pending.code}/{act}", data={"reason": "tanpa token"}
        )
        assert answer.status_code == 403


def test_a_reason_is_needed(person, pending):
    browser = person("tiga")
    browser.get("/instansi")
    answer = browser.post(f"/instansi/{pending.code}/tolak", reason=" ")
    assert answer.status_code == 422


def test_the_auditor_looks_and_does_nothing(person, pending):
    browser = person("auditor")
    shown = page(browser.get(f"/instansi/{pending.code}"))
    assert 'name="reason"' not in shown
    assert browser.get("/instansi").status_code == 200
    assert browser.get("/instansi/_baru").status_code == 403
    for act in ("tiket", "setujui", "tolak"):
        answer = browser.post(f"/instansi/{pending.code}/{act}", reason="tidak boleh")
        assert answer.status_code == 403


def test_the_counter_sees_no_agencies(person):
    browser = person("loket")
    assert browser.get("/instansi").status_code == 403
    assert "/instansi" not in page(browser.get("/"))


def test_an_agency_enrols_anew_through_the_pages(person, database, clock):
    owner = Returning(database, now=clock.now).active().lost_everything()
    path, maker = f"/instansi/{owner.code}", person("satu")
    assert "Daftar ulang dengan tiket" in page(maker.get(path))
    ticket = confirmed(maker, f"{path}/tiket-ulang")
    owner.ticket = parse_ticket(page(ticket), now=clock.now)
    owner.sent_again()
    shown = page(maker.get(path))
    assert "Pendaftaran ulang menunggu persetujuan." in shown
    assert "/kunci/setujui" not in shown, "whoever made the ticket does not approve"
    assert owner.signer.public.fingerprint() not in shown
    assert confirmed(maker, f"{path}/kunci/setujui", groups=owner.end).status_code == 403
    assert confirmed(maker, f"{path}/tiket-ulang").status_code == 409
    first = confirmed(person("tiga"), f"{path}/kunci/setujui", groups=owner.end)
    assert "seorang lagi" in page(first)
    done = confirmed(person("dua"), f"{path}/kunci/setujui", groups=owner.end)
    assert "perubahan berlaku" in page(done)
    assert owner.publishes()


@pytest.mark.parametrize("name", ["dua", "auditor", "loket"])
def test_who_makes_no_ticket_to_enrol_anew(person, database, clock, name):
    owner = Returning(database, now=clock.now).active()
    assert confirmed(person(name), f"/instansi/{owner.code}/tiket-ulang").status_code == 403


def test_an_unknown_agency_is_not_found(person):
    assert person("satu").get("/instansi/tiada").status_code == 404


def test_a_key_that_runs_out_soon_is_warned_of(person, pending, clock):
    for name in ("tiga", "dua"):
        confirmed(person(name), f"/instansi/{pending.code}/setujui", groups=pending.end)
    start = clock.now
    clock.now = start + timedelta(days=115, hours=1)
    try:
        shown = page(person("satu").get("/instansi"))
    finally:
        clock.now = start
    assert f"/instansi/{pending.code}" in shown.split("Semua instansi")[0]
    assert "4 hari" in shown


def test_stepup_an_administrator_without_a_phone_decides_nothing(database, pending):
    strict = create_app(database.settings)
    try:
        browser = Browser(strict)
        browser.log_in("satu")
        with database.session() as session:
            session.execute(text("update officer set logins = 0 where username = 'satu'"))
            session.commit()
        answer = browser.post(f"/instansi/{pending.code}/tolak", reason="tanpa ponsel")
        assert answer.status_code == 403
        assert "faktor kedua" in page(answer)
    finally:
        strict.extensions["titian"].sessions.kw["bind"].dispose()
