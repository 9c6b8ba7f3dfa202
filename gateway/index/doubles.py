"""Doubles: two persons who may be one, or who share what only one can have.

Each pair of persons that has met (by an edge or by one NIK) is weighed over all pairs of their
records, as the engine does when it decides whether two groups are one.

Source: design/domain.md 6.2, 6.3 (K01, K02).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

import numpy as np

from gateway.index.arrivals import IndexTools
from gateway.index.compare import COMPARATORS
from gateway.index.contradictions import Conflict
from gateway.index.model import Batch, Pairs
from gateway.index.scoring import Evidence
from gateway.index.store_conflicts import Across
from gateway.index.store_links import Known
from schemas.kinds import Kind

MOST_OTHERS = 25
"""Most other persons that one person is compared with: the likeliest."""
MOST_RECORDS = 12
"""Most records of a person that are compared; the work of a pair is bounded by its square."""

_Pair = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Met:
    """Pairs of persons that met, and those that were too many to be compared."""

    compared: Sequence[_Pair]
    passed: frozenset[_Pair]


def meet(found: Iterable[Across]) -> Met:
    """The pairs of persons to compare: of each person those that are most alike."""
    best: dict[UUID, dict[_Pair, float]] = {}
    for one in found:
        pair = (min(one.person, one.other), max(one.person, one.other))
        bits = float("inf") if one.bits is None else one.bits
        mine = best.setdefault(one.person, {})
        mine[pair] = max(bits, mine.get(pair, bits))
    chosen: set[_Pair] = set()
    for pairs in best.values():
        ranked = sorted(pairs, key=lambda p: (-pairs[p], p))
        chosen |= set(ranked[:MOST_OTHERS])
    every = {p for pairs in best.values() for p in pairs}
    return Met(sorted(chosen), frozenset(every - chosen))


@dataclass(frozen=True, slots=True)
class _Weighed:
    """All compared pairs of records, one row each."""

    owner: np.ndarray
    a: Sequence[int]
    b: Sequence[int]
    bits: np.ndarray
    evidence: Evidence
    known: Mapping[int, Known]


def conflicts(
    met: Met,
    members: Mapping[UUID, Sequence[int]],
    known: Mapping[int, Known],
    tools: IndexTools,
) -> list[Conflict]:
    """What is to be decided of each pair of persons, if anything is."""
    pairs = [p for p in met.compared if members.get(p[0]) and members.get(p[1])]
    if not pairs:
        return []
    weighed = _weigh(pairs, members, known, tools)
    out = []
    for number, rows in groupby(range(len(weighed.a)), key=lambda i: int(weighed.owner[i])):
        made = _judge(pairs[number], list(rows), weighed, tools)
        if made is not None:
            out.append(made)
    return out


def _weigh(
    pairs: Sequence[_Pair],
    members: Mapping[UUID, Sequence[int]],
    known: Mapping[int, Known],
    tools: IndexTools,
) -> _Weighed:
    ordered = sorted(known.values(), key=lambda k: k.features.key)
    position = {k.record_id: i for i, k in enumerate(ordered)}
    rows = [
        (number, a, b)
        for number, (p, q) in enumerate(pairs)
        for a in _some(members[p], known)
        for b in _some(members[q], known)
    ]
    at = np.array([[position[a], position[b]] for _, a, b in rows], dtype=np.int64)
    batch = Batch.of([k.features for k in ordered])
    evidence = tools.scorer.evidence(batch, Pairs(at.min(axis=1), at.max(axis=1)))
    return _Weighed(
        owner=np.array([n for n, _, _ in rows]),
        a=[a for _, a, _ in rows],
        b=[b for _, _, b in rows],
        bits=tools.scorer.score(evidence),
        evidence=evidence,
        known=known,
    )


def _some(records: Sequence[int], known: Mapping[int, Known]) -> list[int]:
    """The records that speak for a person: those of the register first."""
    ranked = sorted(records, key=lambda r: (not known[r].features.registered, r))
    return ranked[:MOST_RECORDS]


def _judge(
    pair: _Pair, rows: Sequence[int], weighed: _Weighed, tools: IndexTools
) -> Conflict | None:
    """K01 one NIK, two persons; K02 two registered NIKs, one person; K00 may be one person."""
    known = weighed.known
    fields = [f.field.name for f in tools.model.fields]
    bits = weighed.bits[list(rows)]
    average = float(np.clip(bits, -20.0, 20.0).mean())
    best = max(rows, key=lambda i: (weighed.bits[i], -i))
    registered = [i for i in rows if _both_registered(weighed, i)]
    shared = [i for i in rows if _level(weighed, i, "nik", fields) == "same"]
    unlike = [i for i in shared if _is_unlike(weighed, i, fields)]
    if unlike or (shared and average < tools.band.low):
        kind, at = "K01", (unlike or shared)[0]
    elif registered:
        kind, at = "K02", registered[0]
        if average < tools.threshold:
            return None
    elif average >= tools.band.low:
        kind, at = "K00", best
    else:
        return None
    a, b = sorted((weighed.a[at], weighed.b[at]))
    odd = next((r for r in (b, a) if not known[r].features.registered), b)
    worth = min(len({weighed.a[i] for i in rows}), len({weighed.b[i] for i in rows}))
    about = f"{pair[0]}:{pair[1]}"
    return Conflict(kind, about, pair, (a, b), known[odd].features.source, average, worth)


def _both_registered(weighed: _Weighed, row: int) -> bool:
    known = weighed.known
    one, other = known[weighed.a[row]].features, known[weighed.b[row]].features
    return one.registered and other.registered and one.nik != other.nik


def _is_unlike(weighed: _Weighed, row: int, fields: Sequence[str]) -> bool:
    """Name and birth date both differ."""
    levels = [_level(weighed, row, name, fields) for name in ("name", "birth_date")]
    return levels[0] in ("different", "shared word") and levels[1] in ("different", "same year")


def _level(weighed: _Weighed, row: int, name: str, fields: Sequence[str]) -> str | None:
    if name not in fields:
        return None
    at = int(weighed.evidence.levels[fields.index(name), row])
    return None if at < 0 else COMPARATORS[_KINDS[name]].levels[at]


_KINDS = {"nik": Kind.NIK, "name": Kind.NAME, "birth_date": Kind.DATE}
