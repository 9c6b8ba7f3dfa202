"""Files as they lie in offices: tables of dBASE, drop folders in mid-copy, locked workbooks."""

import contextlib
import os
import struct
import time
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.styles import PatternFill

from connectors.config import Dataset, SourceConfig
from connectors.errors import ConnectorError, FixSource, Wait
from connectors.sources.base import Query
from connectors.sources.registry import open_source
from tests.connectors.dbf_files import dbf_file

COLUMNS = ("NAMA", "NILAI", "LAHIR", "AKTIF")
ROWS = (("Ren\xe9", 12, "19800131", "T"), ("Hapus", 1, "", "F"), ("Ana", "1.50", "20250231", "?"))


def _opened(folder, kind, dataset, **options):
    return open_source(SourceConfig(kind, "", folder, options, {dataset.name: dataset}))


def _read(source, dataset):
    query = Query(dataset, dataset.columns)
    source.check(query)
    return list(source.rows(query))


def _dbf(folder, content: bytes, **options):
    (folder / "DATA.DBF").write_bytes(content)
    dataset = Dataset("data", COLUMNS, {"pattern": "*.DBF"} | options)
    return _opened(folder, "dbf", dataset), dataset


def test_cells_of_a_dbf_have_their_kinds_and_deleted_rows_are_passed_over(tmp_path):
    rows = _read(*_dbf(tmp_path, dbf_file(COLUMNS, ROWS, kinds="CNDL", deleted=[1])))
    assert [[row[c] for c in COLUMNS] for row in rows] == [
        ["Ren\xe9", 12, date(1980, 1, 31), True],
        ["Ana", Decimal("1.50"), "20250231", None],
    ]
    assert [row["@row"] for row in rows] == [1, 3]


def test_a_dbf_says_its_own_code_page_unless_the_settings_do(tmp_path):
    content = dbf_file(COLUMNS, ROWS, kinds="CNDL", language=0x02, encoding="cp850")
    assert _read(*_dbf(tmp_path, content))[0]["NAMA"] == "Ren\xe9"
    assert _read(*_dbf(tmp_path, content, encoding="cp1252"))[0]["NAMA"] != "Ren\xe9"


def test_integers_and_memos_of_foxpro(tmp_path):
    content = dbf_file(("NAMA", "N", "CATATAN"), [("A", -7, "0001")], kinds="CIM")
    (tmp_path / "d.dbf").write_bytes(content)
    dataset = Dataset("d", ("NAMA", "N"), {"pattern": "d.dbf"})
    [row] = _read(_opened(tmp_path, "dbf", dataset), dataset)
    assert (row["NAMA"], row["N"], "CATATAN" in row) == ("A", -7, False)


def test_a_dbf_that_is_still_being_written_is_waited_for(tmp_path):
    content = dbf_file(COLUMNS, ROWS, kinds="CNDL")
    for cut in (10, len(content) - 30):
        with pytest.raises(Wait) as caught:
            _read(*_dbf(tmp_path, content[:cut]))
        assert caught.value.code == "source.half_written"


@pytest.mark.parametrize("content", [b"PK\x03\x04" + b"x" * 90, b"\x03" * 64, b"\0" * 200])
def test_what_is_no_dbf_is_told(tmp_path, content):
    with pytest.raises(ConnectorError) as caught:
        _read(*_dbf(tmp_path, content))
    assert caught.value.code in ("source.workbook", "source.half_written")


@given(content=st.binary(max_size=300), rows=st.integers(0, 5))
def test_no_bytes_at_all_break_the_reader(tmp_path_factory, content, rows):
    folder = tmp_path_factory.mktemp("dbf")
    head = struct.pack("<BBBBIHH20x", 3, 1, 1, 1, rows, 65, 11)
    for whole in (content, head + content):
        with contextlib.suppress(FixSource, Wait):
            _read(*_dbf(folder, whole))


# -- the drop folder


def _drop(folder, **options):
    dataset = Dataset("d", ("nik", "nama"), {"pattern": "d*.csv", "delimiter": ";"})
    return _opened(folder, "drop", dataset, **options), dataset


def _put(folder, name="d1.csv", age=60.0):
    path = folder / name
    path.write_text("nik;nama\n1;A\n")
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_a_file_that_has_just_changed_is_waited_for(tmp_path):
    _put(tmp_path, age=0)
    with pytest.raises(Wait) as caught:
        _read(*_drop(tmp_path, settle_seconds=30))
    assert caught.value.code == "source.settling"
    assert len(_read(*_drop(tmp_path, settle_seconds=0))) == 1


@pytest.mark.parametrize("half", ["d1.csv.part", "d1.csv.crdownload", "d1.tmp"])
def test_a_folder_in_mid_sync_is_waited_for_and_nothing_of_it_is_read(tmp_path, half):
    _put(tmp_path)
    _put(tmp_path, half)
    with pytest.raises(Wait) as caught:
        _read(*_drop(tmp_path))
    assert caught.value.code == "source.settling"


def test_a_half_that_nobody_finishes_stops_nothing(tmp_path):
    _put(tmp_path)
    _put(tmp_path, "d1.csv.part", age=7_200)
    assert len(_read(*_drop(tmp_path))) == 1


def test_the_half_of_another_dataset_stops_nothing(tmp_path):
    _put(tmp_path)
    _put(tmp_path, "lain.csv.part")
    assert len(_read(*_drop(tmp_path))) == 1


def test_a_folder_that_may_only_be_read_is_enough(tmp_path):
    _put(tmp_path)
    tmp_path.chmod(0o555)
    try:
        assert len(_read(*_drop(tmp_path))) == 1
    finally:
        tmp_path.chmod(0o755)


def test_a_workbook_behind_a_password_is_named_as_such(tmp_path):
    content = (
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + "EncryptedPackage".encode("utf-16-le")
    )
    (tmp_path / "d.xlsx").write_bytes(content + bytes(2_000))
    dataset = Dataset("d", ("NIK",), {"pattern": "*.xlsx", "sheet": "S"})
    with pytest.raises(FixSource) as caught:
        _read(_opened(tmp_path, "xlsx", dataset), dataset)
    assert caught.value.code == "source.protected"
    assert "kata sandi" in caught.value.sentence("id")


def test_a_colour_is_read_from_the_sheet_that_is_meant(tmp_path):
    book = openpyxl.Workbook()
    for title, coloured in (("JAN 2025", 3), ("FEB 2025", 2)):
        sheet = book.create_sheet(title)
        for row in (["NIK", "NAMA"], ["1", "A"], ["2", "B"]):
            sheet.append(row)
        sheet.cell(coloured, 2).fill = PatternFill("solid", fgColor="FFFF0000")
        sheet.cell(9, 9).fill = PatternFill("solid", fgColor="FFFF0000")  # colour without a value
    book.remove(book.worksheets[0])
    book.save(tmp_path / "d.xlsx")
    options = {"pattern": "d.xlsx", "sheet": "??? 2025", "coloured": True}
    dataset = Dataset("d", ("NIK", "NAMA"), options)
    rows = _read(_opened(tmp_path, "xlsx", dataset), dataset)
    assert [(r["@sheet"], r["NIK"], r.get("@fill")) for r in rows] == [
        ("JAN 2025", "1", None), ("JAN 2025", "2", "1"),
        ("FEB 2025", "1", "1"), ("FEB 2025", "2", None),
    ]  # fmt: skip
