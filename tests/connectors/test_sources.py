"""Every kind of source under the one conformance suite, each against the real thing."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import openpyxl
import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from connectors.config import Dataset, SourceConfig
from connectors.errors import FixSettings
from connectors.sources.registry import SOURCES, open_source
from tests.connectors.conformance import SourceConformance, Table
from tests.connectors.dbf_files import dbf_file


def _declared(tables: Mapping[str, Table], **options: object) -> dict[str, Dataset]:
    return {
        name: Dataset(name, tuple(c for c in columns if c != "rahasia"), dict(options))
        for name, (columns, _) in tables.items()
    }


def _load_sql(url: str, tables: Mapping[str, Table]) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for name, (columns, rows) in tables.items():
            connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
            kinds = ", ".join(f"{c} {'INTEGER' if c == 'id' else 'VARCHAR(100)'}" for c in columns)
            connection.execute(text(f"CREATE TABLE {name}({kinds})"))
            for row in rows:
                values = dict(zip(columns, row, strict=True))
                marks = ", ".join(f":{c}" for c in columns)
                connection.execute(text(f"INSERT INTO {name} VALUES({marks})"), values)
    engine.dispose()


class TestSqlite(SourceConformance):
    def make(self, tmp_path, tables):
        _load_sql(f"sqlite:///{tmp_path}/o.sqlite", tables)
        return SourceConfig("sql", "sqlite:///o.sqlite", tmp_path, {}, _declared(tables))


class TestPostgres(SourceConformance):
    @pytest.fixture(autouse=True)
    def _server(self, servers):
        self.url = servers.database_url("conformance")
        with psycopg.connect(servers.database_url("postgres"), autocommit=True) as admin:
            admin.execute("DROP DATABASE IF EXISTS conformance WITH (FORCE)")
            admin.execute("CREATE DATABASE conformance")

    def make(self, tmp_path, tables):
        _load_sql(self.url.replace("postgresql:", "postgresql+psycopg:"), tables)
        return SourceConfig("sql", self.url, tmp_path, {}, _declared(tables))

    def test_the_connection_cannot_write(self, config, source):
        with source._engine.connect() as connection, pytest.raises(Exception, match="read-only"):
            connection.execute(text("DELETE FROM orang"))


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A MariaDB server of our own on a free port, or a skip with the reason."""
    server = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
    install = shutil.which("mariadb-install-db")
    if not Path(server).exists() or install is None:
        pytest.skip("there is no mariadbd on this machine")
    folder = tmp_path_factory.mktemp("mariadb")
    user = []
    if os.name == "posix" and os.geteuid() == 0:
        user = ["--user=root"]
    data, sock = folder / "data", folder / "s"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(
        [install, *user, f"--datadir={data}", "--auth-root-authentication-method=normal",
         "--skip-test-db"],
        check=True, **quiet,
    )  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [server, "--no-defaults", *user, f"--datadir={data}", f"--socket={sock}",
         "--bind-address=127.0.0.1", f"--port={port}", f"--pid-file={folder / 'pid'}",
         "--character-set-server=latin1"],
        **quiet,
    )  # fmt: skip
    url = f"mysql+pymysql://root@127.0.0.1:{port}/mysql"
    try:
        _until_ready(url)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _until_ready(url: str) -> None:
    engine = create_engine(url)
    for _ in range(200):
        try:
            with engine.begin() as connection:
                connection.execute(text("CREATE DATABASE IF NOT EXISTS dstk"))
                return
        except SQLAlchemyError:
            time.sleep(0.1)
    raise AssertionError("MariaDB did not start")


@pytest.mark.mariadb
class TestMariaDb(SourceConformance):
    @pytest.fixture(autouse=True)
    def _server(self, mariadb):
        self.url = mariadb.removesuffix("mysql") + "dstk"

    def make(self, tmp_path, tables):
        _load_sql(self.url, tables)
        plain = self.url.replace("mysql+pymysql:", "mysql:")
        return SourceConfig("sql", plain, tmp_path, {}, _declared(tables))

    def test_the_connection_cannot_write(self, config, source):
        with source._engine.connect() as connection, pytest.raises(Exception, match="READ ONLY"):
            connection.execute(text("DELETE FROM orang"))


class TestText(SourceConformance):
    def make(self, tmp_path, tables):
        for name, (columns, rows) in tables.items():
            lines = ["|".join(columns), *("|".join(map(str, row)) for row in rows)]
            lines.append(f"TRAILER|{len(rows)}")
            (tmp_path / f"{name}_20251102.txt").write_text("\r\n".join(lines) + "\r\n", "utf-8")
        datasets = {
            name: Dataset(
                name, one.columns, {"pattern": f"{name}_*.txt", "trailer": r"TRAILER\|(\d+)"}
            )
            for name, one in _declared(tables).items()
        }
        return SourceConfig("text", "", tmp_path, {}, datasets)


class TestXlsx(SourceConformance):
    def make(self, tmp_path, tables):
        for name, (columns, rows) in tables.items():
            book = openpyxl.Workbook()
            sheet = book.active
            sheet.title = name
            sheet.append(["DAFTAR"])
            sheet.merge_cells("A1:C1")
            sheet.append([])
            sheet.append(list(columns))
            for row in rows:
                sheet.append([int(c) if c.isdigit() else c for c in map(str, row)])
            book.save(tmp_path / f"{name} 2025.xlsx")
        datasets = {
            name: Dataset(name, one.columns, {"pattern": f"{name} *.xlsx", "sheet": name})
            for name, one in _declared(tables).items()
        }
        return SourceConfig("xlsx", "", tmp_path, {}, datasets)


class TestDbf(SourceConformance):
    def make(self, tmp_path, tables):
        for name, (columns, rows) in tables.items():
            (tmp_path / f"{name}.dbf").write_bytes(dbf_file(columns, rows))
        datasets = {
            name: Dataset(name, one.columns, {"pattern": f"{name}.dbf"})
            for name, one in _declared(tables).items()
        }
        return SourceConfig("dbf", "", tmp_path, {}, datasets)


class TestDrop(SourceConformance):
    """One table as text and the other as a workbook, in one folder."""

    def make(self, tmp_path, tables):
        columns, rows = tables["orang"]
        lines = "".join(";".join(map(str, row)) + "\n" for row in (columns, *rows))
        (tmp_path / "orang.csv").write_text(lines)
        book = openpyxl.Workbook()
        book.active.title = "kartu"
        for row in (tables["kartu"][0], *tables["kartu"][1]):
            book.active.append(list(row))
        book.save(tmp_path / "kartu.xlsx")
        options = {
            "orang": {"pattern": "orang.csv", "delimiter": ";"},
            "kartu": {"pattern": "kartu.xlsx", "sheet": "kartu"},
        }
        datasets = {n: Dataset(n, one.columns, options[n]) for n, one in _declared(tables).items()}
        return SourceConfig("drop", "", tmp_path, {"settle_seconds": 0}, datasets)


def test_every_kind_of_source_has_its_conformance_test():
    tested = {
        "sql": TestSqlite,
        "text": TestText,
        "xlsx": TestXlsx,
        "dbf": TestDbf,
        "drop": TestDrop,
    }
    assert set(tested) == set(SOURCES)


def test_a_kind_nobody_knows_is_refused_with_the_kinds_there_are(tmp_path):
    with pytest.raises(FixSettings) as caught:
        open_source(SourceConfig("accdb", "", tmp_path, {}, {}))
    assert "sql, text, dbf, drop, xlsx" in caught.value.sentence("en")
