"""A thousand orders of arrival, in batches of any size, give the persons of a rebuild."""

import numpy as np

from gateway.index import blocking, clustering, modelfile
from gateway.index.blocking import KeyRows
from gateway.index.clustering import Rules
from gateway.index.keystore import ArrayKeyStore
from gateway.index.model import Batch, Pairs
from gateway.index.scoring import Scorer
from tests.index_db import people

SHUFFLES = 1_000


def _of(rows: KeyRows, records: np.ndarray) -> KeyRows:
    chosen = np.isin(rows.records, records)
    return KeyRows(rows.records[chosen], rows.rules[chosen], rows.keys[chosen])


def test_a_thousand_orders_and_batch_sizes_give_one_partition() -> None:
    batch = Batch.of(people.as_features(people.town(12)))
    rows, scorer = blocking.keys(batch), Scorer(modelfile.load())
    count = len(batch)
    apart = np.where(batch.registered, batch.column("nik").codes.astype(np.int64), -1)
    rules = Rules(1.0, apart, np.full(count, -1, dtype=np.int64))

    low, high = (side.astype(np.int64) for side in np.triu_indices(count, 1))
    table = np.zeros((count, count))
    table[low, high] = scorer.score_pairs(batch, Pairs(low, high))

    def score(pairs: Pairs) -> np.ndarray:
        return table[pairs.left, pairs.right]

    def persons(pairs: Pairs) -> list[int]:
        return clustering.partition(count, pairs, score(pairs), rules, score).tolist()

    whole = ArrayKeyStore()
    whole.put(rows)
    rebuilt = persons(whole.pairs())
    assert 12 <= len(set(rebuilt)) < count
    rng = np.random.default_rng(4)
    for _ in range(SHUFFLES):
        order = rng.permutation(count)
        size = int(rng.integers(1, count))
        store, met = ArrayKeyStore(), []
        for at in range(0, count, size):
            some = _of(rows, order[at : at + size])
            store.put(some)
            met.append(store.candidates(some))
        left, right = (np.concatenate([getattr(p, s) for p in met]) for s in ("left", "right"))
        assert persons(Pairs(left, right)) == rebuilt
