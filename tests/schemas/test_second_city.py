"""An invented city in a folder of its own: nothing of the first city stands in code."""

import re
from datetime import date
from pathlib import Path

import pytest

from schemas.errors import ProfileBroken
from schemas.profile import Profile
from schemas.quality import check
from schemas.wilayah import KEL_OLD, KEL_UNKNOWN

PROFILE = """
[city]
code = "kotabaru"
name = "Kota Rekaan"
government = "Pemerintah Kota Rekaan"
province = "Provinsi Rekaan"
kemendagri_code = "99.71"
bps_code = "9971"
phone_country = "62"
timezone = "Asia/Jayapura"
[unit]
code = "rumah"
name = "Rumah"
long_name = "Rumah Data"
[letterhead]
lines = ["KOTA REKAAN"]
address = "Jl. Satu"
place = "Rekaan"
signatory = "Kepala"
legal_basis = []
[letterhead.numbers]
rujukan = "{number}/{year}"
penolakan = "T{number}/{year}"
[thresholds]
mass_delete_share = 0.5
mass_delete_count = 2
max_reject = 0.1
identity_conflict_share = 0.1
household_size_warning = 3
age_limit_years = 110
survey_fresh_months = 24
stale_amber_windows = 1
stale_red_windows = 3
report_small_count = 5
clock_skew_seconds = 300
amount_warning_idr = 1000
[authorities]
register = "sipil"
death = ["sipil"]
national_lists = []
[precedence]
nik = ["sipil", "rumah"]
[[agency]]
code = "sipil"
label = "SIPIL"
name = "Catatan Sipil"
authority = ["identity"]
region_codes = "kemendagri"
publish_window_hours = 1
[[agency]]
code = "rumah"
label = "RUMAH"
name = "Rumah"
authority = []
region_codes = "text"
publish_window_hours = 1
house = true
[[need_kind]]
code = "perahu"
label = "Perahu"
bidang = "PEMBERDAYAAN"
agencies = ["rumah"]
[[counter]]
code = "satu"
label = "Satu meja"
bidang = ["PEMBERDAYAAN"]
"""
WILAYAH = """kemendagri_code,bps_code,kecamatan_code,kecamatan,name,valid_from,from_by,valid_to,to_by,precision,successor
99.71.01.1001,9971020001,99.71.01,Hulu,Batu,,,,,,
,9971020002,99.71.01,Hulu,Karang,,,2019-01-01,2020-01-01,year,99.71.01.1001
99.71.02.1001,9971010001,99.71.02,Hilir,Pasir,,,,,,
"""
FILES = {
    "profile.toml": PROFILE,
    "wilayah.csv": WILAYAH,
    "kecamatan.csv": "kemendagri_code,bps_code,name,aliases\n99.71.01,9971020,Hulu,\n99.71.02,9971010,Hilir,Muara\n",
    "spelling.csv": "variant,canonical\n",
    "holidays.csv": "date,kind,name\n2031-02-03,lokal,Hari Perahu\n",
    "nik_prefixes.csv": "prefix,name\n997101,Hulu\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_another_city_is_only_a_folder(folder):
    city = Profile.read(folder)
    assert city.business_date is None
    assert city.precedence == {"nik": ("sipil", "rumah")}
    assert [agency.house for agency in city.agencies.values()] == [False, True]
    assert city.is_holiday(date(2031, 2, 3))
    assert not city.is_holiday(date(2031, 2, 4))
    assert city.region_name("9971010101800001") == "Hulu"
    assert city.region_name("1376010101800001") is None
    assert city.wilayah.resolve(bps="9971010001").kelurahan == "99.71.02.1001"
    assert city.wilayah.resolve(name="Karang").findings == (KEL_OLD,)
    assert city.wilayah.resolve(name="Ibuah").findings == (KEL_UNKNOWN,)
    assert city.wilayah.resolve(name="Pasir", kecamatan="Kec. Muara").kelurahan == "99.71.02.1001"


def test_the_findings_follow_the_city(folder):
    first, second = Profile.load("payakumbuh"), Profile.read(folder)
    today = date(2025, 11, 3)
    person = {"name_source": "ROSNA", "nik": "1376014512800002"}
    big = {"household_key": "1", "basis": "KK", "member_count": 4}
    assert check("person", person, profile=first, today=today) == []
    assert check("person", person, profile=second, today=today) == [("NIK_PREFIX_UNKNOWN", "nik")]
    assert check("household", big, profile=first, today=today) == []
    assert check("household", big, profile=second, today=today) == [("KK_TOO_BIG", "member_count")]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("profile.toml", 'nik = ["sipil", "rumah"]', 'nik = ["dinas"]'),
        ("profile.toml", 'register = "sipil"', 'register = "dinas"'),
        ("profile.toml", 'bidang = "PEMBERDAYAAN"', 'bidang = "LAIN"'),
        ("profile.toml", 'agencies = ["rumah"]', 'agencies = ["dinas"]'),
        ("profile.toml", "mass_delete_count = 2", ""),
        ("profile.toml", "[city]", "[city"),
        ("wilayah.csv", "year,99.71.01.1001", "year,99.71.01.9999"),
        ("wilayah.csv", "9971010001,99.71.02", "9971010001,99.71.09"),
        ("wilayah.csv", "2019-01-01", "2019-13-01"),
        ("wilayah.csv", "99.71.02,Hilir,Pasir", "99.71.01,Hulu,BATU"),
        ("holidays.csv", "2031-02-03", "tiga"),
    ],
)
def test_files_that_do_not_fit_together_are_refused(folder, file, old, new):
    assert old in FILES[file]
    (folder / file).write_text(FILES[file].replace(old, new), encoding="utf-8")
    with pytest.raises(ProfileBroken):
        Profile.read(folder)


@pytest.mark.parametrize("name", ["atlantis", "../codes", "", "payakumbuh/.."])
def test_a_city_without_a_folder_is_refused(name):
    with pytest.raises(ProfileBroken):
        Profile.load(name)


def test_no_code_of_this_room_knows_a_city_by_name():
    root = Path(__file__).resolve().parents[2] / "schemas"
    words = re.compile(r"payakumbuh|13\.?76|dukcapil|disdik|dinkes|dstk|minang", re.IGNORECASE)
    for path in (*root.glob("*.py"), *root.glob("records/**/*.py"), *root.glob("codes/*.py")):
        found = words.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.name}: {found and found[0]}"
