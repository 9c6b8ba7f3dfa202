"""PPKB: a family census with its own idea of a family, and a table that never leaves the house."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

from demo.city.people import CHILD, HEAD, HUSBAND, IN_LAW, PARENT, WIFE, Household, Person
from demo.city.scene import Scene
from demo.city.writing import Habit, Seen, Writer

AGENCY = "ppkb"
FAMILIES = 3_200
_HABIT = Habit(
    nik_given=0.6, nik_wrong=0.02, nik_relative=0.004, kk_given=0.85, name_variant=0.14,
    name_slip=0.03, upper=True, born_missing=0.02, born_new_year=0.015, born_swapped=0.008,
    born_digit=0.008, old_name=0.3, phone_given=0.4,
)  # fmt: skip
_STAGES = ("Pra KS", "KS I", "KS II", "KS III", "KS III Plus")
_HUB = {HEAD: 1, HUSBAND: 2, WIFE: 2, CHILD: 3, IN_LAW: 4, PARENT: 5}
COLUMNS: Mapping[str, str] = {
    "keluarga": (
        "kode_keluarga no_kk nama_kepala alamat rt rw kode_desa tahapan jml_jiwa no_hp tgl_sensus"
    ),
    "anggota": "kode_keluarga no_urut nama nik jk tgl_lahir hub status_kawin",
    "kasus_kekerasan": "no_kasus kode_keluarga no_urut tgl_lapor bentuk pelaku kronologi",
    "program_kb": "kode nama tahun mulai akhir sasaran tercapai pagu sumber satuan kode_katalog",
}


def write(scene: Scene, folder: Path) -> None:
    """One CSV a table; `load.load_ppkb` fills a server with them."""
    folder.mkdir(parents=True, exist_ok=True)
    office = _Office(scene, scene.rng(AGENCY), Writer(scene.rng("ppkb-pen"), scene.words, _HABIT))
    office.count_families()
    office.catalogue()
    for table, columns in COLUMNS.items():
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(columns.split())
            out.writerows(office.rows[table])


@dataclass(slots=True)
class _Office:
    scene: Scene
    rng: Random
    writer: Writer
    rows: dict[str, list[tuple[object, ...]]] = field(
        default_factory=lambda: {table: [] for table in COLUMNS}
    )

    def count_families(self) -> None:
        """A married child under the parents' roof is a family of its own here: family is not KK."""
        asked = [h for h in self.scene.population.homes if h.id not in self.scene.cast.unlisted]
        homes = sorted(asked, key=lambda _: self.rng.random())
        families: list[list[Person]] = []
        for home in homes:
            here = [p for p in self.scene.families[home.id] if not p.died and not p.moved]
            apart = [p for p in here if p.relation == CHILD and p.marital == 2]
            rest = [p for p in here if p not in apart]
            families += [family for family in (rest, *([p] for p in apart)) if family]
        families = sorted(families[:FAMILIES], key=lambda f: f[0].id)
        for number, family in enumerate(families, 1):
            self.enter(number, family)

    def enter(self, number: int, family: Sequence[Person]) -> None:
        scene, rng = self.scene, self.rng
        head, home = family[0], scene.home(family[0])
        seen = scene.seen(self.writer, AGENCY, head)
        place = home.old_place if rng.random() < self.writer.habit.old_name else home.place
        key = f"{scene.today.year % 100}{place.bps[4:]}{number:05d}"
        counted = date(scene.today.year, 4, 1) + timedelta(days=rng.randrange(60))
        self.rows["keluarga"].append(
            (
                key, seen.no_kk, seen.name, f"JL {seen.street} {seen.number}".upper(), seen.rt,
                seen.rw, place.bps, self.stage(home), len(family), seen.phone, counted,
            )
        )  # fmt: skip
        for seat, person in enumerate(family, 1):
            written = seen if person is head else scene.seen(self.writer, AGENCY, person)
            self.member(key, seat, (person, written))
        self.case(key, len(family))
        own = f"{seen.no_kk}|{seen.name}|{place.bps}|{seen.rt}"
        scene.truth.person((AGENCY, "kepala"), own, head)

    def member(self, key: str, seat: int, who: tuple[Person, Seen]) -> None:
        person, seen = who
        hub = 1 if seat == 1 else _HUB.get(person.relation, 6)
        sex = {"L": 1, "P": 2}.get(seen.sex)
        self.rows["anggota"].append(
            (key, seat, seen.name, seen.nik, sex, seen.born, hub, person.marital)
        )

    def stage(self, home: Household) -> str:
        better = 1 - home.want + self.rng.gauss(0, 0.12)
        return _STAGES[min(len(_STAGES) - 1, max(0, int(better * len(_STAGES))))]

    def case(self, key: str, members: int) -> None:
        """About one family in eighty has told the office what nobody else may read."""
        rng = self.rng
        if rng.random() > 1 / 80:
            return
        number = f"KK-{len(self.rows['kasus_kekerasan']) + 1:03d}"
        day = date(self.scene.today.year, 1, 6) + timedelta(days=rng.randrange(290))
        kind = rng.choice(("Kekerasan fisik", "Kekerasan psikis", "Penelantaran"))
        told = f"RAHASIA {number}: tidak boleh keluar dari kantor ini"
        seat = rng.randint(1, members)
        self.rows["kasus_kekerasan"].append((number, key, seat, day, kind, "Keluarga", told))

    def catalogue(self) -> None:
        for p in self.scene.programs(AGENCY):
            self.rows["program_kb"].append(
                (p.code, p.name, p.start.year, p.start, p.end, p.quota, p.quota // 3, p.budget,
                 p.funder, p.unit, p.catalogue)
            )  # fmt: skip
