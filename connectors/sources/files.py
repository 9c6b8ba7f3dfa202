"""What sources of files share: which files count, their dates, joins and order by a shelf.

A shelf is a temporary SQLite database on disk, so that a joined or sorted file never has to fit
into memory; it is made only for a query that asks for a join or an order.
"""

import fnmatch
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

from connectors.config import Dataset, SourceConfig
from connectors.errors import FixSource, Wait
from connectors.sources.base import Found, Query, Rights, Row
from connectors.withheld import is_withheld

_DATED = re.compile(r"(?<![0-9])(20[0-9]{2})-?([01][0-9])-?([0-3][0-9])(?![0-9])")
_BATCH = 1_000
MARKS = ("@file", "@sheet", "@row", "@fill", "@fault")


def matching(config: SourceConfig, dataset: Dataset) -> list[Path]:
    """The files of a dataset, oldest date first; lock files and hidden ones never count.

    Raises:
        FixSource: there is none, or the folder cannot be read.
    """
    pattern = str(dataset.options.get("pattern", f"{dataset.name}*"))
    try:
        names = [
            path
            for path in config.folder.iterdir()
            if fnmatch.fnmatchcase(path.name, pattern)
            and not path.name.startswith(("~$", "."))
            and not is_withheld(path.name, config.withheld)
        ]
    except FileNotFoundError as err:
        raise FixSource("source.file", pattern=pattern, path=config.folder) from err
    except OSError as err:
        raise FixSource("source.rights", reason=err.strerror) from err
    if not names:
        raise FixSource("source.file", pattern=pattern, path=config.folder)
    return sorted(names, key=lambda path: (date_in(path.name) or date.min, path.name))


def date_in(name: str) -> date | None:
    """The day that a file's name carries, or None."""
    for match in _DATED.finditer(name):
        try:
            return date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            continue
    return None


class FileSource:
    """A folder of files; a kind of file says how one dataset is streamed and counted."""

    def __init__(self, config: SourceConfig) -> None:
        self._config = config

    def stream(self, dataset: Dataset) -> Iterator[Row]:
        """All rows of a dataset with every declared column."""
        raise NotImplementedError

    def head(self, dataset: Dataset) -> tuple[str, ...]:
        """The columns that the dataset's files have now."""
        raise NotImplementedError

    def count(self, query: Query) -> int | None:
        """As `Source.count`."""
        raise NotImplementedError

    def describe(self) -> list[Found]:
        """As `Source.describe`."""
        raise NotImplementedError

    def chosen(self, dataset: Dataset) -> list[Path]:
        """The files that count now."""
        raise NotImplementedError

    def check(self, query: Query) -> None:
        sides = [(side, (*columns, *join.on.values())) for join, side, columns in query.joins]
        for dataset, columns in [(query.dataset, query.columns), *sides]:
            there = set(self.head(dataset))
            for missing in sorted(set(columns) - there):
                raise FixSource("source.column", column=missing, dataset=dataset.name)

    def rows(self, query: Query) -> Iterator[Row]:
        if query.joins or query.order:
            yield from self._shelved(query)
            return
        wanted = (*query.columns, *MARKS)
        for row in self.stream(query.dataset):
            yield {name: row[name] for name in wanted if name in row}

    def as_of(self, query: Query) -> datetime | None:
        days = [day for path in self.chosen(query.dataset) if (day := date_in(path.name))]
        return datetime(*max(days).timetuple()[:3], tzinfo=UTC) if days else None

    def warnings(self, query: Query) -> list[tuple[str, str]]:
        return [warning for dataset in datasets(query) for warning in self.left(dataset)]

    def left(self, dataset: Dataset) -> list[tuple[str, str]]:  # noqa: ARG002
        """(file, code) of files that were left aside."""
        return []

    def rights(self) -> Rights:
        """Files are only ever opened for reading; a folder of withheld ones is not looked into."""
        return Rights()

    def close(self) -> None:
        return None

    def _shelved(self, query: Query) -> Iterator[Row]:
        # An empty name is SQLite's own temporary file: it is gone with the connection.
        with closing(sqlite3.connect("", isolation_level=None)) as shelf:
            try:
                shelf.execute("PRAGMA journal_mode = OFF")
                shelf.execute("PRAGMA cache_size = -2048")
                self._load(shelf, "m", query.dataset)
                for number, (join, side, _) in enumerate(query.joins):
                    self._load(shelf, f"j{number}", side)
                    keys = ", ".join(_quoted(column) for column in join.on.values())
                    shelf.execute(f"CREATE INDEX k{number} ON j{number}({keys})")
                names, statement = _select(query)
                for values in shelf.execute(statement):
                    yield dict(zip(names, values, strict=True))
            except sqlite3.Error as err:
                raise Wait("state.full") from err

    def _load(self, shelf: sqlite3.Connection, name: str, dataset: Dataset) -> None:
        columns = (*dataset.columns, *MARKS)
        shelf.execute(f"CREATE TABLE {name}({', '.join(map(_quoted, columns))})")
        statement = f"INSERT INTO {name} VALUES({', '.join('?' * len(columns))})"
        rows = self.stream(dataset)
        shelf.execute("BEGIN")
        while page := list(islice(rows, _BATCH)):
            shelf.executemany(statement, ([_plain(row.get(c)) for c in columns] for row in page))
        shelf.execute("COMMIT")


def datasets(query: Query) -> Iterable[Dataset]:
    return (query.dataset, *(side for _, side, _ in query.joins))


def _select(query: Query) -> tuple[list[str], str]:
    """Names of the columns and the SELECT over the shelf, from declared names only."""
    names = [*query.columns, *MARKS]
    chosen = [f"m.{_quoted(name)}" for name in names]
    tables = "m"
    for number, (join, _, columns) in enumerate(query.joins):
        pairs = " AND ".join(f"m.{_quoted(a)} = j{number}.{_quoted(b)}" for a, b in join.on.items())
        tables += f" {'LEFT ' if join.optional else ''}JOIN j{number} ON {pairs}"
        names += [f"{join.name}.{column}" for column in columns]
        chosen += [f"j{number}.{_quoted(column)}" for column in columns]
    order = ", ".join(f"m.{_quoted(name)}" for name in query.order) or "m.rowid"
    return names, f"SELECT {', '.join(chosen)} FROM {tables} ORDER BY {order}, m.rowid"  # noqa: S608


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
