import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.index import dates, normalise, numbers, places
from gateway.index.dates import Order


@pytest.mark.parametrize(
    ("written", "also_written"),
    [
        ("MUHAMMAD RIZKI", "Mohd. Rizky"),
        ("Mhd Rizki", "Muhamad Risqi".replace("sq", "zq")),
        ("H. Muhammad Rizki, S.Pd", "Muhammad Rizki"),
        ("Drs. H. Achmad Taufiq SH", "Ahmad Taufik"),
        ("K.H. Yahya", "Yahya"),
        ("Soekarno", "Sukarno"),
        ("Widjaja", "Wijaya"),
        ("Jusuf Hidajat", "Yusuf Hidayat"),
        ("Chairul", "Khairul"),
        ("Rachmat", "Rahmat"),
        ("Sjafri", "Syafri"),
        ("Nur'aini", "Nuraini"),
        ("Yulia", "Julia"),
        ("Siti Aminah binti Ali", "Siti Aminah"),
        ("Ny. Upik", "Upik"),
        ("Dt. Bandaro", "Bandaro"),
    ],
)
def test_two_spellings_of_a_name_meet(written: str, also_written: str) -> None:
    assert normalise.name(written).core == normalise.name(also_written).core


@pytest.mark.parametrize(
    ("written", "core", "aliases"),
    [
        ("Ujang gelar St. Rajo Ameh", "uyang", ("rayo ameh",)),
        ("Ujang St. Rajo Ameh", "uyang", ("rayo ameh",)),
        ("Sutan Rajo Ameh", "rayo ameh", ()),
        ("Yusuf als Ucok", "yusup", ("uhok",)),
        ("Sutan", "sutan", ()),
        ("...", "", ()),
    ],
)
def test_a_gelar_becomes_an_alias(written: str, core: str, aliases: tuple[str, ...]) -> None:
    found = normalise.name(written)
    assert found.core == core
    assert len(found.aliases) == len(aliases)


def test_st_is_siti_for_a_woman_and_sutan_for_a_man() -> None:
    assert normalise.name("St. Aminah", "P").core == normalise.name("Siti Aminah").core
    assert normalise.name("St. Rajo", "L").titles == ("st",)


@given(st.text(max_size=60))
def test_folding_a_name_twice_changes_nothing_of_its_shape(text: str) -> None:
    value = normalise.name(text).value
    assert value is None or (value == value.strip() and "  " not in value)


@pytest.mark.parametrize(
    ("written", "order", "read"),
    [
        ("31-12-1980", Order.DAY_FIRST, "1980-12-31"),
        ("31/12/80", Order.DAY_FIRST, "1980-12-31"),
        ("1/2/05", Order.DAY_FIRST, "2005-02-01"),
        ("1980-12-31", Order.DAY_FIRST, "1980-12-31"),
        ("1980-12-31 00:00:00", Order.DAY_FIRST, "1980-12-31"),
        ("31 Desember 1980", Order.DAY_FIRST, "1980-12-31"),
        ("31 Dec 1980", Order.DAY_FIRST, "1980-12-31"),
        ("00-00-1980", Order.DAY_FIRST, "1980"),
        ("31121980", Order.DAY_FIRST, "1980-12-31"),
        ("19801231", Order.YEAR_FIRST, "1980-12-31"),
        ("1980", Order.DAY_FIRST, "1980"),
        ("00000000", Order.DAY_FIRST, None),
        ("30-02-1980", Order.DAY_FIRST, None),
        ("tidak tahu", Order.DAY_FIRST, None),
    ],
)
def test_dates(written: str, order: Order, read: str | None) -> None:
    assert dates.date(written, order) == read


def test_eight_digits_are_read_as_the_whole_column_wants() -> None:
    assert dates.order(["19801231", "20010203", "01021990"]) is Order.YEAR_FIRST
    assert dates.order(["31121980", "03022001"]) is Order.DAY_FIRST


@pytest.mark.parametrize(
    ("written", "value", "stem"),
    [
        ("1376014512100001", "1376014512100001", None),
        ("'1376.0145.1210.0001", "1376014512100001", None),
        ("1376014512100000", None, "137601451210000"),
        ("1376019912100001", "~1376019912100001", None),
        ("137601451210001", "~137601451210001", "137601451210001"),
        ("1,37605E+15", None, None),
        ("0000000000000000", None, None),
        ("9999999999999995", None, None),
        ("1376000000000000", None, None),
        ("-", None, None),
    ],
)
def test_nik(written: str, value: str | None, stem: str | None) -> None:
    assert (numbers.nik(written).value, numbers.nik(written).stem) == (value, stem)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0812-3456-7890", "6281234567890"),
        ("+62 812 3456 7890", "6281234567890"),
        ("81234567890", "6281234567890"),
        ("6281234567890 / 0751", "6281234567890"),
        ("0000000000", None),
        ("-", None),
    ],
)
def test_phone(written: str, read: str | None) -> None:
    assert numbers.phone(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Jl. Sudirman No. 12 RT 03 RW 01", "sudirman|12|3|1"),
        ("Jalan Sudirman no 12 rt 3/rw 1", "sudirman|12|3|1"),
        ("RT.3 RW.1", "||3|1"),
        ("Jl Mawar 003/001 Kel. Ibuh", "mawar||3|1"),
        ("8 stanley street miami", "stanley street miami|8||"),
        ("dekat surau", "dekat surau|||"),
        ("-", None),
    ],
)
def test_address(written: str, read: str | None) -> None:
    assert places.address(written) == read


@pytest.mark.parametrize(
    ("written", "also_written"),
    [
        ("Kel. Aua Kuniang", "AUR KUNING"),
        ("Tanjuang Pauah", "Tanjung Pauh"),
        ("Pdg Tangah Kec. Payakumbuh Barat", "Padang Tengah"),
        ("Kt. Baru", "Koto Baru"),
    ],
)
def test_two_spellings_of_a_place_meet(written: str, also_written: str) -> None:
    assert places.place(written) == places.place(also_written)
