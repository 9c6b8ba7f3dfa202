"""dBASE and FoxPro tables (.dbf), read record by record; deleted records are passed over.

Options of a dataset: `pattern`, `encoding` (else what the file's language mark says, or cp1252).
Memo fields lie in another file and are not read. Source: dBASE III+ file format; FoxPro table
structure (Microsoft, "Visual FoxPro table structure").
"""

import fnmatch
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import BinaryIO

from connectors.config import Dataset
from connectors.errors import FixSource, Wait
from connectors.sources.base import Found, Query, Row
from connectors.sources.files import FileSource, matching

_HEADER, _FIELD, _END, _DELETED, _EOF = 32, 32, 0x0D, b"*", b"\x1a"
_LANGUAGES = {0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x57: "cp1252"}
_MEMOS = frozenset("MGP")


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kind: str
    width: int


@dataclass(frozen=True, slots=True)
class _Table:
    """What the header of a file says."""

    rows: int
    first: int
    width: int
    encoding: str
    columns: tuple[_Column, ...]


class DbfSource(FileSource):
    """A folder of .dbf files, the newest of each family."""

    def head(self, dataset: Dataset) -> tuple[str, ...]:
        return tuple(c.name for c in _table(self.chosen(dataset)[-1]).columns)

    def chosen(self, dataset: Dataset) -> list[Path]:
        return matching(self._config, dataset)[-1:]

    def count(self, query: Query) -> int | None:
        return sum(_table(path).rows for path in self.chosen(query.dataset))

    def stream(self, dataset: Dataset) -> Iterator[Row]:
        for path in self.chosen(dataset):
            yield from _rows(path, dataset)

    def describe(self) -> list[Found]:
        try:
            paths = sorted(p for p in self._config.folder.iterdir() if is_dbf(p.name))
        except OSError as err:
            raise FixSource("source.rights", reason=err.strerror) from err
        tables = [(path, _table(path)) for path in paths]
        return [
            Found(path.stem, tuple(c.name for c in table.columns), {"pattern": path.name})
            for path, table in tables
        ]


def is_dbf(name: str) -> bool:
    return fnmatch.fnmatchcase(name.lower(), "*.dbf")


def _rows(path: Path, dataset: Dataset) -> Iterator[Row]:
    table = _table(path)
    encoding = str(dataset.options.get("encoding", table.encoding))
    number = 0
    try:
        with path.open("rb") as file:
            file.seek(table.first)
            for number in range(1, table.rows + 1):
                record = file.read(table.width)
                if record[:1] != _DELETED:
                    marks: dict[str, object] = {"@file": path.name, "@row": number}
                    yield _cells(record, table, encoding) | marks
    except UnicodeDecodeError as err:
        facts = {"file": path.name, "encoding": encoding, "line": number}
        raise FixSource("source.encoding", **facts) from err
    except OSError as err:
        raise FixSource("source.rights", reason=err.strerror) from err


def _table(path: Path) -> _Table:
    """The header of a file.

    Raises:
        FixSource: `source.workbook`, it is no table.
        Wait: `source.half_written`, it is shorter than it says.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER)
            if len(head) < _HEADER:
                raise Wait("source.half_written", file=path.name, declared="?", found=0)
            rows, first, width = struct.unpack_from("<IHH", head, 4)
            table = _Table(rows, first, width, _LANGUAGES.get(head[29], "cp1252"), _fields(file))
        size = path.stat().st_size
    except OSError as err:
        raise FixSource("source.rights", reason=err.strerror) from err
    if not table.columns or width != 1 + sum(column.width for column in table.columns):
        raise FixSource("source.workbook", file=path.name)
    if size < first + rows * width:
        found = max(0, (size - first) // width)
        raise Wait("source.half_written", file=path.name, declared=rows, found=found)
    return table


def _fields(file: BinaryIO) -> tuple[_Column, ...]:
    columns = []
    while len(field := file.read(_FIELD)) == _FIELD and field[0] != _END:
        name = field[:11].split(b"\0", 1)[0].decode("ascii", errors="replace")
        kind = chr(field[11])
        # A long text keeps the high half of its width where a number keeps its decimals.
        width = field[16] + (field[17] << 8 if kind == "C" else 0)
        columns.append(_Column(name, kind, width))
    return tuple(columns)


def _cells(record: bytes, table: _Table, encoding: str) -> dict[str, object]:
    cells: dict[str, object] = {}
    at = 1
    for column in table.columns:
        if column.kind not in _MEMOS:
            cells[column.name] = _value(record[at : at + column.width], column.kind, encoding)
        at += column.width
    return cells


def _value(raw: bytes, kind: str, encoding: str) -> object:
    match kind:
        case "C":
            return raw.decode(encoding).rstrip(" \0") or None
        case "N" | "F":
            return _number(raw)
        case "D":
            return _day(raw)
        case "L":
            return {b"T": True, b"t": True, b"Y": True, b"y": True}.get(raw, _false(raw))
        case "I" if len(raw) == 4:
            return int.from_bytes(raw, "little", signed=True)
        case _:
            return None


def _number(raw: bytes) -> object:
    text = raw.decode("ascii", errors="replace").strip(" \0*")
    try:
        number = Decimal(text) if text else None
    except InvalidOperation:
        return text
    return int(number) if number is not None and number == int(number) else number


def _day(raw: bytes) -> object:
    text = raw.decode("ascii", errors="replace").strip(" \0")
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if text else None
    except ValueError:
        return text


def _false(raw: bytes) -> bool | None:
    return False if raw in b"FfNn" else None
