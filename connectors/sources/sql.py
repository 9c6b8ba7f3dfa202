"""Tables of a SQL database by SQLAlchemy; read only, streamed.

PostgreSQL, MariaDB and SQLite are tested against the real thing; SQL Server and Oracle by their
dialects alone, for there is no server of theirs to test with.

The SELECT is built here from declared tables and columns; no statement ever comes from the
settings.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    Select,
    create_engine,
    event,
    func,
    inspect,
    literal,
    select,
    table,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    NoSuchTableError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.sql import column
from sqlalchemy.sql.elements import ColumnClause
from sqlalchemy.sql.expression import FromClause

from connectors.config import SourceConfig
from connectors.errors import ConnectorError, FixSettings, FixSource, Wait
from connectors.sources.base import Found, Query, Rights, Row
from connectors.sources.rights import rights_of

FETCH = 1_000
_PAIR = re.compile(r"([a-z_]+)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s']+)")
_CONNINFO = re.compile(rf"(?:{_PAIR.pattern}\s*)+")
_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mssql": "mssql+pymssql",
    "oracle": "oracle+oracledb",
}
_CONNECT: Mapping[str, Mapping[str, object]] = {
    "postgresql": {"connect_timeout": 10},
    "mysql": {"connect_timeout": 10},
    "mssql": {"login_timeout": 10},
    "oracle": {"tcp_connect_timeout": 10},
}
_READ_ONLY = {
    "postgresql": ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",),
    "mysql": ("SET SESSION TRANSACTION READ ONLY",),
    "sqlite": ("PRAGMA query_only = ON",),
    "mssql": ("SET LOCK_TIMEOUT 5000",),
}
_TIMEOUTS: Mapping[str, str] = {
    "postgresql": "SET statement_timeout = {milliseconds}",
    "mysql": "SET SESSION max_execution_time = {milliseconds}",
    "mariadb": "SET SESSION max_statement_time = {seconds}",
}
"""SQL Server and Oracle end a statement by their driver, where the URL says so."""
_NO_TABLE = ("no such table", "doesn't exist", "does not exist", "undefinedtable")


class SqlSource:
    """One database; connects when first asked, closes its connection after each reading."""

    def __init__(self, config: SourceConfig) -> None:
        self._config = config
        self._engine = _engine(config)

    def check(self, query: Query) -> None:
        wanted = [(query.dataset, query.columns)]
        wanted += [(side, (*columns, *join.on.values())) for join, side, columns in query.joins]
        with self._reading(query.dataset.name) as connection:
            inspector = inspect(connection)
            for dataset, columns in wanted:
                name = dataset.options.get("table", dataset.name)
                try:
                    there = {c["name"] for c in inspector.get_columns(name)}
                except NoSuchTableError as err:
                    raise FixSource("source.table", dataset=dataset.name) from err
                if not there:
                    raise FixSource("source.table", dataset=dataset.name)
                for missing in sorted(set(columns) - there):
                    raise FixSource("source.column", column=missing, dataset=dataset.name)

    def rows(self, query: Query) -> Iterator[Row]:
        name, read = query.dataset.name, 0
        statement = _statement(query)
        with self._reading(name) as connection:
            streamed = connection.execution_options(stream_results=True, max_row_buffer=FETCH)
            try:
                with streamed.execute(statement) as result:
                    for row in result.yield_per(FETCH).mappings():
                        read += 1
                        yield dict(row)
            except DBAPIError as err:
                if read and _lost(err):
                    raise Wait("source.dropped", dataset=name, rows=read) from err
                raise

    def count(self, query: Query) -> int | None:
        with self._reading(query.dataset.name) as connection:
            counted = select(func.count()).select_from(_statement(query).subquery())
            return int(connection.execute(counted).scalar_one())

    def as_of(self, query: Query) -> datetime | None:  # noqa: ARG002 - a live table has no date of its own
        return None

    def warnings(self, query: Query) -> list[tuple[str, str]]:  # noqa: ARG002
        return []

    def describe(self) -> list[Found]:
        with self._reading("*") as connection:
            inspector = inspect(connection)
            return [
                Found(name, tuple(c["name"] for c in inspector.get_columns(name)))
                for name in sorted(inspector.get_table_names())
            ]

    def rights(self) -> Rights:
        url = self._engine.url
        is_file = url.get_backend_name() == "sqlite"
        file = (url.database or "").removeprefix("file:") if is_file else None
        with self._reading("*") as connection:
            return rights_of(connection, file, self._config.withheld)

    def few(
        self, dataset: str, columns: tuple[str, ...], equal: Mapping[str, str], most: int
    ) -> list[Row]:
        """At most so many rows whose columns are equal to these texts; for a question at once.

        Raises:
            ConnectorError: the database cannot be asked.
            FixSettings: a column is not on the allow-list.
        """
        declared = self._config.datasets[dataset]
        for name in (*columns, *equal):
            if name not in declared.columns:
                raise FixSettings("settings.not_allowed", column=name, dataset=dataset)
        names = dict.fromkeys((*columns, *equal))
        asked = table(declared.options.get("table", dataset), *(column(n) for n in names))
        statement = select(*(asked.c[n] for n in columns))
        for name, value in equal.items():
            statement = statement.where(asked.c[name] == literal(value))
        with self._reading(dataset) as connection:
            return [dict(row) for row in connection.execute(statement.limit(most)).mappings()]

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _reading(self, dataset: str) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except ConnectorError:
            raise
        except ModuleNotFoundError as err:
            raise FixSettings("settings.driver", kind="sql", package=err.name) from err
        except SQLAlchemyError as err:
            raise _named(err, dataset) from err


def _engine(config: SourceConfig) -> Engine:
    try:
        url = _conninfo(config.url) or make_url(config.url)
        url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
        if url.get_backend_name() == "sqlite":
            url = _existing_file(url, config)
        waits = float(config.options.get("lock_wait_seconds", 5))
        backend = url.get_backend_name()
        arguments = {"timeout": waits} if backend == "sqlite" else _CONNECT.get(backend, {})
        engine = create_engine(url, pool_size=1, max_overflow=0, connect_args=dict(arguments))
    except ModuleNotFoundError as err:
        raise FixSettings("settings.driver", kind="sql", package=err.name) from err
    except (ArgumentError, NoSuchModuleError) as err:
        raise FixSettings("settings.value", key="source.url", reason="not a database URL") from err
    seconds = int(config.options.get("statement_timeout_seconds", 600))

    @event.listens_for(engine, "connect")
    def _read_only(connection, _record) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        cursor = connection.cursor()
        for statement in session_setup(backend, seconds, _is_mariadb(backend, connection)):
            cursor.execute(statement)
        if backend == "postgresql":
            connection.commit()
        cursor.close()

    if backend == "oracle":

        @event.listens_for(engine, "begin")
        def _begin_read_only(connection: Connection) -> None:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    return engine


def session_setup(backend: str, seconds: int, is_mariadb: bool = False) -> list[str]:  # noqa: FBT001, FBT002
    """What a new connection is told: to read only, and when to give a statement up."""
    limit = _TIMEOUTS.get("mariadb" if is_mariadb else backend)
    told = [] if limit is None else [limit.format(seconds=seconds, milliseconds=seconds * 1000)]
    return [*_READ_ONLY.get(backend, ()), *told]


def _is_mariadb(backend: str, connection: Any) -> bool:
    return (
        backend == "mysql" and "mariadb" in str(getattr(connection, "server_version", "")).lower()
    )


def _conninfo(text: str) -> URL | None:
    """A URL for libpq's own form, `host=… port=… dbname=… user=…`, or None for another text."""
    if "://" in text or not _CONNINFO.fullmatch(text.strip()):
        return None
    pairs = {name: _unquoted(value) for name, value in _PAIR.findall(text)}
    return URL.create(
        "postgresql",
        username=pairs.pop("user", None),
        password=pairs.pop("password", None),
        host=pairs.pop("host", None),
        port=int(pairs.pop("port", "5432")),
        database=pairs.pop("dbname", None),
        query=pairs,
    )


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith("'") else value


