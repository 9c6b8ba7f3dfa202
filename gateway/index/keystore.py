"""Where blocking keys are kept and looked up: the protocol, and an implementation in arrays."""

from typing import Protocol

import numpy as np

from gateway.index.blocking import HOT, KeyRows
from gateway.index.model import Flags, Ints, Pairs, distinct, run_lengths

_AT_ONCE = 2_000_000


class KeyStore(Protocol):
    """Keys of records that have been added; every implementation gives the same pairs.

    A key that more than `HOT` records carry yields nothing, whoever asks and in whatever order
    the records came: a key that becomes hot takes its pairs back.
    """

    def put(self, rows: KeyRows) -> None:
        """Add the keys of new records."""

    def candidates(self, rows: KeyRows) -> Pairs:
        """Pairs of these records (already put) with any other that shares a key, each once."""


class ArrayKeyStore:
    """Sorted arrays in memory, for offline runs and as the measure of other stores."""

    def __init__(self, hot: int = HOT) -> None:
        self._hot = hot
        self._keys = np.zeros(0, dtype=np.int64)
        self._records = np.zeros(0, dtype=np.int64)

    def put(self, rows: KeyRows) -> None:
        keys = np.concatenate([self._keys, rows.keys])
        records = np.concatenate([self._records, rows.records])
        order = np.lexsort((records, keys))
        self._keys, self._records = keys[order], records[order]

    def candidates(self, rows: KeyRows) -> Pairs:
        first = np.searchsorted(self._keys, rows.keys, side="left")
        widths = np.searchsorted(self._keys, rows.keys, side="right") - first
        cool = widths <= self._hot
        first, widths, asking = first[cool], widths[cool], rows.records[cool]
        found = self._records[np.repeat(first, widths) + _within(widths)]
        return Pairs.of(np.repeat(asking, widths), found)

    def pairs(self, only: Flags | None = None) -> Pairs:
        """All pairs that share a key; with `only`, of those key rows alone (in sorted order)."""
        keys = self._keys if only is None else self._keys[only]
        records = self._records if only is None else self._records[only]
        return pairs_of(keys, records, self._hot)


def pairs_of(keys: Ints, records: Ints, hot: int = HOT) -> Pairs:
    """All pairs of records that share one of the sorted `keys`, hot keys left out.

    Pairs are made and thinned some keys at a time, so that memory holds the distinct ones and not
    every repetition.
    """
    sizes = run_lengths(keys)
    starts = np.cumsum(sizes) - sizes
    shared = (sizes > 1) & (sizes <= hot)
    starts, sizes = starts[shared], sizes[shared]
    made = np.cumsum(sizes * (sizes - 1) // 2)
    cuts = np.searchsorted(made, np.arange(_AT_ONCE, made[-1] if len(made) else 0, _AT_ONCE))
    parts = [
        _packed_pairs(some_starts, some_sizes, records)
        for some_starts, some_sizes in zip(
            np.split(starts, cuts), np.split(sizes, cuts), strict=True
        )
    ]
    return Pairs.unpack(distinct(np.concatenate(parts)))


def _packed_pairs(starts: Ints, sizes: Ints, records: Ints) -> Ints:
    """The distinct pairs within runs of `records`."""
    ends = np.repeat(starts + sizes, sizes)
    rows = np.repeat(starts, sizes) + _within(sizes)
    after = ends - rows - 1
    left = np.repeat(rows, after)
    right = left + 1 + _within(after)
    return Pairs.pack(records[left], records[right])


def pair_count(keys: Ints, hot: int = HOT) -> int:
    """How many pairs `pairs_of` would look at, counting repetitions."""
    sizes = run_lengths(np.sort(keys))
    sizes = sizes[sizes <= hot]
    return int((sizes * (sizes - 1) // 2).sum())


def _within(widths: Ints) -> Ints:
    """0, 1, … inside each run of the given widths."""
    ends = np.cumsum(widths)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total, dtype=np.int64) - np.repeat(ends - widths, widths)
