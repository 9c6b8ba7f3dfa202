"""The desk in a real browser: keyboard alone, no overflow, axe without a serious finding."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

SERIOUS = {"serious", "critical"}


def registered(town):
    return next(s for s in town if s.agency == "dukcapil")


def serious(page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['help']}" for v in found if v["impact"] in SERIOUS]


def overflow(page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def check(page) -> None:
    assert serious(page) == []
    assert overflow(page) <= 0


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_page_is_accessible_and_fits(page, origin, town, language):
    page.context.add_cookies([{"name": "titian-bahasa", "value": language, "url": origin}])
    for path in ("/", "/loket", "/jejak"):
        page.goto(origin + path)
        check(page)
    page.goto(origin + "/loket")
    page.fill("#q", registered(town).values["name_source"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/cari/*")
    page.locator("ol.people summary").first.click()
    assert page.locator("ol.people svg.bits").first.is_visible()
    check(page)
    page.locator("ol.people button").first.press("Enter")
    page.wait_for_url("**/profil/*")
    check(page)


def test_a_person_is_found_and_opened_by_keyboard_alone(page, origin, town):
    known = registered(town)
    page.goto(origin + "/loket")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type(known.values["nik"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/cari/*")
    assert known.values["nik"] not in page.content()
    expect(page.locator("ol.people button").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/profil/*")
    assert known.values["name_source"] in page.inner_text("h1")
    assert known.values["nik"] not in page.content()
    assert known.values["nik"] not in page.url


def test_the_nik_is_shown_only_when_revealed_and_never_in_an_address(page, origin, town):
    known = registered(town)
    page.goto(origin + "/loket")
    page.fill("#q", known.values["nik"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/cari/*")
    page.locator("ol.people button").first.click()
    page.wait_for_url("**/profil/*")
    page.locator("button[class*=plain]", has_text="Tampilkan NIK").click()
    page.wait_for_url("**/nik")
    shown = page.inner_text("main").replace(" ", "")
    assert known.values["nik"] in shown
    assert known.values["nik"] not in page.url


def test_the_login_page_is_accessible(chromium, origin):
    page = chromium.new_page()
    page.goto(origin + "/masuk")
    check(page)
    page.close()