def _existing_file(url: URL, config: SourceConfig) -> URL:
    # SQLite would create a missing file, and then say "no such table".
    path = config.folder / (url.database or "")
    if not path.is_file():
        raise FixSource("source.file", pattern=path.name, path=path.parent)
    query = {"mode": "ro", "uri": "true"}
    # A URI needs the three characters that mean something in it written as escapes.
    name = str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return url.set(database=f"file:{name}", query=query)


def _statement(query: Query) -> Select[Any]:
    main = table(query.dataset.options.get("table", query.dataset.name), *_columns(query))
    main_alias = main.alias("m")
    chosen = [main_alias.c[name].label(name) for name in query.columns]
    joined: FromClause = main_alias
    for join, side, columns in query.joins:
        names = dict.fromkeys((*columns, *join.on.values()))
        other = table(side.options.get("table", side.name), *(column(n) for n in names))
        alias = other.alias(join.name)
        pairs = [main_alias.c[a] == alias.c[b] for a, b in join.on.items()]
        condition = pairs[0]
        for pair in pairs[1:]:
            condition = condition & pair
        joined = joined.join(alias, condition, isouter=join.optional)
        chosen += [alias.c[name].label(f"{join.name}.{name}") for name in columns]
    statement: Select[Any] = select(*chosen).select_from(joined)
    if query.since is not None:
        name, value = query.since
        statement = statement.where(main_alias.c[name] >= _literal(value))
        if not query.order:
            statement = statement.order_by(main_alias.c[name])
    if query.order:
        statement = statement.order_by(*(main_alias.c[name] for name in query.order))
    return statement


def _literal(value: object) -> ColumnElement[object]:
    # Without this an aware time would be compared as a naive one in the session's own zone.
    if isinstance(value, datetime) and value.tzinfo is not None:
        return literal(value, DateTime(timezone=True))
    return literal(value)


def _columns(query: Query) -> list[ColumnClause[Any]]:
    names = [*query.columns, *(c for join, _, _ in query.joins for c in join.on)]
    if query.since is not None:
        names.append(query.since[0])
    return [column(name) for name in dict.fromkeys(names)]


def _lost(err: DBAPIError) -> bool:
    text = str(err.orig).lower()
    words = (
        "closed",
        "lost connection",
        "terminat",
        "server has gone away",
        "reset",
        "broken pipe",
    )
    return err.connection_invalidated or any(word in text for word in words)


def _named(err: SQLAlchemyError, dataset: str) -> ConnectorError:
    """The fact behind a driver's error; its own words may carry values, so they are not kept."""
    text = str(getattr(err, "orig", err)).lower()
    if "database is locked" in text or "lock wait timeout" in text or "lock timeout" in text:
        return Wait("source.locked")
    if any(word in text for word in _NO_TABLE) and "column" not in text and "database" not in text:
        return FixSource("source.table", dataset=dataset)
    if any(word in text for word in ("password", "access denied", "permission denied", "role")):
        return FixSource("source.rights", reason=type(err).__name__)
    if isinstance(err, OperationalError | InterfaceError):
        return Wait("source.unreachable", reason=type(getattr(err, "orig", err)).__name__)
    return FixSource("source.statement", dataset=dataset, reason=type(err).__name__)
