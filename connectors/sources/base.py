"""What a source is: it checks that what is declared is there, and streams allowed columns.

A query is built from the allow-list alone, so that a table or column that is not declared cannot be
asked for by any configuration.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from connectors.config import Dataset, Join, Publish, SourceConfig
from connectors.errors import FixSettings

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Query:
    """Rows of one dataset with the columns named, and of the joined ones as `<join>.<column>`."""

    dataset: Dataset
    columns: tuple[str, ...]
    joins: tuple[tuple[Join, Dataset, tuple[str, ...]], ...] = ()
    since: tuple[str, object] | None = None
    order: tuple[str, ...] = ()

    def ordered(self, columns: tuple[str, ...]) -> "Query":
        """The same rows, those of one key beside each other."""
        return replace(self, order=columns)


@dataclass(frozen=True, slots=True)
class Found:
    """One table, file or sheet that a source offers, for `init` to propose."""

    name: str
    columns: tuple[str, ...]
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rights:
    """Names that the account may change, and withheld ones that it may read."""

    changes: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


class Source(Protocol):
    """A kind of source. Every method raises ConnectorError and nothing else."""

    def check(self, query: Query) -> None:
        """Sees that every table and column of the query is there; reads no row."""

    def rows(self, query: Query) -> Iterator[Row]:
        """Streams the rows; values are None, str, int, float, Decimal, bool, date or datetime.

        A file's rows also carry `@file` and `@row` (1-based), the officer's way back to the cell.
        """

    def count(self, query: Query) -> int | None:
        """How many rows there will be about, where that is cheap to know."""

    def as_of(self, query: Query) -> datetime | None:
        """The date of the data as a whole where the source states one (a dated file name)."""

    def warnings(self, query: Query) -> list[tuple[str, str]]:
        """(what, code) of what was left aside: a file that is still being written."""

    def describe(self) -> list[Found]:
        """What there is to declare: names and columns only, never a row."""

    def rights(self) -> Rights:
        """What the account may do beyond reading what is declared."""

    def close(self) -> None: ...


def query_of(block: Publish, used: frozenset[str], source: SourceConfig, since: object) -> Query:
    """The query of a block for the columns it uses.

    Raises:
        FixSettings: a column is not on the allow-list.
    """
    joins = []
    for join in block.joins:
        side = source.datasets[join.dataset]
        wanted = {c.removeprefix(f"{join.name}.") for c in used if c.startswith(f"{join.name}.")}
        joins.append((join, side, _allowed(side, wanted, also=set(join.on.values()))))
    prefixes = tuple(f"{join.name}." for join in block.joins)
    main = source.datasets[block.dataset]
    own = {c for c in used if not c.startswith("@") and not (prefixes and c.startswith(prefixes))}
    own |= {column for join in block.joins for column in join.on}
    given = (block.watermark, since) if block.watermark and since is not None else None
    return Query(main, _allowed(main, own), tuple(joins), given)


def _allowed(dataset: Dataset, wanted: set[str], also: set[str] | None = None) -> tuple[str, ...]:
    for column in sorted(wanted | (also or set())):
        if column not in dataset.columns:
            raise FixSettings("settings.not_allowed", column=column, dataset=dataset.name)
    return tuple(c for c in dataset.columns if c in wanted)
