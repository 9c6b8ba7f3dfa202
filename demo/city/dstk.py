"""DSTK: the poverty list of 2011 kept by hand ever since, and the aid paid from it."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random

from sqlalchemy import Table, create_engine

from demo.city import dstk_schema as schema
from demo.city.people import (
    CHILD,
    GRANDCHILD,
    HEAD,
    HUSBAND,
    IN_LAW,
    PARENT,
    WIFE,
    Household,
    Person,
)
from demo.city.scene import Scene
from demo.city.writing import Habit, Seen, Writer

AGENCY = "dstk"
RUTA = 2_450
_HABIT = Habit(
    nik_given=0.7, nik_wrong=0.025, nik_relative=0.004, kk_given=0.85, name_variant=0.15,
    name_slip=0.035, upper=True, born_missing=0.03, born_new_year=0.02, born_swapped=0.008,
    born_digit=0.01, sex_wrong=0.004, old_name=0.4, phone_given=0.7,
)  # fmt: skip
_HUB = {HEAD: "1", HUSBAND: "2", WIFE: "2", CHILD: "3", IN_LAW: "4", GRANDCHILD: "5", PARENT: "6"}
_PEND = {1: "0", 2: "0", 3: "1", 4: "2", 5: "3", 6: "4", 7: "5", 8: "6", 9: "6", 10: "6"}
_STATUS = {1: "SM", 2: "M", 3: "HM", 4: "RM"}


def write(scene: Scene, folder: Path) -> None:
    """Write `dstk.sqlite`; `load.load_dstk` copies it into another engine."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "dstk.sqlite"
    path.unlink(missing_ok=True)
    office = _Office(scene, scene.rng(AGENCY), Writer(scene.rng("dstk-pen"), scene.words, _HABIT))
    office.list_households()
    office.list_dtks()
    office.list_pmks()
    office.enrol()
    office.pay()
    office.catalogue()
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        schema.create(connection)
        for table, rows in office.rows.items():
            target = schema.metadata.tables[table]
            connection.execute(target.insert(), [_named(target, row) for row in rows])
    engine.dispose()


def _named(table: Table, row: tuple[object, ...]) -> dict[str, object]:
    return dict(zip(table.columns.keys(), row, strict=True))


def _day(value: date | None) -> str:
    return f"{value:%d%m%Y}" if value else "00000000"


@dataclass(frozen=True, slots=True)
class _Ruta:
    """One listed household, its key, its decile and the members who stand in `pls_art`."""

    key: str
    home: Household
    desil: int
    members: list[tuple[int, Person]]

    def seat(self, person: Person) -> int | None:
        return next((number for number, other in self.members if other.id == person.id), None)


