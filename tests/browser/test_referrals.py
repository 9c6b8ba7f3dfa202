"""The agency desk and the mayor's approvals in a real browser: by keyboard, in a minute, no axe fault."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from playwright.sync_api import expect

from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.complaints import registering, service
from gateway.complaints.clock import Now
from gateway.complaints.model import Act, Actor, Body, Channel, Desk
from gateway.complaints.needs import Wanted
from gateway.complaints.registering import Registration
from gateway.complaints.service import Target
from schemas.profile import Profile
from tests.browser.conftest import PASSWORD
from tests.browser.test_desk import check
from tests.complaints.conftest import LISTED, ROSMAINI
from tests.programs.conftest import PROGRAM, index_tools, publish

__all__ = ["index_tools", "publish"]

PROFILE = Profile.load("payakumbuh")
SCHOOL, DEVICE = "tunggakan_sekolah", "alat_bantu"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def database(database):
    """As the demo runs: the mayor's delegate needs no second factor here."""
    return replace(database, settings=replace(database.settings, second_factor="off"))


@pytest.fixture(scope="module")
def cases(database, origin, publish):
    """Referrals of two agencies, registered and issued through the one door."""
    criteria = {"field": "desil", "max": 4}
    publish({**PROGRAM, "need_kinds": [SCHOOL], "name": "Bantuan " + HOSTILE, "criteria": criteria})
    publish(
        {**PROGRAM, "program_code": "dinkes-2025-02", "need_kinds": [DEVICE], "bidang": "KESEHATAN"}
    )
    with database.session() as session:
        for name, unit, role in (
            ("telaah", "disdik", Role.AGENCY_REVIEWER),
            ("wali", "upt-kan", Role.MAYOR_DELEGATE),
        ):
            sessions.add_officer(session, NewOfficer(name, name.title(), unit, (role,), PASSWORD))
        now = Now(date(2025, 11, 3), datetime.now(UTC))
        officer = Actor(("counter_officer",), "upt-kan")
        desk = Desk(officer, database.vault, PROFILE, now)
        made = []
        for n in range(14):
            kind = SCHOOL if n < 8 else DEVICE
            told = {
                **ROSMAINI,
                "nik": "",
                "birth_date": f"19{50 + n}-01-01",
                "name": f"Rosmaini {n}",
            }
            body = Body(told, "", {}, f"Menunggak {HOSTILE}", LISTED)
            given = Registration(body, [Wanted(kind)], Channel.COUNTER, date(2025, 11, 3))
            case = registering.register(session, given, desk).case
            target = Target(case.ticket.id, case.needs[0].id)
            service.handle(session, target, Act("issue_referral"), desk)
            if kind == DEVICE:
                reviewer = desk.by(Actor(("agency_reviewer",), "dinkes"))
                service.handle(session, target, Act("acknowledge"), reviewer)
                data = {"amount_idr": 500_000}
                service.handle(session, target, Act("recommend_to_mayor", data=data), reviewer)
            made.append(case.ticket.number)
        session.commit()
    return made


def log_in(page, origin, name):
    page.goto(origin + "/masuk")
    page.fill("#username", name)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(origin + "/")


@pytest.fixture
def window(chromium, cases):
    """A window of a given width and language, in which nobody is logged in."""
    opened = []

    def make(width=1366, language="id", origin=None):
        context = chromium.new_context(viewport={"width": width, "height": 800})
        if origin:
            made = {"name": "titian-bahasa", "value": language, "url": origin}
            context.add_cookies([made])
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        return page

    yield make
    for context in opened:
        context.close()


def test_from_the_link_to_a_decision_within_a_minute_by_keyboard(window, origin):
    page, begun = window(), time.monotonic()
    page.goto(origin + "/meja-instansi")
    page.wait_for_url("**/masuk")
    page.locator("#username").focus()
    page.keyboard.type("telaah", delay=120)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD, delay=120)
    page.keyboard.press("Enter")
    page.wait_for_url(origin + "/")
    page.get_by_role("link", name="Meja instansi").press("Enter")
    page.wait_for_url("**/meja-instansi")
    page.keyboard.press("n")
    page.wait_for_url("**/meja-instansi/*/*")
    page.locator("input[value=approve]").focus()
    page.keyboard.press("Space")
    page.locator("#amount_idr").focus()
    page.keyboard.type("500.000", delay=120)
    page.keyboard.press("Enter")
    page.wait_for_url("**/putusan")
    expect(page.locator("pre.statement")).to_contain_text('"amount_idr":"500000"')
    page.locator("#password").focus()
    page.keyboard.type(PASSWORD, delay=120)
    page.keyboard.press("Enter")
    page.wait_for_url("**/meja-instansi?hasil=approve*")
    expect(page.locator("[role=status]")).to_contain_text("tersimpan")
    assert time.monotonic() - begun <= 60


@pytest.mark.parametrize(("width", "language"), [(1366, "id"), (1366, "en"), (390, "id")])
def test_every_page_is_accessible_and_fits_and_no_script_of_others_runs(
    window, origin, width, language
):
    page, broken = window(width, language, origin), []
    page.on("console", lambda m: broken.append(m.text) if m.type == "error" else None)
    page.on("dialog", lambda d: broken.append(d.message))
    page.goto(origin + "/program")
    check(page)
    log_in(page, origin, "telaah")
    for path in ("/program?keadaan=running", "/program?bidang=SOSIAL_BUDAYA", "/meja-instansi"):
        page.goto(origin + path)
        check(page)
    page.locator("tbody button").first.press("Enter")
    page.wait_for_url("**/meja-instansi/*/*")
    assert HOSTILE in page.inner_text("main")
    check(page)
    page = window(width, language, origin)
    log_in(page, origin, "wali")
    page.goto(origin + "/persetujuan")
    assert "Rosmaini" not in page.content()
    check(page)
    assert broken == []


def confirm(page):
    """Prove oneself where that is asked for, and go on."""
    if page.locator("#password").count():
        page.fill("#password", PASSWORD)
    page.locator("main form .button").first.click()


def test_who_comes_second_or_back_is_told_and_nothing_is_decided_twice(window, origin):
    page = window()
    log_in(page, origin, "telaah")
    page.goto(origin + "/meja-instansi")
    page.keyboard.press("n")
    page.wait_for_url("**/meja-instansi/*/*")
    sheet = page.url
    late = page.context.new_page()
    for each, event in ((page, "decline"), (late, "return_referral")):
        each.goto(sheet)
        each.check(f"input[value={event}]")
        each.fill("#reason", "tidak sesuai syarat")
        each.locator("form.decide .button").click()
        each.wait_for_selector("pre.statement")
    confirm(page)
    page.wait_for_url("**/meja-instansi?hasil=decline*")
    confirm(late)
    expect(late.locator("[role=alert]")).to_contain_text("tidak dapat dilakukan lagi")
    expect(late.locator("form.decide")).to_have_count(0)
    page.goto(sheet)  # as the back button does
    expect(page.locator("form.decide")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("Tidak ada yang perlu Anda putuskan")


def test_scenario_16_the_mayor_ticks_several_under_one_decree(window, origin):
    page = window()
    log_in(page, origin, "wali")
    page.goto(origin + "/persetujuan")
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.fill("#decree", "SK-12/2025")
    page.keyboard.press("Enter")
    page.wait_for_selector("pre.statement")
    assert page.inner_text("pre.statement").count(":500000") == 2
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("[role=status]")).to_contain_text("2 dari 2")
