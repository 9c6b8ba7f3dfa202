"""DINKES: a workbook per health centre: merged titles, two-line header, totals in the middle."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from demo.city.people import Person
from demo.city.places import Unit
from demo.city.scene import Scene
from demo.city.writing import Habit, Seen, Writer

AGENCY = "dinkes"
MEMBERS = 3_400
_HABIT = Habit(
    nik_given=0.82, nik_wrong=0.02, nik_relative=0.004, kk_given=0, name_variant=0.16,
    name_slip=0.035, name_title=0.03, upper=True, born_missing=0.02, born_new_year=0.015,
    born_swapped=0.008, born_digit=0.01, sex_missing=0.03, old_name=0.15,
)  # fmt: skip
_HEADER = (
    ("NO", "NAMA", "NAMA", "NIK/", "L/P", "TGL", "ALAMAT", "KEL", "NO", "KET"),
    (None, "KK", "PESERTA", "NO KTP", None, "LAHIR", None, None, "KARTU", None),
)
_MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September",
    "Oktober", "November", "Desember",
)  # fmt: skip
_EPOCH = date(1899, 12, 30)
_DEVICES = (
    ("Kursi roda", 2_500_000), ("Tongkat ketiak", 350_000), ("Alat bantu dengar", 1_750_000),
    ("Kaki palsu", 2_500_000), ("Walker", 600_000),
)  # fmt: skip


def write(scene: Scene, folder: Path) -> None:
    """Eight Jamkesda workbooks, one of assistive devices, one of programmes."""
    folder.mkdir(parents=True, exist_ok=True)
    office = _Office(scene, scene.rng(AGENCY), Writer(scene.rng("dinkes-pen"), scene.words, _HABIT))
    members = office.members()
    centres = _centres(scene)
    year = scene.today.year
    for number, (centre, places) in enumerate(centres.items()):
        served = {place.kemendagri for place in places}
        mine = [p for p in members if scene.home(p).place.kemendagri in served]
        book = _Book(centre, year, numeric=number % 3 == 1)
        office.workbook(book, mine)
        book.file.save(folder / f"Jamkesda {year} {centre}.xlsx")
    office.devices().save(folder / f"Alat Bantu {year}.xlsx")
    office.catalogue(len(members)).save(folder / f"Program Dinkes {year}.xlsx")


def _centres(scene: Scene) -> dict[str, list[Unit]]:
    """Each health centre and the kelurahan it serves."""
    by_district: dict[str, list[str]] = {}
    for centre, district in scene.words.health_centres.items():
        by_district.setdefault(district, []).append(centre)
    out: dict[str, list[Unit]] = {centre: [] for centre in scene.words.health_centres}
    for place, unit in enumerate(scene.places.active):
        names = by_district[unit.kecamatan_code.rsplit(".", 1)[1]]
        out[names[place % len(names)]].append(unit)
    return out


@dataclass(slots=True)
class _Book:
    """One health centre's workbook while it is being written."""

    centre: str
    year: int
    numeric: bool
    """This clerk left the NIK column as a number: the 16th digit is lost."""
    file: Workbook = field(default_factory=lambda: Workbook(write_only=True))
    sheet: Any = field(init=False)
    """A write-only worksheet; its merged cells are not in the library's types."""

    def __post_init__(self) -> None:
        self.sheet = self.file.create_sheet("Jamkesda")
        for row in (1, 2, 3):
            self.sheet.merged_cells.add(f"A{row}:J{row}")
        self.sheet.append(["DAFTAR PESERTA JAMINAN KESEHATAN DAERAH (JAMKESDA)"])
        self.sheet.append([f"PUSKESMAS {self.centre.upper()}"])
        self.sheet.append([f"TAHUN {self.year}"])
        self.sheet.append([])
        for line in _HEADER:
            self.sheet.append(line)


