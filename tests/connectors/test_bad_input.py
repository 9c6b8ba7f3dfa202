"""What goes wrong at an agency: each is a typed sentence, nothing is half published, nothing good is lost."""

import json
from contextlib import closing
from pathlib import Path

import openpyxl
import psycopg
import pytest

from connectors import alarms, errors, silence
from connectors.config import Dataset, SourceConfig
from connectors.errors import ConnectorError, FixSettings, FixSource, Wait
from connectors.sources.base import Query
from connectors.sources.registry import open_source
from tests.shared import ROOT

COLUMNS = ("NIK", "NAMA")
TRAILER = r"TRAILER\|([0-9]+)"


def _text(folder: Path, **options: object):
    dataset = Dataset(
        "biodata", COLUMNS, {"pattern": "BIODATA_*.txt", "trailer": TRAILER} | options
    )
    source = open_source(SourceConfig("text", "", folder, {}, {"biodata": dataset}))
    return source, Query(dataset, COLUMNS)


def _read(pair):
    source, query = pair
    source.check(query)
    return list(source.rows(query))


def _fails(pair, kind: type[ConnectorError], code: str) -> ConnectorError:
    with pytest.raises(kind) as caught:
        _read(pair)
    assert caught.value.code == code
    assert "1376" not in caught.value.sentence("id")
    return caught.value


# -- text


def test_a_half_written_file_is_left_and_waited_for(tmp_path):
    (tmp_path / "BIODATA_20251102.txt").write_text("NIK|NAMA\n1|A\n2|B\nTRAILER|3\n")
    error = _fails(_text(tmp_path), Wait, "source.half_written")
    assert (error.facts["declared"], error.facts["found"]) == (3, 2)


def test_a_file_cut_in_mid_line_is_left(tmp_path):
    (tmp_path / "BIODATA_20251102.txt").write_text("NIK|NAMA\n1|A\n2|")
    _fails(_text(tmp_path), Wait, "source.half_written")


def test_the_newest_whole_file_is_taken_and_the_cut_one_is_told(tmp_path):
    (tmp_path / "BIODATA_20251101.txt").write_text("NIK|NAMA\n1|A\nTRAILER|1\n")
    (tmp_path / "BIODATA_20251102.txt").write_text("NIK|NAMA\n1|A\n2|B")
    source, query = _text(tmp_path)
    assert [row["NAMA"] for row in _read((source, query))] == ["A"]
    assert source.warnings(query) == [("BIODATA_20251102.txt", "FILE_HALF_WRITTEN")]
    assert str(source.as_of(query)).startswith("2025-11-01")


def test_a_missing_header_is_no_harm(tmp_path):
    (tmp_path / "BIODATA_20251102.txt").write_text("1|A\n2|B\nTRAILER|2\n")
    assert [row["NIK"] for row in _read(_text(tmp_path))] == ["1", "2"]


def test_a_changed_order_of_columns_is_followed(tmp_path):
    (tmp_path / "BIODATA_20251102.txt").write_text("NAMA|NIK\nA|1\nTRAILER|1\n")
    assert _read(_text(tmp_path))[0]["NIK"] == "1"


def test_a_doubled_apostrophe_is_one(tmp_path):
    (tmp_path / "BIODATA_20251102.txt").write_text("NIK|NAMA\n1|NUR''AINI\nTRAILER|1\n")
    assert _read(_text(tmp_path, doubled="'"))[0]["NAMA"] == "NUR'AINI"


def test_a_wrong_encoding_names_the_line(tmp_path):
    (tmp_path / "BIODATA_20251102.txt").write_bytes(b"NIK|NAMA\n1|A\n2|Ren\xe9\nTRAILER|2\n")
    error = _fails(_text(tmp_path), FixSource, "source.encoding")
    assert error.facts["line"] == 3


def test_a_second_encoding_is_tried_where_it_is_declared(tmp_path):
    (tmp_path / "BIODATA_20251102.txt").write_bytes(b"NIK|NAMA\n1|Ren\xe9\nTRAILER|1\n")
    assert _read(_text(tmp_path, encoding=["utf-8", "cp1252"]))[0]["NAMA"] == "René"


