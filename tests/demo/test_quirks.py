"""The quirks that each connector must survive are really there."""

import re
from datetime import datetime

import openpyxl
import psycopg
import pytest
from sqlalchemy import create_engine, text

from demo.city.load import load_disdik, load_dstk, load_ppkb
from tests.demo import reading

LKS_MONTHS = ("JAN", "FEB", "MAR", "APR", "MEI", "JUN", "JUL", "AGT", "SEP", "OKT")


def test_dukcapil_counts_its_lines_in_the_trailer(city):
    whole = sorted(p.name for p in city.folders["dukcapil"].iterdir())
    whole.remove("BIODATA_20251031.txt")
    for name in whole:
        reading.drop(city.folders["dukcapil"] / name)
    assert len(whole) == 7


def test_one_night_is_half_written(city):
    data = (city.folders["dukcapil"] / "BIODATA_20251031.txt").read_bytes()
    assert b"TRAILER" not in data
    assert not data.endswith(b"\n")


def test_one_night_has_no_header(city):
    first = (city.folders["dukcapil"] / "BIODATA_20251101.txt").read_bytes().split(b"|")[0]
    assert first.isdigit()
    newest = (city.folders["dukcapil"] / "BIODATA_20251102.txt").read_bytes()
    assert newest.startswith(b"NIK|NO_KK|NAMA_LGKP|")


def test_dukcapil_doubles_its_apostrophes(city):
    names = [r[2] for r in reading.drop(city.folders["dukcapil"] / "BIODATA_20251102.txt")[1]]
    marked = [name for name in names if "'" in name]
    assert len(marked) >= 10
    assert all("'" not in name.replace("''", "") for name in marked)


def test_who_is_flagged_dead_or_moved_stands_in_the_register_of_events(city):
    folder = city.folders["dukcapil"]
    flags = {r[0]: r[15] for r in reading.drop(folder / "BIODATA_20251102.txt")[1]}
    for name, flag in (("MATI", "1"), ("PINDAH", "2")):
        events = {r[0] for r in reading.drop(folder / f"{name}_20251102.txt")[1]}
        flagged = {nik for nik, f in flags.items() if f == flag}
        assert events >= flagged
        assert len(flagged) > 20


def test_dstk_speaks_in_sexes_of_digits_empty_dates_and_codes_of_2011(city):
    dates = reading.table(city.dstk, "select tgl_lhr, jk, nik from pls_art")
    assert {row[1] for row in dates} == {"1", "2"}
    assert 0.01 < sum(row[0] == "00000000" for row in dates) / len(dates) < 0.06
    assert 0.65 < sum(row[2] is not None for row in dates) / len(dates) < 0.75
    codes = {row[0] for row in reading.table(city.dstk, "select kode_bps from v_ruta")}
    assert 60 <= len(codes) <= 76


def test_every_ruta_of_dstk_names_a_head_who_is_still_listed(city):
    heads = {row[0] for row in reading.table(city.dstk, "select kunci_krt from v_ruta")} - {None}
    listed = reading.table(city.dstk, "select idruta || '|' || nuart from pls_art")
    assert heads <= {row[0] for row in listed}


def test_dinkes_has_merged_titles_two_header_lines_and_totals_in_the_middle(city):
    books = sorted(city.folders["dinkes"].glob(reading.JAMKESDA))
    assert len(books) == 8
    for path in books:
        sheet = openpyxl.load_workbook(path)["Jamkesda"]
        assert {str(r) for r in sheet.merged_cells.ranges} == {"A1:J1", "A2:J2", "A3:J3"}
        assert (sheet["C5"].value, sheet["C6"].value) == ("NAMA", "PESERTA")
        rows = list(sheet.iter_rows(min_row=7, values_only=True))
        totals = [i for i, row in enumerate(rows) if str(row[1]).startswith("JUMLAH")]
        assert all(rows[i][2] is None and rows[i][8] is None for i in totals)
        assert len(totals) >= 2
        assert totals[0] < len(rows) - 1


def test_dinkes_blanks_the_family_it_has_named_above(city):
    rows = reading.cards(city.folders["dinkes"])
    blank = [row for row in rows if row[1] is None]
    assert len(blank) > len(rows) / 4
    assert all(row[6] is None and row[7] is None for row in blank)


def test_dinkes_has_lost_the_sixteenth_digit_of_many_niks(city):
    values = [row[3] for row in reading.cards(city.folders["dinkes"])]
    numbers = [v for v in values if isinstance(v, int)]
    assert len(numbers) > 500
    assert sum(v % 10 == 0 and v >= 10**15 for v in numbers) > 0.9 * len(numbers)
    assert any(isinstance(v, str) and re.fullmatch(r"\d\.\d{5}E\+15", v) for v in values)


def test_dinkes_writes_dates_as_text_as_serials_and_as_dates(city):
    kinds = {type(row[5]) for row in reading.cards(city.folders["dinkes"])}
    assert kinds == {str, int, datetime, type(None)}


