"""Learning a model from unlabelled records, by expectation and maximisation over patterns.

What strangers have in common is counted on random pairs (`u`), cleaned of the pairs that turn out
to be one person; what records of one person have in common (`m`), and what relatives and twins
have, is learned from the candidates. Every estimate leans on a sane default as if that had been
seen a few times, so a small set, or one with few fields, still gets a usable model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.index import frequency as frequencies
from gateway.index.compare import COMPARATORS
from gateway.index.frequency import BANDS, Frequency
from gateway.index.model import Batch, Bits, Field, Ints, Pairs
from gateway.index.scoring import (
    CARD_FIELD,
    HOUSEHOLD,
    STRANGERS,
    TWINS,
    Evidence,
    FieldModel,
    Model,
    cells_of,
    observe,
    pieces,
)
from schemas.kinds import Kind

MATCH = "match"
_ROUNDS = 25
_LEAN = 200.0
_LEAN_ON_NAMES = 3_000.0
_LEAST_TWINS = 0.02
_SEEN = 2.0
_MOST = 1 << 62
_UNSEEN = 2e-5
_SAMPLE = 300_000
_LEAST_CARDS = 200
_BY_WORD = frozenset((Kind.NAME,))
_TWINS_OWN = frozenset((Kind.NIK, Kind.NAME, Kind.SEX))
COUNTED = frozenset((Kind.NAME, Kind.DATE, Kind.KELURAHAN, Kind.ADDRESS, Kind.TEXT, Kind.CODE))


@dataclass(frozen=True, slots=True)
class Defaults:
    """Chances of each level before anything is learned: one person, household, twins."""

    match: tuple[float, ...]
    household: tuple[float, ...]
    twins: tuple[float, ...]


DEFAULTS: Mapping[Kind, Defaults] = {
    Kind.NIK: Defaults(
        (0.9, 0.03, 0.035, 0.005, 0.03),
        (0.015, 0.002, 0.002, 0.01, 0.971),
        (0.004, 0.003, 0.65, 0.3, 0.043),
    ),
    Kind.NO_KK: Defaults((0.85, 0.05, 0.1), (0.93, 0.04, 0.03), (0.93, 0.04, 0.03)),
    Kind.NAME: Defaults(
        (0.7, 0.16, 0.05, 0.05, 0.02, 0.02),
        (0.0005, 0.01, 0.002, 0.003, 0.08, 0.9045),
        (0.001, 0.02, 0.02, 0.35, 0.25, 0.359),
    ),
    Kind.DATE: Defaults(
        (0.87, 0.06, 0.05, 0.01, 0.01),
        (0.01, 0.01, 0.02, 0.03, 0.93),
        (0.87, 0.06, 0.05, 0.01, 0.01),
    ),
    Kind.SEX: Defaults((0.985, 0.015), (0.5, 0.5), (0.75, 0.25)),
    Kind.KELURAHAN: Defaults((0.86, 0.05, 0.09), (0.86, 0.05, 0.09), (0.86, 0.05, 0.09)),
    Kind.ADDRESS: Defaults((0.6, 0.25, 0.05, 0.1), (0.6, 0.25, 0.05, 0.1), (0.6, 0.25, 0.05, 0.1)),
    Kind.PHONE: Defaults((0.7, 0.05, 0.25), (0.2, 0.02, 0.78), (0.3, 0.02, 0.68)),
    Kind.TEXT: Defaults((0.7, 0.1, 0.1, 0.1), (0.3, 0.1, 0.1, 0.5), (0.3, 0.1, 0.1, 0.5)),
    Kind.CODE: Defaults((0.75, 0.1, 0.05, 0.1), (0.3, 0.1, 0.1, 0.5), (0.3, 0.1, 0.1, 0.5)),
    Kind.NUMBER: Defaults((0.75, 0.1, 0.15), (0.3, 0.1, 0.6), (0.3, 0.1, 0.6)),
    Kind.NONE: Defaults((1.0,), (1.0,), (1.0,)),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """What a model is learned from.

    Attributes:
        population: how many pairs of records there are at all (those that may be linked).
        candidates: pairs that share a blocking key.
        random: pairs drawn without regard to their values.
        counted: kinds whose values weigh by how rare they are.
    """

    batch: Batch
    fields: Sequence[Field]
    population: float
    candidates: Pairs
    random: Pairs
    counted: frozenset[Kind] = COUNTED


@dataclass(frozen=True, slots=True)
class _Patterns:
    """Distinct patterns of evidence: cells (a row for each field), and how often each occurs."""

    cells: Ints
    counts: Bits


@dataclass(slots=True)
class _State:
    """Chances as they are being learned, a row of tables for each field."""

    priors: dict[str, float]
    chances: list[dict[str, Bits]]
    strangers: list[Bits]


def random_pairs(batch: Batch, *, within_sources: bool, seed: int = 20) -> tuple[Pairs, float]:
    """Random pairs of records and the number of pairs there are; all of them if few."""
    count = len(batch)
    sizes = np.bincount(batch.sources.codes + 1)
    within = float((sizes.astype(float) * (sizes - 1) / 2).sum())
    total = count * (count - 1) / 2 - (0.0 if within_sources else within)
    if count * (count - 1) // 2 <= _SAMPLE:
        left, right = np.triu_indices(count, 1)
        pairs = Pairs(left.astype(np.int64), right.astype(np.int64))
    else:
        rng = np.random.default_rng(seed)
        drawn = rng.integers(0, count, size=(2, _SAMPLE))
        pairs = Pairs.of(drawn[0], drawn[1])
    if not within_sources:
        codes = batch.sources.codes
        pairs = pairs.where(codes[pairs.left] != codes[pairs.right])
    return pairs, max(total, 1.0)


def train(sample: Sample, version: str) -> tuple[Model, Evidence]:
    """The model that explains the sample best, and the evidence of its candidates.

    Never fails for want of data.
    """
    tables = [_frequency(sample, f) for f in sample.fields]
    candidates = observe(sample.batch, sample.candidates, sample.fields, tables)
    random = observe(sample.batch, sample.random, sample.fields, tables)
    widths = [1 if t is None else len(BANDS) for t in tables]
    learner = _Learner(sample, widths, _hypotheses(sample.batch))
    sizes = learner.sizes
    state = learner.learn(_patterns(candidates, widths, sizes), _patterns(random, widths, sizes))
    hypotheses = [h for h in state.priors if h not in {MATCH, STRANGERS}]
    fields = tuple(
        FieldModel(
            field=field,
            m=_tuple(state.chances[i][MATCH]),
            u=tuple(_tuple(row) for row in state.strangers[i]),
            others={h: _tuple(state.chances[i][h]) for h in hypotheses},
            frequency=tables[i],
        )
        for i, field in enumerate(sample.fields)
    )
    priors = {h: state.priors[h] for h in hypotheses}
    return Model(version, fields, state.priors[MATCH], priors), candidates


def _frequency(sample: Sample, field: Field) -> Frequency | None:
    column = sample.batch.column(field.name)
    if field.kind not in sample.counted or not len(column.values):
        return None
    return frequencies.count(column, by_word=field.kind in _BY_WORD)


def _hypotheses(batch: Batch) -> tuple[str, ...]:
    """What two records may be besides one person's and strangers', as far as it can be learned.

    Family cards tell households, and twins within them; addresses alone tell households.
    """
    if _is_shared(batch, CARD_FIELD):
        return (HOUSEHOLD, TWINS)
    return (HOUSEHOLD,) if _is_shared(batch, "address") else ()


def _is_shared(batch: Batch, field: str) -> bool:
    codes = batch.column(field).codes
    known = codes[codes >= 0]
    if len(known) < max(_LEAST_CARDS, len(batch) // 10):
        return False
    return bool((np.bincount(known) > 1).sum() >= _LEAST_CARDS // 4)


def _patterns(evidence: Evidence, widths: Sequence[int], sizes: Sequence[int]) -> _Patterns:
    """Pack each pair's cells into one number and count equal numbers."""
    packed = np.zeros(len(evidence), dtype=np.int64)
    room = 1
    for i, (width, size) in enumerate(zip(widths, sizes, strict=True)):
        radix = width * size + 1
        if room * radix >= _MOST:
            packed = np.unique(packed, return_inverse=True)[1]
            room = len(packed)
        packed *= radix
        for piece in pieces(len(evidence)):
            packed[piece] += 1 + cells_of(
                evidence.levels[i, piece], evidence.bands[i, piece], width
            )
        room *= radix
    _, first, counts = np.unique(packed, return_index=True, return_counts=True)
    found = evidence.at(first)
    cells = [
        cells_of(levels, bands, width)
        for levels, bands, width in zip(found.levels, found.bands, widths, strict=True)
    ]
    return _Patterns(np.array(cells), counts.astype(np.float64))


