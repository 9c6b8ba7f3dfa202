"""One demo a folder: a second one is told, not left to fail on the first one's servers."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path


class AlreadyRunning(Exception):
    """Another demo runs on this folder."""


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the folder until the end; the lock ends with the process, however it ends.

    Raises:
        AlreadyRunning: another process holds it.
    """
    lock = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        lock.execute("pragma journal_mode=delete")
        lock.execute("begin exclusive")
    except sqlite3.OperationalError as err:
        lock.close()
        raise AlreadyRunning(
            f"another demo runs on {path.parent}: stop it first (Ctrl-C in its window)."
        ) from err
    try:
        yield
    finally:
        lock.close()
