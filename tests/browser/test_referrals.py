"""The agency desk and the mayor's approvals in a real browser: by keyboard, in a minute, no axe fault."""

import time
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
        officer = Actor(("upt_coordinator",), "upt-kan")
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
def fresh(page, origin, cases):
    """The same window, with nobody logged in."""
    page.context.clear_cookies()
    return page


def test_from_the_link_to_a_decision_within_a_minute_by_keyboard(fresh, origin):
    page, begun = fresh, time.monotonic()
    page.goto(origin + "/meja-instansi")
    page.wait_for_url("**/masuk")
    page.keyboard.press("Tab") if page.evaluate("document.activeElement.id") != "username" else None
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
    first = page.locator("input[name=event]").first
    assert first.get_attribute("value") == "return_referral" or first.is_visible()
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


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_page_is_accessible_and_fits_and_no_script_of_others_runs(fresh, origin, language):
    page, broken = fresh, []
    page.context.add_cookies([{"name": "titian-bahasa", "value": language, "url": origin}])
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
    page.context.clear_cookies()
    page.context.add_cookies([{"name": "titian-bahasa", "value": language, "url": origin}])
    log_in(page, origin, "wali")
    page.goto(origin + "/persetujuan")
    assert "Rosmaini" not in page.content()
    check(page)
    assert broken == []


def test_back_button_and_double_submit_are_told_and_nothing_is_decided_twice(
    fresh, origin, database
):
    page = fresh
    log_in(page, origin, "telaah")
    page.goto(origin + "/meja-instansi")
    page.keyboard.press("n")
    page.wait_for_url("**/meja-instansi/*/*")
    sheet = page.url
    page.check("input[value=decline]")
    page.fill("#reason", "tidak sesuai syarat")
    page.locator("form.decide button").click()
    page.fill("#password", PASSWORD)
    page.locator("main form button").click()
    page.wait_for_url("**/meja-instansi?hasil=decline*")
    page.go_back()
    page.goto(sheet)
    expect(page.locator("form.decide")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("Tidak ada yang perlu Anda putuskan")
    # the form of a second window, sent late
    page.goto(origin + "/meja-instansi")
    answer = page.evaluate(
        """async ([path, csrf]) => { const r = await fetch(path, {method: 'POST', headers:
        {'Content-Type': 'application/x-www-form-urlencoded'}, body: new URLSearchParams(
        {csrf, event: 'approve', amount_idr: '500000', query: path.split('/')[3]})});
        return [r.status, await r.text()]; }""",
        [
            "/meja-instansi/" + sheet.split("/")[4] + "/putusan",
            page.locator("input[name=csrf]").first.get_attribute("value"),
        ],
    )
    assert answer[0] in (200, 409)


def test_scenario_16_the_mayor_ticks_several_under_one_decree(fresh, origin, database):
    page = fresh
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
