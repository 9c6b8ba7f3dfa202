"""What the engine leaves to a person: at most one question about any two groups.

A stray resemblance between one record of a family and one of another is no question while all
that their other records say speaks against it. So two groups are asked about where the average
weight between them lies within the steward band or above it (then something forbids the link),
the same measure by which they would have joined.
"""

from dataclasses import dataclass

import numpy as np

from gateway.index.clustering import CEILING, FLOOR, Band, ScorePairs
from gateway.index.model import Bits, Flags, Ints, Pairs

HEARD = 30
"""Records of a group that are heard, the first by key; no flood of rows makes a question dear."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Candidate pairs and their weights in bits."""

    pairs: Pairs
    weights: Bits


def open_questions(edges: Edges, labels: Ints, band: Band, score: ScorePairs) -> Flags:
    """The edges to show: of each two groups that are nearly one person, the strongest."""
    shown = np.zeros(len(edges.pairs), dtype=bool)
    a, b = labels[edges.pairs.left], labels[edges.pairs.right]
    near = np.flatnonzero((a != b) & (edges.weights >= band.low))
    if not len(near):
        return shown
    packed = (np.minimum(a[near], b[near]) << 32) | np.maximum(a[near], b[near])
    groups, of = np.unique(packed, return_inverse=True)
    asked = _averages(groups, labels, score) >= band.low
    by_weight = near[np.lexsort((near, -edges.weights[near], of))]
    first = np.searchsorted(np.sort(of), np.arange(len(groups)))
    shown[by_weight[first[asked]]] = True
    return shown


def _averages(groups: Ints, labels: Ints, score: ScorePairs) -> Bits:
    """The average weight between the two groups of each packed pair."""
    order = np.argsort(labels, kind="stable").astype(np.int64)
    ordered = labels[order]
    one, other = groups >> 32, groups & 0xFFFFFFFF
    starts = [np.searchsorted(ordered, side) for side in (one, other)]
    sizes = [
        np.minimum(np.searchsorted(ordered, side, side="right") - start, HEARD)
        for side, start in zip((one, other), starts, strict=True)
    ]
    counts = sizes[0] * sizes[1]
    of = np.repeat(np.arange(len(groups)), counts)
    place = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    left = order[starts[0][of] + place // sizes[1][of]]
    right = order[starts[1][of] + place % sizes[1][of]]
    between = Pairs(np.minimum(left, right), np.maximum(left, right))
    weights = np.clip(score(between), FLOOR, CEILING)
    average: Bits = np.bincount(of, weights=weights) / counts
    return average