def test_a_bom_and_mixed_line_ends_are_no_harm(tmp_path):
    content = b"\xef\xbb\xbfNIK|NAMA\r\n1|A\n2|B\r\n\r\nTRAILER|2\r\n"
    (tmp_path / "BIODATA_20251102.txt").write_bytes(content)
    assert [row["NIK"] for row in _read(_text(tmp_path))] == ["1", "2"]


def test_a_line_with_too_many_columns_is_left_out_alone(tmp_path):
    (tmp_path / "BIODATA_20251102.txt").write_text("NIK|NAMA\n1|A|x\n2|B\nTRAILER|2\n")
    rows = _read(_text(tmp_path))
    assert [row.get("@fault") for row in rows] == ["ROW_SHAPE", None]


def test_no_file_at_all_is_told(tmp_path):
    _fails(_text(tmp_path), FixSource, "source.file")
    _fails(_text(tmp_path / "tiada"), FixSource, "source.file")


def test_a_file_without_a_trailer_must_end_its_last_line(tmp_path):
    (tmp_path / "BIODATA_20251102.txt").write_text("NIK|NAMA\n1|A\n2|B")
    _fails(_text(tmp_path, trailer=None), Wait, "source.half_written")


# -- workbooks


def _book(
    folder: Path, rows: list[list[object]], *, name: str = "Data.xlsx", sheet: str = "S"
) -> None:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    book.save(folder / name)


def _xlsx(folder: Path, **options: object):
    dataset = Dataset("data", COLUMNS, {"pattern": "*.xlsx", "sheet": "S"} | options)
    source = open_source(SourceConfig("xlsx", "", folder, {}, {"data": dataset}))
    return source, Query(dataset, COLUMNS)


def test_a_missing_sheet_is_named(tmp_path):
    _book(tmp_path, [["NIK", "NAMA"]], sheet="Lembar1")
    _fails(_xlsx(tmp_path), FixSource, "source.sheet")


def test_a_missing_heading_is_named(tmp_path):
    _book(tmp_path, [["Judul"], ["NIK", "NAMA LENGKAP"], ["1", "A"]])
    assert _fails(_xlsx(tmp_path), FixSource, "source.header").facts["column"] == "NAMA"


def test_a_workbook_that_is_none_is_told(tmp_path):
    (tmp_path / "Data.xlsx").write_bytes(b"PK\x03\x04 cut off")
    _fails(_xlsx(tmp_path), FixSource, "source.workbook")


def test_the_lock_file_of_an_open_workbook_does_not_count(tmp_path):
    _book(tmp_path, [["NIK", "NAMA"], ["1", "A"]])
    (tmp_path / "~$Data.xlsx").write_bytes(b"owner")
    assert len(_read(_xlsx(tmp_path))) == 1


def test_titles_two_line_headers_totals_and_blanks_are_understood(tmp_path):
    rows = [
        ["DAFTAR PESERTA"], ["TAHUN 2025"], [], ["NIK/", "NAMA"], ["NO KTP", None],
        ["1", "A"], [None, "B"], [None, None], ["JUMLAH", None, 2],
    ]  # fmt: skip
    _book(tmp_path, rows)
    dataset = Dataset(
        "data",
        ("NIK/ NO KTP", "NAMA"),
        {"pattern": "*.xlsx", "sheet": "S", "fill_down": ["NIK/ NO KTP"], "data": "NAMA"},
    )
    source = open_source(SourceConfig("xlsx", "", tmp_path, {}, {"data": dataset}))
    read = list(source.rows(Query(dataset, dataset.columns)))
    assert [(r["NIK/ NO KTP"], r["NAMA"], r["@row"]) for r in read] == [
        ("1", "A", 6),
        ("1", "B", 7),
    ]


# -- databases


def test_a_locked_database_waits(enrolled, gateway):
    enrolled.config.write_text(
        enrolled.config.read_text().replace('kind = "sql"', 'kind = "sql"\nlock_wait_seconds = 0.1')
    )
    with closing(enrolled.database()) as db:
        db.execute("BEGIN EXCLUSIVE")
        answer = enrolled.run("publish")
        db.execute("ROLLBACK")
    assert answer.code == 5
    assert "locked by another program" in answer.err
    assert enrolled.run("publish", "--json").json["sent"] == 120