@dataclass(slots=True)
class _Office:
    scene: Scene
    rng: Random
    writer: Writer
    rows: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)
    listed: list[_Ruta] = field(default_factory=list)

    def add(self, table: str, *values: object) -> None:
        self.rows.setdefault(table, []).append(values)

    def list_households(self) -> None:
        cast, rng = self.scene.cast, self.rng
        homes = [h for h in self.scene.population.homes if h.id not in cast.unlisted]
        sizes = {number: len(family) for number, family in self.scene.families.items()}
        known = {h.id: h.want + 0.05 * sizes[h.id] + rng.gauss(0, 0.14) for h in homes}
        homes.sort(key=lambda h: (h.id not in cast.listed, -known[h.id]))
        chosen = sorted(homes[:RUTA], key=lambda h: -known[h.id])
        rank = {home.id: place for place, home in enumerate(chosen)}
        for number, home in enumerate(sorted(chosen, key=lambda h: (h.old_place.bps, h.id)), 1):
            desil = cast.listed.get(home.id, 1 + rank[home.id] * 4 // RUTA)
            self.enter(number, home, desil)

    def enter(self, number: int, home: Household, desil: int) -> None:
        scene, rng, bps = self.scene, self.rng, home.old_place.bps
        key = f"{bps}{number:08d}"
        members: list[tuple[int, Person]] = []
        for seat, person in enumerate(scene.families[home.id], 1):
            if person.age(scene.today) < 2 and rng.random() < 0.5 and seat > 1:
                continue
            seen = scene.seen(self.writer, AGENCY, person)
            row = self.member(key, seat, person, seen)
            reason = self.reason_out(person)
            scene.truth.person(
                (AGENCY, "pls_keluar" if reason else "pls_art"), f"{key}|{seat}", person
            )
            if reason:
                left = person.died or person.moved or date(scene.today.year, rng.randint(2, 9), 15)
                self.add("pls_keluar", *row, reason, _day(left))
                continue
            self.add("pls_art", *row)
            members.append((seat, person))
        self.ruta(key, home, desil, len(members))
        self.listed.append(_Ruta(key, home, desil, members))

    def member(self, key: str, seat: int, person: Person, seen: Seen) -> tuple[object, ...]:
        hub = "1" if seat == 1 else "3" if person.old_no_kk else _HUB[person.relation]
        return (
            key, seat, seen.name, seen.nik or None, {"L": "1", "P": "2", "": ""}[seen.sex],
            _day(seen.born), hub, str(person.marital), _PEND[person.education], person.work.lower(),
            person.disability,
        )  # fmt: skip

    def reason_out(self, person: Person) -> str:
        """Why DSTK has taken the member out; empty for those who stay."""
        if self.scene.cast.order(AGENCY, person.id) or person.id in self.storied():
            return ""
        u = self.rng.random()
        if person.died:
            return "MENINGGAL" if u < 0.6 else ""
        if person.moved:
            return "PINDAH" if u < 0.5 else ""
        if u < 0.012:
            return ("MAMPU", "MAMPU", "GANDA", "PNS")[int(u * 4 / 0.012)]
        return ""

    def storied(self) -> set[int]:
        return {i for story in self.scene.cast.stories for i in story.persons}

    def ruta(self, key: str, home: Household, desil: int, count: int) -> None:
        rng, bps = self.rng, home.old_place.bps
        address = f"JL {home.street.upper()} {home.number} RT {home.rt} RW {home.rw}"
        poor = [str(min(3, max(1, round(rng.gauss(3.4 - desil * 0.6, 0.7))))) for _ in range(7)]
        poor[1] = "4" if desil == 1 and rng.random() < 0.2 else poor[1]
        head = self.scene.families[home.id][0]
        name = self.writer.name(head)
        self.add(
            "pls_ruta", key, bps[:2], bps[2:4], bps[4:7], bps[7:], name, address,
            f"{home.rw:03d}{home.rt:03d}", *poor, count, desil, _STATUS[desil],
            f"{rng.randint(1, 28):02d}07{rng.choice((2011, 2011, 2015, 2019))}",
        )  # fmt: skip

    def list_dtks(self) -> None:
        scene, rng = self.scene, self.rng
        some = [r for r in self.listed if r.members and rng.random() < 0.11][:250]
        for number, ruta in enumerate(some, 1):
            _, person = rng.choice(ruta.members)
            seen = self.writer.write(person, ruta.home, scene.families[ruta.home.id])
            place = ruta.home.place.kemendagri.replace(".", "")
            key = f"{place[:6]}{2021}{number:06d}"
            sex, born = seen.sex, f"{seen.born:%Y-%m-%d}" if seen.born else ""
            address = f"Jl. {seen.street} No {seen.number}".upper()
            self.add(
                "dtks_2021", key, seen.name, seen.nik or person.nik, seen.no_kk, sex, born,
                seen.mother.upper(), address, f"{seen.rt:03d}", f"{seen.rw:03d}", place, seen.phone,
                "NONAKTIF" if rng.random() < 0.08 else "AKTIF", "2021-10",
            )  # fmt: skip
            scene.truth.person((AGENCY, "dtks_2021"), key, person)

    def list_pmks(self) -> None:
        scene, rng = self.scene, self.rng
        fits = [p for p in scene.people() if self.is_pmks(p) and rng.random() < 0.42]
        for number, person in enumerate(fits[:160], 1):
            seen = self.writer.write(person, scene.home(person), scene.families[person.household])
            old, kinds = person.age(scene.today) > 60, scene.words.pmks
            kind = rng.choice(
                kinds[:3] if old else kinds[3:6] if person.disability != "0" else kinds
            )
            self.add(
                "pmks", number, seen.name.title(), seen.nik if rng.random() < 0.6 else None,
                seen.sex, _day(seen.born),
                f"Jl {seen.street} No.{seen.number} RT {seen.rt}/RW {seen.rw}",
                seen.kelurahan, seen.kecamatan, kind, scene.today.year - rng.randrange(3),
            )  # fmt: skip
            scene.truth.person((AGENCY, "pmks"), str(number), person)

    def is_pmks(self, person: Person) -> bool:
        if self.scene.cast.wants(AGENCY, person.id) is False or person.died:
            return False
        home = self.scene.home(person)
        needy = person.disability != "0" or person.age(self.scene.today) > 68
        return needy and home.want > 0.35

    def enrol(self) -> None:
        rng, year = self.rng, self.scene.today.year
        number = 0
        for ruta in self.listed:
            choices = [("PKH", 0.36 if ruta.desil == 1 else 0.1), ("UEP", 0.04), ("LTHK", 0.02)]
            for code, chance in choices:
                if not ruta.members or rng.random() > chance or ruta.desil > 3:
                    continue
                number += 1
                seat, person = ruta.members[0 if code != "LTHK" else -1]
                status = rng.choices("ACSHT", (70, 10, 10, 8, 2))[0]
                start = date(year, rng.randint(1, 9), rng.randint(1, 28))
                end = _day(date(year, 10, 15)) if status == "H" else "00000000"
                self.add(
                    "peserta_program", number, f"{code}{year % 100}", ruta.key, seat, status,
                    _day(start), end,
                )  # fmt: skip
                self.scene.truth.event((AGENCY, "peserta_program"), str(number), person)

    def pay(self) -> None:
        scene, rng, year = self.scene, self.rng, self.scene.today.year
        poorest = [r for r in self.listed if r.desil <= 2 and r.members]
        houses = rng.sample(poorest, scene.program(AGENCY, f"RTLH{year % 100}").quota)
        for place, ruta in enumerate(houses):
            day = (
                date(year, 7, 18)
                if place == 0
                else date(year, rng.randint(3, 6), rng.randint(1, 28))
            )
            self.pay_one(ruta, f"RTLH{year % 100}", day, rng.choice((15_000_000, 20_000_000)))
        for ruta in self.listed:
            seats = {person.id for _, person in ruta.members}
            for order in scene.cast.payouts[AGENCY]:
                if order.person in seats:
                    self.pay_one(ruta, order.code, order.day, order.amount)
            if ruta.desil == 1 and ruta.members and rng.random() < 0.62:
                stage = rng.choice((1, 2, 3))
                day = date(year, stage * 3, rng.randint(2, 27))
                self.pay_one(ruta, f"BLTD{year % 100}", day, 900_000)
            elif ruta.desil == 2 and ruta.members and rng.random() < 0.3:
                day = date(year, rng.choice((4, 7, 10)), rng.randint(2, 27))
                self.pay_one(ruta, f"PKH{year % 100}", day, rng.choice((600_000, 750_000)))

    def pay_one(self, ruta: _Ruta, code: str, day: date, amount: int) -> None:
        scene, rng = self.scene, self.rng
        number = len(self.rows.get("bansos_2025", ())) + 1
        seat, person = ruta.members[0]
        exact = scene.cast.order(AGENCY, person.id) is not None
        loose = not exact and code.startswith(("BLTD", "PKH")) and rng.random() < 0.16
        home = scene.home(person)
        place = (home.old_place if rng.random() < 0.4 else home.place).name
        name = person.name.upper() if exact else self.writer.name(person)
        self.add(
            "bansos_2025", number, code, None if loose else ruta.key, None if loose else seat, name,
            place, _day(day), (day.month - 1) // 3 + 1, amount,
            "diwakilkan" if rng.random() < 0.03 else "",
        )  # fmt: skip
        scene.spending.pay(code, amount)
        scene.truth.event((AGENCY, "bansos_2025"), str(number), person)
        if loose:
            scene.truth.person((AGENCY, "bansos_2025"), str(number), person)

    def catalogue(self) -> None:
        signs = {"open": "B", "closed": "T", "planned": "R"}
        spending = self.scene.spending
        for p in self.scene.programs(AGENCY):
            used = spending.used.get(p.code, 0)
            self.add(
                "program", p.code, p.name, p.start.year, p.funder, _day(p.start), _day(p.end),
                p.quota, used, p.budget, spending.spent.get(p.code, 0), p.lowest, p.highest, p.unit,
                signs[p.status], p.catalogue,
            )  # fmt: skip
