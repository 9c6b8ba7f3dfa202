"""What a preview writes for those who type the data: rows by their own keys, nothing in the clear."""

import openpyxl
import pytest


@pytest.fixture
def faulty(agency):
    agency.sql("UPDATE mustahik SET nik = '1376011006800000' WHERE id = 7")
    agency.sql(
        "UPDATE mustahik SET tgl_lahir = '<b>kapan</b>', nama = 'Rahasia Sekali' WHERE id = 1"
    )
    return agency


def test_an_html_report_names_rows_and_masks_values(faulty):
    path = faulty.folder / "periksa.html"
    answer = faulty.run("preview", "--report", str(path), lang="id")
    assert answer.code == 0, answer.err
    page = path.read_text(encoding="utf-8")
    assert "<td>7</td><td>NIK_TRUNCATED</td>" in page
    assert "DATE_UNREADABLE" in page
    assert "<b>kapan" not in page
    assert "Rahasia Sekali" not in page
    assert "13760110" not in page
    assert path.stat().st_mode & 0o077 == 0
    assert "jangan dikirim" in answer.err


def test_a_workbook_lists_the_rows_to_mend_as_texts(faulty):
    path = faulty.folder / "periksa.xlsx"
    assert faulty.run("preview", "--report", str(path)).code == 0
    book = openpyxl.load_workbook(path)
    rows = list(book["Perbaiki"].iter_rows(values_only=True))
    assert ("mustahik", "7", "NIK_TRUNCATED") in [row[:3] for row in rows]
    assert book["Perbaiki"]["B2"].data_type == "s"
    assert list(book["Ringkasan"].iter_rows(values_only=True))[1][2] == 120


def test_a_key_that_looks_like_a_formula_stays_a_text(agency):
    agency.config.write_text(agency.config.read_text().replace('key = ["id"]', 'key = ["nama"]'))
    agency.sql("UPDATE mustahik SET nama = '=1+1', nik = '1376011006800000' WHERE id = 7")
    path = agency.folder / "periksa.xlsx"
    assert agency.run("preview", "--report", str(path)).code == 0
    cells = [row[1] for row in openpyxl.load_workbook(path)["Perbaiki"].iter_rows()]
    assert {c.data_type for c in cells if c.value == "=1+1"} <= {"s"}
    assert any(c.value == "=1+1" for c in cells)


def test_another_ending_is_refused_before_anything_is_read(agency):
    answer = agency.run("preview", "--report", "periksa.doc")
    assert answer.code == 4
    assert ".html, .xlsx" in answer.err