def test_a_missing_database_file_is_not_created(agency):
    (agency.folder / "baz.sqlite").unlink()
    answer = agency.run("preview")
    assert answer.code == 3
    assert not (agency.folder / "baz.sqlite").exists()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("ALTER TABLE mustahik RENAME COLUMN nik TO no_ktp", "Column `nik` is not in `mustahik`"),
        ("DROP TABLE mustahik", "Table `mustahik` is no longer"),
    ],
    ids=["renamed column", "dropped table"],
)
def test_a_changed_database_deletes_nothing(enrolled, gateway, damage, said):
    enrolled.run("publish")
    enrolled.sql(damage)
    answer = enrolled.run("publish")
    assert answer.code == 3
    assert said in answer.err
    assert len(gateway.records("baz", "person")) == 120


def test_an_emptied_table_deletes_nothing_unasked(enrolled, gateway):
    enrolled.run("publish")
    enrolled.sql("DELETE FROM mustahik")
    answer = enrolled.run("publish", lang="id")
    assert answer.code == 3
    assert "120 dari 120 data" in answer.err
    assert len(gateway.records("baz", "person")) == 120


@pytest.fixture
def postgres(servers):
    with psycopg.connect(servers.database_url("postgres"), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS bad_input WITH (FORCE)")
        admin.execute("CREATE DATABASE bad_input")
    url = servers.database_url("bad_input")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE orang(id int, nama text)")
        connection.execute(
            "INSERT INTO orang SELECT n, repeat('x', 500) FROM generate_series(1, 20000) n"
        )
    dataset = Dataset("orang", ("id", "nama"))
    source = open_source(SourceConfig("sql", url, Path(), {}, {"orang": dataset}))
    yield source, Query(dataset, ("id", "nama")), url
    source.close()


def test_a_connection_that_drops_in_mid_reading_is_named(postgres, servers):
    source, query, _ = postgres
    rows = source.rows(query)
    next(rows)
    with psycopg.connect(servers.database_url("postgres"), autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'bad_input'"
        )
    with pytest.raises(Wait) as caught:
        list(rows)
    assert caught.value.code == "source.dropped"
    assert len(list(source.rows(query))) == 20_000


def test_a_wrong_password_is_a_matter_of_rights(servers):
    url = f"postgresql://nobody:wrong@127.0.0.1:{servers.postgres_port}/postgres"
    dataset = Dataset("orang", ("id",))
    source = open_source(SourceConfig("sql", url, Path(), {}, {"orang": dataset}))
    with pytest.raises(FixSource) as caught:
        source.check(Query(dataset, ("id",)))
    assert caught.value.code == "source.rights"
    assert "wrong" not in str(caught.value)


def test_a_server_that_is_away_is_waited_for():
    url = "postgresql://titian@127.0.0.1:9/none"
    dataset = Dataset("orang", ("id",))
    source = open_source(SourceConfig("sql", url, Path(), {}, {"orang": dataset}))
    with pytest.raises(Wait) as caught:
        source.check(Query(dataset, ("id",)))
    assert caught.value.code == "source.unreachable"


# -- values and settings


def test_excel_damage_keeps_the_cell_as_a_hint_only(enrolled, gateway):
    enrolled.sql("UPDATE mustahik SET nik = '1.37605E+15' WHERE id = 1")
    enrolled.sql("UPDATE mustahik SET nik = '1376011006800000' WHERE id = 2")
    assert enrolled.run("publish", "--json").json["findings"]["NIK_TRUNCATED"] == 2
    record = gateway.records("baz", "person")["1"]
    assert "nik" not in record
    assert (record["nik_raw"], record["nik_status"]) == ("1.37605E+15", "truncated_excel")


def test_the_same_key_twice_sends_the_first_and_tells(enrolled, gateway):
    enrolled.sql("CREATE TABLE lama AS SELECT * FROM mustahik")
    enrolled.sql("DROP TABLE mustahik")
    enrolled.sql("ALTER TABLE lama RENAME TO mustahik")
    enrolled.sql("INSERT INTO mustahik(id, nama) VALUES(5, 'Kedua')")
    told = enrolled.run("publish", "--json").json
    assert (told["sent"], told["findings"]["ID_TWICE"]) == (120, 1)
    assert gateway.records("baz", "person")["5"]["name_source"] == "Orang 00005"


def test_a_row_without_a_key_is_left_out(enrolled, gateway):
    enrolled.settings(more='id_prefix = ""')
    enrolled.config.write_text(enrolled.config.read_text().replace('key = ["id"]', 'key = ["kel"]'))
    enrolled.sql("UPDATE mustahik SET kel = 'K' || id WHERE id > 1")
    told = enrolled.run("publish", "--json").json
    assert (told["sent"], told["refused"]) == (119, 1)
    assert told["findings"]["KEY_EMPTY"] == 1


def test_a_state_folder_that_cannot_be_written_is_told(agency):
    (agency.folder / "state").write_text("a file, no folder")
    answer = agency.run("init", "--unattended")
    assert answer.code == 4
    assert "No key was" in answer.err or "cannot be" in answer.err


def test_a_damaged_state_is_told(enrolled):
    memory = enrolled.state / "data" / "memory.sqlite"
    memory.write_bytes(b"SQLite format 3\0" + b"\xff" * 4_000)
    for extra in memory.parent.glob("memory.sqlite-*"):
        extra.unlink()
    answer = enrolled.run("publish")
    assert answer.code == 4
    assert "damaged" in answer.err


def test_a_wrong_passphrase_is_told(enrolled):
    path = enrolled.state / "keys" / "passphrase"
    path.write_text("salah")
    answer = enrolled.run("publish")
    assert answer.code == 4
    assert "key file cannot be opened" in answer.err


def test_a_passphrase_file_that_others_may_read_is_refused(enrolled):
    (enrolled.state / "keys" / "passphrase").chmod(0o644)
    assert enrolled.run("publish").code == 4


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('agency = "baz"', 'agency = "BAZ!"', "agency"),
        ('record_type = "person"', 'record_type = "orang"', "record_type"),
        ('key = ["id"]', 'key = ["id"]\nkee = 1', "kee"),
        ('kind = "sql"', 'kind = "accdb"', "source.kind"),
        ('as = "nik"', 'as = "nikk"', "as"),
        ('from = "mustahik"', 'from = "lain"', "not declared"),
        ('profile = "payakumbuh"', 'profile = "atlantis"', "atlantis"),
        ('url = "sqlite:///baz.sqlite"', 'url = "${TITIAN_TIADA}"', "TITIAN_TIADA"),
        ('key = ["id"]', 'key = ["id"', "not valid TOML"),
        ('url = "sqlite:///baz.sqlite"', 'url = "oracle9i://x"', "not a database URL"),
    ],
)
def test_a_mistake_in_the_settings_is_named(agency, before, after, said):
    text = agency.config.read_text()
    assert before in text
    agency.config.write_text(text.replace(before, after, 1))
    answer = agency.run("preview")
    assert answer.code == 4
    assert said in answer.err


