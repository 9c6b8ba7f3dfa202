"""The pages as a browser without JavaScript sees them: who gets in, what is logged, what leaks."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

NIK = "1376015410900002"
PAGES = ("/", "/loket", "/jejak")


def count(database, table):
    with database.session() as session:
        return session.scalar(text(f"select count(*) from {table}"))


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_led_to_the_login_page(browser, path):
    answer = browser.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/masuk")


def test_a_wrong_password_says_so_and_keeps_the_name(browser):
    answer = browser.log_in("petugas", "salah-salah-salah")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 401
    assert 'value="petugas"' in page
    assert "salah-salah" not in page


def test_logging_in_opens_the_exchange_and_leaving_ends_it(browser):
    page = browser.log_in().get_data(as_text=True)
    assert "Pertukaran data hari ini" in page
    browser.post("/keluar")
    assert browser.get("/").status_code == 303


def test_the_session_cookie_is_not_for_scripts_or_other_sites(browser):
    browser.get("/masuk")
    answer = browser.client.post(
        "/masuk", data={"username": "petugas", "password": "jembatan-kecil-1"}
    )
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_every_page_carries_the_headers_of_the_design(browser):
    headers = browser.log_in().headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "script" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def test_a_search_is_logged_before_it_is_answered_and_no_nik_stands_in_a_url(browser, database):
    browser.log_in()
    browser.get("/loket")
    before = count(database, "query"), count(database, "result")
    answer = browser.client.post(
        "/cari", data={"csrf": browser.csrf, "q": NIK, "purpose": "cek_mandiri"}
    )
    assert answer.status_code == 303
    assert NIK not in answer.headers["Location"]
    assert (count(database, "query"), count(database, "result")) == (before[0] + 1, before[1])
    page = browser.get(answer.headers["Location"])
    assert "Belum terdata" in page.get_data(as_text=True)
    assert NIK not in page.get_data(as_text=True)
    assert count(database, "result") == before[1] + 1


def test_what_is_searched_for_is_nowhere_in_the_clear(browser, database):
    browser.log_in()
    browser.get("/loket")
    browser.post("/cari", q="Zulkarnaini Canarius", purpose="cek_mandiri")
    with database.session() as session:
        rows = session.execute(text("select detail from query")).scalars().all()
        leaves = session.execute(text("select entry from log_pending")).scalars().all()
    assert rows
    assert not any(b"Canarius" in bytes(r) for r in (*rows, *leaves))


@pytest.mark.parametrize(
    ("typed", "says"),
    [("ab", "tiga huruf"), ("12345", "16 digit"), ("Sit%", "tanpa tanda"), ("", "tiga huruf")],
)
def test_a_search_that_cannot_be_made_says_what_to_do(browser, typed, says):
    browser.log_in()
    browser.get("/loket")
    answer = browser.post("/cari", q=typed, purpose="cek_mandiri")
    assert answer.status_code == 422
    assert says in answer.get_data(as_text=True)


def test_a_form_without_its_token_is_refused(browser, database):
    browser.log_in()
    before = count(database, "query")
    answer = browser.client.post("/cari", data={"q": "Siti Aminah", "purpose": "cek_mandiri"})
    assert answer.status_code == 403
    assert count(database, "query") == before


def test_a_form_from_another_site_is_refused(browser):
    browser.log_in()
    answer = browser.client.post(
        "/cari",
        data={"csrf": browser.csrf, "q": "Siti Aminah", "purpose": "cek_mandiri"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403


def test_anothers_search_cannot_be_opened(app, browser):
    browser.log_in()
    browser.get("/loket")
    answer = browser.client.post(
        "/cari", data={"csrf": browser.csrf, "q": "Siti Aminah", "purpose": "cek_mandiri"}
    )
    other = type(browser)(app)
    other.log_in("petugas")
    assert other.get(answer.headers["Location"]).status_code == 404


def test_the_auditor_reads_the_trail_but_may_not_search(browser):
    browser.log_in("auditor")
    assert browser.get("/jejak").status_code == 200
    browser.get("/loket")
    answer = browser.post("/cari", q="Siti Aminah", purpose="telaah_data")
    assert answer.status_code == 403


def test_the_counter_officer_may_not_read_the_trail(browser):
    browser.log_in("petugas")
    assert browser.get("/jejak").status_code == 403


def test_the_language_is_chosen_and_stays(browser):
    browser.log_in()
    browser.post("/bahasa", language="en", back="/loket")
    assert "Find a person" in browser.get("/loket").get_data(as_text=True)


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_the_language_switch_leads_nowhere_else(browser, back):
    browser.get("/masuk")
    answer = browser.client.post("/bahasa", data={"language": "en", "back": back})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("path", ["/nowhere", "/cari/xx", "/profil/xx"])
def test_a_page_that_is_not_there_says_where_to_go(browser, path):
    browser.log_in()
    answer = browser.get(path)
    assert answer.status_code == 404
    assert "halaman utama" in answer.get_data(as_text=True)


def test_health_readiness_and_metrics_hold_counts_only(browser):
    assert browser.get("/healthz").json == {"status": "ok"}
    assert browser.get("/readyz").json == {"status": "ok"}
    metrics = browser.get("/metrics").get_data(as_text=True)
    assert "titian_outbox_open" in metrics
    assert "titian_log_size" in metrics


def test_guesses_in_parallel_are_all_counted(app):
    def guess(_):
        client = app.test_client()
        return client.post("/masuk", data={"username": "budi", "password": "x" * 12}).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(guess, range(8)))
    assert codes.count(429) >= 3
