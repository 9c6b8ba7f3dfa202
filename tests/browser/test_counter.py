"""The counter in a real browser: keyboard alone, drafts over a lost line, accessible and small."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import text

from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.index import modelfile
from gateway.index.arrivals import IndexTools
from schemas.profile import Profile
from tests.browser.conftest import PASSWORD
from tests.browser.test_desk import overflow, registered
from tests.web.test_counter import HOSTILE, give_listing

BUDGET = 150_000


@pytest.fixture(scope="module")
def counter(database, origin, town):
    """An officer of the counter, and a person whom a list holds."""
    tools = IndexTools(database.vault, Profile.load("payakumbuh"), modelfile.load())
    give_listing(database, tools, registered(town), 77)
    with database.session() as session:
        new = NewOfficer("budi", "Budi Loket", "upt-kan", (Role.COUNTER_OFFICER,), PASSWORD)
        sessions.add_officer(session, new)
        session.commit()
    return registered(town)


@pytest.fixture(params=[(1366, 768), (390, 844)], ids=["desk", "phone"])
def officer(request, chromium, origin, counter):
    width, height = request.param
    context = chromium.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.said = []
    page.on("console", lambda m: page.said.append(m.text) if m.type == "error" else None)
    page.on("request", lambda r: page.said.append(r.url) if not r.url.startswith(origin) else None)
    page.goto(origin + "/masuk")
    page.fill("#username", "budi")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(origin + "/")
    yield page
    context.close()


def check(page) -> None:
    found = Axe().run(page).response["violations"]
    assert [f"{v['id']}: {v['help']}" for v in found] == []
    assert overflow(page) <= 0
    assert len(page.content().encode()) < BUDGET
    assert page.said == []


def open_form(page, origin, said):
    page.goto(origin + "/loket")
    page.keyboard.type(said.values["nik"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/cari/*")
    page.keyboard.press("Enter")
    page.wait_for_url("**/profil/*")
    page.keyboard.press("n")
    page.wait_for_url("**/pengaduan/draf/*")


def test_scenario_1_by_keys_alone_from_the_box_to_a_referral(officer, origin, counter, database):
    page = officer
    open_form(page, origin, counter)
    check(page)
    page.keyboard.press("2")
    expect(page.locator("input[value=tunggakan_sekolah]")).to_be_checked()
    page.keyboard.press("?")
    expect(page.locator("#tombol")).to_have_attribute("open", "")
    page.locator("input[value=tunggakan_sekolah]").focus()
    page.keyboard.press("k")
    page.keyboard.type("menunggak " + HOSTILE)
    if not page.locator("#kelurahan").input_value():  # the town has invented ones
        page.locator("#kelurahan").select_option("13.76.01.1021")
    page.locator("#note").evaluate("e => { e.value = 'uji' }")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/tanda-terima/*")
    check(page)
    number = re.search(r"PKN-\d{4}-\d{6}-\d", page.inner_text("main"))[0]
    pin = page.inner_text("strong.num")
    page.keyboard.press("r")
    page.wait_for_url("**/tiket/*")
    assert "Dalam Layanan" in page.inner_text("main")
    assert HOSTILE in page.inner_text(".narrative")
    check(page)
    for path in ("/antrean", "/antrean?siapa=saya", "/antrean/serah-terima", "/pengaduan"):
        page.goto(origin + path)
        check(page)
    page.goto(origin + "/antrean")
    page.keyboard.press("n")
    page.wait_for_url("**/tiket/*")
    with database.session() as session:
        session.execute(text("delete from tracking_try"))
        session.commit()
    page.goto(origin + "/lacak")
    check(page)
    page.keyboard.type(number)
    page.keyboard.press("Tab")
    page.keyboard.type(pin)
    page.keyboard.press("Enter")
    expect(page.locator(".verdict-line")).to_contain_text("Dirujuk")
    check(page)
    page.goto(origin + "/lapor")
    check(page)


@pytest.mark.parametrize("officer", [(1366, 768)], indirect=True, ids=["desk"])
def test_scenario_6_what_is_typed_while_the_line_is_down_is_sent_when_it_is_back(
    officer, origin, counter
):
    page = officer
    open_form(page, origin, counter)
    page.keyboard.press("3")
    page.keyboard.press("k")
    page.context.set_offline(True)
    page.keyboard.type("hujan deras")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#draf-kabar")).to_contain_text("Sambungan terputus")
    assert page.locator("#narrative").input_value() == "hujan deras"
    page.said.clear()  # the browser itself complains of the line
    page.locator("#note").evaluate("e => { e.value = 'uji' }")
    page.locator("#kelurahan").evaluate("e => { e.value = '13.76.01.1021' }")
    page.context.set_offline(False)
    page.wait_for_url("**/tanda-terima/*")
    assert page.locator("strong.num").count() == 1
