"""`link_bulk`: a population with known truth, linked at once, by ours and by Splink 5.

100,000 records of each of three seeds that no development used; the medians are shown. One
threshold, fixed beforehand: the gateway's own. Splink's is the best that an oracle can choose.
`link_million` is the same once with 1,000,000 records: memory, time, and what becomes of the
result where another threshold is chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from bench import linkers, partitions, populations
from bench.figure import Figure, medians
from bench.lab import Lab
from bench.linkers import Outcome, Task
from bench.partitions import Judged
from gateway.index.model import Ints
from gateway.index.offline import DEFAULT_THRESHOLD

SEEDS = (211, 212, 213)
SEED_MILLION = 214
CLIFF = (0.5, 0.9, 0.95, 0.99, 0.999)
_GRID = tuple(float(bits) for bits in range(-4, 30, 2))


@dataclass(frozen=True, slots=True)
class _Beside:
    """Both linkers on one population."""

    ours: Outcome
    theirs: Outcome
    judged: Judged
    best: Judged
    truth: Ints
    in_order: Ints
    """The truth in the order of the normalised file, which is that of the keys."""

    @property
    def touched(self) -> float:
        """Percent of records that stand in a question left to a person."""
        asked = np.union1d(self.ours.edges.pairs.left, self.ours.edges.pairs.right)
        return 100 * len(asked) / len(self.truth)


def run(lab: Lab) -> list[Figure]:
    """Accuracy and time at 100,000."""
    records = lab.size(100_000, 1_500)
    seeds = SEEDS[: lab.size(len(SEEDS), 1)]
    return medians([_figures(_beside(lab, records, seed, ())) for seed in seeds])


def million(lab: Lab) -> list[Figure]:
    """Accuracy, time, memory and cliff at 1,000,000."""
    both = _beside(lab, lab.size(1_000_000, 2_000), SEED_MILLION, CLIFF)
    cliff = [partitions.judge(both.truth, both.ours.labels[str(p)]).f1 for p in CLIFF]
    theirs = [_splink_at(both, float(np.log2(p / (1 - p)))) for p in CLIFF]
    spread = round(max(cliff) - min(cliff), 4)
    memory, ratio = round(both.ours.peak), round(both.ours.seconds / both.theirs.seconds, 2)
    return [
        _at_least("link_million F1", both.judged.f1, both.best.f1, 0.955),
        _at_least("… precision", both.judged.precision, both.best.precision, 0.98),
        Figure(
            name="… cliff",
            value=spread,
            unit="F1, p .5 to .999",
            peer="Splink",
            peer_value=round(max(theirs) - min(theirs), 4),
            bar=0.03,
            holds=spread < 0.03,
        ),
        Figure(
            name="… memory",
            value=memory,
            unit="MiB (peak)",
            peer="Splink",
            peer_value=round(both.theirs.peak),
            bar=2048,
            holds=memory <= 2048,
        ),
        _time("… seconds", both, ratio, 0.33),
    ]


def _beside(lab: Lab, records: int, seed: int, others: Sequence[float]) -> _Beside:
    folder = lab.var.resolve() / "link"
    folder.mkdir(parents=True, exist_ok=True)
    path = populations.population(folder, records, seed)
    at = DEFAULT_THRESHOLD
    task = Task(str(path), populations.MAP, at, "population", str(folder), tuple(others))
    ours = linkers.run("own", task)
    given = Task(str(folder / "normalised.parquet"), "", at, "population", str(folder))
    theirs = linkers.run("splink", given)
    truth = _truth(path)
    in_order = truth[np.argsort(pq.read_table(path)["record_id"].to_pylist(), kind="stable")]
    judged = partitions.judge(truth, ours.labels[str(at)])
    best = partitions.best(in_order, theirs.edges, _GRID)
    return _Beside(ours, theirs, judged, best, truth, in_order)


def _truth(path: Path) -> Ints:
    return partitions.numbered(pq.read_table(path)[populations.TRUTH].to_pylist())


def _splink_at(both: _Beside, bits: float) -> float:
    edges = both.theirs.edges
    labels = partitions.connected(len(both.in_order), edges.pairs, edges.weights >= bits)
    return partitions.judge(both.in_order, labels).f1


def _figures(both: _Beside) -> list[Figure]:
    judged, touched = both.judged, round(both.touched, 2)
    ratio = round(both.ours.seconds / both.theirs.seconds, 2)
    return [
        _at_least("link_bulk F1", judged.f1, both.best.f1, 0.975),
        _at_least("… B-cubed", judged.b_cubed, both.best.b_cubed, 0.985),
        _at_least("… precision", judged.precision, both.best.precision, 0.995),
        _at_least("… recall", judged.recall, both.best.recall, 0.90),
        Figure(
            name="… to stewards",
            value=touched,
            unit="% of records",
            bar=2.0,
            holds=touched <= 2.0,
        ),
        _time("… seconds", both, ratio, None),
    ]


def _at_least(name: str, value: float, peer: float, bar: float) -> Figure:
    return Figure(
        name=name,
        value=round(value, 4),
        unit="0 to 1",
        peer="Splink, best threshold",
        peer_value=round(peer, 4),
        bar=bar,
        holds=value >= bar,
    )


def _time(name: str, both: _Beside, ratio: float, bar: float | None) -> Figure:
    return Figure(
        name=name,
        value=round(both.ours.seconds, 1),
        unit="s, reading apart",
        peer="Splink",
        peer_value=round(both.theirs.seconds, 1),
        ratio=ratio,
        bar=bar,
        holds=None if bar is None else ratio <= bar,
    )
