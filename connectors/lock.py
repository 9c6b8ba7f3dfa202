"""One connector at a time on a state folder: a lock that the system lets go at any death."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.errors import FixSettings, Wait


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Holds the folder's lock; SQLite's own file lock, so that it is the same on every system.

    Raises:
        Wait: another connector holds it.
        FixSettings: the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        db = sqlite3.connect(path, isolation_level=None, timeout=0)
    except (OSError, sqlite3.Error) as err:
        reason = type(err).__name__
        raise FixSettings("state.unwritable", path=path.parent, reason=reason) from err
    try:
        db.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as err:
        db.close()
        if (getattr(err, "sqlite_errorname", "") or "").startswith("SQLITE_BUSY"):
            raise Wait("state.locked", path=path.parent) from err
        raise FixSettings("state.unwritable", path=path.parent, reason=str(err)) from err
    try:
        yield
    finally:
        db.close()
