"""Sessions through the pages: fixation, devices, locked screens, second factor, forged forms."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from gateway.access import factors, sessions, totp
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.app import create_app
from gateway.ledger import query as ledger
from gateway.web import show
from gateway.web.edge import Edge, install
from keys.canonical import read_json
from tests.web.conftest import PASSWORD, Browser

PIN = "274913"
_SECRET = re.compile(r"secret=([A-Z2-7]{32})&")


class Clock:
    """A clock that a test turns forward."""

    def __init__(self):
        self.now = datetime.now(UTC)

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def strict(database):
    """An app whose roles need a second factor, on a clock of its own."""
    made = create_app(database.settings)
    old = made.extensions["titian"]
    clock = Clock()
    install(made, Edge(old.settings, old.sessions, old.vault, clock, old.profile, old.revision))
    made.clock = clock
    with database.session() as session:
        for name, role in (
            ("rina", Role.COUNTER_OFFICER),
            ("budi", Role.COUNTER_OFFICER),
            ("kepala", Role.UPT_COORDINATOR),
            ("sari", Role.KEY_ADMIN),
        ):
            officer = sessions.add_officer(
                session, NewOfficer(name, name.title(), "upt-kan", (role,), PASSWORD)
            )
            if name == "rina":
                factors.set_pin(session, officer, PIN)
        session.commit()
    yield made
    old.sessions.kw["bind"].dispose()


@pytest.fixture
def browser(strict):
    return Browser(strict)


@pytest.fixture
def clock(strict):
    strict.clock.now += timedelta(hours=9)
    return strict.clock


def cookie(browser, name="titian"):
    found = browser.client.get_cookie(name)
    return found and found.value


def page(answer):
    return answer.get_data(as_text=True)


@pytest.fixture
def desk(browser, clock):
    """Rina at a registered workstation."""
    browser.log_in("kepala")
    browser.get("/akun")
    assert "terdaftar" in page(browser.post("/akun/komputer", name="Loket 1"))
    browser.log_in("rina")
    browser.get("/loket")
    return browser


def test_session_fixation_a_planted_token_is_not_taken_over(browser):
    planted = "A" * 43
    browser.client.set_cookie("titian", planted)
    browser.log_in("rina")
    assert cookie(browser) != planted
    stranger = Browser(browser.client.application)
    stranger.client.set_cookie("titian", planted)
    assert stranger.get("/").status_code == 303


def test_session_each_login_has_a_new_token_and_ends_the_device_s_old_one(browser):
    browser.log_in("rina")
    first, device = cookie(browser), cookie(browser, "titian-perangkat")
    browser.log_in("rina")
    assert cookie(browser) != first
    assert cookie(browser, "titian-perangkat") == device
    stolen = Browser(browser.client.application)
    stolen.client.set_cookie("titian", first)
    assert stolen.get("/").status_code == 303


def test_session_the_officer_sees_two_devices_and_ends_the_other(browser):
    other = Browser(browser.client.application)
    other.log_in("budi")
    browser.log_in("budi")
    shown = page(browser.get("/akun"))
    assert shown.count('name="session"') == 1
    found = re.search(r'name="session" value="([a-z2-7]{26})"', shown)
    assert "Sesi itu berakhir" in page(browser.post("/akun/sesi", session=found[1]))
    assert other.get("/").status_code == 303
    assert browser.get("/").status_code == 200


def test_session_of_another_officer_cannot_be_ended(browser):
    other = Browser(browser.client.application)
    other.log_in("budi")
    third = Browser(browser.client.application)
    third.log_in("budi")
    found = re.search(r'name="session" value="([a-z2-7]{26})"', page(third.get("/akun")))
    browser.log_in("rina")
    browser.get("/akun")
    assert browser.post("/akun/sesi", session=found[1]).status_code == 404
    assert browser.post("/akun/sesi", session="x").status_code == 404
    assert other.get("/").status_code == 200


def test_session_leaving_clears_what_the_browser_kept(browser):
    browser.log_in("rina")
    browser.get("/loket")
    answer = browser.client.post("/keluar", data={"csrf": browser.csrf})
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert browser.get("/").status_code == 303


def test_session_locked_screen_keeps_what_was_typed(desk, clock):
    before = cookie(desk)
    clock.now += timedelta(minutes=20)
    locked = desk.post("/cari", q="Siti Aminah", purpose="cek_mandiri")
    assert locked.status_code == 401
    assert "Layar terkunci" in page(locked)
    assert "Siti" not in page(locked)
    kept = re.search(r'name="kept" value="([^"]+)"', page(locked))[1]
    wrong = desk.post("/buka", pin="000000", kept=kept)
    assert "2 kali" in page(wrong)
    resumed = desk.post("/buka", pin=PIN, kept=kept)
    assert 'name="q" value="Siti Aminah"' in page(resumed)
    assert 'action="/cari"' in page(resumed)
    assert cookie(desk) != before
    found = desk.post("/cari", q="Siti Aminah", purpose="cek_mandiri")
    assert "tercatat" in page(found)


def test_session_on_a_computer_that_is_removed_ends(strict, desk):
    head = Browser(strict)
    head.log_in("kepala")
    shown = page(head.get("/akun"))
    handles = re.findall(r'name="device" value="([0-9a-f]{64})"', shown)
    assert handles
    for handle in handles:
        assert "tidak terdaftar lagi" in page(head.post("/akun/komputer/hapus", device=handle))
    assert head.post("/akun/komputer/hapus", device=handles[0]).status_code == 404
    assert desk.get("/loket").status_code == 303
    desk.log_in("rina")
    desk.get("/akun")
    assert desk.post("/akun/komputer/hapus", device=handles[0]).status_code == 403


def test_session_locked_by_hand_comes_back_to_the_page(desk):
    assert "Layar terkunci" in page(desk.post("/kunci"))
    locked = desk.get("/loket?x=1")
    kept = re.search(r'name="kept" value="([^"]+)"', page(locked))[1]
    answer = desk.client.post("/buka", data={"csrf": desk.csrf, "pin": PIN, "kept": kept})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/loket?x=1")
    assert desk.get("/loket").status_code == 200


def test_session_locked_screen_ends_after_three_wrong_pins(desk, clock):
    clock.now += timedelta(minutes=20)
    desk.get("/loket")
    for _ in range(3):
        answer = desk.post("/buka", pin="000000", kept="")
    assert "Gunakan akun petugas" in page(answer)
    assert desk.post("/buka", pin=PIN, kept="").status_code in {200, 303}
    assert desk.get("/").status_code == 303


def test_session_locked_shows_nothing_to_the_api(desk, clock):
    clock.now += timedelta(minutes=20)
    answer = desk.client.post("/v1/verifications", json={}, headers={"X-Titian-Csrf": desk.csrf})
    assert answer.status_code == 401


def test_session_a_forged_keep_leads_to_the_main_page(desk):
    desk.post("/kunci")
    answer = desk.client.post("/buka", data={"csrf": desk.csrf, "pin": PIN, "kept": "bm90aGluZw=="})
    assert answer.headers["Location"] == "/"


def test_session_off_a_workstation_ends_when_idle(browser, clock):
    browser.log_in("budi")
    clock.now += timedelta(minutes=15)
    assert browser.get("/").headers["Location"] == "/masuk"


def test_session_that_ended_keeps_what_was_sent_for_the_same_officer(browser, clock):
    browser.log_in("budi")
    browser.get("/loket")
    clock.now += timedelta(minutes=20)
    sent = browser.post("/cari", q="Xyzzq Plughh", purpose="cek_mandiri")
    assert sent.status_code == 401
    assert "Xyzzq" not in page(sent)
    kept = re.search(r'name="kept" value="([^"]+)"', page(sent))[1]
    back = page(browser.post("/masuk", username="budi", password=PASSWORD, kept=kept))
    assert 'name="q" value="Xyzzq Plughh"' in back
    other = Browser(browser.client.application)
    led = other.post("/masuk", username="rina", password=PASSWORD, kept=kept)
    assert "Xyzzq" not in page(led)


def test_csrf_unlocking_needs_the_form_s_own_token(desk):
    desk.post("/kunci")
    assert desk.client.post("/buka", data={"pin": PIN}).status_code == 403
    answer = desk.client.post(
        "/buka", data={"csrf": desk.csrf, "pin": PIN}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/akun/sesi", "/akun/komputer", "/akun/komputer/hapus", "/akun/kata-sandi", "/akun/pin", "/akun/faktor/mulai",
     "/akun/faktor/selesai", "/kunci", "/keluar"],
)  # fmt: skip
def test_csrf_every_form_of_the_account_needs_its_token(browser, path):
    browser.log_in("budi")
    assert browser.client.post(path, data={}).status_code == 403
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = browser.client.post(path, data={"csrf": browser.csrf}, headers=foreign)
    assert answer.status_code == 403
    assert browser.get(path).status_code in {200, 404, 405}


def test_a_password_is_changed_and_an_easy_one_is_not(browser):
    browser.log_in("budi")
    browser.get("/akun/kata-sandi")
    answer = browser.post("/akun/kata-sandi", password=PASSWORD, new="payakumbuh-2025")
    assert answer.status_code == 422
    assert "mudah ditebak" in page(answer)
    assert browser.post("/akun/kata-sandi", password="x", new="kuda hijau lampu").status_code == 401
    done = browser.post("/akun/kata-sandi", password=PASSWORD, new="kuda hijau lampu")
    assert "Kata sandi diganti" in page(done)
    browser.get("/akun/kata-sandi")
    browser.post("/akun/kata-sandi", password="kuda hijau lampu", new=PASSWORD)


def test_a_pin_is_chosen(browser):
    browser.log_in("budi")
    browser.get("/akun/pin")
    assert browser.post("/akun/pin", password=PASSWORD, pin="123456").status_code == 422
    assert browser.post("/akun/pin", password="x", pin="581734").status_code == 401
    assert "PIN disimpan" in page(browser.post("/akun/pin", password=PASSWORD, pin="581734"))


def test_totp_an_administrator_sets_up_his_phone_before_anything_else(browser, clock):
    assert "Pertukaran" in page(browser.log_in("sari"))
    second = browser.log_in("sari")
    assert "Peran Anda memerlukan faktor kedua" in page(second)
    assert browser.get("/loket").headers["Location"] == "/akun/faktor"
    browser.get("/akun/faktor")
    assert browser.post("/akun/faktor/mulai", password="x").status_code == 401
    shown = page(browser.post("/akun/faktor/mulai", password=PASSWORD))
    secret = totp.base64.b32decode(_SECRET.search(shown)[1])
    assert show.qr(totp.link(secret, "Titian", "sari")) in shown
    assert "style=" not in show.qr("x"), "the page's policy takes no style of its own"
    assert browser.post("/akun/faktor/selesai", code="000000").status_code == 422
    code = totp.code_of(secret, totp.step_of(clock.now))
    done = browser.post("/akun/faktor/selesai", code=code)
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", page(done))
    assert len(codes) == 8
    assert browser.get("/loket").status_code == 200
    # the code that set it up does not log in as well
    assert browser.post("/masuk", username="sari", password=PASSWORD, code=code).status_code == 401
    assert browser.post("/masuk", username="sari", password=PASSWORD).status_code == 401
    clock.now += timedelta(seconds=60)
    code = totp.code_of(secret, totp.step_of(clock.now))
    assert "Pertukaran" in page(
        browser.post("/masuk", username="sari", password=PASSWORD, code=code)
    )
    assert "Pertukaran" in page(
        browser.post("/masuk", username="sari", password=PASSWORD, code=codes[0])
    )


def test_query_log_chain(browser, database):
    """Who denies having looked: his look is in the log under his pseudonym, and on his own page."""
    browser.log_in("budi")
    assert "Belum ada akses" in page(browser.get("/akun"))
    browser.get("/loket")
    browser.post("/cari", q="Siti Aminah", purpose="cek_mandiri")
    assert "Warga memeriksa datanya" in page(browser.get("/akun"))
    with database.session() as session:
        row = session.execute(
            text(
                "select q.leaf, q.officer_id, q.at from query q join officer o"
                " on o.id = q.officer_id where o.username = 'budi'"
            )
        ).one()
        entry = read_json(ledger.entry(session, bytes(row.leaf)))
    label = f"officer/{row.at.year}"
    assert entry["officer"] == database.vault.hmac(label, [row.officer_id.bytes])[0].hex()


def test_every_answer_carries_the_headers_of_the_design(browser):
    for path in (
        "/masuk",
        "/akun",
        "/static/titian.css",
        "/healthz",
        "/v1/openapi.json",
        "/nowhere",
    ):
        answer = browser.get(path)
        answer.close()
        headers = answer.headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]


def test_session_cookies_over_https_are_bound_to_the_host(strict, database):
    made = create_app(replace(database.settings, origin="https://titian.example"))
    try:
        client = made.test_client()
        answer = client.post(
            "/masuk",
            data={"username": "rina", "password": PASSWORD},
            base_url="https://titian.example",
            headers={"Origin": "https://titian.example"},
        )
        cookies = answer.headers.getlist("Set-Cookie")
        assert {c.split("=")[0] for c in cookies} == {"__Host-titian", "__Host-titian-perangkat"}
        for each in cookies:
            assert all(flag in each for flag in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"))
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    finally:
        made.extensions["titian"].sessions.kw["bind"].dispose()


def test_at_login_one_sees_when_it_was_the_last_time_and_what_one_looked_at(browser, clock):
    first = clock.now
    browser.log_in("budi")
    clock.now += timedelta(hours=1)
    again = page(browser.log_in("budi"))
    assert f"Anda masuk sebelumnya pada {show.moment(first)}" in again
    browser.get("/loket")
    for n in range(6):
        browser.post("/cari", q=f"Orang {n}", purpose="cek_mandiri")
    shown = page(browser.get("/"))
    assert shown.count("Warga memeriksa datanya") == 5
    assert "Orang" not in shown.split("Terakhir kali")[1].split("</section>")[0]


def test_the_time_left_is_said_in_both_languages(browser):
    for _ in range(3):
        browser.post("/masuk", username="nobody", password="x")
    refused = browser.post("/masuk", username="nobody", password="x")
    assert refused.status_code == 429
    assert "Tunggu 0:02 (menit:detik)" in page(refused)
    browser.client.set_cookie("titian-bahasa", "en")
    refused = browser.post("/masuk", username="nobody", password="x")
    assert "Wait 0:02 (minutes:seconds)" in page(refused)
