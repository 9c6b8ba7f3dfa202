"""From scored pairs to persons: a partition that depends on the evidence and on nothing else.

Components of strong edges are cut by average linkage over *all* pairs inside them: two groups
join while the average weight between their records reaches the threshold. Contrary evidence
counts, so no chain of near misses makes a blob. Two records with different registered NIKs are
never in one group. Ties go by record key; weights are whole numbers, so that no order of addition
shows.

What people have decided stands above the weights: records decided to be two persons are never in
one group, and the groups of records decided to be one person are one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.index.model import Bits, Flags, Ints, Pairs

SCALE = 1024
FLOOR, CEILING = -20.0, 20.0
LARGEST = 1_500
MOST_JOINED = 60
"""Most records of a group that decisions make; one that would make a larger is not followed."""

_STEP = 3.0

ScorePairs = Callable[[Pairs], Bits]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a partition obeys.

    Attributes:
        threshold: average weight in bits at which two groups join.
        apart: for each record a number, -1 for none; different numbers are never in one group
            (registered NIKs).
        alone: for each record a number, -1 for none; equal numbers are never in one group (the
            sources, where each is free of duplicates).
        same: pairs that somebody decided are one person, the oldest decision first.
        different: pairs that somebody decided are two.
    """

    threshold: float
    apart: Ints
    alone: Ints
    same: Sequence[tuple[int, int]] = ()
    different: Sequence[tuple[int, int]] = ()


def partition(count: int, edges: Pairs, weights: Bits, rules: Rules, score: ScorePairs) -> Ints:
    """The group of each record 0…count - 1, named by its first record.

    Records must be numbered in the order of their keys. `score` weighs the pairs inside a
    component that are not among the edges.
    """
    labels = np.arange(count, dtype=np.int64)
    todo = [(edges, weights, rules.threshold)]
    while todo:
        pairs, bits, least = todo.pop()
        strong = bits >= least
        pairs, bits = pairs.where(strong), bits[strong]
        component = components(count, pairs)
        sizes = np.bincount(component, minlength=count)
        huge = sizes[component[pairs.left]] > LARGEST
        if huge.any():
            todo.append((pairs.where(huge), bits[huge], least + _STEP))
        members = _members(component, (sizes > 1) & (sizes <= LARGEST))
        _cut(members, labels, rules, score)
    _join_decided(labels, rules)
    return labels


def _join_decided(labels: Ints, rules: Rules) -> None:
    """Join groups as it was decided, the oldest decision first.

    Not followed is a decision between whose groups stands one that says they are two, or that
    would make too large a group: one negative word stops any chain of positive ones.
    """
    for a, b in rules.same:
        one, other = sorted((int(labels[a]), int(labels[b])))
        if one == other:
            continue
        walls = ({int(labels[x]), int(labels[y])} for x, y in rules.different)
        if {one, other} in walls:
            continue
        joined = (labels == one) | (labels == other)
        if joined.sum() <= MOST_JOINED:
            labels[joined] = one


def components(count: int, pairs: Pairs) -> Ints:
    """The first record that each record is connected with."""
    label = np.arange(count, dtype=np.int64)
    left, right = pairs.left, pairs.right
    while len(left):
        low = np.minimum(label[left], label[right])
        np.minimum.at(label, label[left], low)
        np.minimum.at(label, label[right], low)
        while True:
            jumped = label[label]
            if np.array_equal(jumped, label):
                break
            label = jumped
        apart = label[left] != label[right]
        left, right = left[apart], right[apart]
    return label


def _members(component: Ints, chosen: Flags) -> list[Ints]:
    """Records of each chosen component, ascending."""
    records = np.flatnonzero(chosen[component])
    order = np.argsort(component[records], kind="stable")
    records = records[order]
    bounds = np.flatnonzero(np.diff(component[records])) + 1
    return [m for m in np.split(records, bounds) if len(m)]


