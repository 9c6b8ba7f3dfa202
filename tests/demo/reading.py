"""Reading the sources again without any code of the generator: every person row of every file."""

import csv
import json
import sqlite3
from functools import cache
from pathlib import Path

import openpyxl

JAMKESDA = "Jamkesda 2025 *.xlsx"


def drop(path: Path) -> tuple[list[str], list[list[str]]]:
    """Data lines and trailer of a whole drop file (header dropped if there is one)."""
    lines = path.read_bytes().decode("ascii").split("\r\n")
    assert lines.pop() == ""
    trailer = lines.pop().split("|")
    assert trailer[0] == "TRAILER"
    rows = [line.split("|") for line in lines]
    if not rows[0][0].isdigit():
        rows.pop(0)
    assert len(rows) == int(trailer[1])
    return trailer, rows


def table(path: Path, query: str) -> list[tuple]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sheet(path: Path) -> list[tuple]:
    book = openpyxl.load_workbook(path)
    return list(book.worksheets[0].iter_rows(values_only=True))


@cache
def cards(folder: Path) -> list[tuple]:
    """Every person row of every Jamkesda workbook."""
    rows = [row for path in sorted(folder.glob(JAMKESDA)) for row in sheet(path)[6:]]
    return [row for row in rows if row[2]]


def person_keys(city) -> set[tuple[str, str, str]]:
    """(agency, table, key) of every person row, read from the sources themselves."""
    day = f"{city.today.replace(day=city.today.day - 1):%Y%m%d}"
    folder, dstk, baz = city.folders, city.dstk, city.baz
    keys = {
        ("dukcapil", "BIODATA", row[0])
        for path in folder["dukcapil"].glob("BIODATA_*.txt")
        if path.name >= f"BIODATA_{int(day) - 1}"
        for row in drop(path)[1]
    }
    keys |= {
        ("disdik", "peserta_didik", row["peserta_didik_id"])
        for row in csv_rows(folder["disdik"] / "peserta_didik.csv")
    }
    for name in ("pls_art", "pls_keluar"):
        rows = table(dstk, f"select idruta || '|' || nuart from {name}")
        keys |= {("dstk", name, row[0]) for row in rows}
    for name, query in (
        ("dtks_2021", "select id_dtks from dtks_2021"),
        ("pmks", "select no from pmks"),
        ("bansos_2025", "select id from bansos_2025 where idruta is null"),
    ):
        keys |= {("dstk", name, str(row[0])) for row in table(dstk, query)}
    keys |= {("dinkes", "Jamkesda", row[8]) for row in cards(folder["dinkes"])}
    keys |= {("baz", "mustahik", str(row[0])) for row in table(baz, "select id from mustahik")}
    orphans = table(baz, "select id from penyaluran where mustahik_id is null")
    keys |= {("baz", "penyaluran", str(row[0])) for row in orphans}
    keys |= {
        ("ppkb", "kepala", "|".join(row[c] for c in ("no_kk", "nama_kepala", "kode_desa", "rt")))
        for row in csv_rows(folder["ppkb"] / "keluarga.csv")
    }
    keys |= {("lks-mk", "penerima", f"{row[6]}|{row[1]}") for row in aids(folder["lks-mk"])}
    return keys | {
        ("csr-bri", "penerima", f"{row[0]}|{row[3]}|{row[2]}") for row in grants(folder["csr-bri"])
    }


def aids(folder: Path) -> list[tuple]:
    """Every row of every month of the LKS workbook, without titles, header and total."""
    [path] = folder.glob("*.xlsx")
    months = openpyxl.load_workbook(path).worksheets[:-1]
    return [row for month in months for row in list(month.iter_rows(values_only=True))[3:-1]]


def grants(folder: Path) -> list[list[str]]:
    """Every grant of the quarters' CSV files."""
    texts = [path.read_bytes()[3:].decode("cp1252") for path in sorted(folder.glob("CSR BRI *"))]
    return [line.split(";") for text in texts for line in text.splitlines()[1:]]


def stories(city) -> dict[str, dict]:
    told = json.loads(city.planted.read_text(encoding="utf-8"))
    return {story["name"]: story for story in told}