@dataclass(slots=True)
class _Office:
    scene: Scene
    rng: Random
    writer: Writer
    cards: dict[int, str] = field(default_factory=dict)

    def members(self) -> list[Person]:
        """Whole families, the poorer the likelier."""
        scene, rng = self.scene, self.rng
        homes = sorted(scene.population.homes, key=lambda h: rng.random() - h.want * 0.8)
        people = [
            p
            for home in homes
            for p in scene.families[home.id]
            if p.age(scene.today) > 0 and rng.random() < 0.95
        ]
        chosen = scene.chosen(AGENCY, MEMBERS - 30, people)
        stem = scene.places.city_prefix().replace(".", "")
        for number, person in enumerate(chosen, 1):
            self.cards[person.id] = f"000{stem}{number:06d}"
        return chosen

    def workbook(self, book: _Book, people: Sequence[Person]) -> None:
        """Blocks by kelurahan, each followed by its totals row."""
        blocks: dict[str, list[Person]] = {}
        for person in people:
            blocks.setdefault(self.scene.home(person).place.name, []).append(person)
        number = 0
        for name, block in sorted(blocks.items()):
            last_home = -1
            for person in block:
                number += 1
                first = person.household != last_home
                last_home = person.household
                book.sheet.append(self.row(book, number, person, first=first))
                if self.rng.random() < 0.008:
                    book.sheet.append(self.again(book, number, person))
            total = [None, f"JUMLAH KEL. {name.upper()}", None, len(block)]
            book.sheet.append(total)

    def row(self, book: _Book, number: int, person: Person, *, first: bool) -> list[object]:
        scene = self.scene
        seen = scene.seen(self.writer, AGENCY, person)
        head = scene.families[person.household][0]
        card = self.cards[person.id]
        scene.truth.person((AGENCY, "Jamkesda"), card, person)
        return [
            number,
            head.name.upper() if first else None,
            seen.name,
            self.nik(book, seen),
            seen.sex or None,
            self.born(book, seen.born),
            f"Jl. {seen.street} {seen.number} RT.{seen.rt:02d}/RW.{seen.rw:02d}" if first else None,
            seen.kelurahan if first else None,
            card,
            self.remark(person),
        ]

    def again(self, book: _Book, number: int, person: Person) -> list[object]:
        """The same person once more under another card, entered as a family of its own."""
        row = self.row(book, number, person, first=True)
        card = self.cards[person.id][:-6] + f"9{int(self.cards[person.id][-5:]):05d}"
        self.scene.truth.rows.pop()
        self.scene.truth.person((AGENCY, "Jamkesda"), card, person)
        return [*row[:8], card, "ganda"]

    def nik(self, book: _Book, seen: Seen) -> object:
        if not seen.nik:
            return None
        damaged = self.scene.cast.order(AGENCY, seen.person)
        if damaged and "nik" in damaged.fields:
            return int(seen.nik)
        exact = damaged is not None
        if not exact and self.rng.random() < 0.02:
            return f"{int(seen.nik[:6]) / 100_000:.5f}E+15" if len(seen.nik) == 16 else seen.nik
        if book.numeric and not exact and seen.nik.isdigit():
            return int(seen.nik[:15] + "0" * (len(seen.nik) - 15))
        return seen.nik

    def born(self, book: _Book, born: date | None) -> object:
        if born is None:
            return None
        u = self.rng.random()
        if u < 0.5:
            return f"{born:%d/%m/%Y}"
        if u < 0.65:
            return f"{born.day} {_MONTHS[born.month - 1]} {born.year}"
        if u < 0.75 and born.year > 1900:
            return (born - _EPOCH).days
        cell = WriteOnlyCell(book.sheet, value=datetime(born.year, born.month, born.day))  # noqa: DTZ001 a date
        cell.number_format = "DD/MM/YYYY"
        return cell

    def remark(self, person: Person) -> str | None:
        if person.died and self.rng.random() < 0.5:
            return "mati" if self.rng.random() < 0.7 else f"meninggal {person.died.year}"
        if person.moved and self.rng.random() < 0.6:
            return "pindah"
        return None

    def devices(self) -> Workbook:
        scene, rng, year = self.scene, self.rng, self.scene.today.year
        program = scene.program(AGENCY, f"ALB{year % 100}")
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Alat Bantu")
        sheet.append([f"PENYERAHAN ALAT BANTU PENYANDANG DISABILITAS TAHUN {year}"])
        sheet.append([])
        sheet.append(
            ["NO", "TANGGAL", "NAMA", "NO KARTU", "JENIS ALAT", "NILAI", "KODE PROGRAM", "NO BAST"]
        )
        fits = [scene.population.people[i] for i in self.cards]
        fits = [p for p in fits if p.disability != "0" and not p.died and not p.moved][:80]
        for number, person in enumerate(fits, 1):
            device, price = rng.choice(_DEVICES)
            day = datetime(year, 3, 3) + timedelta(days=rng.randrange(230))  # noqa: DTZ001 a date
            receipt = f"BAST/{number:03d}/ALB/{year}"
            name, card = person.name.upper(), self.cards[person.id]
            sheet.append([number, day, name, card, device, price, program.code, receipt])
            scene.spending.pay(program.code, price)
            scene.truth.event((AGENCY, "Alat Bantu"), receipt, person)
        return book

    def catalogue(self, members: int) -> Workbook:
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Program")
        sheet.append(
            ["KODE", "NAMA PROGRAM", "TAHUN", "MULAI", "SELESAI", "KUOTA", "TERPAKAI", "PAGU",
             "SUMBER DANA", "STATUS", "KODE KATALOG"]
        )  # fmt: skip
        for p in self.scene.programs(AGENCY):
            used = members if p.number == 1 else self.scene.spending.used.get(p.code, 0)
            sheet.append(
                [p.code, p.name, p.start.year, p.start, p.end, p.quota, used, p.budget, p.funder,
                 "BUKA", p.catalogue]
            )  # fmt: skip
        return book
