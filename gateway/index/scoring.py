"""The score: how many bits speak for one person rather than for two (Fellegi and Sunter).

A model is data. For each field and level it holds how often the level occurs between two records
of one person (`m`) and between records of two persons: strangers (`u`, by how rare the shared
value is), members of one household, and twins. Relatives agree on card, street and surname at
once; so they are a hypothesis of their own instead of chance multiplied with chance.

A score is the sum of its explanation: a prior, one entry for each field, and one entry for the
hypotheses that the fields were not weighed against. Pairs on one family card are weighed against
a relative, all others against a stranger.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.index import compare
from gateway.index.compare import COMPARATORS, MISSING
from gateway.index.frequency import BANDS, Frequency
from gateway.index.model import Batch, Bits, Field, Flags, Ints, Levels, Pairs

STRANGERS, HOUSEHOLD, TWINS = "strangers", "household", "twins"
SAME_CARD, OTHER = "same family card", "other"
CARD_FIELD = "no_kk"
_NO_BANDS = 1
_PIECE = 3_000_000


@dataclass(frozen=True, slots=True)
class FieldModel:
    """What agreement on one field is worth.

    Attributes:
        m: chance of each level between two records of one person.
        u: for each level, its chance between strangers in each frequency band (one band if the
            field has no frequencies).
        others: for each further hypothesis, the chance of each level.
        frequency: how rare values are; None if all count alike.
    """

    field: Field
    m: tuple[float, ...]
    u: tuple[tuple[float, ...], ...]
    others: Mapping[str, tuple[float, ...]]
    frequency: Frequency | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A frozen version of all that scoring depends on.

    Attributes:
        priors: chance that any two records of the population are one person (`match`), of one
            household, or twins; the rest are strangers.
    """

    version: str
    fields: tuple[FieldModel, ...]
    match: float
    priors: Mapping[str, float]

    def stranger_prior(self) -> float:
        return 1.0 - self.match - sum(self.priors.values())


@dataclass(frozen=True, slots=True)
class Reason:
    """One entry of an explanation: `bits` for (or, negative, against) one person.

    `band` is the frequency band of the value, 0 the commonest; None where frequency says nothing.
    """

    field: str
    level: str
    bits: float
    band: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Levels and bands of pairs, a row for each field of a model; what scores are made of."""

    levels: Levels
    bands: Levels

    def __len__(self) -> int:
        return int(self.levels.shape[1])

    def at(self, chosen: slice | Ints) -> "Evidence":
        """The evidence of some of the pairs."""
        return Evidence(self.levels[:, chosen], self.bands[:, chosen])


@dataclass(frozen=True, slots=True)
class _Tables:
    """Logarithms of one field, indexed by `level * bands + band`, a last entry for missing."""

    bands: int
    match: Bits
    strangers: Bits
    others: Mapping[str, Bits]


class Scorer:
    """Scores pairs under one model; holds its logarithms ready, and nothing of the records."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._tables = [_tables(f, tuple(model.priors)) for f in model.fields]
        self._card = next(
            (i for i, f in enumerate(model.fields) if f.field.name == CARD_FIELD), None
        )

    def evidence(self, batch: Batch, pairs: Pairs) -> Evidence:
        """Compare the pairs, field by field."""
        fields = [f.field for f in self.model.fields]
        rarities = [f.frequency for f in self.model.fields]
        return observe(batch, pairs, fields, rarities)

    def score(self, evidence: Evidence) -> Bits:
        """Bits for each pair; above 0 one person is likelier than two."""
        total = np.empty(len(evidence), dtype=np.float64)
        for piece in pieces(len(evidence)):
            match, others = self._hypotheses(evidence.at(piece))
            total[piece] = match - _log2_sum(list(others.values()))
        return total

    def score_pairs(self, batch: Batch, pairs: Pairs) -> Bits:
        return self.score(self.evidence(batch, pairs))

    def explain(self, evidence: Evidence, at: int) -> tuple[Reason, ...]:
        """Why pair number `at` has its score: entries that sum to it."""
        one = evidence.at(slice(at, at + 1))
        same_card = bool(self.same_card(one)[0]) and HOUSEHOLD in self.model.priors
        against = HOUSEHOLD if same_card else STRANGERS
        _, others = self._hypotheses(one)
        rest = float(others[against][0]) - float(_log2_sum(list(others.values()))[0])
        stratum = SAME_CARD if same_card else OTHER
        reasons = [Reason("prior", stratum, self._prior_bits(against))]
        for i, (field, tables) in enumerate(zip(self.model.fields, self._tables, strict=True)):
            level, band = int(one.levels[i, 0]), int(one.bands[i, 0])
            if level == MISSING:
                continue
            cell = level * tables.bands + band
            other = tables.others[HOUSEHOLD] if same_card else tables.strangers
            names = COMPARATORS[field.field.kind].levels
            bits = float(tables.match[cell] - other[cell])
            shown = band if tables.bands > 1 else None
            reasons.append(Reason(field.field.name, names[level], bits, shown))
        reasons.append(
            Reason("alternatives", "strangers or twins" if same_card else "relatives", rest)
        )
        return tuple(reasons)

    def same_card(self, evidence: Evidence) -> Flags:
        """Which pairs stand on one family card, a slip of a digit allowed."""
        if self._card is None:
            return np.zeros(len(evidence), dtype=bool)
        levels = evidence.levels[self._card]
        flags: Flags = (levels == 0) | (levels == 1)
        return flags

    def _prior_bits(self, against: str) -> float:
        other = self.model.priors.get(against, self.model.stranger_prior())
        return float(np.log2(self.model.match) - np.log2(other))

    def _hypotheses(self, evidence: Evidence) -> tuple[Bits, dict[str, Bits]]:
        """Log2 likelihood with prior: of one person, and of each way to be two."""
        count = len(evidence)
        match = np.full(count, np.log2(self.model.match))
        others = {STRANGERS: np.full(count, np.log2(self.model.stranger_prior()))}
        others |= {h: np.full(count, np.log2(p)) for h, p in self.model.priors.items()}
        for i, tables in enumerate(self._tables):
            cells = cells_of(evidence.levels[i], evidence.bands[i], tables.bands)
            match += tables.match[cells]
            others[STRANGERS] += tables.strangers[cells]
            for hypothesis, table in tables.others.items():
                others[hypothesis] += table[cells]
        return match, others


