"""DISDIK: a PostgreSQL database in the manner of the schools' national register."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

from demo.city.people import CHILD, GRANDCHILD, Person
from demo.city.scene import Scene
from demo.city.writing import Habit, Seen, Writer

AGENCY = "disdik"
PUPILS = 3_000
_HABIT = Habit(
    nik_given=0.86, nik_wrong=0.015, nik_relative=0.012, kk_given=0.72, name_variant=0.12,
    name_slip=0.025, born_missing=0, born_new_year=0.004, born_swapped=0.006, born_digit=0.006,
    old_name=0.12, phone_given=0.6,
)  # fmt: skip
_LEVELS = {
    "SD": (34, "NEGERI"), "MI": (4, "SWASTA"), "SMP": (9, "NEGERI"), "MTs": (4, "NEGERI"),
    "SMA": (5, "NEGERI"), "SMK": (4, "NEGERI"), "MA": (3, "SWASTA"),
}  # fmt: skip
_STAGES = {"SD": ("SD", "MI"), "SMP": ("SMP", "MTs"), "SMA": ("SMA", "SMK", "MA")}


@dataclass(slots=True)
class Tables:
    """The rows of every table, in the order of its columns."""

    rows: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)

    def add(self, table: str, *values: object) -> None:
        self.rows.setdefault(table, []).append(values)


COLUMNS: Mapping[str, str] = {
    "sekolah": (
        "npsn nama bentuk_pendidikan status_sekolah alamat_jalan desa_kelurahan kode_wilayah"
    ),
    "peserta_didik": (
        "peserta_didik_id nama jenis_kelamin nisn nik no_kk tempat_lahir tanggal_lahir alamat_jalan"
        " rt rw nama_dusun desa_kelurahan kecamatan kode_wilayah nama_ayah nik_ayah"
        " nama_ibu_kandung nik_ibu nomor_telepon_seluler penerima_kps no_kps layak_pip soft_delete"
        " last_update last_sync"
    ),
    "registrasi_peserta_didik": (
        "registrasi_id peserta_didik_id npsn tingkat nama_rombel tanggal_masuk tanggal_keluar"
        " jenis_keluar soft_delete last_update"
    ),
    "program_bantuan": (
        "kode nama tahun_anggaran sumber_dana tanggal_mulai tanggal_selesai kuota terpakai pagu"
        " terserap nominal_min nominal_max jenjang status kode_katalog"
    ),
    "bsm_penerima": (
        "bsm_id kode_program tahun semester nisn nama_siswa npsn nominal tanggal_cair no_sk"
        " last_update"
    ),
    "usulan_pip": "usulan_id peserta_didik_id kode_program status tanggal_usul last_update",
}


def write(scene: Scene, folder: Path) -> None:
    """One CSV per table; `load.load_disdik` fills a PostgreSQL database with them."""
    folder.mkdir(parents=True, exist_ok=True)
    office = _Office(scene, scene.rng(AGENCY))
    office.open_schools()
    office.enter_pupils()
    office.pay()
    for program in scene.programs(AGENCY):
        office.tables.add(
            "program_bantuan", program.code, program.name, program.start.year, program.funder,
            program.start, program.end, program.quota, scene.spending.used.get(program.code, 0),
            program.budget, scene.spending.spent.get(program.code, 0), program.lowest,
            program.highest, program.code.rpartition("-")[2] if "-" in program.code else "",
            "Aktif", program.catalogue,
        )  # fmt: skip
    for table, columns in COLUMNS.items():
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(columns.split())
            out.writerows(office.tables.rows[table])


@dataclass(frozen=True, slots=True)
class _Pupil:
    """A live row of `peserta_didik`, as far as payments need it."""

    key: str
    person: Person
    seen: Seen
    nisn: str
    npsn: str
    stage: str
    eligible: bool


@dataclass(slots=True)
class _Office:
    scene: Scene
    rng: Random
    tables: Tables = field(default_factory=Tables)
    schools: dict[str, list[str]] = field(default_factory=dict)
    pupils: list[_Pupil] = field(default_factory=list)

    def open_schools(self) -> None:
        rng, scene = self.rng, self.scene
        for level, (count, status) in _LEVELS.items():
            for number in range(1, count + 1):
                npsn = f"103{rng.randrange(10_000, 99_999)}{len(self.schools) % 10}"[:8]
                while npsn in {n for known in self.schools.values() for n in known}:
                    npsn = f"103{rng.randrange(10_000, 99_999)}"
                place = rng.choice(scene.places.active)
                word = "Negeri" if status == "NEGERI" else "Islam"
                self.schools.setdefault(level, []).append(npsn)
                self.tables.add(
                    "sekolah", npsn, f"{level} {word} {number:02d} {place.name}", level, status,
                    f"Jl. {scene.words.streets.draw(rng)}", place.name,
                    rng.choice(scene.words.education_codes),
                )  # fmt: skip

    def enter_pupils(self) -> None:
        scene, rng = self.scene, self.rng
        writer = Writer(rng, scene.words, _HABIT)
        candidates = [
            p
            for p in scene.people()
            if p.relation in {CHILD, GRANDCHILD} and 6 <= p.age(scene.today) <= 18 and not p.died
        ]
        rng.shuffle(candidates)
        for person in scene.chosen(AGENCY, PUPILS - 70, candidates):
            seen = scene.seen(writer, AGENCY, person)
            born = seen.born or person.born
            nisn = f"{born.year % 1000:03d}{rng.randrange(1_000_000, 9_999_999)}"
            nisn = nisn if rng.random() < 0.97 or scene.cast.order(AGENCY, person.id) else ""
            gone = 1 if person.moved and rng.random() < 0.5 else 0
            twice = rng.random() < 0.013 or person.id in scene.cast.changed_school
            if twice and not gone:
                before = scene.seen(writer, AGENCY, person)
                known = nisn if rng.random() < 0.5 else ""
                self.enter(person, before, known, left=date(scene.today.year, 6, 20), deleted=0)
            pupil = self.enter(person, seen, nisn, left=None, deleted=gone)
            if not gone:
                self.pupils.append(pupil)
            if rng.random() < 0.012:
                self.enter(person, seen, "", left=date(scene.today.year - 1, 6, 20), deleted=1)

    def enter(
        self, person: Person, seen: Seen, nisn: str, *, left: date | None, deleted: int
    ) -> _Pupil:
        rng, scene = self.rng, self.scene
        age = person.age(scene.today)
        stage = "SD" if age <= 11 else "SMP" if age <= 14 else "SMA"
        grade = max(1, min(12, age - 5 - (1 if left else 0)))
        if left and grade in {6, 9}:
            stage = {6: "SD", 9: "SMP"}[grade]
        npsn = rng.choice(
            self.schools[rng.choices(_STAGES[stage], (5, 1, 1)[: len(_STAGES[stage])])[0]]
        )
        key = str(UUID(int=rng.getrandbits(128), version=4))
        eligible = scene.home(person).want > 0.62 or person.id in scene.cast.poor_pupils
        changed = self.moment(left)
        self.tables.add(
            "peserta_didik", key, seen.name, seen.sex, nisn, seen.nik, seen.no_kk, seen.birth_place,
            seen.born, f"Jl. {seen.street} No. {seen.number}", seen.rt, seen.rw,
            rng.choice(scene.words.landmarks) if rng.random() < 0.06 else "", seen.kelurahan,
            f"Kec. {seen.kecamatan}", rng.choice(scene.words.education_codes),
            *self.parents(person, seen), seen.phone, int(eligible),
            f"KPS{rng.randrange(10**8):08d}" if eligible else "", int(eligible), deleted,
            changed, self.moment(None),
        )  # fmt: skip
        self.tables.add(
            "registrasi_peserta_didik", str(UUID(int=rng.getrandbits(128), version=4)), key, npsn,
            grade, f"{grade}{rng.choice('ABC')}",
            date((left or scene.today).year - (grade - 1) % 6, 7, 14), left,
            ("Mutasi" if not deleted else "Lulus") if left else "", deleted, changed,
        )  # fmt: skip
        scene.truth.person((AGENCY, "peserta_didik"), key, person)
        return _Pupil(key, person, seen, nisn, npsn, stage, eligible)

    def moment(self, day: date | None) -> datetime:
        base = day or self.scene.export - timedelta(days=self.rng.randrange(60))
        clock = datetime(base.year, base.month, base.day, 7, 0)  # noqa: DTZ001 local time, as kept
        return clock + timedelta(seconds=self.rng.randrange(32_000))

    def parents(self, person: Person, seen: Seen) -> tuple[str, str, str, str]:
        """Father's and mother's name and NIK, as the school knows them."""
        father = mother = ""
        father_nik = mother_nik = ""
        for other in self.scene.families[person.household][:2]:
            nik = other.nik if self.rng.random() < 0.6 else ""
            if other.female:
                mother, mother_nik = other.name, nik
            else:
                father, father_nik = other.name, nik
        return father, father_nik, seen.mother or mother, mother_nik

    def pay(self) -> None:
        scene, rng = self.scene, self.rng
        programs = {p.code.rpartition("-")[2]: p for p in scene.programs(AGENCY)}
        ordered = {p.person: p for p in scene.cast.payouts[AGENCY]}
        number = 0
        for pupil in self.pupils:
            program = programs[pupil.stage]
            order = ordered.get(pupil.person.id)
            if pupil.eligible and rng.random() < 0.5:
                number += 1
                status = rng.choices(("DISETUJUI", "DIUSULKAN", "DITOLAK"), (6, 3, 1))[0]
                day = date(scene.today.year, rng.randint(1, 9), rng.randint(1, 28))
                self.tables.add(
                    "usulan_pip", number, pupil.key, program.code, status, day, self.moment(None)
                )
                scene.truth.event((AGENCY, "usulan_pip"), str(number), pupil.person)
            if order or (pupil.eligible and pupil.nisn and rng.random() < 0.5):
                self.pay_one(pupil, order.day if order else None)

    def pay_one(self, pupil: _Pupil, day: date | None) -> None:
        scene, rng = self.scene, self.rng
        program = next(p for p in scene.programs(AGENCY) if p.code.endswith("-" + pupil.stage))
        number = len(self.tables.rows.get("bsm_penerima", ())) + 1
        semester = 1 if day or rng.random() < 0.6 else 2
        paid = day or date(scene.today.year, 4 if semester == 1 else 10, rng.randint(1, 28))
        amount = rng.choice((program.lowest, program.highest)) if day is None else program.highest
        late = day is None and rng.random() < 0.05
        self.tables.add(
            "bsm_penerima", number, program.code, scene.today.year, semester, pupil.nisn,
            pupil.seen.name, pupil.npsn, f"{amount}.00", "" if late else paid,
            f"SK/{rng.randrange(1, 40):02d}/BSM/{scene.today.year}", self.moment(None),
        )  # fmt: skip
        scene.spending.pay(program.code, amount)
        scene.truth.event((AGENCY, "bsm_penerima"), str(number), pupil.person)
