"""The way to PostgreSQL: one engine a process, checked once before it is trusted.

Source: design/trust.md 6.2 (the gateway refuses to run on a database that may forget a commit).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import NullPool

from gateway.errors import Unavailable
from gateway.settings import Settings

OLDEST = 18
_CONNECTION = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "options": "-c timezone=UTC -c idle_in_transaction_session_timeout=60000",
}
_MUST_BE_ON = ("fsync", "full_page_writes", "synchronous_commit")


def connect(settings: Settings, *, pool_size: int | None = None) -> Engine:
    """An engine on a server that was asked for its version and its durability settings.

    Raises:
        Unavailable: no server answers, it is older than PostgreSQL 18, or it may lose a commit.
    """
    engine = create_engine(
        driver_url(settings.database_url),
        pool_size=settings.pool_size if pool_size is None else pool_size,
        max_overflow=5,
        pool_pre_ping=False,
        hide_parameters=True,
        connect_args=_CONNECTION,
    )
    try:
        _check(engine)
    except Unavailable:
        engine.dispose()
        raise
    return engine


def apart(settings: Settings) -> Engine:
    """An engine that keeps no connection, for the few short transactions beside all others."""
    return create_engine(
        driver_url(settings.database_url),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args=_CONNECTION,
    )


@contextmanager
def opened(settings: Settings) -> Iterator[sessionmaker[Session]]:
    """Sessions for the length of one command; its connections are closed at the end.

    Raises:
        Unavailable: as `connect`.
    """
    engine = connect(settings, pool_size=1)
    try:
        yield sessions(engine)
    finally:
        engine.dispose()


def sessions(engine: Engine) -> sessionmaker[Session]:
    """Sessions on `engine`: a view, job or command opens one and commits; services never do."""
    return sessionmaker(engine, expire_on_commit=False, autoflush=False)


def schema_of(session: Session) -> str | None:
    """The revision of the database's schema.

    Raises:
        ProgrammingError: the database was never migrated.
    """
    found: str | None = session.scalar(text("select version_num from alembic_version"))
    return found


def driver_url(url: str) -> str:
    """The URL with our driver named, whatever form the administrator wrote."""
    scheme, rest = url.split("://", 1)
    return f"postgresql+psycopg://{rest}" if scheme in {"postgres", "postgresql"} else url


def _check(engine: Engine) -> None:
    try:
        with engine.connect() as connection:
            version = int(connection.scalar(text("show server_version_num")) or 0) // 10_000
            off = [n for n in _MUST_BE_ON if connection.scalar(text(f"show {n}")) == "off"]
    except OperationalError as err:
        raise Unavailable(
            "database.unreachable",
            "PostgreSQL does not answer: check TITIAN_DATABASE_URL and that the server runs.",
        ) from err
    if version < OLDEST:
        raise Unavailable(
            "database.too_old",
            f"Titian needs PostgreSQL {OLDEST} or later; this server is {version}.",
        )
    if off:
        raise Unavailable(
            "database.not_durable",
            f"This server may forget a commit ({', '.join(off)} is off); turn it on first.",
        )
