"""From the login to paper, and a survey on a phone whose line breaks; accessible and small."""

import os

import pytest
from playwright.sync_api import expect

from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.complaints import registering
from gateway.complaints.clock import Now
from gateway.complaints.model import Actor, Body, Channel, Desk
from gateway.complaints.needs import Wanted
from gateway.complaints.registering import Registration
from schemas.profile import Profile
from tests.browser.conftest import PASSWORD
from tests.browser.test_counter import check, counter
from tests.complaints.conftest import MONDAY, officer
from tests.letters.test_press import words
from tests.trust.enrolling import NOW

__all__ = ["counter"]

HOSTILE = "<img src=x onerror=alert(1)> Siti"


@pytest.fixture(scope="module")
def numbers(database, origin):
    """Two tickets that wait for a survey, one of a person with a hostile name."""
    profile, found = Profile.load("payakumbuh"), []
    actor = Actor.of(officer(Role.COUNTER_OFFICER))
    with database.session() as session:
        roles = (Role.FIELD_VERIFIER, Role.UPT_COORDINATOR)
        sessions.add_officer(session, NewOfficer("sari", "Sari", "upt-kan", roles, PASSWORD))
        for n, name in enumerate((HOSTILE, "Zainab")):
            person = {
                "name": name,
                "birth_date": f"197{n}-02-03",
                "kelurahan": "13.76.01.1021",
                "rt": "002",
            }
            body = Body(person, "", {}, "", {"verdict": "unlisted", "stale": []})
            given = Registration(body, [Wanted("rutilahu")], Channel.COUNTER, MONDAY)
            desk = Desk(actor, database.vault, profile, Now(MONDAY, NOW))
            found.append(registering.register(session, given, desk).case.ticket.number)
        session.commit()
    return found


@pytest.fixture
def phone(chromium, origin, numbers):
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.said = []
    page.on("console", lambda m: page.said.append(m.text) if m.type == "error" else None)
    page.on("request", lambda r: page.said.append(r.url) if not r.url.startswith(origin) else None)
    page.on("dialog", lambda d: page.said.append(d.message))
    log_in(page, origin)
    yield page
    context.close()


def log_in(page, origin) -> None:
    page.goto(origin + "/masuk")
    page.fill("#username", "sari")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(origin + "/")


def fill(page) -> None:
    for each in page.locator("form > fieldset input[value='tidak']").all():
        each.check()
    page.check("input[name='q_floor'][value='ya']")
    page.fill("#witness", "Ketua RT 002")


def test_a_sheet_outlives_a_lost_line_and_a_closed_page_and_is_sent_once(phone, origin, numbers):
    where = f"{origin}/survei/{numbers[0]}"
    phone.goto(where)
    expect(phone.locator("h1")).to_have_text("Lembar survei")
    check(phone)
    phone.context.set_offline(True)
    fill(phone)
    expect(phone.locator("#survei-kabar")).to_contain_text("Tersimpan di perangkat")
    phone.click("text=Kirim lembar")
    expect(phone.locator("#survei-kabar")).to_contain_text("Tidak ada sinyal")
    phone.said.clear()  # the browser itself names the lost line
    phone.context.set_offline(False)  # it goes out by itself
    expect(phone.locator("#survei-kabar")).to_have_text("Lembar survei terkirim.")
    assert phone.evaluate("localStorage.length") == 0
    phone.goto(f"{where}/telaah")
    expect(phone.locator("main")).to_contain_text("Ketua RT 002")
    expect(phone.locator("main")).to_contain_text(HOSTILE)
    check(phone)


def test_what_the_centre_refuses_stays_on_the_device(phone, origin, numbers):
    where = f"{origin}/survei/{numbers[1]}"
    phone.goto(where)
    phone.check("input[name='q_floor'][value='ya']")
    phone.click("text=Kirim lembar")
    expect(phone.locator("#survei-kabar")).to_contain_text("Jawab setiap pertanyaan")
    phone.said.clear()  # the browser names the 422
    phone.reload()
    expect(phone.locator("input[name='q_floor'][value='ya']")).to_be_checked()
    fill(phone)
    phone.context.clear_cookies()
    phone.click("text=Kirim lembar")
    expect(phone.locator("#survei-kabar")).to_contain_text("masuk lagi")
    log_in(phone, origin)
    phone.goto(where)
    expect(phone.locator("#survei-kabar")).to_have_text("Lembar survei terkirim.")
    phone.goto(origin + "/survei")
    expect(phone.locator(f"a[href='/survei/{numbers[1]}/telaah']")).to_be_visible()
    check(phone)


def test_the_page_of_a_letter_is_accessible(phone, origin, numbers):
    phone.goto(f"{origin}/s/{'a' * 16}")
    expect(phone.locator("h1")).to_have_text("Surat ini bukan dari kami")
    phone.said.clear()  # the browser names the 404
    check(phone)
    phone.goto(f"{origin}/tiket/{numbers[1]}")
    expect(phone.locator("main")).to_contain_text("Surat dan cetakan")
    check(phone)
    with phone.context.expect_page():
        phone.get_by_role("button", name="Cetak tanda terima").click()


def test_a_first_time_officer_gets_from_the_login_to_a_printed_referral(chromium, origin, counter):
    """Only by what the screens say; WALK_PICTURES names a folder for pictures of each screen."""
    context = chromium.new_context(viewport={"width": 1100, "height": 720})
    page = context.new_page()
    page.goto(origin)
    shoot(page, "masuk")
    page.get_by_label("Nama pengguna").fill("budi")
    page.get_by_label("Kata sandi").fill(PASSWORD)
    page.get_by_role("button", name="Masuk").click()
    page.get_by_role("link", name="Loket", exact=True).click()
    page.get_by_role("searchbox").fill(counter.values["nik"])  # sixteen digits search by themselves
    shoot(page, "cari")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cari/*")
    shoot(page, "hasil")
    page.get_by_role("button", name="Buka").first.click()
    page.wait_for_url("**/profil/*")
    shoot(page, "profil")
    page.get_by_role("button", name="Pengaduan baru", exact=True).click()
    page.wait_for_url("**/pengaduan/draf/*")
    page.get_by_label("Tunggakan sekolah", exact=False).first.check()
    page.get_by_label("Uraian singkat").fill("Menunggak uang sekolah dua semester")
    if not page.get_by_label("Kelurahan").input_value():  # the town has invented ones
        page.get_by_label("Kelurahan").select_option("13.76.01.1021")
    shoot(page, "pengaduan")
    page.get_by_role("button", name="Simpan sebagai tiket").click()
    page.wait_for_url("**/tanda-terima/*")
    shoot(page, "tanda-terima")
    page.get_by_role("button", name="Rujuk semua kebutuhan").click()
    page.wait_for_url("**/tiket/*")
    letter = page.get_by_role("button", name="Cetak surat")
    shoot(page, "surat")
    where = letter.evaluate("e => e.form.getAttribute('action')")
    csrf = letter.evaluate("e => e.form.csrf.value")
    headers = {"Origin": origin}
    printed = page.request.post(origin + where, form={"csrf": csrf}, headers=headers)
    assert "Surat Rujukan" in words(printed.body())
    context.close()


def shoot(page, name: str) -> None:
    """A picture for docs/how-to/loket.md, where somebody asks for it."""
    folder = os.environ.get("WALK_PICTURES")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png")
