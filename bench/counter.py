"""`counter`: a listed person registered and referred by keys alone, at a human's speed.

A driven Chromium types as the keystroke-level model says of a skilled clerk: 0.2 s a key, and
1.35 s of thought before each thing that he decides. So the figure is that of a person, not of a
machine: what it measures of us is how many keys and decisions the pages ask for, and our waits.

Source: Card, Moran, Newell, The Keystroke-Level Model (1980).
"""

import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.figure import Figure
from bench.lab import PROFILE, BenchFailed, House, Lab, house, password, serving
from bench.people import people
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer, add_officer
from gateway.index import modelfile
from gateway.index import service as index
from gateway.index.arrivals import Arrival, IndexTools, Origin
from gateway.storage import ids
from schemas.line import content_hash
from schemas.profile import Profile

BAR = 60.0
KEY_SECONDS, THOUGHT_SECONDS = 0.2, 1.35
_SAID = "menunggak uang sekolah tiga bulan"


@dataclass(slots=True)
class Clerk:
    """Somebody at the keyboard; a quick one does not think."""

    page: Page
    quick: bool

    def press(self, key: str) -> None:
        """Decide, then press one key."""
        self._wait(THOUGHT_SECONDS)
        self.page.keyboard.press(key)
        self._wait(KEY_SECONDS)

    def type(self, words: str) -> None:
        """Type a text."""
        self._wait(THOUGHT_SECONDS)
        self.page.keyboard.type(words, delay=0 if self.quick else KEY_SECONDS * 1000)

    def _wait(self, seconds: float) -> None:
        if not self.quick:
            time.sleep(seconds)


def run(lab: Lab) -> list[Figure]:
    """Seconds from the empty box to the referred ticket."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise BenchFailed("no Chromium on this machine")
    with house(lab, "counter") as centre:
        nik = _people(centre)
        secret = password()
        with centre.sessions.begin() as session:
            new = NewOfficer("petugas", "Petugas", "upt-kan", (Role.COUNTER_OFFICER,), secret)
            add_officer(session, new)
        with serving(centre), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page()
            _log_in(page, centre.settings.origin, secret)
            taken = _serve(Clerk(page, lab.quick), centre.settings.origin, nik)
            browser.close()
    return [
        Figure(
            name="counter",
            value=round(taken, 1),
            unit="s of keystrokes",
            bar=BAR,
            holds=taken <= BAR,
        )
    ]


def _log_in(page: Page, origin: str, secret: str) -> None:
    page.goto(origin + "/masuk")
    page.fill("#username", "petugas")
    page.fill("#password", secret)
    page.keyboard.press("Enter")
    page.wait_for_url(origin + "/")


def _serve(clerk: Clerk, origin: str, nik: str) -> float:
    page = clerk.page
    page.goto(origin + "/loket")
    started = time.perf_counter()
    clerk.type(nik)
    clerk.press("Enter")
    page.wait_for_url("**/cari/*")
    clerk.press("Enter")
    page.wait_for_url("**/profil/*")
    clerk.press("n")
    page.wait_for_url("**/pengaduan/draf/*")
    clerk.press("2")
    clerk.press("k")
    clerk.type(_SAID)
    clerk.press("Control+Enter")
    page.wait_for_url("**/tanda-terima/*")
    clerk.press("r")
    page.wait_for_url("**/tiket/*")
    taken = time.perf_counter() - started
    if "Dalam Layanan" not in page.inner_text("main"):
        raise BenchFailed("the ticket was not referred")
    return taken


def _people(centre: House) -> str:
    """A small city of which one person stands on a list; his NIK."""
    tools = IndexTools(centre.vault, Profile.load(PROFILE), modelfile.load())
    persons = list(people(200))
    kelurahan = next(iter(tools.profile.wilayah.active)).kemendagri
    persons[0]["address_ktp"] = {**persons[0].get("address_ktp", {}), "kelurahan": kelurahan}
    on_list = {
        "person": "p.0",
        "list_code": "DTSEN",
        "list_period": "2025",
        "desil": 2,
        "listing_status": "active",
    }
    with centre.sessions() as session:
        batch_id = ids.new()
        rows = [_arrival(n, f"p.{n}", values) for n, values in enumerate(persons)]
        index.absorb(session, Origin("dukcapil", "person", batch_id, _now()), rows, tools)
        session.commit()
        index.reconcile(session, batch_id, tools)
        one = Origin("dukcapil", "listing", ids.new(), _now())
        index.absorb(session, one, [_arrival(0, "l.0", on_list)], tools)
        session.commit()
    return str(persons[0]["nik"])


def _arrival(n: int, source_id: str, values: dict[str, Any]) -> Arrival:
    content = content_hash(values, "put")
    return Arrival(n, "put", source_id, 1, None, content, values, n.to_bytes(32))


def _now() -> datetime:
    return datetime.now(UTC)
