"""Reconciling: who is the same person, found anew for the records that a batch touched.

The partition is a pure function of the live records and the model, equal to a rebuild:

1. A pair is a candidate if it shares a blocking key that at most `hot` live records carry.
2. An edge is a candidate pair with at least `band.low` bits; it is strong from `threshold` on.
3. A component of strong edges is cut by average linkage over all its pairs (`clustering`).
4. What people have decided about two records (`judgements`) stands above the weights.

Touched records lose their edges and get new ones; only components that had or have one of them
are cut again. A key that turns hot takes back the edges that it alone had found, one that cools
gives them again; this happens while nobody else looks keys up, so it does not depend on arrival.

Two workers: keys are committed before links, so of two concurrent batches at least one sees the
other. Each locks all records of the components it cuts, ids ascending, and then reads their edges
again; if a component has grown, or a record has a new version, it lets go and starts over.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from gateway.errors import Unavailable
from gateway.index import (
    clustering,
    judgements,
    naming,
    store_assertions,
    store_judgements,
    store_links,
)
from gateway.index.arrivals import IndexTools
from gateway.index.clustering import Rules
from gateway.index.keystore import pairs_of
from gateway.index.keystore_pg import PgKeyStore
from gateway.index.model import Batch, Ints, Pairs
from gateway.index.naming import Cause
from gateway.index.persons import Event
from gateway.index.scoring import Scorer
from gateway.index.store_links import Edge, Known
from gateway.index.verdict import Verdict

CHUNK = 1_000
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What reconciling did; `left` records of the batch are still to be reconciled."""

    records: int = 0
    pairs: int = 0
    edges: int = 0
    created: int = 0
    joined: int = 0
    merged: int = 0
    split: int = 0
    left: int = 0

    def __add__(self, other: "Reconciled") -> "Reconciled":
        return Reconciled(
            self.records + other.records,
            self.pairs + other.pairs,
            self.edges + other.edges,
            self.created + other.created,
            self.joined + other.joined,
            self.merged + other.merged,
            self.split + other.split,
            other.left,
        )


def reconcile(
    session: Session, batch_id: UUID, tools: IndexTools, *, limit: int | None = None
) -> Reconciled:
    """Find the links of the records that a batch touched; repeating it changes nothing.

    Args:
        session: the caller commits.
        batch_id: the batch whose records were absorbed and committed.
        tools: the same model for all workers.
        limit: at most so many records; then `left` says how many remain, and the caller commits
            and calls again, which holds few locks for a short time. Without it all are done; if
            they are more than a chunk, no other worker links meanwhile.

    Raises:
        Unavailable: other workers kept changing the same persons; try again.
    """
    done = Reconciled()
    several = CHUNK + 1 if limit is None else min(CHUNK + 1, limit)
    if len(store_links.next_touched(session, batch_id, several)) > CHUNK:
        # Locks of several chunks would not be taken in ascending order: so nobody else may link.
        store_assertions.close_gate(session)
    while True:
        size = CHUNK if limit is None else min(CHUNK, limit - done.records)
        touched = store_links.next_touched(session, batch_id, size)
        if touched:
            done += _chunk(session, batch_id, touched, tools)
        if not touched or not done.left or done.records == limit:
            return done


@dataclass(frozen=True, slots=True)
class _Look:
    """What the touched records meet, before anything is locked.

    Attributes:
        live: touched records that are live.
        pairs: candidate pairs of record ids.
        dropped: stored edges that a key which turned hot had found alone.
        known: all records of `pairs`.
    """

    live: Sequence[int]
    pairs: Pairs
    dropped: Sequence[tuple[int, int]]
    known: Mapping[int, Known]


@dataclass(frozen=True, slots=True)
class _Held:
    """Components whose records are locked, and their strong edges.

    Attributes:
        judged: pairs that were decided to be one person, and those decided to be two.
    """

    records: Sequence[int]
    strong: Sequence[tuple[int, int, float]]
    judged: Mapping[Verdict, Sequence[tuple[int, int]]]


def _chunk(
    session: Session, batch_id: UUID, touched: Sequence[int], tools: IndexTools
) -> Reconciled:
    scorer = tools.scorer
    store_links.savepoint(session, "savepoint")
    for _ in range(_TRIES):
        look = _look(session, touched, tools)
        fresh = _score(look, tools, scorer)
        held = _hold(session, touched, look, fresh, tools)
        if held is not None:
            break
        store_links.savepoint(session, "rollback to savepoint")
    else:
        raise Unavailable("index.busy", "Other workers are linking the same persons: try again.")
    model = tools.model.version
    store_links.replace_edges(session, touched, look.dropped, fresh, model)
    known = dict(look.known)
    missing = [r for r in held.records if r not in known]
    known |= store_links.get_known(session, tools.vault, missing)
    groups = _cut(held, known, tools, scorer)
    written = naming.name(session, Cause(batch_id, model), groups, _strongest(held))
    store_links.stir(session, {*held.records, *touched})
    store_links.savepoint(session, "release savepoint")
    left = store_links.drop_touched(session, batch_id, touched)
    return Reconciled(
        records=len(touched),
        pairs=len(look.pairs),
        edges=len(fresh),
        created=written[Event.CREATED],
        joined=written[Event.JOINED],
        merged=written[Event.MERGED],
        split=written[Event.SPLIT],
        left=left,
    )


