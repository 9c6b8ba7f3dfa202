"""Two persons side by side, or one taken apart: all that a steward needs to decide.

The same waterfalls that linked or parted the records; whoever else was considered; and what would
move if it were decided so. Values stand here in full; who may see them is decided by access.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from gateway.index import (
    attributes,
    clustering,
    judgements,
    profile,
    reasons,
    store_conflicts,
    store_links,
)
from gateway.index.arrivals import IndexTools
from gateway.index.clustering import Rules
from gateway.index.model import Batch, Pairs
from gateway.index.precedence import Golden
from gateway.index.store_links import Known
from gateway.index.verdict import Verdict
from gateway.index.view import Link, PersonView, Provenance

MOST_PAIRS = 6
MOST_OTHERS = 8


@dataclass(frozen=True, slots=True)
class Beside:
    """One attribute as both persons' views have it."""

    attribute: str
    label: str
    sensitivity: str
    left: Golden | None
    right: Golden | None
    differs: bool


@dataclass(frozen=True, slots=True)
class Considered:
    """Another person who was compared with one of the two, and how alike the best records are."""

    of: UUID
    person_id: UUID
    bits: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One or two persons to decide about.

    Attributes:
        beside: their attributes; empty where there is one person only.
        named: the waterfall of the two records that the task names, if both are persons'.
        pairs: the most alike pairs of records across the two persons.
        average: bits over all pairs across, by which the engine decides; None for one person.
        others: who else was considered.
        parts: the groups into which one person would fall if the two records were two persons.
        model: the version of the model that weighed all this.
        threshold: average bits at which two groups are one person.
    """

    persons: tuple[PersonView, ...]
    beside: tuple[Beside, ...]
    named: Link | None
    pairs: tuple[Link, ...]
    average: float | None
    others: tuple[Considered, ...]
    parts: tuple[tuple[Provenance, ...], ...]
    model: str
    threshold: float

    @property
    def batches(self) -> tuple[bytes, ...]:
        """Accept leaves (32 bytes) of the batches that this was read from."""
        return tuple(dict.fromkeys(b for p in self.persons for b in p.batches))


def compare(
    session: Session, persons: Sequence[UUID], records: tuple[int, int], tools: IndexTools
) -> Comparison:
    """One person or two; ids that were merged away lead to the survivors.

    Raises:
        NotFound: `person.unknown` or `person.under_review`, as for a profile.
    """
    views = [profile.profile(session, p, tools) for p in persons]
    views = list({v.person_id: v for v in views}.values())
    provenance = {m.record_id: m for v in views for m in v.members}
    known = store_links.get_known(session, tools.vault, provenance)
    scored = _Scored(known, tools)
    mine = [[m.record_id for m in v.members if m.record_id in known] for v in views]
    across = [(a, b) for a in mine[0] for b in mine[1]] if len(views) == 2 else []
    links = scored.links(across, provenance)
    named = scored.links([records], provenance) if set(records) <= known.keys() else []
    return Comparison(
        persons=tuple(views),
        beside=_beside(views[0], views[1]) if len(views) == 2 else (),
        named=named[0] if named and records[0] != records[1] else None,
        pairs=tuple(links[:MOST_PAIRS]),
        average=float(np.mean([np.clip(x.bits, -20, 20) for x in links])) if links else None,
        others=_others(session, [v.person_id for v in views], tools),
        parts=_parts(session, records, provenance, scored) if len(views) == 1 else (),
        model=tools.model.version,
        threshold=tools.threshold,
    )


class _Scored:
    """The records in the order of their keys, as everywhere: so a score is the one that linked."""

    def __init__(self, known: Mapping[int, Known], tools: IndexTools) -> None:
        self.tools = tools
        self.ordered = sorted(known.values(), key=lambda k: k.features.key)
        self.at = {k.record_id: i for i, k in enumerate(self.ordered)}
        self.batch = Batch.of([k.features for k in self.ordered])

    def links(
        self, pairs: Iterable[tuple[int, int]], provenance: Mapping[int, Provenance]
    ) -> list[Link]:
        """The waterfall of each pair, the most alike first."""
        two = list(pairs)
        if not two:
            return []
        placed = np.array([sorted((self.at[a], self.at[b])) for a, b in two], dtype=np.int64)
        scorer = self.tools.scorer
        evidence = scorer.evidence(self.batch, Pairs(placed[:, 0], placed[:, 1]))
        bits = scorer.score(evidence).tolist()
        made = [
            Link(
                provenance[a],
                provenance[b],
                bits[i],
                reasons.evidence(scorer.explain(evidence, i)),
                weakest=False,
            )
            for i, (a, b) in enumerate(two)
        ]
        return sorted(made, key=lambda x: -x.bits)


def _beside(left: PersonView, right: PersonView) -> tuple[Beside, ...]:
    rows = {r.attribute: r for r in (*right.rows, *left.rows)}
    order = list(dict.fromkeys(r.attribute for r in (*left.rows, *right.rows)))
    out = []
    for name in order:
        one, other = left.golden.get(name), right.golden.get(name)
        differs = (
            one is not None
            and other is not None
            and attributes.same(name, {name: one.value})
            != attributes.same(name, {name: other.value})
        )
        row = rows[name]
        out.append(Beside(name, row.label, row.sensitivity, one, other, differs))
    return tuple(out)


def _others(session: Session, persons: Sequence[UUID], tools: IndexTools) -> tuple[Considered, ...]:
    best: dict[tuple[UUID, UUID], float] = {}
    for one in store_conflicts.across(session, persons, tools.band.low):
        if one.bits is not None and one.other not in persons:
            key = (one.person, one.other)
            best[key] = max(one.bits, best.get(key, one.bits))
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))[:MOST_OTHERS]
    return tuple(Considered(of, other, bits) for (of, other), bits in ranked)


def _parts(
    session: Session,
    records: tuple[int, int],
    provenance: Mapping[int, Provenance],
    scored: _Scored,
) -> tuple[tuple[Provenance, ...], ...]:
    """What the engine would make of one person if these two of his records were two persons."""
    if records[0] == records[1] or not set(records) <= scored.at.keys():
        return ()
    tools, count = scored.tools, len(scored.ordered)
    low, high = (x.astype(np.int64) for x in np.triu_indices(count, 1))
    batch = scored.batch
    nobody = np.full(count, -1, dtype=np.int64)
    apart = np.where(batch.registered, batch.column("nik").codes.astype(np.int64), -1)
    judged: dict[str, list[tuple[int, int]]] = {v.value: [] for v in Verdict}
    for row in judgements.binding(session, list(scored.at), tools.vault):
        judged[row.verdict].append((scored.at[row.a], scored.at[row.b]))
    rules = Rules(
        tools.threshold,
        apart,
        nobody,
        same=judged[Verdict.SAME],
        different=[*judged[Verdict.DIFFERENT], (scored.at[records[0]], scored.at[records[1]])],
    )
    pairs = Pairs(low, high)
    weights = tools.scorer.score_pairs(batch, pairs)
    labels = clustering.partition(
        count, pairs, weights, rules, lambda p: tools.scorer.score_pairs(batch, p)
    )
    groups: dict[int, list[Provenance]] = {}
    for known, label in zip(scored.ordered, labels.tolist(), strict=True):
        groups.setdefault(label, []).append(provenance[known.record_id])
    return tuple(tuple(g) for g in groups.values())