class _Learner:
    """Expectation and maximisation over the patterns of one sample."""

    def __init__(self, sample: Sample, widths: Sequence[int], others: Sequence[str]) -> None:
        self._sample = sample
        self._widths = widths
        self._defaults = [DEFAULTS[f.kind] for f in sample.fields]
        self.sizes = [len(COMPARATORS[f.kind].levels) for f in sample.fields]
        self._others = others

    def learn(self, candidates: _Patterns, random: _Patterns) -> _State:
        state = self._start()
        state.strangers = self._strangers(random, np.ones(len(random.counts)))
        for _ in range(_ROUNDS):
            shares = self._shares(candidates, state)
            before = dict(state.priors)
            self._update(candidates, shares, state)
            alone = self._shares(random, state)[STRANGERS]
            state.strangers = self._strangers(random, alone)
            moved = max(abs(np.log(state.priors[h] / before[h])) for h in before)
            if moved < 1e-3:
                break
        return state

    def _start(self) -> _State:
        count = len(self._sample.batch)
        priors = {MATCH: 0.5 * count / self._sample.population}
        usual = {HOUSEHOLD: 2.0, TWINS: 0.02}
        priors |= {h: usual[h] * count / self._sample.population for h in self._others}
        scale = max(1.0, 2.5 * sum(priors.values()))
        priors = {h: p / scale for h, p in priors.items()}
        priors[STRANGERS] = 1.0 - sum(priors.values())
        chances = [
            {
                MATCH: np.array(d.match),
                HOUSEHOLD: np.array(d.household),
                TWINS: np.array(d.twins),
            }
            for d in self._defaults
        ]
        return _State(priors, chances, [])

    def _shares(self, patterns: _Patterns, state: _State) -> dict[str, Bits]:
        """The chance of each hypothesis for each pattern."""
        logs = {}
        for hypothesis, prior in state.priors.items():
            total = np.full(len(patterns.counts), np.log(prior))
            for i, width in enumerate(self._widths):
                if hypothesis == STRANGERS:
                    table = state.strangers[i].ravel()
                else:
                    table = np.repeat(state.chances[i][hypothesis], width)
                total += np.append(np.log(table), 0.0)[patterns.cells[i]]
            logs[hypothesis] = total
        top = np.max(list(logs.values()), axis=0)
        shares = {h: np.exp(x - top) for h, x in logs.items()}
        whole = np.sum(list(shares.values()), axis=0)
        return {h: s / whole for h, s in shares.items()}

    def _update(self, patterns: _Patterns, shares: dict[str, Bits], state: _State) -> None:
        """Priors, and the chance of each level under each hypothesis but strangers."""
        found = {h: float((shares[h] * patterns.counts).sum()) for h in state.priors}
        floor = 0.01 * len(self._sample.batch)
        least = {
            MATCH: floor,
            HOUSEHOLD: floor / 100,
            TWINS: _LEAST_TWINS * max(found[MATCH], floor),
        }
        for hypothesis in state.priors.keys() - {STRANGERS}:
            seen = max(found[hypothesis], least[hypothesis]) / self._sample.population
            state.priors[hypothesis] = min(seen, 0.3)
        state.priors[STRANGERS] = 1.0 - sum(p for h, p in state.priors.items() if h != STRANGERS)
        for i in range(len(self._widths)):
            for hypothesis in state.priors.keys() & {MATCH, HOUSEHOLD}:
                weights = shares[hypothesis] * patterns.counts
                learned = self._chances(i, patterns.cells[i], weights, hypothesis)
                state.chances[i][hypothesis] = learned
            state.chances[i][TWINS] = self._twins(i, state.chances[i])

    def _chances(self, i: int, cells: Ints, weights: Bits, hypothesis: str) -> Bits:
        known = cells >= 0
        level = cells[known] // self._widths[i]
        seen = np.bincount(level, weights=weights[known], minlength=self.sizes[i])
        named = hypothesis == HOUSEHOLD and self._sample.fields[i].kind is Kind.NAME
        lean = _LEAN_ON_NAMES if named else _LEAN  # nobody names a child like its sister
        total: Bits = seen + lean * np.array(getattr(self._defaults[i], hypothesis))
        learned: Bits = total / total.sum()
        return learned

    def _twins(self, i: int, chances: Mapping[str, Bits]) -> Bits:
        """Twins are too few to learn from: born like one person, living like a household."""
        kind = self._sample.fields[i].kind
        if kind in _TWINS_OWN:
            return chances[TWINS]
        return chances[MATCH] if kind is Kind.DATE else chances[HOUSEHOLD]

    def _strangers(self, patterns: _Patterns, alone: Bits) -> list[Bits]:
        weights = patterns.counts * alone
        return [self._strangers_of(i, patterns.cells[i], weights) for i in range(len(self.sizes))]

    def _strangers_of(self, i: int, cells: Ints, weights: Bits) -> Bits:
        """Level × band chances: counts, leaning on what the rarity of values lets expect."""
        width, size = self._widths[i], self.sizes[i]
        known = cells >= 0
        seen = np.bincount(cells[known], weights=weights[known], minlength=width * size)
        seen = seen.reshape(size, width)
        per_band = seen.sum(axis=0)
        same = self._expected_same(i)
        expected = np.empty((size, width))
        expected[0] = same
        base = float((per_band * same).sum()) + 1.0
        for level in range(1, size):
            ratio = np.clip((seen[level].sum() + 1.0) / base, 1.0, 1000.0)
            expected[level] = np.minimum(same * ratio, 0.5)
        expected[-1] = np.maximum(1.0 - expected[:-1].sum(axis=0), 0.3)
        chances = (seen + _SEEN) / (per_band + _SEEN / expected)
        normal: Bits = chances / chances.sum(axis=0)
        return normal

    def _expected_same(self, i: int) -> Bits:
        """How often strangers share a value, by band, from the values' own frequencies."""
        if self._widths[i] > 1:
            chances: Bits = np.exp2(-np.array([frequencies.middle(b) for b in BANDS]))
            return chances
        codes = self._sample.batch.column(self._sample.fields[i].name).codes
        if not (codes >= 0).any():
            return np.array([_UNSEEN])
        counts = np.bincount(codes[codes >= 0])
        share = counts / max(1, counts.sum())
        chance: Bits = np.clip(np.array([(share**2).sum()]), 1e-9, 0.9)
        return chance


def _tuple(values: Bits) -> tuple[float, ...]:
    return tuple(float(v) for v in values)
