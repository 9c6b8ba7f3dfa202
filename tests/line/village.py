"""A small agency with one SQLite file, its settings, and the people it knows."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from connectors.config import Config

AGENCY = "baz"
SETTINGS = """
agency = "baz"
profile = "payakumbuh"
basis = "PKS-UJI-2025"
batch_records = {batch_records}

[source]
kind = "sql"
url = "sqlite:///{source}"

[source.tables]
warga = ["id", "nama", "nik", "jk", "lahir", "hp"]

[[publish]]
name = "warga"
record_type = "person"
from = "warga"
key = ["id"]
id_prefix = "w."
[publish.fields]
name_source = {{ from = "nama", max = 120 }}
nik = {{ from = "nik", as = "nik" }}
sex = {{ from = "jk", map = {{ "L" = "L", "P" = "P" }} }}
birth_date = {{ from = "lahir", as = "date", precision = true }}
phone = {{ from = "hp", as = "phone" }}
"""
_FIRST = "Yulia Rahmi Dewi Fitri Sri Novi Reni Desi Rina Weni Murni Asna Nurma Siti Ratna".split()
_MIDDLE = "Zakiah Sartika Kurnia Permata Lestari Melati Hayati Safitri Angraini Oktavia".split()
_LAST = "Sikumbang Koto Caniago Piliang Tanjung Guci Jambak Melayu Bendang Pitopang".split()


@dataclass(frozen=True)
class Villager:
    """One row of the agency's table."""

    id: int
    name: str
    nik: str
    born: str
    phone: str | None = None
    sex: str = "P"


@dataclass(frozen=True)
class Village:
    """The agency's folder: source, settings, and the connector's state."""

    folder: Path

    @property
    def source(self) -> Path:
        return self.folder / "warga.sqlite"

    @property
    def settings_file(self) -> Path:
        return self.folder / "titian.toml"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def settle(self, people: Iterable[Villager], *, batch_records: int = 5_000) -> None:
        """Make the source and the settings."""
        self.folder.mkdir(exist_ok=True)
        self.settle_batches(batch_records)
        with closing(sqlite3.connect(self.source)) as db, db:
            db.execute(
                "create table warga (id integer primary key, nama text, nik text, jk text,"
                " lahir text, hp text)"
            )
        self.admit(people)

    def settle_batches(self, records: int) -> None:
        """Write the settings: so many records go into one batch."""
        text = SETTINGS.format(source=self.source, batch_records=records)
        self.settings_file.write_text(text, encoding="utf-8")

    def admit(self, people: Iterable[Villager]) -> None:
        """New rows, or new words about known ones."""
        rows = [(p.id, p.name, p.nik, p.sex, p.born, p.phone) for p in people]
        with closing(sqlite3.connect(self.source)) as db, db:
            db.executemany("insert or replace into warga values (?, ?, ?, ?, ?, ?)", rows)

    def config(self) -> Config:
        """The settings as the connector reads them."""
        return Config.load(self.settings_file, state=self.state)


def villager(n: int) -> Villager:
    """Person number `n`; no two share a NIK, a birth date is as its NIK says."""
    day, month, year = n % 27 + 1, n % 12 + 1, 1950 + n % 45
    nik = f"137601{day + 40:02d}{month:02d}{year % 100:02d}{n % 9_999 + 1:04d}"
    name = f"{_FIRST[n % 15]} {_MIDDLE[n // 15 % 10]} {_LAST[n // 150 % 10]}"
    return Villager(n, name, nik, f"{year}-{month:02d}-{day:02d}")