def test_baz_pays_in_words_and_to_nobody(city):
    rows = reading.table(city.baz, "select mustahik_id, jumlah, program from penyaluran")
    assert all(re.fullmatch(r"Rp\d{1,3}(\.\d{3})*,-", row[1]) for row in rows)
    assert 40 < sum(row[0] is None for row in rows) < 150
    assert len({row[2] for row in rows}) > 5
    niks = reading.table(city.baz, "select nik from mustahik")
    assert 0.2 < sum(row[0] is not None for row in niks) / len(niks) < 0.3


@pytest.fixture(scope="module")
def disdik(servers, city) -> str:
    with psycopg.connect(servers.database_url(), autocommit=True) as admin:
        admin.execute("create database disdik_demo")
    return load_disdik(city.folders["disdik"], servers.database_url("disdik_demo"))


def test_disdik_stands_in_postgresql_for_a_reader_who_cannot_write(disdik, city):
    with psycopg.connect(disdik) as reader:
        count = reader.execute("select count(*), sum(soft_delete) from v_peserta").fetchone()
        assert count[0] == city.counts["disdik"]["peserta_didik"]
        assert count[1] > 20
        unpaid = "select count(*) from v_bsm where peserta_didik_id is null or kode_katalog is null"
        assert reader.execute(unpaid).fetchone() == (0,)
        with pytest.raises(psycopg.Error):
            reader.execute("delete from peserta_didik")


def test_disdik_knows_a_nisn_of_nearly_all_and_a_nik_of_most(disdik):
    with psycopg.connect(disdik) as reader:
        nisn, nik, parents = reader.execute(
            "select avg((nisn is not null)::int), avg((nik is not null)::int),"
            " sum((nik in (nik_ayah, nik_ibu))::int) from peserta_didik where soft_delete = 0"
        ).fetchone()
    assert 0.94 < nisn < 0.99
    assert 0.82 < nik < 0.89
    assert parents > 3


def test_disdik_can_be_filled_again(servers, disdik, city):
    again = load_disdik(city.folders["disdik"], servers.database_url("disdik_demo"))
    with psycopg.connect(again) as reader:
        assert reader.execute("select count(*) from sekolah").fetchone() == (63,)


def test_dstk_moves_to_another_engine_unchanged(servers, city):
    with psycopg.connect(servers.database_url(), autocommit=True) as admin:
        admin.execute("create database dstk_demo")
    url = servers.database_url("dstk_demo").replace("postgresql://", "postgresql+psycopg://", 1)
    load_dstk(city.dstk, url)
    engine = create_engine(url)
    with engine.connect() as connection:
        for view in (
            "v_art",
            "v_keluar",
            "v_ruta",
            "v_bansos",
            "v_bansos_lepas",
            "v_peserta_program",
        ):
            rows = [tuple(row) for row in connection.execute(text(f"select * from {view}"))]
            assert sorted(map(str, rows)) == sorted(
                map(str, reading.table(city.dstk, f"select * from {view}"))
            )
    engine.dispose()


def test_lks_merges_days_types_amounts_and_says_paid_by_a_colour(city):
    [path] = city.folders["lks-mk"].glob("*.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == [*(f"{m} 2025" for m in LKS_MONTHS), "Donatur"]
    rows = reading.aids(city.folders["lks-mk"])
    assert sum(row[0] is None for row in rows) > 5
    kinds = {re.sub(r"[0-9]+", "0", str(row[5])) for row in rows}
    assert {"0", "0rb", "0 jt", "0,0 jt", "Rp0.0"} >= kinds > {"0", "0rb"}
    for sheet in book.worksheets[:-1]:
        assert sheet["A1"].value.startswith("PENYALURAN")
        assert "A1:G1" in {str(r) for r in sheet.merged_cells.ranges}
        assert list(sheet.iter_rows(values_only=True))[-1][0] == "JUMLAH"
    paid = {s.title: s["B4"].fill.patternType == "solid" for s in book.worksheets[:-1]}
    assert [month for month, is_paid in paid.items() if not is_paid] == ["OKT 2025"]


def test_csr_puts_the_mark_of_utf8_before_windows_1252(city):
    files = sorted(city.folders["csr-bri"].glob("CSR BRI *.csv"))
    assert len(files) == 3
    for path in files:
        content = path.read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        with pytest.raises(UnicodeDecodeError):
            content.decode("utf-8")
    amounts = {row[2] for row in reading.grants(city.folders["csr-bri"])}
    assert all(re.fullmatch(r"[0-9]\.[0-9]{3}\.[0-9]{3},00", amount) for amount in amounts)


def test_ppkb_counts_families_of_its_own_and_lets_nobody_read_its_cases(servers, city):
    families = reading.csv_rows(city.folders["ppkb"] / "keluarga.csv")
    assert len({row["kode_keluarga"] for row in families}) == len(families)
    cards = [row["no_kk"] for row in families if row["no_kk"]]
    assert len(set(cards)) < len(cards)
    assert len(reading.csv_rows(city.folders["ppkb"] / "kasus_kekerasan.csv")) > 20
    with psycopg.connect(servers.database_url(), autocommit=True) as admin:
        admin.execute("create database ppkb_demo")
    with psycopg.connect(load_ppkb(city.folders["ppkb"], servers.database_url("ppkb_demo"))) as db:
        assert db.execute("select count(*) from v_kepala").fetchone() == (len(families),)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute("select 1 from kasus_kekerasan")
