"""BAZ: a SQLite file that was once an Access file; one clerk, free text, no rules."""

import sqlite3
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

from demo.city.people import CHILD, HEAD, WIFE, Person
from demo.city.scene import Scene
from demo.city.writing import Habit, Seen, Writer

AGENCY = "baz"
MUSTAHIK = 1_900
_HABIT = Habit(
    nik_given=0.25, nik_wrong=0.02, nik_relative=0.004, kk_given=0, name_variant=0.15,
    name_slip=0.03, name_title=0.025, born_missing=0.3, born_new_year=0.02, born_swapped=0.008,
    born_digit=0.01, old_name=0.45, phone_given=0.7,
)  # fmt: skip
_ASNAF = ("Fakir", "Miskin", "Gharim", "Muallaf", "Fisabilillah", "Ibnu Sabil")
_SCRIPT = """
CREATE TABLE mustahik (
  id INTEGER PRIMARY KEY, nama_mustahik TEXT, nama_kk TEXT, alamat TEXT, kelurahan TEXT,
  kecamatan TEXT, no_hp TEXT, asnaf TEXT, nik TEXT, tgl_lahir TEXT, tgl_daftar TEXT);
CREATE TABLE penyaluran (
  id INTEGER PRIMARY KEY, tgl TEXT, mustahik_id INTEGER, nama_penerima TEXT, program TEXT,
  kode TEXT, jumlah TEXT, ket TEXT);
CREATE TABLE program_zis (
  kode TEXT PRIMARY KEY, nama_program TEXT, tahun INTEGER, mulai TEXT, selesai TEXT,
  target INTEGER, tersalur INTEGER, dana TEXT, terpakai TEXT, per_orang TEXT, status TEXT,
  kode_katalog TEXT);
CREATE VIEW v_penyaluran AS
  SELECT p.*, z.kode_katalog FROM penyaluran p LEFT JOIN program_zis z ON z.kode = p.kode
  WHERE p.mustahik_id IS NOT NULL;
CREATE VIEW v_penyaluran_lepas AS
  SELECT p.*, z.kode_katalog FROM penyaluran p LEFT JOIN program_zis z ON z.kode = p.kode
  WHERE p.mustahik_id IS NULL;
"""


