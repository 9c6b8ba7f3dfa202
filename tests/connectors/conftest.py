"""A small agency with its gateway: a source, its settings, and the command as an officer types it."""

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors import cli
from connectors.memory import Memory
from keys.keystore import Cost, KeyStore
from tests.connectors import gateway as fake

SETTINGS = """
agency = "baz"
profile = "payakumbuh"
basis = "PKS-1"
batch_records = {batch}
every_seconds = 1

[source]
kind = "sql"
url = "sqlite:///baz.sqlite"

[source.tables]
mustahik = ["id", "nama", "nik", "tgl_lahir", "kel", "hapus", "diubah"]

[[publish]]
name = "mustahik"
record_type = "person"
from = "mustahik"
key = ["id"]
{more}
[publish.fields]
name_source = {{ from = "nama", max = 120 }}
nik = {{ from = "nik", as = "nik" }}
birth_date = {{ from = "tgl_lahir", as = "date", precision = true }}
"""


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@dataclass
class Agency:
    """One agency's folder: `run("publish")` is what its officer types."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    @property
    def config(self) -> Path:
        return self.folder / "titian.toml"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def settings(self, text: str = SETTINGS, *, batch: int = 50, more: str = "") -> None:
        self.config.write_text(text.format(batch=batch, more=more), encoding="utf-8")

    def run(self, *arguments: str, lang: str = "en") -> Answer:
        argv = ["titian-connector", "--config", str(self.config), "--lang", lang, *arguments]
        self.monkeypatch.setattr(sys, "argv", argv)
        self.capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = self.capsys.readouterr()
        return Answer(code, out, err)

    def database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "baz.sqlite", isolation_level=None)

    def rows(self, count: int, *, first: int = 1) -> None:
        with closing(self.database()) as db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS mustahik(id INTEGER PRIMARY KEY, nama TEXT, nik TEXT, "
                "tgl_lahir TEXT, kel TEXT, hapus INTEGER DEFAULT 0, diubah INTEGER DEFAULT 0)"
            )
            db.execute("BEGIN")
            for n in range(first, first + count):
                db.execute(
                    "INSERT INTO mustahik(id, nama, nik, tgl_lahir, diubah) VALUES(?, ?, ?, ?, ?)",
                    (
                        n,
                        f"Orang {n:05d}",
                        f"13760110068{n % 10}{n % 9000 + 1:04d}",
                        "10/06/1980",
                        n,
                    ),
                )
            db.execute("COMMIT")

    def sql(self, statement: str, *values: object) -> None:
        with closing(self.database()) as db:
            db.execute(statement, values)

    def enrol(self, gateway: fake.Gateway) -> None:
        ticket = self.folder / "ticket.json"
        ticket.write_text(gateway.ticket("baz"), encoding="utf-8")
        assert self.run("init", "--unattended").code == 0
        # A key file says itself what a guess of its passphrase costs; tests need no 64 MiB of it.
        keys = self.state / "keys"
        passphrase = (keys / "passphrase").read_text().strip()
        KeyStore(keys / "agency.key", passphrase, Cost(memory_kib=8, iterations=1)).generate("baz")
        answer = self.run("enrol", "--ticket", str(ticket))
        assert answer.code == 0, answer.err

    def memory(self) -> Memory:
        return Memory.open(self.state / "data" / "memory.sqlite")


@pytest.fixture
def gateway() -> Iterator[fake.Gateway]:
    with fake.running() as running:
        yield running


@pytest.fixture
def agency(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Agency:
    made = Agency(tmp_path, capsys, monkeypatch)
    made.settings()
    made.rows(120)
    return made


@pytest.fixture
def enrolled(agency: Agency, gateway: fake.Gateway) -> Agency:
    agency.enrol(gateway)
    return agency


@pytest.fixture
def make_gateway() -> Iterator[Callable[..., fake.Gateway]]:
    opened = []

    def make(**knobs: object) -> fake.Gateway:
        context = fake.running(**knobs)
        opened.append(context)
        return context.__enter__()

    yield make
    for context in opened:
        context.__exit__(None, None, None)
