"""Every stored link explains itself to the bit, from the records as they are stored."""

import numpy as np

from gateway.index import store_links
from gateway.index.arrivals import IndexTools
from gateway.index.model import Batch, Pairs
from tests.conftest import Database
from tests.index_db import people
from tests.index_db.conftest import load
from tests.index_db.people import Said
from tests.index_db.test_partition import rows_of


def furthest(database: Database, tools: IndexTools) -> tuple[int, float]:
    """How many links are stored, and by how much an explanation misses its score at most."""
    links = rows_of(database, "select a, b, bits from edge")
    with database.session() as session:
        known = store_links.get_known(session, tools.vault, {r for e in links for r in e[:2]})
    ordered = sorted(known.values(), key=lambda k: k.features.key)
    at = {k.record_id: i for i, k in enumerate(ordered)}
    places = np.array([sorted((at[a], at[b])) for a, b, _ in links], dtype=np.int64)
    batch = Batch.of([k.features for k in ordered])
    evidence = tools.scorer.evidence(batch, Pairs(places[:, 0], places[:, 1]))
    missed = [
        abs(sum(r.bits for r in tools.scorer.explain(evidence, i)) - bits)
        for i, (_, _, bits) in enumerate(links)
    ]
    return len(links), max(missed)


def test_bits_of_fields_and_prior_are_the_score_of_every_stored_link(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    load(fresh_database, tools, people.batches(town, 200))
    count, missed = furthest(fresh_database, tools)
    assert count > 500
    assert missed < 1e-9
