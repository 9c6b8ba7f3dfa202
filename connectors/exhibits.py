"""What contradicts is kept as files, as it was said and signed, for anybody to judge."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from keys.canonical import to_moment


def keep(folder: Path, now: datetime, exhibits: Mapping[str, bytes]) -> None:
    """Writes each under the moment and its name, such as `2026-11-24T030000Z-now.note`."""
    folder.mkdir(parents=True, exist_ok=True)
    at = to_moment(now).replace(":", "")
    for name, data in exhibits.items():
        (folder / f"{at}-{name}").write_bytes(data)