def observe(
    batch: Batch,
    pairs: Pairs,
    fields: Sequence[Field],
    frequencies: Sequence[Frequency | None],
) -> Evidence:
    """Levels and frequency bands of the pairs; a field that depends on another is silenced."""
    levels = np.full((len(fields), len(pairs)), MISSING, dtype=np.int8)
    bands = np.zeros_like(levels)
    columns = [batch.column(field.name) for field in fields]
    rare = [
        None if f is None or not len(c.values) else np.append(f.bits_of(c.values), 0.0)
        for f, c in zip(frequencies, columns, strict=True)
    ]
    for piece in pieces(len(pairs)):
        some = Pairs(pairs.left[piece], pairs.right[piece])
        for i, (field, column) in enumerate(zip(fields, columns, strict=True)):
            levels[i, piece] = compare.levels(field.kind, column, some)
            frequency, bits = frequencies[i], rare[i]
            if frequency is not None and bits is not None:
                shared = np.minimum(bits[column.codes[some.left]], bits[column.codes[some.right]])
                missing = levels[i, piece] == MISSING
                bands[i, piece] = np.where(missing, 0, frequency.band(shared))
    for i, field in enumerate(fields):
        silent = _silenced(field, fields, levels)
        levels[i][silent] = MISSING
        bands[i][silent] = 0
    return Evidence(levels, bands)


def pieces(count: int) -> Iterator[slice]:
    """Consecutive slices of so many pairs that what is computed of them fits the memory."""
    return (slice(at, at + _PIECE) for at in range(0, count, _PIECE))


def _silenced(field: Field, fields: Sequence[Field], levels: Levels) -> Flags:
    """Pairs of which this field says nothing, because another field has said it."""
    silent = np.zeros(levels.shape[1], dtype=bool)
    for i, other in enumerate(fields):
        names = COMPARATORS[other.kind].levels
        if other.name == field.given:
            silent |= levels[i] == len(names) - 1
        if field.unless is not None and other.name == field.unless[0]:
            silent |= np.isin(levels[i], [names.index(n) for n in field.unless[1]])
    return silent


def cells_of(levels: Levels, bands: Levels, width: int) -> Ints:
    """Position in a field's tables; -1 (their last entry) where nothing is said."""
    cells = levels.astype(np.int64) * width + (bands if width > 1 else 0)
    return np.where(levels == MISSING, -1, cells)


def posterior(bits: Bits) -> Bits:
    """The chance that a pair is one person, from its score."""
    chance: Bits = 1.0 / (1.0 + np.exp2(-np.clip(bits, -500, 500)))
    return chance


def bits_of_posterior(chance: float) -> float:
    """The score at which the chance of one person is `chance` (between 0 and 1, both excluded)."""
    return float(np.log2(chance) - np.log2(1.0 - chance))


def _tables(field: FieldModel, hypotheses: tuple[str, ...]) -> _Tables:
    width = len(BANDS) if field.frequency is not None else _NO_BANDS

    def spread(chances: tuple[float, ...]) -> Bits:
        logs = np.repeat(np.log2(np.array(chances, dtype=np.float64)), width)
        return np.append(logs, 0.0)

    strangers = np.append(np.log2(np.array(field.u, dtype=np.float64).ravel()), 0.0)
    others = {h: spread(field.others[h]) for h in hypotheses}
    return _Tables(width, spread(field.m), strangers, others)


def _log2_sum(logs: list[Bits]) -> Bits:
    stacked = np.stack(logs)
    top = stacked.max(axis=0)
    total: Bits = top + np.log2(np.exp2(stacked - top).sum(axis=0))
    return total
