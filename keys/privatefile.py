"""Files that only their owner may read: written whole or not at all, checked before they are read.

Knows nothing of what is in them. On Windows the owner and mode of a file say nothing, so those two
checks are skipped there and the folder's own access list must do.

Source: trust.md 1.11.
"""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from keys.errors import KeyFileError

MAX_BYTES = 1 << 20
_POSIX = os.name == "posix"


def read_private(path: Path) -> bytes:
    """The bytes of a file that belongs to us and is closed to all others.

    Raises:
        KeyFileError: missing (``keyfile.missing``), not a plain file (``keyfile.kind``), another
            owner (``keyfile.owner``), open to others (``keyfile.mode``), or too large
            (``keyfile.damaged``).
    """
    try:
        file = open(path, "rb", opener=_at_once)  # noqa: SIM115 -- Path takes no opener
    except FileNotFoundError as err:
        raise KeyFileError("keyfile.missing", f"There is no key file at {path}.") from err
    except OSError as err:
        raise KeyFileError("keyfile.kind", f"The key file {path} cannot be opened.") from err
    with file:
        _check_closed_to_others(os.fstat(file.fileno()), path)
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise KeyFileError("keyfile.damaged", f"The key file {path} is too large to be one.")
    return data


def write_private(path: Path, data: bytes) -> None:
    """Replace the file at once, mode 0600; on return, file and folder entry are on the disk."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with open(fresh, "xb", opener=_ours_alone) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
        raise
    if _POSIX:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for whoever holds the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _ours_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _check_closed_to_others(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError("keyfile.kind", f"The key file {path} is not a plain file.")
    if not _POSIX:
        return
    if status.st_uid != os.geteuid():
        raise KeyFileError("keyfile.owner", f"The key file {path} belongs to another user.")
    if status.st_mode & 0o077:
        raise KeyFileError(
            "keyfile.mode", f"Others may read the key file {path}; set its mode to 0600."
        )
