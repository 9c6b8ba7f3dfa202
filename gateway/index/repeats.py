"""Rows that are equal in everything that is compared: a payment list names one person each month.

So many equal rows would make every key of theirs a hot one, which yields no pairs. Of each such
group only some take part in linking; the rest go where those went. Equal rows are alike to the
engine, so if those are one person the others are the same one, and if they are not (a bare common
name) none of them is linked.
"""

from dataclasses import dataclass

import numpy as np

from gateway.index.model import Batch, Column, Ints, Pairs

KEPT = 20
"""Rows of a group that take part."""


@dataclass(frozen=True, slots=True)
class Thinned:
    """A batch without its repetitions; `rows` are its positions in the whole, ascending."""

    batch: Batch
    rows: Ints
    group: Ints
    """For each row of the whole, the number of its group of equal rows."""

    def spread(self, labels: Ints) -> Ints:
        """Labels of the thinned batch, as positions there, to labels of the whole."""
        whole = np.arange(len(self.group), dtype=np.int64)
        whole[self.rows] = self.rows[labels]
        order = np.argsort(self.group[self.rows], kind="stable")
        groups, first = np.unique(self.group[self.rows][order], return_index=True)
        own = self.rows[order]
        one = whole[own[first]]
        second = np.minimum(first + 1, len(own) - 1)
        together = whole[own[second]] == one
        left_out = np.ones(len(self.group), dtype=bool)
        left_out[self.rows] = False
        at = np.searchsorted(groups, self.group[left_out])
        whole[left_out] = np.where(together[at], one[at], whole[left_out])
        return whole

    def pairs(self, found: Pairs) -> Pairs:
        """Pairs of the thinned batch as pairs of the whole."""
        return Pairs(self.rows[found.left], self.rows[found.right])


def thin(batch: Batch, kept: int = KEPT) -> Thinned | None:
    """The batch without repetitions; None where no group is larger than `kept`."""
    named = [batch.sources.codes, *(batch.columns[n].codes for n in sorted(batch.columns))]
    rows = np.column_stack([*named, batch.registered.astype(np.int32)])
    _, group, sizes = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    if not len(sizes) or sizes.max() <= kept:
        return None
    group = group.reshape(-1).astype(np.int64)
    order = np.argsort(group, kind="stable")
    starts = np.cumsum(sizes) - sizes
    place = np.arange(len(order)) - np.repeat(starts, sizes)
    chosen = np.sort(order[place < kept]).astype(np.int64)
    return Thinned(_take(batch, chosen), chosen, group)


def _take(batch: Batch, rows: Ints) -> Batch:
    def of(column: Column) -> Column:
        return Column(column.codes[rows], column.values)

    return Batch(
        keys=[batch.keys[i] for i in rows.tolist()],
        sources=of(batch.sources),
        registered=batch.registered[rows],
        columns={name: of(column) for name, column in batch.columns.items()},
    )
