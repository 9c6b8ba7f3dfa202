"""Every planted fact stands in the sources, read from the files and not from the generator."""

import sqlite3

import pytest

from tests.demo import reading
from tests.demo.conftest import PROFILE

NAMES = {
    "bsm_and_baz_scholarship", "dead_but_listed_and_paid", "twins", "two_people_one_nik",
    "one_person_two_niks", "woman_without_forty", "sutan_and_ujang", "family_moved_out",
    "household_split", "old_kelurahan_name", "old_kelurahan_lost", "truncated_niks",
    "listed_civil_servant", "unlisted_widow", "rosmaini", "newcomer", "ramadan_twice",
    "changed_school", "programme_full_in_july", "programme_reopens_in_january", "jamkesda_and_companion",
}  # fmt: skip


@pytest.fixture(scope="module")
def told(city):
    return reading.stories(city)


@pytest.fixture(scope="module")
def register(city):
    """BIODATA of the last night by NIK."""
    path = city.folders["dukcapil"] / "BIODATA_20251102.txt"
    return {row[0]: row for row in reading.drop(path)[1]}


@pytest.fixture(scope="module")
def ask(city):
    """One row of DSTK or BAZ by its key, as a mapping."""

    def one(agency: str, table: str, where: str, *values: object) -> dict[str, object]:
        connection = sqlite3.connect(city.dstk if agency == "dstk" else city.baz)
        connection.row_factory = sqlite3.Row
        row = connection.execute(f"select * from {table} where {where}", values).fetchone()
        connection.close()
        return dict(row)

    return one


def keys(person, agency, table, of="rows"):
    return [key for a, t, key in person[of] if (a, t) == (agency, table)]


def art(ask, person):
    [key] = keys(person, "dstk", "pls_art")
    return ask("dstk", "v_art", "idruta = ? and nuart = ?", *key.split("|"))


def test_every_fact_is_told(told):
    assert set(told) == NAMES
    assert all(story["see"] for story in told.values())


def test_one_child_is_paid_twice(told, city, ask):
    [child] = told["bsm_and_baz_scholarship"]["persons"]
    [bsm] = keys(child, "disdik", "bsm_penerima", "events")
    rows = {r["bsm_id"]: r for r in reading.csv_rows(city.folders["disdik"] / "bsm_penerima.csv")}
    assert rows[bsm]["nama_siswa"] == child["name"]
    [paid] = keys(child, "baz", "penyaluran", "events")
    assert ask("baz", "penyaluran", "id = ?", paid)["kode"] == "BEA25"


def test_a_dead_man_is_listed_and_paid(told, city, ask):
    [man] = told["dead_but_listed_and_paid"]["persons"]
    dead = {r[0]: r[2] for r in reading.drop(city.folders["dukcapil"] / "MATI_20251102.txt")[1]}
    assert dead[man["nik"]] == "10-02-2025"
    assert art(ask, man)["nik"] == man["nik"]
    [paid] = keys(man, "baz", "penyaluran", "events")
    assert ask("baz", "penyaluran", "id = ?", paid)["tgl"] == "24/03/2025"


def test_twins_differ_by_one_serial(told, register):
    one, two = (register[p["nik"]] for p in told["twins"]["persons"])
    assert int(two[0]) - int(one[0]) == 1
    assert one[1] == two[1]
    assert one[5] == two[5]
    assert one[2] != two[2]


def test_two_people_have_one_nik_at_dstk(told, register, ask):
    owner, other = told["two_people_one_nik"]["persons"]
    assert art(ask, owner)["nik"] == art(ask, other)["nik"] == owner["nik"]
    assert register[owner["nik"]][2] != register[other["nik"]][2]


def test_one_person_has_two_niks(told, city, register, ask):
    [who] = told["one_person_two_niks"]["persons"]
    folder = city.folders["dukcapil"]
    [fix] = reading.drop(folder / "KOREKSI_20251102.txt")[1]
    assert fix[:2] == [who["old_nik"], who["nik"]]
    before = {r[0] for r in reading.drop(folder / "BIODATA_20251101.txt")[1]}
    assert who["old_nik"] in before - set(register)
    assert who["nik"] in set(register) - before
    assert art(ask, who)["nik"] == who["old_nik"]


def test_a_womans_nik_lacks_the_forty(told, register):
    [who] = told["woman_without_forty"]["persons"]
    assert register[who["nik"]][3] == "2"
    assert int(who["nik"][6:8]) <= 31


def test_sutan_is_ujang(told, register, ask):
    [man] = told["sutan_and_ujang"]["persons"]
    assert register[man["nik"]][2] == "UJANG"
    [key] = keys(man, "baz", "mustahik")
    assert ask("baz", "mustahik", "id = ?", key)["nama_mustahik"] == "Sutan Rajo Ameh"
    assert art(ask, man)["nama"] == "UJANG GLR ST. RAJO AMEH"