def _cut(members: Sequence[Ints], labels: Ints, rules: Rules, score: ScorePairs) -> None:
    """Partition components, a few million pairs at a time, and write their labels."""
    at = 0
    while at < len(members):
        stop, total = at, 0
        while stop < len(members) and total < 1_000_000:
            total += len(members[stop]) * (len(members[stop]) - 1) // 2
            stop += 1
        _cut_some(members[at:stop], labels, rules, score)
        at = stop


def _cut_some(members: Sequence[Ints], labels: Ints, rules: Rules, score: ScorePairs) -> None:
    corners = {n: np.triu_indices(n, 1) for n in {len(m) for m in members}}
    lefts = [m[corners[len(m)][0]] for m in members]
    rights = [m[corners[len(m)][1]] for m in members]
    pairs = Pairs(np.concatenate(lefts), np.concatenate(rights))
    weights = whole(score(pairs))
    barred = _barred(pairs, rules)
    sizes = np.array([len(x) for x in lefts])
    starts = np.cumsum(sizes) - sizes
    least = int(np.ceil(rules.threshold * SCALE))
    agreeing = np.minimum.reduceat(np.where(barred, np.iinfo(np.int64).min, weights), starts)
    for i, group in enumerate(members):
        if agreeing[i] >= least:
            labels[group] = group[0]
            continue
        piece = slice(starts[i], starts[i] + sizes[i])
        parts = average_linkage(len(group), weights[piece], barred[piece], least)
        labels[group] = group[parts]


def whole(bits: Bits) -> Ints:
    """Weights as whole numbers of 1/1024 bit, bounded so that no single pair decides alone."""
    return np.rint(np.clip(bits, FLOOR, CEILING) * SCALE).astype(np.int64)


def _barred(pairs: Pairs, rules: Rules) -> Flags:
    a, b = rules.apart[pairs.left], rules.apart[pairs.right]
    c, d = rules.alone[pairs.left], rules.alone[pairs.right]
    barred: Flags = ((a != b) & (a >= 0) & (b >= 0)) | ((c == d) & (c >= 0))
    if rules.different:
        walls = Pairs.pack(*np.array(rules.different, dtype=np.int64).T)
        barred |= np.isin((pairs.left << 32) | pairs.right, walls)
    return barred


def average_linkage(size: int, weights: Ints, barred: Flags, least: int) -> Ints:
    """The first member of each of `size` members' groups.

    `weights` and `barred` list the pairs (0, 1), (0, 2) … row by row; two groups join while the
    average weight between them is the highest of all and at least `least`, and no pair between
    them is barred.
    """
    sums = np.zeros((size, size), dtype=np.int64)
    walls = np.zeros((size, size), dtype=bool)
    upper = np.triu_indices(size, 1)
    sums[upper], walls[upper] = weights, barred
    sums, walls = sums + sums.T, walls | walls.T
    counts = np.ones(size, dtype=np.int64)
    labels = np.arange(size)
    lower = np.tril_indices(size)
    averages = np.where(walls, -np.inf, sums.astype(np.float64))
    averages[lower] = -np.inf
    while True:
        best = int(np.argmax(averages))
        i, j = divmod(best, size)
        if averages[i, j] < least:
            return labels
        labels[labels == j] = i
        sums[i] += sums[j]
        sums[:, i] = sums[i]
        walls[i] |= walls[j]
        walls[:, i] = walls[i]
        counts[i] += counts[j]
        counts[j] = 0
        averages[j], averages[:, j] = -np.inf, -np.inf
        live = (counts > 0) & ~walls[i]
        live[i] = False
        fresh = np.where(live, sums[i] / (counts[i] * np.maximum(counts, 1)), -np.inf)
        averages[i, i + 1 :] = fresh[i + 1 :]
        averages[:i, i] = fresh[:i]


@dataclass(frozen=True, slots=True)
class Band:
    """Scores between which a person must look, in bits."""

    low: float = -4.0
    high: float = 4.0


STEWARD = Band()
