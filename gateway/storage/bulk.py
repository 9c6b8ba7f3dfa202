"""Many rows at once: COPY BINARY through the driver, inside the session's own transaction.

COPY is several times faster than INSERT for more than a few rows; below that its round trips cost
more than they save, so `put_rows` picks.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

_FEW = 8
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def cursor(session: Session) -> psycopg.Cursor[Any]:
    """A driver cursor on the session's own connection and transaction; the caller closes it."""
    connection = cast("psycopg.Connection[Any]", session.connection().connection.driver_connection)
    return connection.cursor()


def copy_rows(
    session: Session, table: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]]
) -> int:
    """COPY BINARY `rows` into `table`; `columns` are (name, PostgreSQL type). Returns the count."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(table), names
    )
    count = 0
    with cursor(session) as cur, cur.copy(statement) as copy:
        copy.set_types([kind for _, kind in columns])
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def put_rows(session: Session, table: Table, columns: Sequence[str], rows: Sequence[Any]) -> int:
    """Insert `rows` (tuples in the order of `columns`) the cheapest way for their number."""
    if not rows:
        return 0
    if len(rows) <= _FEW:
        session.execute(table.insert(), [dict(zip(columns, row, strict=True)) for row in rows])
        return len(rows)
    return copy_rows(session, table.name, [(c, _pg_type(table, c)) for c in columns], rows)


def _pg_type(table: Table, column: str) -> str:
    return _ALIASES.get(name := str(table.c[column].type.compile(_DIALECT)).lower(), name)


_ALIASES = {
    "bigint": "int8",
    "integer": "int4",
    "smallint": "int2",
    "boolean": "bool",
    "real": "float4",
    "double precision": "float8",
    "float": "float8",
    "timestamp with time zone": "timestamptz",
    "text[]": "text[]",
}
