"""What the city withholds cannot leave by any settings file: PPKB's cases of violence (scenario 36)."""

import csv
import sqlite3
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.config import Config, Dataset, SourceConfig
from connectors.errors import ConnectorError
from connectors.sources.base import Query
from connectors.sources.registry import open_source
from connectors.withheld import fenced, is_withheld
from schemas.profile import Profile

PROFILE = Profile.load("payakumbuh")
COLUMNS = ("no_kasus", "kode_keluarga", "bentuk", "pelaku", "kronologi")
SECRET = "RAHASIA"

names = st.sampled_from(
    ["kasus_kekerasan", "KASUS_KEKERASAN", '"kasus_kekerasan"', "main.kasus_kekerasan", "lain"]
)
columns = st.lists(st.sampled_from([*COLUMNS, "no_urut", "Kronologi"]), min_size=1, unique=True)


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Path:
    """The cases in a database, in a workbook's sheet and in a text file, side by side."""
    folder = tmp_path_factory.mktemp("ppkb")
    row = ("KK-001", "25", "fisik", "Keluarga", SECRET)
    with sqlite3.connect(folder / "ppkb.sqlite") as db:
        db.execute(f"CREATE TABLE kasus_kekerasan({', '.join(COLUMNS)})")
        db.execute("INSERT INTO kasus_kekerasan VALUES(?, ?, ?, ?, ?)", row)
        db.execute(
            "CREATE TABLE lain AS SELECT no_kasus, kode_keluarga, bentuk FROM kasus_kekerasan"
        )
    db.close()
    book = openpyxl.Workbook()
    book.active.title = "Kasus Kekerasan"
    for line in (COLUMNS, row):
        book.active.append(line)
    book.save(folder / "Data PPKB.xlsx")
    with (folder / "kasus_kekerasan.csv").open("w", newline="") as file:
        csv.writer(file, delimiter="|").writerows((COLUMNS, row))
    return folder


def _all_rows(source: SourceConfig, columns: tuple[str, ...]) -> str:
    """Everything that this source gives away, as text; nothing where it refuses."""
    seen = []
    try:
        fence = fenced(source, PROFILE)
        opened = open_source(fence)
        try:
            for dataset in fence.datasets.values():
                seen += [str(row) for row in opened.rows(Query(dataset, columns))]
        finally:
            opened.close()
    except ConnectorError as err:
        seen.append(err.sentence("id"))
    return " ".join(seen)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(["sql", "text", "xlsx"]),
    name=names,
    option=st.sampled_from(["table", "sheet", "pattern", "keterangan"]),
    value=st.one_of(names, st.sampled_from(["*", "kasus*", "Kasus*", "*.csv", "*.xlsx", "K*n"])),
    chosen=columns,
)
def test_no_settings_give_a_case_of_violence_away(office, kind, name, option, value, chosen):
    options = {option: value} | ({"sheet": "*"} if kind == "xlsx" and option != "sheet" else {})
    dataset = Dataset(name, tuple(chosen), options)
    url = "sqlite:///ppkb.sqlite" if kind == "sql" else ""
    source = SourceConfig(kind, url, office, {}, {name: dataset})
    assert SECRET not in _all_rows(source, tuple(chosen))


def test_the_fence_is_needed(office):
    """Without it the same reading would give the case away, so the test above can fail."""
    dataset = Dataset("kasus_kekerasan", COLUMNS, {"pattern": "*.csv"})
    opened = open_source(SourceConfig("text", "", office, {}, {"kasus_kekerasan": dataset}))
    assert SECRET in str(list(opened.rows(Query(dataset, COLUMNS))))


def test_settings_that_name_it_are_refused_with_what_to_do(agency):
    agency.sql("CREATE TABLE kasus_kekerasan(id INTEGER, kronologi TEXT)")
    text = agency.config.read_text()
    agency.config.write_text(
        text.replace("[source.tables]", '[source.tables]\nkasus_kekerasan = ["id"]')
    )
    answer = agency.run("preview", lang="id")
    assert answer.code == 4
    assert "tidak pernah keluar dari pemiliknya" in answer.err


@pytest.mark.parametrize(
    "name", ["kasus_kekerasan", "dbo.[Kasus_Kekerasan]", "v_kekerasan_2025", "HIV", "no_rekening"]
)
def test_names_are_met_however_they_are_written(name):
    assert is_withheld(name, PROFILE.withheld)


@pytest.mark.parametrize("name", ["keluarga", "arsip", "archive", "v_kepala", "anggota"])
def test_ordinary_names_pass(name):
    assert not is_withheld(name, PROFILE.withheld)


def test_the_worked_examples_pass_the_fence():
    folder = Path("connectors/agencies")
    for path in folder.glob("*.toml"):
        config = Config.load(path)
        assert fenced(config.source, PROFILE).withheld
