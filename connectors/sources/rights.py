"""What an account may do beyond reading, asked of the database's own catalogue; nothing is tried.

PostgreSQL, MariaDB/MySQL and SQLite are tested against the real thing. The questions for SQL Server
and Oracle are compiled and read in the tests, and have not been put to a server.
"""

import os
import re
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, text

from connectors.sources.base import Rights
from connectors.withheld import is_withheld

_WRITES = ("INSERT", "UPDATE", "DELETE")
QUESTIONS: Mapping[str, str] = {
    "postgresql": (
        "SELECT c.relname, has_table_privilege(c.oid, 'SELECT'),"
        " has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f')"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_%'"
    ),
    "mssql": (
        "SELECT name, HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(schema_id)) + '.' + QUOTENAME(name),"
        " 'OBJECT', 'SELECT'), HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(schema_id)) + '.' +"
        " QUOTENAME(name), 'OBJECT', 'UPDATE') FROM sys.objects WHERE type IN ('U', 'V')"
    ),
    "oracle": (
        "SELECT table_name, 1, MAX(CASE WHEN privilege IN ('INSERT', 'UPDATE', 'DELETE')"
        " THEN 1 ELSE 0 END) FROM all_tab_privs WHERE grantee = USER GROUP BY table_name"
        " UNION ALL SELECT table_name, 1, 1 FROM user_tables"
    ),
}
"""Rows (table, may it be read, may it be changed), by dialect."""
_GRANT = re.compile(r"GRANT (?P<rights>.+?) ON (?P<what>\S+) TO ", re.IGNORECASE)


def rights_of(connection: Connection, file: str | None, patterns: Collection[str]) -> Rights:
    """The rights of the account of a connection; `file` is the path of a SQLite file."""
    dialect = connection.dialect.name
    if file is not None:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type <> 'index'"))
        seen = [(row[0], True, False) for row in names]
        seen += [(os.path.basename(file), False, os.access(file, os.W_OK))]  # noqa: PTH119
    elif dialect in ("mysql", "mariadb"):
        grants = [str(row[0]) for row in connection.execute(text("SHOW GRANTS"))]
        seen = [granted for line in grants if (granted := _granted(line)) is not None]
        tables = connection.execute(text("SELECT table_name FROM information_schema.tables"))
        seen += [(row[0], True, False) for row in tables]
    elif dialect in QUESTIONS:
        seen = [tuple(row) for row in connection.execute(text(QUESTIONS[dialect]))]
    else:
        seen = []
    kept = tuple(patterns)
    return Rights(
        tuple(sorted({str(name) for name, _, writes in seen if writes})),
        tuple(sorted({str(n) for n, reads, _ in seen if reads and is_withheld(n, kept)})),
    )


def _granted(line: str) -> tuple[str, bool, bool] | None:
    match = _GRANT.match(line)
    if match is None:
        return None
    rights = match["rights"].upper()
    everything = "ALL PRIVILEGES" in rights
    writes = everything or any(re.search(rf"\b{right}\b", rights) for right in _WRITES)
    return match["what"], everything or "SELECT" in rights, writes