def _look(session: Session, touched: Sequence[int], tools: IndexTools) -> _Look:
    """Candidates of the touched records, with the keys that turned hot or cool settled."""
    store_assertions.share_gate(session)
    look = _look_once(session, touched, tools, alone=False)
    if look is None:
        store_links.savepoint(session, "rollback to savepoint")
        store_assertions.close_gate(session)
        look = _look_once(session, touched, tools, alone=True)
    if look is None:
        raise AssertionError("a look-up behind the closed gate settles what it finds")
    return look


def _look_once(
    session: Session, touched: Sequence[int], tools: IndexTools, *, alone: bool
) -> _Look | None:
    """None if a key has turned hot or cool, which only who is `alone` may settle."""
    store = PgKeyStore(session, tools.hot)
    keys = store_links.get_keys(session, touched)
    asked = {key for carried in keys.values() for key in carried}
    met = store.meet(sorted(asked))
    noted, stale = store_links.get_hot(session, asked)
    turned = met.hot - noted
    suspects = stale | ((noted & asked) - met.hot)
    dropped: list[tuple[int, int]] = []
    pairs = _of_touched(met.keys, met.records, touched, tools.hot)
    if turned or suspects:
        if not alone:
            return None
        back = store.meet(sorted(suspects))
        cooled = suspects - back.hot
        store_links.note_hot(session, turned | back.hot, cooled)
        dropped = _found_alone_by(session, store, turned)
        again = pairs_of(back.keys, back.records, tools.hot)
        pairs = Pairs.of(
            np.concatenate([pairs.left, again.left]), np.concatenate([pairs.right, again.right])
        )
    ids = np.unique(np.concatenate([pairs.left, pairs.right, np.array(sorted(keys), np.int64)]))
    known = store_links.get_known(session, tools.vault, ids.tolist())
    return _Look([t for t in touched if t in known], pairs, dropped, known)


def _of_touched(keys: Ints, records: Ints, touched: Sequence[int], hot: int) -> Pairs:
    """Pairs that share a key, of which at least one record is touched."""
    pairs = pairs_of(keys, records, hot)
    mine = np.array(touched, dtype=np.int64)
    return pairs.where(np.isin(pairs.left, mine) | np.isin(pairs.right, mine))


def _found_alone_by(
    session: Session, store: PgKeyStore, turned: frozenset[int]
) -> list[tuple[int, int]]:
    """Stored edges between carriers of keys that turned hot, which share no cool key."""
    if not turned:
        return []
    members = store.members(sorted(turned))
    edges = [(a, b) for a, b, _ in store_links.edges_at(session, members)]
    edges = [(a, b) for a, b in edges if a in members and b in members]
    keys = store_links.get_keys(session, {r for edge in edges for r in edge})
    shared = {e: frozenset(keys.get(e[0], ())) & frozenset(keys.get(e[1], ())) for e in edges}
    hot, _ = store_links.get_hot(session, frozenset[int]().union(*shared.values()))
    return [edge for edge in edges if shared[edge] and not shared[edge] - hot]


def _score(look: _Look, tools: IndexTools, scorer: Scorer) -> list[Edge]:
    """The candidate pairs that are worth keeping."""
    if not len(look.pairs):
        return []
    batch, position = _batch(look.known.values())
    left = _positions(look.pairs.left, position)
    right = _positions(look.pairs.right, position)
    # The engine numbers records in the order of their keys: the score of a pair must not depend
    # on the ids, which depend on arrival.
    ordered = Pairs(np.minimum(left, right), np.maximum(left, right))
    evidence = scorer.evidence(batch, ordered)
    bits = scorer.score(evidence)
    kept = np.flatnonzero(bits >= tools.band.low)
    levels = (evidence.levels[:, kept].T + 1).astype(np.uint8)
    return [
        Edge(a, b, w, row.tobytes())
        for a, b, w, row in zip(
            look.pairs.left[kept].tolist(),
            look.pairs.right[kept].tolist(),
            bits[kept].tolist(),
            levels,
            strict=True,
        )
    ]


def _batch(known: Iterable[Known]) -> tuple[Batch, dict[int, int]]:
    """Records in the order of their keys, and the position of each record id."""
    ordered = sorted(known, key=lambda k: k.features.key)
    return Batch.of([k.features for k in ordered]), {k.record_id: i for i, k in enumerate(ordered)}


def _positions(ids: Ints, position: Mapping[int, int]) -> Ints:
    return np.array([position[i] for i in ids.tolist()], dtype=np.int64)


