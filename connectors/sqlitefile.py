"""One SQLite file that is written through to the disk; its errors are facts with a sentence."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from connectors.errors import FixSettings, Wait

BUSY_SECONDS = 30


class SqliteFile:
    """Statements on the file. Every method may raise `Wait("state.full")` when the disk is full."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db, self.path = connection, path

    @classmethod
    def open(cls, path: Path) -> Self:
        """The file at `path`, 0600, made if it is not there.

        Raises:
            FixSettings: the folder cannot be written, or the file is damaged.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
            path.chmod(0o600)
        except (OSError, sqlite3.Error) as err:
            raise FixSettings("state.unwritable", path=path, reason=type(err).__name__) from err
        file = cls(db, path)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -2048"):
            file.run(f"PRAGMA {pragma}")
        file.run("PRAGMA temp_store = FILE")
        return file

    def prepare(self, schema: str, version: int) -> None:
        """Makes the tables of a new file.

        Raises:
            FixSettings: the file is of another version.
        """
        found = self.one("PRAGMA user_version")[0]
        if found == 0:
            script = f"BEGIN IMMEDIATE; {schema} PRAGMA user_version = {version}; COMMIT;"
            with self._named_errors():
                self._db.executescript(script)
        elif found != version:
            raise FixSettings("state.damaged", path=self.path, reason=f"version {found}")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """One transaction: all of it is kept at the end, or nothing of it."""
        with self._named_errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def one(self, statement: str, *values: object) -> Any:
        with self._named_errors():
            return self._db.execute(statement, values).fetchone()

    def all(self, statement: str, *values: object) -> list[Any]:
        with self._named_errors():
            return self._db.execute(statement, values).fetchall()

    def run(self, statement: str, *values: object) -> sqlite3.Cursor:
        with self._named_errors():
            return self._db.execute(statement, values)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as err:
            raise _fact(err, self.path) from err
        except OSError as err:
            if err.errno == errno.ENOSPC:
                raise Wait("state.full") from err
            raise


def _fact(err: sqlite3.Error, path: Path) -> Wait | FixSettings:
    name = getattr(err, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE")):
        return Wait("state.full")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return FixSettings("state.unwritable", path=path, reason=name)
    if name.startswith("SQLITE_BUSY"):
        return Wait("state.locked", path=path.parent)
    return FixSettings("state.damaged", path=path, reason=name or type(err).__name__)
