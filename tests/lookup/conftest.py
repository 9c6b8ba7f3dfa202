"""One agency that lets itself be asked at once, and an officer who asks; nothing is patched."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.answerer import Answerer
from connectors.assembly import Outside, open_hands
from connectors.inboxfile import InboxFile
from connectors.listening import open_answerer
from connectors.memory import Memory
from tests.line import test_one_record as one_record
from tests.line.test_one_record import ONE, PASSPHRASE, PASSWORD, PERSON, Line, Screen
from tests.line.village import Village
from workers.integrate import integrate

line = one_record.line

LIVE = """
[live.lookup]
from = "warga"
purposes = ["cek_mandiri"]
match = { nik = "nik" }
show = { "Nama di BAZ" = "nama", "Lahir" = "lahir" }
"""


@dataclass
class Clock:
    """The real time, moved by hand."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Asking:
    """Both ends: the officer's screen and the agency's answerer."""

    line: Line
    screen: Screen
    person: str
    clock: Clock

    def ask(self, purpose: str = "cek_mandiri") -> str:
        """Ask the agency about the person; the address of the answers."""
        self.screen.get("/loket")
        return self.screen.post("/langsung", person=self.person, purpose=purpose, agency="baz")

    @contextmanager
    def answerer(self, **changes: object) -> Iterator[Answerer]:
        config = self.line.village.config()
        outside = Outside(self.clock, lambda: PASSPHRASE, transport=self.line.transport)
        with ExitStack() as stack:
            memory = stack.enter_context(closing(Memory.open(config.places.memory)))
            hands = open_hands(config, memory, outside)
            yield replace(open_answerer(hands, config, outside, stack), **changes)

    def proved(self) -> None:
        """The log's integrator had its turn."""
        integrate(self.line.tools)

    def answered(self) -> None:
        """Integrate, then one turn of the answerer."""
        self.proved()
        with self.answerer() as answerer:
            answerer.turn(0)

    def book(self) -> InboxFile:
        return InboxFile.open(self.line.village.config().places.inbox)


def declare(village: Village, live: str) -> None:
    """Let the village's settings end with this section."""
    village.settle_batches(5_000)
    text = village.settings_file.read_text(encoding="utf-8")
    village.settings_file.write_text(text + live, encoding="utf-8")


@pytest.fixture(scope="module")
def asking(line: Line) -> Asking:
    declare(line.village, LIVE)
    line.enrol(live=True)
    line.publish()
    integrate(line.tools)
    line.work()
    screen = Screen(line.app.test_client(), line.database.settings.origin)
    screen.get(screen.post("/masuk", username="petugas", password=PASSWORD))
    screen.get("/loket")
    page = screen.get(screen.post("/cari", q=ONE.nik, purpose="cek_mandiri"))
    (person,) = PERSON.findall(page)
    return Asking(line, screen, person, Clock())


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.pages.live.FIRST_WAIT", 0.0)


TAG = re.compile(r'<span class="tag[^"]*">([^<]+)</span>')
