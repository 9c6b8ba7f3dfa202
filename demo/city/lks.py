"""LKS Mitra Kenanga: one workbook that a treasurer keeps, a sheet a month, for the eye alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import PatternFill

from demo.city.people import CHILD, HEAD, Person
from demo.city.scene import Scene
from demo.city.writing import Habit, Writer

AGENCY = "lks-mk"
ROWS = 98
_HABIT = Habit(
    nik_given=0, kk_given=0, name_variant=0.08, name_slip=0.02, born_missing=1, phone_given=0
)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MEI", "JUN", "JUL", "AGT", "SEP", "OKT")
_HEADER = ("Tgl", "Nama", "Anak dari", "Sekolah/RS", "Keperluan", "Jumlah", "No.Pengaduan")
_PAID = PatternFill("solid", fgColor="FFC6E0B4")
_OFFICES = ("Dinas Pendidikan", "Dinas Kesehatan", "Dinas PU", "Sekretariat Kota", "Bappeda")


@dataclass(frozen=True, slots=True)
class _Aid:
    """One line of the ledger."""

    person: Person
    day: date
    ill: bool
    amount: int
    paid: bool


def write(scene: Scene, folder: Path) -> None:
    """`LKS Mitra Kenanga <year>.xlsx`."""
    folder.mkdir(parents=True, exist_ok=True)
    treasurer = _Treasurer(
        scene, scene.rng(AGENCY), Writer(scene.rng("lks-pen"), scene.words, _HABIT)
    )
    book = Workbook()
    aids = treasurer.aids()
    number = 0
    for place, month in enumerate(_MONTHS, 1):
        here = [aid for aid in aids if aid.day.month == place]
        sheet: Any = book.active if place == 1 else book.create_sheet()
        sheet.title = f"{month} {scene.today.year}"
        treasurer.month(sheet, here, number)
        number += len(here)
    treasurer.donors(book.create_sheet("Donatur"))
    book.save(folder / f"LKS Mitra Kenanga {scene.today.year}.xlsx")


@dataclass(slots=True)
class _Treasurer:
    scene: Scene
    rng: Random
    writer: Writer

    def aids(self) -> list[_Aid]:
        """Pupils in need and patients, each once, by day; only the last month has unpaid ones."""
        scene, rng, year = self.scene, self.rng, self.scene.today.year
        orders = {order.person: order for order in scene.cast.payouts[AGENCY]}
        poor = sorted(scene.population.homes, key=lambda h: rng.random() * 0.5 - h.want)
        people = [p for h in poor[:400] for p in scene.families[h.id] if self.fits(p)]
        chosen = scene.chosen(AGENCY, ROWS, people)[:ROWS]
        found = []
        for person in chosen:
            ill = person.relation != CHILD
            day = date(year, 1, 6) + timedelta(days=rng.randrange(297))
            amount = rng.choice((1_500_000, 2_000_000) if ill else (400_000, 500_000, 750_000))
            if (order := orders.get(person.id)) is not None:
                day, amount = order.day, order.amount
            found.append(_Aid(person, day, ill, amount, order is not None or day.month < 10))
        return sorted(found, key=lambda aid: (aid.day, aid.person.id))

    def fits(self, person: Person) -> bool:
        age = person.age(self.scene.today)
        if person.died or person.moved or len(person.tokens) < 2:
            return False
        chance = 0.25 if person.relation == CHILD and 6 < age < 19 else 0.06
        return self.rng.random() < (chance if person.relation in (CHILD, HEAD) else 0)

    def month(self, sheet: Any, aids: Sequence[_Aid], before: int) -> None:
        """A merged title, the header, a row an aid (the day merged over its rows), the total."""
        sheet.append([f"PENYALURAN BANTUAN {sheet.title}"])
        sheet.merge_cells("A1:G1")
        sheet.append([])
        sheet.append(_HEADER)
        first, total = 4, 0
        for number, aid in enumerate(aids):
            row = 4 + number
            sheet.append(self.row(aid, before + number + 1))
            if aid.paid:
                for column in range(1, 8):
                    sheet.cell(row, column).fill = _PAID
            total += aid.amount
            following = aids[number + 1] if number + 1 < len(aids) else None
            if following is None or following.day != aid.day:
                if row > first:
                    sheet.merge_cells(f"A{first}:A{row}")
                first = row + 1
        sheet.append(["JUMLAH", None, None, None, None, f"Rp {total:,}".replace(",", ".")])
        sheet.merge_cells(f"A{4 + len(aids)}:E{4 + len(aids)}")

    def row(self, aid: _Aid, number: int) -> list[object]:
        scene, rng, person = self.scene, self.rng, aid.person
        name = scene.seen(self.writer, AGENCY, person).name
        ticket = f"{number}/UPT/{aid.day:%y}"
        where = rng.choice(("RSUD Adnaan WD", "RSUP M. Djamil")) if aid.ill else "SDN 12 Payakumbuh"
        need = "Biaya pendamping" if aid.ill else rng.choice(("Tunggakan", "Seragam dan buku"))
        scene.truth.person((AGENCY, "penerima"), f"{ticket}|{name}", person)
        scene.truth.event((AGENCY, "penyaluran"), f"{ticket}|{name}", person)
        if aid.paid:
            scene.spending.pay(scene.programs(AGENCY)[0].code, aid.amount)
        day = datetime(aid.day.year, aid.day.month, aid.day.day)  # noqa: DTZ001 a date
        parent = scene.families[person.household][0].name if person.relation == CHILD else None
        return [day, name, parent, where, need, self.typed(aid.amount), ticket]

    def typed(self, amount: int) -> object:
        u = self.rng.random()
        if u < 0.4:
            return amount
        if amount < 1_000_000:
            return f"{amount // 1000}rb" if u < 0.8 else f"Rp{amount // 1000}.000"
        return f"{amount / 1_000_000:g} jt".replace(".", ",")

    def donors(self, sheet: Any) -> None:
        """What the civil servants give, and its total: the fund of the year."""
        sheet.append(["DONATUR TETAP"])
        sheet.merge_cells("A1:C1")
        sheet.append([])
        sheet.append(["SKPD", "Jumlah PNS", "Setoran"])
        total = 0
        for office in _OFFICES:
            heads = self.rng.randint(40, 400)
            total += heads * 120_000
            sheet.append([office, heads, heads * 120_000])
        sheet.append(["JUMLAH", None, total])
