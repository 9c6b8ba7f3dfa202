"""A statement that is compiled once and run by the driver: for the few that every batch asks.

SQLAlchemy spends more time on a statement of one row than PostgreSQL does; here only the driver's
own time is left. A transaction's first statement stays with SQLAlchemy, which empties its pool when
the server has gone.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ClauseElement

from gateway.storage import bulk

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class Quick:
    """One statement that returns at most one row; `columns` are those that an INSERT is given."""

    def __init__(self, statement: ClauseElement, *columns: str) -> None:
        compiled = statement.compile(dialect=_DIALECT, column_keys=columns or None)
        self._sql = str(compiled)
        self._fixed = compiled.params

    def one(self, session: Session, given: Mapping[str, Any]) -> Any:
        """The row, by the names of its columns, or None. Values go to the driver as they are.

        Raises:
            OperationalError: the server did not answer, as SQLAlchemy says it.
        """
        with bulk.cursor(session) as cur:
            cur.row_factory = namedtuple_row
            try:
                return cur.execute(self._sql, {**self._fixed, **given}).fetchone()
            except psycopg.OperationalError as err:
                if cur.connection.closed:
                    session.connection().invalidate(err)
                raise OperationalError(None, None, err, hide_parameters=True) from err
