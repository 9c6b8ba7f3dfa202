"""`doctor` says what is wrong and what to do next, and changes nothing."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import mssql, oracle

from connectors import cli
from connectors.config import SourceConfig
from connectors.sources import rights as asking
from connectors.sources.registry import open_source
from schemas.profile import Profile


def _standings(agency, *, code: int | None = None) -> dict[str, str]:
    answer = agency.run("doctor", "--json")
    assert code is None or answer.code == code, answer.err
    return {one["what"]: one["standing"] for one in answer.json}


def test_before_anything_it_says_where_to_begin(agency):
    answer = agency.run("doctor", lang="id")
    assert answer.code == 0
    assert "enrol --ticket" in answer.out
    assert not (agency.state / "keys").exists()


def test_all_is_well_after_enrolling(enrolled):
    (enrolled.folder / "baz.sqlite").chmod(0o444)
    found = _standings(enrolled, code=0)
    wanted = {"version", "disk", "keys", "gateway", "clock", "source", "rights"}
    assert set(found) == wanted
    assert {k for k, v in found.items() if v != "good"} <= {"rights"}  # root may write anything


def test_a_key_file_that_others_may_read_is_named(enrolled):
    (enrolled.state / "keys" / "agency.key").chmod(0o644)
    answer = enrolled.run("doctor")
    assert answer.code == 4
    assert "agency.key" in answer.out
    assert "chmod" in answer.out


def test_a_gateway_that_is_away_is_a_reason_to_wait(enrolled, gateway):
    enrolled.settings(more='id_prefix = ""')
    text = enrolled.config.read_text()
    url = '[gateway]\nurl = "http://127.0.0.1:9"\n\n[source]'
    enrolled.config.write_text(text.replace("[source]", url, 1))
    assert _standings(enrolled, code=5)["gateway"] == "bad"


def test_a_wrong_clock_is_told(enrolled, monkeypatch):
    monkeypatch.setattr(cli, "_now", lambda: datetime.now(UTC) + timedelta(days=800))
    answer = enrolled.run("doctor", lang="id")
    assert answer.code == 4
    assert "jam" in answer.out.casefold()


def test_a_missing_column_is_the_next_thing_to_mend(enrolled):
    enrolled.sql("ALTER TABLE mustahik RENAME COLUMN nik TO no_ktp")
    answer = enrolled.run("doctor")
    assert answer.code == 3
    assert "`nik`" in answer.out


def test_a_database_that_can_be_written_is_a_warning(enrolled):
    answer = enrolled.run("doctor", lang="id")
    assert answer.code == 0
    assert "hanya boleh SELECT" in answer.out


def test_an_account_that_can_read_what_never_leaves_is_told(enrolled):
    enrolled.sql("CREATE TABLE kasus_kekerasan(id INTEGER)")
    answer = enrolled.run("doctor", lang="id")
    assert answer.code == 4
    assert "kasus_kekerasan" in answer.out
    assert "cabut" in answer.out


def test_postgres_tells_what_an_account_may_do(servers):
    with psycopg.connect(servers.database_url("postgres"), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS doctor WITH (FORCE)")
        admin.execute("CREATE DATABASE doctor")
    own = servers.database_url("doctor")
    with psycopg.connect(own) as admin:
        admin.execute("CREATE TABLE orang(id int)")
        admin.execute("CREATE TABLE kasus_kekerasan(id int)")
        admin.execute("DROP ROLE IF EXISTS hanya_baca")
        admin.execute("CREATE ROLE hanya_baca LOGIN PASSWORD 'x'")
        admin.execute("GRANT SELECT ON orang TO hanya_baca")
    withheld = Profile.load("payakumbuh").withheld
    reader = own.replace("//" + own.split("//")[1].split("@")[0], "//hanya_baca:x")
    found = {}
    for name, url in (("owner", own), ("reader", reader)):
        source = open_source(SourceConfig("sql", url, Path(), {}, {}, withheld))
        found[name] = source.rights()
        source.close()
    assert set(found["owner"].changes) == {"orang", "kasus_kekerasan"}
    assert found["owner"].withheld == ("kasus_kekerasan",)
    assert (found["reader"].changes, found["reader"].withheld) == ((), ())


@pytest.mark.parametrize(
    ("line", "writes"),
    [
        ("GRANT SELECT ON `dstk`.* TO `baca`@`%`", False),
        ("GRANT SELECT, INSERT ON `dstk`.* TO `x`@`%`", True),
        ("GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION", True),
        ("GRANT USAGE ON *.* TO `baca`@`%`", False),
    ],
)
def test_mariadbs_grants_are_read(line, writes):
    granted = asking._granted(line)
    assert granted is not None
    assert granted[2] is writes


@pytest.mark.parametrize("name", ["mssql", "oracle"])
def test_the_question_for_a_server_that_is_not_here_compiles(name):
    dialect = {"mssql": mssql, "oracle": oracle}[name].dialect()
    said = str(text(asking.QUESTIONS[name]).compile(dialect=dialect))
    assert said.startswith("SELECT")
    assert ":" not in said


def test_sqlite_says_whether_its_file_can_be_written(tmp_path):
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as db:
        db.execute("CREATE TABLE orang(id)")
    engine = create_engine(f"sqlite:///{tmp_path}/a.sqlite")
    with engine.connect() as connection:
        found = asking.rights_of(connection, str(tmp_path / "a.sqlite"), ())
    engine.dispose()
    assert found.changes == ("a.sqlite",)