def test_missing_settings_are_told(agency):
    agency.config.unlink()
    assert agency.run("preview", lang="id").err.startswith("Berkas pengaturan")


# -- the sentences


def test_every_sentence_stands_in_both_languages_and_every_code_has_one():
    table = errors.sentences()
    used = set()
    for path in (ROOT / "connectors").rglob("*.py"):
        words = path.read_text(encoding="utf-8").replace("\n", " ")
        for kind in ("FixSource(", "FixSettings(", "Wait(", "CallCentre("):
            for piece in words.split(kind)[1:]:
                if piece.lstrip().startswith('"'):
                    used.add(piece.lstrip()[1:].partition('"')[0])
    used |= {*alarms.SAID, alarms.PROMISE, alarms.FOREIGN, alarms.FOREIGN_OPEN, alarms.SILENCED}
    used |= {silence.BY_US, silence.BY_CENTRE}
    assert set(table) == used
    assert all(set(row) == {"id", "en"} for row in table.values())


def test_findings_of_a_mapping_stand_in_both_languages():
    table = json.loads((ROOT / "connectors" / "findings.json").read_text(encoding="utf-8"))
    assert all(set(row) == {"id", "en"} and all(row.values()) for row in table.values())


def test_errors_say_who_can_act():
    codes = [
        FixSource.exit_code,
        FixSettings.exit_code,
        Wait.exit_code,
        errors.CallCentre.exit_code,
    ]
    assert codes == [3, 4, 5, 6]