def test_a_family_has_moved_and_is_still_paid(told, city, register, ask):
    family = told["family_moved_out"]["persons"]
    gone = {r[0]: r for r in reading.drop(city.folders["dukcapil"] / "PINDAH_20251102.txt")[1]}
    assert {gone[p["nik"]][4] for p in family} == {"KAB. LIMA PULUH KOTA"}
    assert {register[p["nik"]][15] for p in family} == {"2"}
    paid = [
        ask("dstk", "bansos_2025", "id = ?", k)
        for k in keys(family[0], "dstk", "bansos_2025", "events")
    ]
    assert "06102025" in {row["tgl_salur"] for row in paid}


def test_a_household_has_split(told, register, ask):
    head, child = told["household_split"]["persons"]
    assert register[head["nik"]][1] != register[child["nik"]][1]
    assert art(ask, head)["idruta"] == art(ask, child)["idruta"]


@pytest.mark.parametrize("name", ["old_kelurahan_name", "old_kelurahan_lost"])
def test_a_kelurahan_stands_under_its_old_name(told, register, ask, name):
    [who] = told[name]["persons"]
    key = keys(who, "baz", "mustahik")[0]
    written = str(ask("baz", "mustahik", "id = ?", key)["kelurahan"]).removeprefix("Kel. ")
    row = register[who["nik"]]
    kecamatan = f"{PROFILE.city.kemendagri_code}.{row[13]}"
    place = PROFILE.wilayah.resolve(name=written, kecamatan=kecamatan)
    here = f"{kecamatan}.{row[14]}" if name == "old_kelurahan_name" else None
    assert (place.kelurahan, place.kecamatan) == (here, kecamatan)
    assert "KEL_OLD" in place.findings


def test_some_niks_are_truncated(told, city):
    by_card = {row[8]: row for row in reading.cards(city.folders["dinkes"])}
    for who in told["truncated_niks"]["persons"]:
        card = keys(who, "dinkes", "Jamkesda")[0]
        assert by_card[card][3] == int(who["nik"][:15] + "0")


def test_a_civil_servant_is_listed(told, register, ask):
    [who] = told["listed_civil_servant"]["persons"]
    assert register[who["nik"]][9] == "PEGAWAI NEGERI SIPIL"
    assert art(ask, who)["desil"] == 2


def test_a_poor_widow_is_on_no_list(told, city, register):
    widow, child = told["unlisted_widow"]["persons"]
    assert (register[widow["nik"]][3], register[widow["nik"]][6]) == ("2", "4")
    assert {agency for agency, _, _ in widow["rows"]} == {"dukcapil"}
    pupils = reading.csv_rows(city.folders["disdik"] / "peserta_didik.csv")
    [pupil] = [
        p
        for p in pupils
        if p["peserta_didik_id"] in keys(child, "disdik", "peserta_didik")
        and p["soft_delete"] == "0"
    ]
    assert pupil["layak_pip"] == "1"


def test_rosmaini_is_listed_and_covered(told, register, ask):
    [who] = told["rosmaini"]["persons"]
    assert register[who["nik"]][2] == "ROSMAINI"
    assert (art(ask, who)["desil"], art(ask, who)["nik"]) == (2, who["nik"])
    assert keys(who, "dinkes", "Jamkesda")


def test_a_newcomer_keeps_the_old_region(told, register):
    [who] = told["newcomer"]["persons"]
    assert not who["nik"].startswith("1376")
    assert register[who["nik"]][15] == "0"


def test_one_person_is_paid_twice_in_one_ramadan(told, ask):
    [who] = told["ramadan_twice"]["persons"]
    assert len(keys(who, "baz", "mustahik")) == 2
    paid = [ask("baz", "penyaluran", "id = ?", k) for k in keys(who, "baz", "penyaluran", "events")]
    assert [row["kode"] for row in paid] == ["ZR46", "ZR46"]
    assert paid[0]["mustahik_id"] != paid[1]["mustahik_id"]


def test_a_pupil_changed_school(told, city):
    [who] = told["changed_school"]["persons"]
    mine = set(keys(who, "disdik", "peserta_didik"))
    schools = reading.csv_rows(city.folders["disdik"] / "registrasi_peserta_didik.csv")
    left = [
        r["tanggal_keluar"] != ""
        for r in schools
        if r["peserta_didik_id"] in mine and r["soft_delete"] == "0"
    ]
    assert sorted(left) == [False, True]


def test_a_programme_is_full_since_july_and_opens_again_in_january(ask, city):
    full = ask("dstk", "program", "kode = 'RTLH25'")
    assert full["kuota"] == full["terpakai"]
    assert full["sts"] == "T"
    days = [
        r[0]
        for r in reading.table(
            city.dstk, "select tgl_salur from bansos_2025 where kode_prog = 'RTLH25'"
        )
    ]
    assert max(day[4:] + day[2:4] + day[:2] for day in days) == "20250718"
    assert ask("dstk", "program", "kode = 'RTLH26'")["mulai"] == "05012026"


def test_jamkesda_and_a_companions_cost_go_together(told, city):
    [who] = told["jamkesda_and_companion"]["persons"]
    assert keys(who, "dinkes", "Jamkesda")
    [paid] = keys(who, "lks-mk", "penyaluran", "events")
    [row] = [r for r in reading.aids(city.folders["lks-mk"]) if f"{r[6]}|{r[1]}" == paid]
    assert row[5] in (2_000_000, "2 jt")
