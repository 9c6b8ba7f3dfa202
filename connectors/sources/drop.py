"""A drop folder: files of any kind that people or programs put there, each taken once it is whole.

What a dataset's `pattern` ends in says how it is read: .xlsx, .dbf, anything else as delimited
text. A file that changed within `settle_seconds` (2), or that lies beside its own half
(`.part`, `.tmp`, `.crdownload`, `.filepart`), is waited for: nothing of its dataset is read.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePath

from connectors.config import Dataset, SourceConfig
from connectors.errors import FixSource, Wait
from connectors.sources.base import Found, Query, Row
from connectors.sources.files import FileSource, matching
from connectors.sources.registry import open_source

HALVES = (".part", ".tmp", ".crdownload", ".filepart")
OLD = 3_600.0
"""Seconds after which a half is one that nobody finishes any more."""
_KINDS = {".xlsx": "xlsx", ".dbf": "dbf"}


class DropSource(FileSource):
    """The folder; the reading is done by the kind of source that each file needs."""

    def __init__(self, config: SourceConfig) -> None:
        super().__init__(config)
        self._readers: dict[str, FileSource] = {}

    def head(self, dataset: Dataset) -> tuple[str, ...]:
        return self._whole(dataset).head(dataset)

    def chosen(self, dataset: Dataset) -> list[Path]:
        return self._whole(dataset).chosen(dataset)

    def stream(self, dataset: Dataset) -> Iterator[Row]:
        return self._whole(dataset).stream(dataset)

    def left(self, dataset: Dataset) -> list[tuple[str, str]]:
        return self._whole(dataset).left(dataset)

    def count(self, query: Query) -> int | None:
        return self._whole(query.dataset).count(query)

    def describe(self) -> list[Found]:
        kinds = {_kind(path.name) for path in _listed(self._config.folder)}
        return [found for kind in sorted(kinds) for found in self._reader(kind).describe()]

    def _whole(self, dataset: Dataset) -> FileSource:
        """The reader of a dataset, once all of its files are whole.

        Raises:
            Wait: `source.settling`.
        """
        settle = float(self._config.options.get("settle_seconds", 2))
        now = time.time()
        halves = {p.name for p in _listed(self._config.folder) if _is_half(p, now)}
        for path in matching(self._config, dataset):
            young = now - _changed(path) < settle
            if young or any(half.startswith((path.name, path.stem + ".")) for half in halves):
                raise Wait("source.settling", file=path.name)
        return self._reader(_kind(str(dataset.options.get("pattern", dataset.name))))

    def _reader(self, kind: str) -> FileSource:
        if kind not in self._readers:
            opened = open_source(replace(self._config, kind=kind))
            if not isinstance(opened, FileSource):
                raise TypeError(kind)
            self._readers[kind] = opened
        return self._readers[kind]


def _kind(name: str) -> str:
    return _KINDS.get(PurePath(name).suffix.lower(), "text")


def _listed(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(("~$", "."))]
    except FileNotFoundError as err:
        raise FixSource("source.file", pattern="*", path=folder) from err
    except OSError as err:
        raise FixSource("source.rights", reason=err.strerror) from err


def _is_half(path: Path, now: float) -> bool:
    return path.suffix.lower() in HALVES and now - _changed(path) < OLD


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError as err:
        raise Wait("source.settling", file=path.name) from err
