"""An agency's answer comes onto the page by itself, with the page's script and without any."""

from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from connectors.answerer import Answerer
from connectors.asked import Judge
from connectors.client import Client, RequestsTransport
from connectors.evidence import Anchors
from connectors.inboxfile import InboxFile
from connectors.live import Live
from gateway.trust.anchors import anchors
from keys.httpsig import LogSeen
from tests.browser.conftest import PASSWORD
from tests.browser.test_desk import check, registered
from tests.intake import factory
from workers.app import Tools
from workers.integrate import integrate

LIVE = Live("mustahik", {"nik": "nik"}, {"Asnaf": "asnaf"}, frozenset({"pengaduan_baru"}))


class Register:
    """The agency's own database."""

    def few(self, *_: object) -> list[dict[str, object]]:
        return [{"asnaf": "<b>Fakir</b>"}]


@pytest.fixture(scope="module")
def answerer(database, origin, tmp_path_factory):
    before = datetime.now(UTC) - timedelta(minutes=1)
    agency = factory.enrol(database, "baz", now=before, live=True)
    trusted = anchors(database.settings, database.vault)
    known = Anchors(trusted.aud, trusted.log_vkey, {trusted.receipt_kid: trusted.receipt_key})
    folder = tmp_path_factory.mktemp("baz")
    with ExitStack() as stack:
        transport = stack.enter_context(closing(RequestsTransport()))
        book = stack.enter_context(closing(InboxFile.open(folder / "inbox.sqlite")))
        yield Answerer(
            client=Client(origin, "baz", transport, agency.signer, _now, LogSeen),
            book=book,
            judge=Judge("baz", known, LIVE, lambda _found: None),
            signer=agency.signer,
            looker=Register(),
            clock=_now,
            evidence=folder / "evidence",
        )


@pytest.fixture(scope="module")
def tools(database):
    made = Tools.of(database.settings)
    yield made
    made.sessions.kw["bind"].dispose()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_an_answer_comes_onto_the_page_by_itself(chromium, origin, town, answerer, tools, script):
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, java_script_enabled=script
    )
    page = context.new_page()
    refused = []
    page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    page.goto(origin + "/masuk")
    page.fill("#username", "rina")
    page.fill("#password", PASSWORD)
    page.locator("main button").first.click()
    page.goto(origin + "/loket")
    page.fill("#q", registered(town).values["nik"])
    page.locator("#q").press("Enter")
    page.wait_for_url("**/cari/*")
    page.locator("ol.people button").first.click()
    page.wait_for_url("**/profil/*")
    page.get_by_role("button", name="Tanya sekarang").click()
    expect(page.locator("#langsung .tag")).to_have_text("Menunggu jawaban")
    if not script:
        page.wait_for_url("**/langsung/*")
    integrate(tools)
    answerer.turn(0)
    expect(page.locator("#langsung .tag")).to_have_text("Terdaftar", timeout=15_000)
    expect(page.locator("#langsung dd")).to_have_text("<b>Fakir</b>")
    assert ("/profil/" in page.url) is script
    if script:
        check(page)
    assert refused == []
    context.close()


def _now() -> datetime:
    return datetime.now(UTC)
