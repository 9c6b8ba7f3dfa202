"""The account's and the administrators' pages in a real browser: keyboard alone, axe, no overflow."""

import re
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from demo.processes import Centre
from gateway.access import factors, sessions, totp
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from tests.browser.conftest import PASSWORD
from tests.browser.test_desk import check
from tests.trust.enrolling import Agency

PIN = "274913"
SIZES = [(1366, 768), (390, 844)]
OFFICERS = {
    "satu": (Role.KEY_ADMIN,),
    "dua": (Role.UPT_COORDINATOR,),
    "tiga": (Role.COUNTER_OFFICER,),
    "empat": (Role.KEY_ADMIN,),
}


@pytest.fixture(scope="module")
def centre(database, tmp_path_factory):
    with database.session() as session:
        for name, roles in OFFICERS.items():
            new = NewOfficer(name, f"{name.title()} Petugas", "upt-kan", roles, PASSWORD)
            made = sessions.add_officer(session, new)
            factors.set_pin(session, made, PIN)
        session.commit()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = replace(database.settings, origin=f"http://127.0.0.1:{port}", second_factor="off")
    made = Centre(settings, tmp_path_factory.mktemp("logs"))
    made.serve(port=port)
    yield settings.origin
    made.stop()


@pytest.fixture
def pending(database):
    made = Agency(database, now=datetime.now(UTC).replace(microsecond=0)).invited()
    return made.enrolled()


@pytest.fixture
def open_page(chromium, centre):
    contexts = []

    def opened(name, size=SIZES[0], *, language="id"):
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, java_script_enabled=True
        )
        contexts.append(context)
        context.add_cookies([{"name": "titian-bahasa", "value": language, "url": centre}])
        page = context.new_page()
        page.goto(centre + "/masuk")
        page.fill("#username", name)
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/masuk" not in url)
        return page

    yield opened
    for context in contexts:
        context.close()


def tab_to(page, selector, most=60):
    """Reach an element as somebody without a mouse would."""
    wanted = page.locator(selector).first
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted.evaluate("e => e === document.activeElement"):
            return
    pytest.fail(f"{selector} is not reached by Tab")


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("size", SIZES, ids=["desk", "phone"])
def test_every_new_page_is_accessible_and_fits(open_page, centre, pending, size, language):
    page = open_page("satu", size, language=language)
    for path in (
        "/instansi",
        "/instansi/_baru",
        f"/instansi/{pending.code}",
        "/akun",
        "/akun/kata-sandi",
        "/akun/faktor",
        "/akun/pin",
    ):
        page.goto(centre + path)
        check(page)
    page.goto(f"{centre}/instansi/{pending.code}")
    page.fill("#groups", "aaaa aaaa")
    page.fill("#reason-approve_key", "dicocokkan lewat telepon")
    page.locator("#reason-approve_key").press("Enter")
    expect(page.locator("pre.statement")).to_be_visible()
    check(page)


def test_a_key_is_approved_by_keyboard_alone(open_page, centre, pending):
    page = open_page("satu")
    tab_to(page, "a[href='/instansi']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/instansi")
    tab_to(page, f"a[href='/instansi/{pending.code}']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/instansi/{pending.code}")
    assert pending.end.split()[0] not in page.content()
    tab_to(page, "#groups")
    page.keyboard.type(pending.end)
    tab_to(page, "#reason-approve_key")
    page.keyboard.type("dicocokkan lewat telepon")
    page.keyboard.press("Enter")
    expect(page.locator("pre.statement")).to_contain_text("dicocokkan lewat telepon")
    tab_to(page, "#password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**hasil=recorded")
    expect(page.locator("[role=status]")).to_contain_text("seorang lagi")


def test_a_phone_is_set_up_by_keyboard_and_its_page_is_accessible(open_page, centre, database):
    page = open_page("empat")
    page.goto(centre + "/akun/faktor")
    tab_to(page, "#password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_focused()
    check(page)
    link = page.locator("a[href^='otpauth:']").get_attribute("href")
    secret = totp.base64.b32decode(re.search(r"secret=([A-Z2-7]+)", link)[1])
    page.keyboard.type(totp.code_of(secret, totp.step_of(datetime.now(UTC))))
    page.keyboard.press("Enter")
    expect(page.locator("ol.secret li")).to_have_count(8)
    check(page)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_the_locked_screen_keeps_what_was_typed(open_page, chromium, centre, database, scripts):
    context = chromium.new_context(java_script_enabled=scripts)
    page = context.new_page()

    def log_in(name):
        page.goto(centre + "/masuk")
        page.fill("#username", name)
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(centre + "/")

    log_in("dua")
    page.goto(centre + "/akun")
    page.fill("#name", "Loket 1")
    page.keyboard.press("Enter")
    page.wait_for_url("**hasil=workstation")
    page.get_by_role("button", name="Keluar").click()
    log_in("tiga")
    page.goto(centre + "/loket")
    page.fill("#q", "Siti Aminah")
    with database.session() as session:  # a quarter of an hour passes
        session.execute(
            text("update login_session set seen_at = seen_at - :idle"),
            {"idle": timedelta(minutes=16)},
        )
        session.commit()
    page.keyboard.press("Enter")
    expect(page.locator("#pin")).to_be_focused()
    assert "Siti Aminah" not in page.content()
    if scripts:
        check(page)
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")
    expect(page.locator("main button")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/cari/*")
    assert "Belum terdata" in page.inner_text("h1")
    context.close()