def write(scene: Scene, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "baz.sqlite"
    path.unlink(missing_ok=True)
    office = _Office(scene, scene.rng(AGENCY), Writer(scene.rng("baz-pen"), scene.words, _HABIT))
    office.register()
    office.pay()
    with sqlite3.connect(path) as connection:
        connection.executescript(_SCRIPT)
        for table, rows in (
            ("mustahik", office.mustahik),
            ("penyaluran", office.payouts),
            ("program_zis", office.catalogue()),
        ):
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 fixed names
    connection.close()


def _rupiah(amount: int) -> str:
    return "Rp" + f"{amount:,}".replace(",", ".") + ",-"


@dataclass(slots=True)
class _Office:
    scene: Scene
    rng: Random
    writer: Writer
    mustahik: list[tuple[object, ...]] = field(default_factory=list)
    payouts: list[tuple[object, ...]] = field(default_factory=list)
    people: list[tuple[int, Person, str]] = field(default_factory=list)
    """Mustahik id, person and the name as entered."""

    def register(self) -> None:
        scene, rng = self.scene, self.rng
        homes = sorted(scene.population.homes, key=lambda h: rng.random() * 0.9 - h.want)
        candidates = [p for h in homes for p in scene.families[h.id] if self.is_candidate(p)]
        chosen = scene.chosen(AGENCY, MUSTAHIK - 105, candidates)
        rng.shuffle(chosen)
        planned = {p.id for p in chosen if scene.cast.order(AGENCY, p.id)}
        again = [
            p
            for p in chosen
            if p.id in scene.cast.twice or (rng.random() < 0.058 and p.id not in planned)
        ]
        for person in [*chosen, *again]:
            self.enter(person)

    def is_candidate(self, person: Person) -> bool:
        age = person.age(self.scene.today)
        if person.died and person.died.year < self.scene.today.year:
            return False
        chance = {HEAD: 0.82, WIFE: 0.2, CHILD: 0.06 if 6 < age < 19 else 0}
        return self.rng.random() < chance.get(person.relation, 0.1)

    def enter(self, person: Person) -> None:
        scene, rng = self.scene, self.rng
        number = len(self.mustahik) + 1
        seen = scene.seen(self.writer, AGENCY, person)
        planted = scene.cast.order(AGENCY, person.id) is not None
        name = seen.name if planted else self.with_gelar(person, seen.name)
        head = scene.families[person.household][0]
        joined = date(scene.today.year - rng.randrange(6), rng.randint(1, 10), rng.randint(1, 28))
        self.mustahik.append(
            (
                number, name, head.name if rng.random() < 0.85 else None, self.address(seen),
                f"Kel. {seen.kelurahan}" if rng.random() < 0.3 else seen.kelurahan,
                seen.kecamatan if planted or rng.random() < 0.5 else None,
                self.phone(seen.phone), rng.choices(_ASNAF, (20, 60, 8, 5, 4, 3))[0],
                seen.nik or None, self.born(seen.born, exact=planted), f"{joined:%d/%m/%Y}",
            )
        )  # fmt: skip
        self.people.append((number, person, name))
        scene.truth.person((AGENCY, "mustahik"), str(number), person)

    def with_gelar(self, person: Person, name: str) -> str:
        """Some married men are entered under the title that the neighbours call them by."""
        married = not person.female and person.marital == 2 and person.age(self.scene.today) > 30
        if married and self.rng.random() < 0.04:
            word = self.rng.choice(("St.", "Sutan", "Dt.", "Sidi"))
            return f"{name} {word} {self.rng.choice(self.scene.words.gelar)}"
        return name

    def address(self, seen: Seen) -> str:
        rng = self.rng
        text = f"Jln {seen.street} No {seen.number}"
        if rng.random() < 0.75:
            text += f" RT {seen.rt:03d}/RW {seen.rw:03d}"
        if rng.random() < 0.1:
            text += f" {rng.choice(self.scene.words.landmarks)}"
        return text

    def phone(self, phone: str) -> str | None:
        if not phone:
            return None
        u = self.rng.random()
        if u < 0.5:
            return phone
        return "+62" + phone[1:] if u < 0.7 else f"{phone[:4]}-{phone[4:8]}-{phone[8:]}"

    def born(self, born: date | None, *, exact: bool) -> str | None:
        if born is None:
            return None
        return f"00/00/{born.year}" if not exact and self.rng.random() < 0.1 else f"{born:%d/%m/%Y}"

    def pay(self) -> None:
        scene, rng, year = self.scene, self.rng, self.scene.today.year
        for order in scene.cast.payouts[AGENCY]:
            mine = [entry for entry in self.people if entry[1].id == order.person]
            taken = sum(row[2] == mine[0][0] for row in self.payouts)
            self.pay_one(mine[taken % len(mine)], order.code, order.day, order.amount)
        ordered = {order.person for order in scene.cast.payouts[AGENCY]}
        for entry in self.people:
            person = entry[1]
            if person.id in ordered or rng.random() > 0.55:
                continue
            if 6 < person.age(scene.today) < 19:
                day = date(year, 7, 14) + timedelta(days=rng.randrange(20))
                self.pay_one(
                    entry, f"BEA{year % 100}", day, rng.choice((450_000, 550_000, 600_000))
                )
            elif rng.random() < 0.88:
                day = date(year, 3, 1) + timedelta(days=rng.randrange(30))
                self.pay_one(entry, "ZR46", day, 400_000)
            else:
                day = date(year, 2, 3) + timedelta(days=rng.randrange(260))
                self.pay_one(entry, f"MODAL{year % 100}", day, 1_000_000)

    def pay_one(self, entry: tuple[int, Person, str], code: str, day: date, amount: int) -> None:
        scene, rng = self.scene, self.rng
        mustahik, person, name = entry
        number = len(self.payouts) + 1
        planted = scene.cast.order(AGENCY, person.id) is not None
        orphan = not planted and rng.random() < 0.08
        program = scene.program(AGENCY, code).name
        typed = rng.choice(
            (program, program, program, program.upper(), program.replace(" ", "  ", 1))
        )
        note = f"Kel. {scene.home(person).old_place.name}" if orphan else ""
        lost = not planted and rng.random() < 0.03
        self.payouts.append(
            (number, f"{day:%d/%m/%Y}", None if orphan else mustahik, name, typed,
             None if lost else code, _rupiah(amount), note)
        )  # fmt: skip
        scene.spending.pay(code, amount)
        scene.truth.event((AGENCY, "penyaluran"), str(number), person)
        if orphan:
            scene.truth.person((AGENCY, "penyaluran"), str(number), person)

    def catalogue(self) -> list[tuple[object, ...]]:
        spending = self.scene.spending
        return [
            (
                p.code, p.name, p.start.year, f"{p.start:%d/%m/%Y}", f"{p.end:%d/%m/%Y}", p.quota,
                spending.used.get(p.code, 0), _rupiah(p.budget),
                _rupiah(spending.spent.get(p.code, 0)), _rupiah(p.highest),
                "Selesai" if p.status == "closed" else "Jalan", p.catalogue,
            )
            for p in self.scene.programs(AGENCY)
        ]  # fmt: skip
