"""What the engine knows of a record: its features, one by one or as columns of a batch.

Nothing here reads or writes anything; values are already normalised (`normalise`, `numbers`,
`dates`, `places`). A missing value is `None`, and missing evidence is never counter-evidence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.kinds import Kind

Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
Levels = NDArray[np.int8]
Bits = NDArray[np.float64]
Flags = NDArray[np.bool_]
Objects = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that two records can be compared on.

    Attributes:
        name: `nik`, `name`, …, or `extra.NAME`.
        kind: how its values compare.
        given: this field counts only where that other field does not differ (a street name says
            something within one kelurahan; once the kelurahan differs it only repeats it).
        unless: this field does not count where that other field has one of these levels, which
            say the same already (NIKs that are near share the day of birth).
    """

    name: str
    kind: Kind
    given: str | None = None
    unless: tuple[str, tuple[str, ...]] | None = None


FIELDS: tuple[Field, ...] = (
    Field("nik", Kind.NIK),
    Field("no_kk", Kind.NO_KK),
    Field("name", Kind.NAME),
    Field("birth_date", Kind.DATE, unless=("nik", ("near", "same day"))),
    Field("sex", Kind.SEX),
    Field("kelurahan", Kind.KELURAHAN),
    Field("address", Kind.ADDRESS, given="kelurahan"),
    Field("phone", Kind.PHONE),
)


@dataclass(frozen=True, slots=True)
class PersonFeatures:
    """One record's evidence, normalised.

    Attributes:
        key: the record's own name, unique and stable; ties are broken by it.
        source: the agency or file it comes from.
        nik: 16 digits of valid form, or a damaged number marked with a leading `~`
            (`numbers.nik`): that may resemble another, but is never equal to one.
        nik_stem: 15 digits of a number that a spreadsheet damaged; a blocking hint only.
        registered: the civil register's own record asserts this `nik`.
        name: folded core, and after `|` each alias (a gelar, a nickname).
        birth_date: `YYYY-MM-DD`, `YYYY-MM` or `YYYY`.
        kelurahan: the canonical code, or the folded text where no code is known.
        address: `street|number|rt|rw`, any part empty.
        extra: further fields by name (`extra.NAME` in a `Field`).
    """

    key: str
    source: str = ""
    nik: str | None = None
    nik_stem: str | None = None
    registered: bool = False
    no_kk: str | None = None
    name: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    kelurahan: str | None = None
    address: str | None = None
    phone: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """A field of many records: `values[codes[i]]` is record i's value, code -1 is missing."""

    codes: Codes
    values: Objects

    @classmethod
    def of(cls, values: Iterable[str | None]) -> "Column":
        seen: dict[str, int] = {}
        codes = [-1 if v is None else seen.setdefault(v, len(seen)) for v in values]
        return cls(np.array(codes, dtype=np.int32), objects(list(seen)))


@dataclass(frozen=True, slots=True)
class Batch:
    """Many records, column by column. Record i is `keys[i]`.

    `registered` marks records whose NIK is the civil register's word; `columns` holds one column
    for each field, plus `nik_stem`. A field that is absent is missing everywhere.
    """

    keys: Sequence[str]
    sources: Column
    registered: Flags
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def of(cls, records: Sequence[PersonFeatures]) -> "Batch":
        names = [f.name for f in FIELDS] + ["nik_stem"]
        columns = {n: Column.of(getattr(r, n) for r in records) for n in names}
        for extra in sorted({e for r in records for e in r.extra}):
            columns[f"extra.{extra}"] = Column.of(r.extra.get(extra) for r in records)
        return cls(
            keys=[r.key for r in records],
            sources=Column.of(r.source for r in records),
            registered=np.array([r.registered for r in records], dtype=bool),
            columns=columns,
        )

    def column(self, name: str) -> Column:
        found = self.columns.get(name)
        if found is None:
            return Column(np.full(len(self), -1, dtype=np.int32), objects([]))
        return found


def objects(values: Sequence[object]) -> Objects:
    """An object array of exactly these values, whatever their length."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of positions in one batch, `left[i] < right[i]`, each pair once, ascending."""

    left: Ints
    right: Ints

    def __len__(self) -> int:
        return len(self.left)

    @classmethod
    def of(cls, a: Ints, b: Ints) -> "Pairs":
        """Put any pairs in order: each once, none with itself."""
        return cls.unpack(cls.pack(a, b))

    @staticmethod
    def pack(a: Ints, b: Ints) -> Ints:
        """Any pairs as ascending numbers, each once, none with itself."""
        low, high = np.minimum(a, b), np.maximum(a, b)
        return distinct((low[low < high] << 32) | high[low < high])

    @classmethod
    def unpack(cls, packed: Ints) -> "Pairs":
        """The pairs that such numbers stand for."""
        return cls(packed >> 32, packed & 0xFFFFFFFF)

    def where(self, keep: Flags) -> "Pairs":
        return Pairs(self.left[keep], self.right[keep])


def distinct(numbers: Ints) -> Ints:
    """The distinct numbers, ascending (by sorting, which beats hashing here)."""
    ordered = np.sort(numbers)
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def run_lengths(ordered: Ints) -> Ints:
    """How often each distinct number of an ascending array occurs."""
    bounds = np.flatnonzero(np.diff(ordered)) + 1
    edges = np.concatenate([np.zeros(1, dtype=np.int64), bounds, np.array([len(ordered)])])
    return np.diff(edges)
