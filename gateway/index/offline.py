"""`titian link`: the engine over any file of persons, with no database and no broker."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gateway.index import linking, linkmap, reading
from gateway.index.compare import COMPARATORS, MISSING
from gateway.index.linking import Linked, Plan, Progress
from gateway.index.reading import Persons
from gateway.index.scoring import bits_of_posterior, posterior

DEFAULT_THRESHOLD = 0.667
"""Twice as likely one person as two: one bit, the threshold of the running index."""
CONTRADICTED, UNSURE = "contradicted", "unsure"


@dataclass(frozen=True, slots=True)
class Job:
    """What to link and where to write.

    Attributes:
        threshold: chance of being one person, on average, from which two groups join.
    """

    source: Path
    link_map: Path
    out: Path
    threshold: float = DEFAULT_THRESHOLD

    @property
    def review(self) -> Path:
        return self.out.with_suffix(".review.csv")


def run(job: Job, progress: Progress) -> Mapping[str, object]:
    """Link a file, write clusters and review, and return what was done in figures.

    Raises:
        Refused: the map or the file cannot be used; nothing is written then.
    """
    link_map = linkmap.parse(job.link_map.read_text(encoding="utf-8"))
    persons = reading.read(job.source, link_map)
    progress(f"{len(persons.batch)} records read and normalised")
    threshold = bits_of_posterior(job.threshold)
    plan = Plan(persons.fields, threshold, within_sources=link_map.within_sources)
    linked = linking.link(persons.batch, plan, progress)
    _write_clusters(job.out, persons, linked)
    _write_review(job.review, persons, linked, threshold)
    figures = _figures(persons, linked)
    progress(f"{figures['clusters']} persons; {figures['review_pairs']} pairs for a person to see")
    return figures


def write_figures(path: Path, figures: Mapping[str, object]) -> None:
    path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _write_clusters(path: Path, persons: Persons, linked: Linked) -> None:
    """`id,cluster_id`, in the order of the input; a cluster is named by its first id."""
    place = np.empty(len(persons.rows), dtype=np.int64)
    place[persons.rows] = np.arange(len(persons.rows))
    keys, labels = persons.batch.keys, linked.labels.tolist()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("id", "cluster_id"))
        writer.writerows((keys[i], keys[labels[i]]) for i in place.tolist())


def _write_review(path: Path, persons: Persons, linked: Linked, threshold: float) -> None:
    """Pairs that were not linked though they nearly, or more than, reach the threshold."""
    chosen = np.flatnonzero(linked.review)
    chosen = chosen[np.argsort(-linked.weights[chosen], kind="stable")]
    names = [f.name.removeprefix("extra.") for f in persons.fields]
    steps = [COMPARATORS[f.kind].levels for f in persons.fields]
    chances = posterior(linked.weights)
    said: dict[bytes, str] = {}
    keys = persons.batch.keys
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("id_a", "id_b", "bits", "probability", "reason", "evidence"))
        for i in chosen.tolist():
            levels = linked.evidence.levels[:, i]
            packed = levels.tobytes()
            if packed not in said:
                said[packed] = "; ".join(
                    f"{n}: {s[level]}"
                    for n, s, level in zip(names, steps, levels.tolist(), strict=True)
                    if level != MISSING
                )
            a, b = keys[linked.candidates.left[i]], keys[linked.candidates.right[i]]
            bits = linked.weights[i]
            reason = CONTRADICTED if bits >= threshold else UNSURE
            writer.writerow((a, b, f"{bits:.2f}", f"{chances[i]:.4f}", reason, said[packed]))


def _figures(persons: Persons, linked: Linked) -> dict[str, object]:
    sizes = np.bincount(linked.labels)
    sizes = sizes[sizes > 0]
    return {
        "records": len(persons.batch),
        "fields": [f.name for f in persons.fields],
        "candidate_pairs": len(linked.candidates),
        "clusters": len(sizes),
        "clusters_of_two_or_more": int((sizes > 1).sum()),
        "largest_cluster": int(sizes.max()),
        "linked_pairs": int((sizes.astype(np.int64) * (sizes - 1) // 2).sum()),
        "review_pairs": int(linked.review.sum()),
        "model": {
            "version": linked.model.version,
            "match": linked.model.match,
            "priors": dict(linked.model.priors),
            "same_person": {f.field.name: list(f.m) for f in linked.model.fields},
        },
    }
