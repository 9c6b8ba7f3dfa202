"""Workbooks as offices keep them: merged titles, headers of two lines, totals, blanks.

Options of a dataset: `pattern` (file names), `sheet` (a name, or a pattern such as "* 2025" for
each that fits), `columns` (the heading texts; those of several lines are joined by a space),
`within` (look for the header in so many rows), `fill_down` (columns whose blank means "as above"),
`data` (a column without which a row is no data: totals, signatures), `coloured` (rows with a colour
carry `@fill`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from connectors.config import Dataset
from connectors.errors import FixSource
from connectors.sources.base import Found, Query, Row
from connectors.sources.colours import coloured_rows
from connectors.sources.files import FileSource, matching
from connectors.withheld import is_withheld

_SPACES = re.compile(r"\s+")
_HEADER_LINES = (1, 2, 3)
WITHIN = 20
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


@dataclass(frozen=True, slots=True)
class _Header:
    """Where the columns stand and on which row (0-based) the data begins."""

    places: dict[str, int]
    first: int


class XlsxSource(FileSource):
    """A folder of workbooks."""

    def head(self, dataset: Dataset) -> tuple[str, ...]:
        for path in self.chosen(dataset):
            book = _open(path)
            for sheet in self._sheets(book, path, dataset):
                _header(
                    book.get_sheet_by_name(sheet).to_python(nrows=_within(dataset)), path, dataset
                )
        return dataset.columns

    def chosen(self, dataset: Dataset) -> list[Path]:
        return matching(self._config, dataset)

    def stream(self, dataset: Dataset) -> Iterator[Row]:
        for path in self.chosen(dataset):
            book = _open(path)
            for sheet in self._sheets(book, path, dataset):
                yield from _rows(book, sheet, path, dataset)

    def _sheets(self, book: CalamineWorkbook, path: Path, dataset: Dataset) -> list[str]:
        wanted = str(dataset.options.get("sheet", dataset.name))
        there = [n for n in book.sheet_names if not is_withheld(n, self._config.withheld)]
        fits = [n for n in there if n == wanted] or [n for n in there if fnmatchcase(n, wanted)]
        if not fits:
            raise FixSource("source.sheet", sheet=wanted, file=path.name)
        return fits

    def count(self, query: Query) -> int | None:
        books = ((_open(path), path) for path in self.chosen(query.dataset))
        return sum(
            book.get_sheet_by_name(sheet).height
            for book, path in books
            for sheet in self._sheets(book, path, query.dataset)
        )

    def describe(self) -> list[Found]:
        found: dict[str, Found] = {}
        for path in sorted(self._config.folder.glob("*.xlsx")):
            if path.name.startswith("~$"):
                continue
            book = _open(path)
            for name in book.sheet_names:
                rows = book.get_sheet_by_name(name).to_python(nrows=WITHIN)
                widest = max(rows, key=_filled, default=[])
                columns = tuple(dict.fromkeys(filter(None, map(_heading, widest))))
                options = {"pattern": "*.xlsx", "sheet": name}
                found.setdefault(name, Found(name, columns, options))
        return list(found.values())


def _open(path: Path) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(str(path))
    except FileNotFoundError as err:
        raise FixSource("source.file", pattern=path.name, path=path.parent) from err
    except PermissionError as err:
        raise FixSource("source.rights", reason=path.name) from err
    except (CalamineError, OSError) as err:
        if _is_encrypted(path):
            raise FixSource("source.protected", file=path.name) from err
        raise FixSource("source.workbook", file=path.name) from err


def _is_encrypted(path: Path) -> bool:
    """Whether it is a workbook behind a password. Source: MS-OFFCRYPTO 2.3.4.4."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    return head.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in head


def _rows(book: CalamineWorkbook, sheet: str, path: Path, dataset: Dataset) -> Iterator[Row]:
    opened = book.get_sheet_by_name(sheet)
    header = _header(opened.to_python(nrows=_within(dataset)), path, dataset)
    fill = [name for name in dataset.options.get("fill_down", ()) if name in header.places]
    must = dataset.options.get("data")
    coloured = coloured_rows(path, sheet) if dataset.options.get("coloured") else frozenset()
    above: dict[str, object] = {}
    start = opened.start[0] if opened.start else 0
    for number, cells in enumerate(opened.iter_rows()):
        if number + start < header.first:
            continue
        row: dict[str, object] = {
            name: _cell(cells[at]) if at < len(cells) else None
            for name, at in header.places.items()
        }
        if all(value is None for value in row.values()) or (must and row.get(must) is None):
            continue
        for name in fill:
            if row[name] is None:
                row[name] = above.get(name)
            else:
                above[name] = row[name]
        at = number + start + 1
        marks = {"@file": path.name, "@sheet": sheet, "@row": at}
        yield row | marks | ({"@fill": "1"} if at in coloured else {})


def _header(rows: Sequence[Sequence[Any]], path: Path, dataset: Dataset) -> _Header:
    """Finds the heading: the first place where one to three lines together name every column."""
    best: list[str] = list(dataset.columns)
    for lines in _HEADER_LINES:
        for top in range(max(len(rows) - lines + 1, 0)):
            width = max((len(row) for row in rows[top : top + lines]), default=0)
            names = [_joined(rows[top : top + lines], at) for at in range(width)]
            missing = [c for c in dataset.columns if c not in names]
            if not missing:
                return _Header({c: names.index(c) for c in dataset.columns}, top + lines)
            best = min(best, missing, key=len)
    raise FixSource("source.header", column=best[0], file=path.name, rows=_within(dataset))


def _joined(rows: Sequence[Sequence[Any]], at: int) -> str:
    parts = [_heading(row[at]) for row in rows if at < len(row)]
    return " ".join(part for part in parts if part)


def _heading(cell: object) -> str:
    return _SPACES.sub(" ", str(cell if cell is not None else "")).strip()


def _filled(row: Sequence[Any]) -> int:
    return sum(1 for cell in row if _heading(cell))


def _cell(value: object) -> object:
    """Empty texts are nothing; floats stay floats, since a NIK kept as one has lost a digit."""
    if isinstance(value, str):
        return value.strip() or None
    return value


def _within(dataset: Dataset) -> int:
    return int(dataset.options.get("within", WITHIN))
