"""The city as a whole: sizes, determinism, and a truth that covers every row."""

from collections import Counter, defaultdict
from datetime import date

import pytest

from demo.city.build import build_city
from schemas import nik as niks
from tests.demo import reading
from tests.demo.conftest import PROFILE

SIZES = {
    ("dukcapil", "BIODATA"): (10_800, 12_200),
    ("disdik", "peserta_didik"): (2_900, 3_150),
    ("dstk", "pls_art"): (7_900, 9_100),
    ("dinkes", "Jamkesda"): (3_300, 3_500),
    ("baz", "mustahik"): (1_850, 1_950),
    ("baz", "penyaluran"): (900, 1_500),
    ("ppkb", "kepala"): (3_100, 3_200),
    ("lks-mk", "penerima"): (98, 98),
    ("csr-bri", "hibah"): (40, 40),
    ("dstk", "bansos_2025"): (500, 900),
}


def contents(city) -> dict[str, object]:
    """Everything that a reader of the sources can see."""
    out: dict[str, object] = {}
    for path in sorted(city.truth.parent.rglob("*")):
        name = str(path.relative_to(city.truth.parent))
        if path.suffix in {".txt", ".csv", ".json"}:
            out[name] = path.read_bytes()
        elif path.suffix == ".sqlite":
            names = reading.table(path, "select name, sql from sqlite_master order by name")
            out[name] = [
                names,
                *(
                    reading.table(path, f"select * from {n}")
                    for n, _ in names
                    if "autoindex" not in n
                ),
            ]
        elif path.suffix == ".xlsx":
            out[name] = reading.sheet(path)
    return out


@pytest.mark.parametrize("source", SIZES, ids="-".join)
def test_each_source_has_the_size_of_the_design(city, source):
    low, high = SIZES[source]
    assert low <= city.counts[source[0]][source[1]] <= high


def test_the_streams_hold_as_many_records_as_the_design_asks_for(city):
    households = len(reading.table(city.dstk, "select idruta from pls_ruta"))
    cards = len(reading.drop(city.folders["dukcapil"] / "KK_20251102.txt")[1])
    persons = len(reading.csv_rows(city.truth))
    events = sum(
        city.counts[a].get(t, 0)
        for a, t in [
            ("disdik", "usulan_pip"),
            ("disdik", "bsm_penerima"),
            ("dstk", "peserta_program"),
            ("dstk", "bansos_2025"),
            ("dinkes", "Alat Bantu"),
            ("baz", "penyaluran"),
        ]
    )
    assert (
        35_000
        <= persons + cards + 2 * households + events + city.counts["dinkes"]["Jamkesda"]
        <= 50_000
    )


def test_the_same_seed_gives_the_same_content_and_another_seed_does_not(city, tmp_path):
    again = build_city(7, tmp_path / "again", PROFILE)
    other = build_city(8, tmp_path / "other", PROFILE)
    mine = contents(city)
    assert contents(again) == mine
    assert len(reading.stories(other)) == len(reading.stories(city))
    same = [name for name, value in contents(other).items() if value == mine.get(name)]
    assert all("program" in name.casefold() for name in same)


def test_the_truth_covers_every_person_row_and_nothing_else(city):
    truth = reading.csv_rows(city.truth)
    listed = [(row["agency"], row["table"], row["source_key"]) for row in truth]
    assert Counter(listed).most_common(1)[0][1] == 1
    assert set(listed) == reading.person_keys(city)


def test_every_registered_nik_is_strictly_valid_and_its_own(city):
    rows = reading.drop(city.folders["dukcapil"] / "BIODATA_20251102.txt")[1]
    assert {niks.fault(row[0]) for row in rows} == {None}
    assert len({row[0] for row in rows}) == len(rows)
    odd = [r for r in rows if niks.parts(r[0], today=city.today).sex != {"1": "L", "2": "P"}[r[3]]]
    assert len(odd) == 1  # the woman whose NIK lacks the +40


def test_full_names_are_as_various_as_in_a_real_city(city):
    names = defaultdict(Counter)
    for row in reading.drop(city.folders["dukcapil"] / "BIODATA_20251102.txt")[1]:
        if " " in row[2]:
            names[row[13], row[14]][row[2]] += 1
    alone = sum(n == 1 for c in names.values() for n in c.values())
    assert alone / sum(sum(c.values()) for c in names.values()) >= 0.85


def test_every_child_is_younger_than_the_mother_in_the_house(city):
    families = defaultdict(list)
    for row in reading.drop(city.folders["dukcapil"] / "BIODATA_20251102.txt")[1]:
        families[row[1]].append(row)
    year = {
        r[0]: date(*map(int, reversed(r[5].split("-")))).year for f in families.values() for r in f
    }
    for family in families.values():
        mothers = [year[r[0]] for r in family if r[7] in {"1", "3"} and r[3] == "2"]
        children = [year[r[0]] for r in family if r[7] == "4"]
        assert all(child - mother >= 15 for child in children for mother in mothers)
