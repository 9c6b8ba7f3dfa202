"""The engine run over a whole batch at once: block, learn or load, score, cut into persons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gateway.index import blocking, clustering, keystore, questions, repeats, training
from gateway.index.blocking import KeyRows, Rule
from gateway.index.clustering import STEWARD, Band, Rules
from gateway.index.model import Batch, Bits, Field, Flags, Ints, Pairs
from gateway.index.scoring import Evidence, Model, Scorer

VERSION = "learned"
PAIRS_A_RECORD = 12
"""What may be compared; wide rules are dear and find little that the narrow ones miss."""
_LEAST_BUDGET = 3_000_000

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a batch is to be linked.

    Attributes:
        threshold: average weight in bits at which two groups join.
        within_sources: duplicates inside one source are linked too.
    """

    fields: Sequence[Field]
    threshold: float
    within_sources: bool = True
    band: Band = STEWARD


@dataclass(frozen=True, slots=True)
class Linked:
    """The partition (each record's group by its first record), and what it rests on."""

    labels: Ints
    model: Model
    candidates: Pairs
    evidence: Evidence
    weights: Bits
    review: Flags


def link(batch: Batch, plan: Plan, progress: Progress) -> Linked:
    """Partition a batch whose records stand in the order of their keys."""
    thinned = repeats.thin(batch)
    if thinned is None:
        return _link(batch, plan, progress)
    progress(f"{len(batch) - len(thinned.rows)} rows repeat others word for word")
    linked = _link(thinned.batch, plan, progress)
    return replace(
        linked,
        labels=thinned.spread(linked.labels),
        candidates=thinned.pairs(linked.candidates),
    )


def _link(batch: Batch, plan: Plan, progress: Progress) -> Linked:
    names = [f.name for f in plan.fields if f.name.startswith("extra.")]
    candidates = candidate_pairs(batch, (*blocking.WIDE, *blocking.extra_rules(names)))
    if not plan.within_sources:
        sources = batch.sources.codes
        candidates = candidates.where(sources[candidates.left] != sources[candidates.right])
    progress(f"{len(candidates)} pairs share a blocking key")
    random, population = training.random_pairs(batch, within_sources=plan.within_sources)
    sample = training.Sample(batch, plan.fields, population, candidates, random)
    model, evidence = training.train(sample, VERSION)
    progress("model learned")
    scorer = Scorer(model)
    weights = scorer.score(evidence)
    obeyed = rules(batch, plan, plan.threshold)
    labels = clustering.partition(
        len(batch), candidates, weights, obeyed, lambda p: scorer.score_pairs(batch, p)
    )
    asked = questions.Edges(candidates, weights)
    review = questions.open_questions(
        asked, labels, plan.band, lambda p: scorer.score_pairs(batch, p)
    )
    return Linked(labels, model, candidates, evidence, weights, review)


def rules(batch: Batch, plan: Plan, threshold: float) -> Rules:
    """What the partition of this batch obeys."""
    return Rules(threshold, _registered(batch), _alone(batch, plan))


def candidate_pairs(batch: Batch, wide: Sequence[Rule]) -> Pairs:
    """Pairs that share a key; wide rules are used, cheapest first, as far as the budget goes."""
    return keystore.pairs_of(*_in_order(_affordable(batch, wide)))


def _affordable(batch: Batch, wide: Sequence[Rule]) -> list[KeyRows]:
    """Every key of the narrow rules, and of the wide ones within the budget."""
    chosen = [blocking.keys(batch)]
    left = max(_LEAST_BUDGET, PAIRS_A_RECORD * len(batch)) - keystore.pair_count(chosen[0].keys)
    offers = []
    for rule in wide if left > 0 else ():
        more = blocking.keys(batch, (rule,))
        cost = keystore.pair_count(more.keys)
        if cost <= left:
            offers.append((cost, rule.number, more))
    for cost, _, more in sorted(offers, key=lambda o: o[:2]):
        left -= cost
        if left < 0:
            break
        chosen.append(more)
    return chosen


def _in_order(rows: Sequence[KeyRows]) -> tuple[Ints, Ints]:
    """Keys in ascending order, and their records."""
    keys = np.concatenate([each.keys for each in rows])
    order = np.argsort(keys, kind="stable")
    return keys[order], np.concatenate([each.records for each in rows])[order]


def _registered(batch: Batch) -> Ints:
    codes = batch.column("nik").codes.astype(np.int64)
    return np.where(batch.registered, codes, -1)


def _alone(batch: Batch, plan: Plan) -> Ints:
    if plan.within_sources:
        return np.full(len(batch), -1, dtype=np.int64)
    return batch.sources.codes.astype(np.int64)
