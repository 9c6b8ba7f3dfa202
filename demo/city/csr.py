"""CSR BRI: three letters a year with a CSV file each, as a spreadsheet on Windows saves it."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from demo.city.people import HEAD, Person
from demo.city.scene import Scene
from demo.city.writing import Habit, Writer

AGENCY = "csr-bri"
GRANTS = 40
_BOM = b"\xef\xbb\xbf"
_HABIT = Habit(
    nik_given=0, kk_given=0, name_variant=0.1, name_slip=0.02, born_missing=1, phone_given=1,
    old_name=0.15,
)  # fmt: skip
_TRADES = ("warung kopi", "jahit", "kue", "bengkel", "sayur keliling")
_HEADER = "nama;keperluan;jumlah;tanggal;lokasi;hp"


def write(scene: Scene, folder: Path) -> None:
    """One file a quarter, each with a byte order mark before Windows-1252; and the programmes."""
    folder.mkdir(parents=True, exist_ok=True)
    giver = _Giver(scene, scene.rng(AGENCY), Writer(scene.rng("csr-pen"), scene.words, _HABIT))
    rows = giver.grants()
    year = scene.today.year
    for quarter in (1, 2, 3):
        lines = [line for day, line in rows if (day.month - 1) // 3 + 1 == quarter]
        _save(folder / f"CSR BRI {year} T{quarter}.csv", _HEADER, lines)
    catalogue = [
        f"{p.code};{p.name};{p.start.year};{p.quota};{_typed(p.budget)};{p.catalogue}"
        for p in scene.programs(AGENCY)
    ]
    _save(
        folder / f"Program CSR {year}.csv", "kode;nama;tahun;sasaran;pagu;kode_katalog", catalogue
    )


def _save(path: Path, header: str, lines: list[str]) -> None:
    path.write_bytes(_BOM + "".join(f"{line}\r\n" for line in (header, *lines)).encode("cp1252"))


def _typed(amount: int) -> str:
    return f"{amount:,},00".replace(",", ".", str(f"{amount:,}").count(","))


@dataclass(slots=True)
class _Giver:
    scene: Scene
    rng: Random
    writer: Writer

    def grants(self) -> list[tuple[date, str]]:
        scene, rng = self.scene, self.rng
        homes = sorted(scene.population.homes, key=lambda h: rng.random() - h.want * 0.6)
        people = [p for h in homes for p in scene.families[h.id] if self.fits(p)]
        found = []
        for person in scene.chosen(AGENCY, GRANTS, people):
            day = date(scene.today.year, 2, 3) + timedelta(days=rng.randrange(235))
            found.append((day, self.line(person, day)))
        return sorted(found)

    def fits(self, person: Person) -> bool:
        phone = person.phone or self.scene.home(person).phone
        living = not person.died and not person.moved
        return person.relation == HEAD and bool(phone) and living and len(person.tokens) > 1

    def line(self, person: Person, day: date) -> str:
        scene, rng = self.scene, self.rng
        seen = scene.seen(self.writer, AGENCY, person)
        ill = rng.random() < 0.25
        program = scene.programs(AGENCY)[ill]
        need = "Pendamping pasien – rujukan" if ill else f"Modal usaha – {rng.choice(_TRADES)}"
        amount = rng.choice((1_500_000, 2_000_000) if ill else (1_000_000, 1_250_000, 1_500_000))
        hp = f"{seen.phone[:4]}-{seen.phone[4:8]}-{seen.phone[8:]}"
        own = f"{seen.name}|{day:%d-%m-%Y}|{_typed(amount)}"
        scene.truth.person((AGENCY, "penerima"), own, person)
        scene.truth.event((AGENCY, "hibah"), own, person)
        scene.spending.pay(program.code, amount)
        where = f"Kel. {seen.kelurahan}"
        return f"{seen.name};{need};{_typed(amount)};{day:%d-%m-%Y};{where};{hp}"
