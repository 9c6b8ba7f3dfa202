"""DUKCAPIL: a nightly drop folder of pipe-delimited text with a trailer that counts the lines."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

from demo.city.people import HEAD, Person
from demo.city.scene import Scene

AGENCY = "dukcapil"
_BIODATA = (
    "NIK|NO_KK|NAMA_LGKP|JENIS_KLMIN|TMPT_LHR|TGL_LHR|STAT_KWN|STAT_HBKEL|PDDK_AKH|JENIS_PKRJN"
    "|ALAMAT|NO_RT|NO_RW|NO_KEC|NO_KEL|FLAG_STATUS"
)
_KK = "NO_KK|NIK_KEPALA|NAMA_KEPALA|ALAMAT|NO_RT|NO_RW|NO_KEC|NO_KEL|JML_ANGGOTA|TGL_TERBIT"
_MATI = "NIK|NAMA_LGKP|TGL_MATI|TMPT_MATI|NO_AKTA"
_PINDAH = "NIK|NO_KK|NAMA_LGKP|TGL_PINDAH|TUJUAN|NO_SURAT"
_KOREKSI = "NIK_LAMA|NIK_BARU|TGL_KOREKSI|ALASAN"
_PROGRAM = "KODE|NAMA_LAYANAN|TAHUN|TGL_MULAI|TGL_AKHIR|KUOTA|TERPAKAI|ANGGARAN|STATUS|KODE_KATALOG"


def write(scene: Scene, folder: Path) -> None:
    """Fill the drop folder: two whole nights, one half-written, and the registers of events."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = scene.rng(AGENCY)
    people = [p for p in scene.people() if _is_registered(scene, rng, p)]
    people.sort(key=lambda p: (p.no_kk, p.relation, p.id))
    names = {p.id: _name(scene, rng, p) for p in people}
    rows = [_biodata(scene, p, names[p.id]) for p in people]
    last = scene.export
    old = ["|".join((p.old_nik or p.nik, *row[1:])) for p, row in zip(people, rows, strict=True)]
    _drop(folder, f"BIODATA_{last:%Y%m%d}", _BIODATA, ["|".join(row) for row in rows])
    _drop(folder, f"BIODATA_{last - timedelta(days=1):%Y%m%d}", None, old)
    _half(folder, f"BIODATA_{last - timedelta(days=2):%Y%m%d}", old)
    _drop(folder, f"MATI_{last:%Y%m%d}", _MATI, _deaths(rng, people, names))
    _drop(folder, f"PINDAH_{last:%Y%m%d}", _PINDAH, _moves(rng, people, names))
    _drop(folder, f"KOREKSI_{last:%Y%m%d}", _KOREKSI, _corrections(people, last))
    _drop(folder, f"KK_{last:%Y%m%d}", _KK, _cards(scene, people, names))
    _drop(folder, f"PROGRAM_{last.year}", _PROGRAM, _programs(scene))
    for person in people:
        scene.truth.person((AGENCY, "BIODATA"), person.nik, person)
        if person.old_nik:
            scene.truth.person((AGENCY, "BIODATA"), person.old_nik, person)


def _is_registered(scene: Scene, rng: Random, person: Person) -> bool:
    """Nearly everybody; one in three newborn children waits for the birth certificate."""
    missing = rng.random() < (0.3 if person.age(scene.today) < 1 else 0.008)
    planted = any(person.id in story.persons for story in scene.cast.stories)
    return planted or person.relation == HEAD or not missing


def _name(scene: Scene, rng: Random, person: Person) -> str:
    """Capitals; some names carry an apostrophe, doubled as in the database that wrote the file."""
    tokens = list(person.tokens)
    for place, token in enumerate(tokens):
        ways = [w for w in scene.words.variants.get(token, ()) if "'" in w]
        if ways and rng.random() < 0.4:
            tokens[place] = ways[0].replace("'", "''")
    return " ".join(tokens).upper()


def _biodata(scene: Scene, person: Person, name: str) -> tuple[str, ...]:
    return (
        person.nik,
        person.no_kk,
        name,
        "2" if person.female else "1",
        person.birth_place,
        f"{person.born:%d-%m-%Y}",
        str(person.marital),
        str(person.relation),
        str(person.education),
        person.work,
        *_address(scene, person),
        "1" if person.died else "2" if person.moved else "0",
    )


def _address(scene: Scene, person: Person) -> tuple[str, str, str, str, str]:
    home = scene.home(person)
    kecamatan, kelurahan = home.place.kemendagri.rsplit(".", 2)[1:]
    street = f"JL. {home.street.upper()} NO. {home.number}"
    return street, f"{home.rt:03d}", f"{home.rw:03d}", kecamatan, kelurahan


def _deaths(rng: Random, people: Sequence[Person], names: dict[int, str]) -> list[str]:
    return [
        f"{p.nik}|{names[p.id]}|{p.died:%d-%m-%Y}|{rng.choice(('RUMAH', 'RUMAH SAKIT', ''))}"
        f"|AM.{rng.randrange(1, 9999):04d}/{p.died.year}"
        for p in people
        if p.died
    ]


def _moves(rng: Random, people: Sequence[Person], names: dict[int, str]) -> list[str]:
    return [
        f"{p.nik}|{p.no_kk}|{names[p.id]}|{p.moved:%d-%m-%Y}|{p.moved_to}"
        f"|SKPWNI/{rng.randrange(1, 99999):05d}/{p.moved.year}"
        for p in people
        if p.moved
    ]


def _corrections(people: Sequence[Person], day: date) -> list[str]:
    return [
        f"{p.old_nik}|{p.nik}|{day:%d-%m-%Y}|PERBAIKAN TANGGAL LAHIR" for p in people if p.old_nik
    ]


def _cards(scene: Scene, people: Sequence[Person], names: dict[int, str]) -> list[str]:
    cards: dict[str, list[Person]] = {}
    for person in people:
        cards.setdefault(person.no_kk, []).append(person)
    lines = []
    for number, members in cards.items():
        head = members[0]
        home = scene.home(head)
        issued = home.card_date
        if number != home.no_kk:
            digits = number[6:12]
            issued = date(2000 + int(digits[4:]), int(digits[2:4]), int(digits[:2]))
        living = sum(not m.died for m in members)
        address = "|".join(_address(scene, head))
        lines.append(f"{number}|{head.nik}|{names[head.id]}|{address}|{living}|{issued:%d-%m-%Y}")
    return lines


def _programs(scene: Scene) -> list[str]:
    used = {1: 214, 2: 1_327}
    return [
        f"{p.code}|{p.name}|{p.start.year}|{p.start:%d-%m-%Y}|{p.end:%d-%m-%Y}|{p.quota}"
        f"|{used[p.number]}|{p.budget}|BUKA|{p.catalogue}"
        for p in scene.programs(AGENCY)
    ]


def _drop(folder: Path, name: str, header: str | None, lines: Iterable[str]) -> None:
    lines = list(lines)
    text = [*([header] if header else []), *lines, f"TRAILER|{len(lines)}"]
    (folder / f"{name}.txt").write_bytes(("\r\n".join(text) + "\r\n").encode("ascii"))


def _half(folder: Path, name: str, lines: Sequence[str]) -> None:
    """The file of a night on which the disk filled up: cut in mid-line, no trailer."""
    text = "\r\n".join([_BIODATA, *lines[: len(lines) * 2 // 5]])
    (folder / f"{name}.txt").write_bytes(text[:-23].encode("ascii"))
