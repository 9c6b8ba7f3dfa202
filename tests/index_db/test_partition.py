"""The partition is a pure function of the live records: any order, any batch size, a rebuild."""

import random

import numpy as np
import pytest
from sqlalchemy import text

from gateway.index import blocking, clustering, keystore
from gateway.index.arrivals import IndexTools
from gateway.index.clustering import Rules
from gateway.index.model import Batch
from gateway.index.scoring import Scorer
from tests.conftest import Database
from tests.index_db import people
from tests.index_db.conftest import load
from tests.index_db.people import Said


def rebuilt(said: list[Said], tools: IndexTools) -> frozenset[frozenset[str]]:
    """The partition by the engine in memory, over all records at once."""
    people_ = people.as_features(said)
    batch = Batch.of(people_)
    store = keystore.ArrayKeyStore(tools.hot)
    store.put(blocking.keys(batch))
    pairs = store.pairs()
    scorer = Scorer(tools.model)
    nobody = np.full(len(batch), -1, dtype=np.int64)
    apart = np.where(batch.registered, batch.column("nik").codes.astype(np.int64), -1)
    rules = Rules(tools.threshold, apart, nobody)
    labels = clustering.partition(len(batch), pairs, scorer.score_pairs(batch, pairs), rules, lambda p: scorer.score_pairs(batch, p))
    groups: dict[int, set[str]] = {}
    for person, label in zip(people_, labels.tolist(), strict=True):
        groups.setdefault(label, set()).add(person.key)
    return frozenset(frozenset(g) for g in groups.values())


def stored(database: Database) -> frozenset[frozenset[str]]:
    """The partition as the tables hold it."""
    with database.session() as session:
        rows = session.execute(
            text("select f.agency || '/' || f.source_id, m.person_id from person_feature f left join membership m using (record_id)")
        ).all()
    groups: dict[object, set[str]] = {}
    for key, person in rows:
        assert person is not None, "a live record without a person"
        groups.setdefault(person, set()).add(key)
    return frozenset(frozenset(g) for g in groups.values())


@pytest.mark.parametrize(("size", "seed"), [(100, 1), (7, 2), (1000, 3)])
def test_every_order_and_batch_size_gives_the_partition_of_a_rebuild(
    fresh_database: Database, tools: IndexTools, town: list[Said], size: int, seed: int
) -> None:
    said = list(town)
    random.Random(seed).shuffle(said)
    load(fresh_database, tools, people.batches(said, size))
    assert stored(fresh_database) == rebuilt(town, tools)
