"""Delimited text in a drop folder, read line by line; half-written files are left alone.

Options of a dataset: `pattern`, `columns` (the order where a file has no header), `delimiter`
("|"), `quote` (none), `encoding` ("utf-8"; a list is tried in turn), `trailer` (a regular
expression whose first group is the number of rows), `take` ("latest" whole file, or "all"),
`doubled` (a sign that the source doubles to escape it, such as the apostrophe).
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from connectors.config import Dataset, SourceConfig
from connectors.errors import ConnectorError, FixSource, Wait
from connectors.sources.base import Found, Query, Row
from connectors.sources.dialect import sniff
from connectors.sources.files import FileSource, matching

_CHUNK = 1 << 20
_TAIL = 4096
_SAMPLE = 64 * 1024
_BOM = b"\xef\xbb\xbf"
HALF_WRITTEN = "FILE_HALF_WRITTEN"


@dataclass(frozen=True, slots=True)
class _Shape:
    """How one file is written, found by looking at it."""

    encoding: str
    skip: int
    """Bytes of a byte order mark before the text."""
    columns: tuple[str, ...]
    has_header: bool
    rows: int
    lines: int


class TextSource(FileSource):
    """A folder of delimited text files; what a file looks like is kept while it does not change."""

    def __init__(self, config: SourceConfig) -> None:
        super().__init__(config)
        self._shapes: dict[tuple[str, str, int, int], _Shape] = {}

    def head(self, dataset: Dataset) -> tuple[str, ...]:
        return self._shape(self.chosen(dataset)[-1], dataset).columns

    def chosen(self, dataset: Dataset) -> list[Path]:
        paths = matching(self._config, dataset)
        if dataset.options.get("take", "latest") == "all":
            for path in paths:
                self._shape(path, dataset)
            return paths
        error: ConnectorError | None = None
        for path in reversed(paths):
            try:
                self._shape(path, dataset)
            except Wait as err:
                error = error or err
                continue
            return [path]
        if error is None:
            raise FixSource("source.file", pattern=dataset.name, path=self._config.folder)
        raise error

    def left(self, dataset: Dataset) -> list[tuple[str, str]]:
        taken = set(self.chosen(dataset))
        newest = max(taken)
        return [
            (path.name, HALF_WRITTEN)
            for path in matching(self._config, dataset)
            if path > newest and path not in taken
        ]

    def stream(self, dataset: Dataset) -> Iterator[Row]:
        for path in self.chosen(dataset):
            yield from self._file(path, dataset)

    def count(self, query: Query) -> int | None:
        return sum(self._shape(p, query.dataset).rows for p in self.chosen(query.dataset))

    def describe(self) -> list[Found]:
        families: dict[str, Path] = {}
        try:
            paths = sorted(self._config.folder.iterdir())
        except OSError as err:
            raise FixSource("source.rights", reason=err.strerror) from err
        for path in paths:
            if path.suffix.lower() in (".txt", ".csv", ".dat") and path.is_file():
                families[re.sub(r"[-_ ]?[0-9]{6,8}$", "", path.stem) or path.stem] = path
        return [one for name, path in families.items() if (one := _found(name, path)) is not None]

    def _file(self, path: Path, dataset: Dataset) -> Iterator[Row]:
        shape = self._shape(path, dataset)
        doubled = str(dataset.options.get("doubled", ""))
        width = len(shape.columns)
        try:
            with path.open("rb") as raw, _decoded(raw, shape) as file:
                for number, cells in self._numbered(file, dataset, shape):
                    marks: dict[str, object] = {"@file": path.name, "@row": number}
                    if len(cells) != width:
                        yield marks | {"@fault": "ROW_SHAPE"}
                        continue
                    clean = [c.replace(doubled * 2, doubled) for c in cells] if doubled else cells
                    yield dict(zip(shape.columns, clean, strict=True)) | marks
        except UnicodeDecodeError as err:
            line = _line_of(path, err.start)
            facts = {"file": path.name, "encoding": shape.encoding, "line": line}
            raise FixSource("source.encoding", **facts) from err
        except OSError as err:
            raise FixSource("source.rights", reason=err.strerror) from err

    def _numbered(
        self, file: TextIO, dataset: Dataset, shape: _Shape
    ) -> Iterator[tuple[int, list[str]]]:
        """(line number, cells) of the data lines: without header, trailer and empty lines."""
        seen = 0
        for cells in _reader(file, dataset):
            if not cells:
                continue
            seen += 1
            is_header = shape.has_header and seen == 1
            if not is_header and seen <= shape.lines:
                yield seen, cells

    def _shape(self, path: Path, dataset: Dataset) -> _Shape:
        """Looks at a file's head, tail and number of lines.

        Raises:
            Wait: `source.half_written`.
        """
        try:
            status = path.stat()
            seen = (path.name, dataset.name, status.st_size, status.st_mtime_ns)
            if seen in self._shapes:
                return self._shapes[seen]
            lines, ends_whole, tail, head = _measure(path)
        except OSError as err:
            raise FixSource("source.rights", reason=err.strerror) from err
        trailer = dataset.options.get("trailer")
        encoding = _encoding(path, dataset)
        skip = len(_BOM) if head.startswith(_BOM) else 0
        first = head[skip:].decode(encoding, errors="replace").splitlines()
        cells = next(iter(_reader(first[:1], dataset)), []) if first else []
        named = [cell.strip() for cell in cells]
        has_header = set(named) >= set(dataset.columns) or named[:1] == list(dataset.columns[:1])
        rows = lines - has_header
        declared: object = "?"
        if trailer is not None:
            rows -= 1
            last = tail.decode(encoding, errors="replace").splitlines()
            match = re.fullmatch(str(trailer), last[-1].strip()) if last else None
            declared = int(match[1]) if match else "?"
            if declared != rows:
                raise Wait(
                    "source.half_written", file=path.name, declared=declared, found=max(rows, 0)
                )
        elif not ends_whole and lines:
            raise Wait("source.half_written", file=path.name, declared=declared, found=rows)
        columns = tuple(named) if has_header else dataset.columns
        read = lines - (trailer is not None)
        shape = _Shape(encoding, skip, columns, has_header, max(rows, 0), read)
        self._shapes[seen] = shape
        return shape


def _reader(lines: TextIO | list[str], dataset: Dataset) -> Iterator[list[str]]:
    delimiter = str(dataset.options.get("delimiter", "|"))
    quote = dataset.options.get("quote")
    if quote is None:
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=delimiter, quotechar=str(quote))


def _measure(path: Path) -> tuple[int, bool, bytes, bytes]:
    """(lines that are not empty, does the last one end, last bytes, first bytes)."""
    lines, last, head, tail, is_open = 0, b"\n", b"", b"", False
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            head = head or chunk[:_SAMPLE]
            tail = (tail + chunk)[-_TAIL:]
            for piece in (
                chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").splitlines(keepends=True)
            ):
                is_open = is_open or bool(piece.strip())
                if piece.endswith(b"\n") and is_open:
                    lines, is_open = lines + 1, False
            last = chunk[-1:]
    return lines + is_open, last in (b"\n", b"\r"), tail, head


def _encoding(path: Path, dataset: Dataset) -> str:
    given = dataset.options.get("encoding", "utf-8")
    tried = [given] if isinstance(given, str) else list(given)
    for name in tried[:-1]:
        if _decodes(path, str(name)):
            return str(name)
    return str(tried[-1])


def _decodes(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding) as file:
            while file.read(_CHUNK):
                pass
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _decoded(raw: BinaryIO, shape: _Shape) -> TextIO:
    # Spreadsheets on Windows put the mark of UTF-8 before Windows-1252 too: it is skipped as bytes.
    raw.seek(shape.skip)
    return TextIOWrapper(raw, encoding=shape.encoding, newline="")


def _line_of(path: Path, at: int) -> int | str:
    # The decoder counts from the start of its own buffer, so the place is looked for again.
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return f"byte {at}"


def _found(name: str, path: Path) -> Found | None:
    with path.open("rb") as file:
        dialect = sniff(file.read(_SAMPLE))
    if dialect is None:
        return None
    stem = path.stem[: path.stem.find(name) + len(name)] if name in path.stem else ""
    options: dict[str, object] = {
        "pattern": f"{stem}*{path.suffix}",
        "delimiter": dialect.delimiter,
    }
    options |= {"encoding": dialect.encodings} if len(dialect.encodings) > 1 else {}
    options |= {"quote": dialect.quote} if dialect.quote else {}
    return Found(name, dialect.columns, options)
