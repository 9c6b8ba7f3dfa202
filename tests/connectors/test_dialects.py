"""SQL Server and Oracle, which have no server here: what is built for them, read as text."""

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql

from connectors.config import Dataset, Join, SourceConfig
from connectors.sources import sql
from connectors.sources.base import Query
from connectors.sources.registry import open_source

QUERY = Query(
    Dataset("pegawai", ("id", "order", "kk"), {"table": "Data Pegawai"}),
    ("id", "order"),
    ((Join("k", "kartu", {"kk": "kk"}), Dataset("kartu", ("kk", "alamat")), ("alamat",)),),
    since=("id", 5),
).ordered(("id",))
DIALECTS = {"mssql": mssql, "oracle": oracle, "mysql": mysql, "postgresql": postgresql}


@pytest.mark.parametrize(
    ("name", "table", "column"),
    [
        ("mssql", "[Data Pegawai]", "[order]"),
        ("oracle", '"Data Pegawai"', '"order"'),
        ("mysql", "`Data Pegawai`", "`order`"),
        ("postgresql", '"Data Pegawai"', '"order"'),
    ],
)
def test_names_are_quoted_in_each_dialects_way(name, table, column):
    said = str(sql._statement(QUERY).compile(dialect=DIALECTS[name].dialect()))
    assert said.startswith("SELECT ")
    assert table in said
    assert f"m.{column}" in said
    assert "LEFT OUTER JOIN kartu" in said
    assert "5" not in said, "a value is bound, never written into the statement"


@pytest.mark.parametrize("name", DIALECTS)
def test_a_hostile_name_stays_one_name(name):
    hostile = Dataset("x", ("a",), {"table": 'x"; DROP TABLE y; --`]'})
    dialect = DIALECTS[name].dialect()
    said = str(sql._statement(Query(hostile, ("a",))).compile(dialect=dialect))
    quoted = dialect.identifier_preparer.quote(hostile.options["table"])
    assert quoted in said
    assert said.replace(quoted, "").count("DROP") == 0


@pytest.mark.parametrize(
    ("backend", "mariadb", "told"),
    [
        ("postgresql", False, "READ ONLY"),
        ("mysql", False, "max_execution_time = 600000"),
        ("mysql", True, "max_statement_time = 600"),
        ("sqlite", False, "query_only"),
        ("mssql", False, "LOCK_TIMEOUT"),
    ],
)
def test_a_new_connection_is_told_to_read_only_and_when_to_give_up(backend, mariadb, told):
    assert any(told in statement for statement in sql.session_setup(backend, 600, mariadb))


def test_a_statement_that_takes_too_long_is_given_up(servers, tmp_path):
    options = {"statement_timeout_seconds": 1}
    config = SourceConfig("sql", servers.database_url("postgres"), tmp_path, options, {})
    source = open_source(config)
    with source._engine.connect() as connection:
        said = connection.execute(sa.text("SHOW statement_timeout")).scalar_one()
        with pytest.raises(sa.exc.OperationalError, match="statement timeout"):
            connection.execute(sa.text("SELECT pg_sleep(5)"))
    source.close()
    assert said == "1s"