def _hold(
    session: Session,
    touched: Sequence[int],
    look: _Look,
    fresh: Sequence[Edge],
    tools: IndexTools,
) -> _Held | None:
    """Lock the components of the touched records; None if the world moved meanwhile.

    1. The components, as the committed edges and the fresh ones have them.
    2. Lock every record of them, and every end of a fresh edge.
    3. What was compared is still what is live.
    4. No touched record has got an edge since, and no component has grown.
    """
    mine, gone = frozenset(touched), frozenset(look.dropped)
    strong = [(e.a, e.b, e.bits) for e in fresh if e.bits >= tools.threshold]
    before = store_links.edges_at(session, mine)
    mates = store_links.mates_of(session, mine)
    start = mine | mates | _ends(strong) | _ends(_strong(before, tools)) | _ends(gone)  # 1
    component = _reach(session, start, tools)
    everything = component | _ends((e.a, e.b) for e in fresh)
    live = store_links.lock_records(session, everything)  # 2
    for record in everything:  # 3
        known = look.known.get(record)
        if known is not None and live.get(record) != known.assertion_id:
            return None
        if known is None and record in mine and live.get(record) is not None:
            return None
    after = _strong(store_links.edges_at(session, component), tools)  # 4
    new = {(a, b) for a, b, _ in after if a in mine or b in mine} - {(a, b) for a, b, _ in before}
    tied = store_judgements.same_at(session, component)
    if new or not (_ends(after) | _ends(tied)) <= component:
        return None
    # An end that was withdrawn keeps its edges until its own batch is reconciled.
    here = frozenset(r for r in component if live.get(r) is not None)
    kept = [
        e for e in after if here.issuperset(e[:2]) and not {*e[:2]} & mine and e[:2] not in gone
    ]
    records = sorted(here)
    return _Held(records, kept + strong, _judged(session, records, tools))


def _judged(
    session: Session, records: Sequence[int], tools: IndexTools
) -> dict[Verdict, list[tuple[int, int]]]:
    """Pairs of these records about which a judgement binds, by what was decided."""
    found: dict[Verdict, list[tuple[int, int]]] = {v: [] for v in Verdict}
    for row in judgements.binding(session, records, tools.vault):
        if row.a != row.b:
            found[Verdict(row.verdict)].append((row.a, row.b))
    return found


def _strong(
    edges: Iterable[tuple[int, int, float]], tools: IndexTools
) -> list[tuple[int, int, float]]:
    return [e for e in edges if e[2] >= tools.threshold]


def _ends(edges: Iterable[Sequence[int | float]]) -> frozenset[int]:
    """The records of edges."""
    return frozenset(int(r) for e in edges for r in e[:2])


def _reach(session: Session, start: frozenset[int], tools: IndexTools) -> frozenset[int]:
    """All records that stored strong edges or decisions connect with `start`, step by step."""
    reached, frontier = set(start), set(start)
    while frontier:
        found = _ends(_strong(store_links.edges_at(session, frontier), tools))
        found |= _ends(store_judgements.same_at(session, frontier))
        frontier = set(found - reached)
        reached |= frontier
    return frozenset(reached)


def _cut(
    held: _Held, known: Mapping[int, Known], tools: IndexTools, scorer: Scorer
) -> list[list[int]]:
    """The groups of the held records, each in the order of their keys."""
    if not held.records:
        return []
    batch, position = _batch([known[r] for r in held.records])
    ids = sorted(position, key=position.__getitem__)
    left = np.array([position[a] for a, _, _ in held.strong], dtype=np.int64)
    right = np.array([position[b] for _, b, _ in held.strong], dtype=np.int64)
    low, high = np.minimum(left, right), np.maximum(left, right)
    weights = np.array([w for _, _, w in held.strong], dtype=np.float64)
    count = len(batch)
    nobody = np.full(count, -1, dtype=np.int64)
    apart = np.where(batch.registered, batch.column("nik").codes.astype(np.int64), -1)
    rules = Rules(
        tools.threshold,
        apart,
        nobody,
        same=_placed(held.judged[Verdict.SAME], position),
        different=_placed(held.judged[Verdict.DIFFERENT], position),
    )
    labels = clustering.partition(
        count, Pairs(low, high), weights, rules, lambda p: scorer.score_pairs(batch, p)
    )
    groups: dict[int, list[int]] = {}
    for record, label in zip(ids, labels.tolist(), strict=True):
        groups.setdefault(label, []).append(record)
    return list(groups.values())


def _placed(pairs: Sequence[tuple[int, int]], position: Mapping[int, int]) -> list[tuple[int, int]]:
    return [(position[a], position[b]) for a, b in pairs]


def _strongest(held: _Held) -> dict[int, float]:
    """For each record the bits of its strongest edge, as evidence in the journal."""
    best: dict[int, float] = {}
    for a, b, bits in held.strong:
        best[a] = max(bits, best.get(a, bits))
        best[b] = max(bits, best.get(b, bits))
    return best
