"""`init` looks at a source, says how sure it is of each column, and shows what would come of it."""

import io
import sys

import openpyxl
import pytest

from connectors.config import Config
from connectors.sources.dialect import sniff


def _init(agency, source: str, *more: str, lang: str = "en"):
    agency.config.unlink(missing_ok=True)
    words = ("init", "--agency", "baz", "--profile", "payakumbuh", "--source", source, *more)
    return agency.run(*words, lang=lang)


def test_a_database_is_proposed_with_confidence_and_ten_masked_rows(agency):
    answer = _init(agency, "sqlite:///baz.sqlite", lang="id")
    assert answer.code == 0, answer.err
    assert "Keyakinan" in answer.out
    assert "name_source" in answer.out
    assert "98%" in answer.out
    assert "10 baris pertama" in answer.out
    assert "Orang 00001" not in answer.out
    assert "1376011006" not in answer.out
    assert agency.run("preview", "--json").json[0]["sent"] == 120


def test_a_column_whose_values_do_not_fit_is_left_out(agency):
    agency.sql("UPDATE mustahik SET tgl_lahir = 'lusa'")
    answer = _init(agency, "sqlite:///baz.sqlite")
    assert "left out" in answer.out
    fields = Config.load(agency.config).publish[0].fields
    assert "birth_date" not in fields
    assert "nik" in fields


def test_what_the_city_withholds_is_not_even_proposed(agency):
    agency.sql("CREATE TABLE kasus_kekerasan(id INTEGER, nama TEXT)")
    agency.sql("ALTER TABLE mustahik ADD COLUMN no_rekening TEXT")
    assert _init(agency, "sqlite:///baz.sqlite").code == 0
    text = agency.config.read_text()
    assert "kekerasan" not in text
    assert "rekening" not in text


def test_an_officer_who_says_no_has_no_settings_file(agency, monkeypatch):
    agency.config.unlink()
    monkeypatch.setattr(sys, "stdin", io.StringIO("sqlite:///baz.sqlite\nn\n"))
    answer = agency.run("init", "--agency", "baz", "--profile", "payakumbuh")
    assert answer.code == 130
    assert not agency.config.exists()


def test_a_source_that_cannot_be_read_leaves_no_settings_file(agency):
    assert _init(agency, "sqlite:///tiada.sqlite").code == 3
    assert not agency.config.exists()


def test_a_folder_of_semicolons_in_windows_1252_is_understood(agency):
    folder = agency.folder / "drop"
    folder.mkdir()
    rows = "".join(f"Ren\xe9 {n};Jl. Melati \u2013 {n};0812000000{n:02d}\r\n" for n in range(30))
    content = ("nama;alamat;hp\r\n" + rows).encode("cp1252")
    (folder / "CSR 2025-01.csv").write_bytes(b"\xef\xbb\xbf" + content)
    answer = _init(agency, "drop")
    assert answer.code == 0, answer.err
    told = agency.run("preview", "--json").json[0]
    assert (told["sent"], told["refused"]) == (30, 0)


def test_a_folder_of_workbooks_is_understood(agency):
    folder = agency.folder / "buku"
    folder.mkdir()
    book = openpyxl.Workbook()
    book.active.title = "Peserta"
    for row in (["DAFTAR"], [], ["NO", "NAMA PESERTA", "NIK"], [1, "Ana", "1376011006800001"]):
        book.active.append(row)
    book.save(folder / "Peserta 2025.xlsx")
    answer = _init(agency, "buku")
    assert answer.code == 0, answer.err
    assert agency.run("preview", "--json").json[0]["sent"] == 1


@pytest.mark.parametrize(
    ("head", "delimiter", "quote", "encodings", "columns"),
    [
        (b"a|b|c\n1|2|3\n", "|", None, ("utf-8",), ("a", "b", "c")),
        (b'"a";"b"\n"1,5";"2,5"\n', ";", '"', ("utf-8",), ("a", "b")),
        (b"a\tb\n1\t2\n", "\t", None, ("utf-8",), ("a", "b")),
        (b"nama,kota\nRen\xe9,X\n", ",", None, ("utf-8", "cp1252"), ("nama", "kota")),
        ("\ufeffnama;kota\nÉ;X\n".encode(), ";", None, ("utf-8",), ("nama", "kota")),
        (b"a;b\n1,5;2,5\n1,5;3\n", ";", None, ("utf-8",), ("a", "b")),
        ("nama;kota\nRené".encode()[:-1], ";", None, ("utf-8",), ("nama", "kota")),
    ],
    ids=["pipe", "quoted", "tab", "windows", "bom", "decimal comma", "cut in mid character"],
)
def test_a_dialect_is_found(head, delimiter, quote, encodings, columns):
    found = sniff(head)
    assert found is not None
    assert (found.delimiter, found.quote) == (delimiter, quote)
    assert (found.encodings, found.columns) == (encodings, columns)


def test_prose_has_no_dialect():
    assert sniff(b"Yth. Bapak\nberikut data kami\n") is None
    assert sniff(b"") is None
