"""How right a partition is where the truth is known: pairs of one person, and B-cubed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gateway.index import clustering
from gateway.index.model import Flags, Ints, Pairs
from gateway.index.questions import Edges


@dataclass(frozen=True, slots=True)
class Judged:
    """A partition against the truth, each from 0 to 1.

    Attributes:
        precision: of the pairs put together, how many are one person.
        recall: of all pairs of one person, how many are together; never compared counts as missed.
        b_cubed: the same asked of each record's group, precision and recall in one number.
    """

    precision: float
    recall: float
    b_cubed: float

    @property
    def f1(self) -> float:
        return harmonic(self.precision, self.recall)


def judge(truth: Ints, labels: Ints) -> Judged:
    """`truth` and `labels` name each record's person and group by whole numbers."""
    people, persons = _sizes(truth)
    groups, found = _sizes(labels)
    _, cell, together = np.unique(
        persons * (int(found.max()) + 1) + found, return_inverse=True, return_counts=True
    )
    both = together[cell]
    hits, made, true = (_pairs(x) for x in (together, groups, people))
    by_record = len(truth)
    b_precision = float((both / groups[found]).sum() / by_record)
    b_recall = float((both / people[persons]).sum() / by_record)
    return Judged(hits / made if made else 1.0, hits / true, harmonic(b_precision, b_recall))


def judged(truth: Ints, labels: Ints, sources: Ints | None) -> Judged:
    """As is fit: with `sources`, pairs across them alone."""
    return judge(truth, labels) if sources is None else across(truth, labels, sources)


def across(truth: Ints, labels: Ints, sources: Ints) -> Judged:
    """The same, but only pairs of different sources count, as where each list is free of doubles.

    B-cubed stays that of all records.
    """
    both = truth * (int(labels.max()) + 1) + labels
    counts = [
        _pairs(_sizes(x)[0]) - _pairs(_sizes(_with(x, sources))[0]) for x in (both, labels, truth)
    ]
    hits, made, true = counts
    return Judged(hits / made if made else 1.0, hits / true, judge(truth, labels).b_cubed)


def connected(count: int, pairs: Pairs, keep: Flags) -> Ints:
    """Groups of records that a chain of kept pairs joins: all that Splink's edges allow."""
    return clustering.components(count, pairs.where(keep))


def best(truth: Ints, edges: Edges, bits: Sequence[float], sources: Ints | None = None) -> Judged:
    """The groups of the threshold with the highest F1, which only an oracle can choose."""
    tried = []
    for least in bits:
        labels = connected(len(truth), edges.pairs, edges.weights >= least)
        tried.append(judged(truth, labels, sources))
    return max(tried, key=lambda j: j.f1)


def numbered(names: Sequence[str]) -> Ints:
    """Whole numbers in the place of names."""
    return np.unique(np.array(names), return_inverse=True)[1].astype(np.int64)


def harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0


def _with(codes: Ints, sources: Ints) -> Ints:
    return codes * (int(sources.max()) + 1) + sources


def _sizes(codes: Ints) -> tuple[Ints, Ints]:
    _, number, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    return sizes.astype(np.int64), number.astype(np.int64)


def _pairs(sizes: Ints) -> int:
    return int((sizes * (sizes - 1) // 2).sum())
