"""The partition is a pure function of the live records: any order, any batch size, a rebuild."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from gateway.index import blocking, clustering, keystore, service
from gateway.index import query as index
from gateway.index.arrivals import IndexTools, Origin
from gateway.index.clustering import Band, Rules
from gateway.index.model import Batch
from gateway.index.scoring import Scorer
from tests.conftest import Database
from tests.index_db import people
from tests.index_db.conftest import absorb, load, reconcile
from tests.index_db.people import Said

Partition = frozenset[frozenset[str]]


def rebuilt(said: Sequence[Said], tools: IndexTools) -> Partition:
    """The partition by the engine in memory, over all records at once."""
    known = people.as_features(said)
    batch = Batch.of(known)
    store = keystore.ArrayKeyStore(tools.hot)
    store.put(blocking.keys(batch))
    pairs = store.pairs()
    scorer = Scorer(tools.model)
    nobody = np.full(len(batch), -1, dtype=np.int64)
    apart = np.where(batch.registered, batch.column("nik").codes.astype(np.int64), -1)
    labels = clustering.partition(
        len(batch),
        pairs,
        scorer.score_pairs(batch, pairs),
        Rules(tools.threshold, apart, nobody),
        lambda p: scorer.score_pairs(batch, p),
    )
    groups: dict[int, set[str]] = {}
    for person, label in zip(known, labels.tolist(), strict=True):
        groups.setdefault(label, set()).add(person.key)
    return frozenset(frozenset(g) for g in groups.values())


def rows_of(database: Database, query: str) -> list:
    with database.session() as session:
        return session.execute(text(query)).all()


def stored(database: Database) -> Partition:
    """The partition as the tables hold it."""
    groups: dict[object, set[str]] = {}
    for key, person in rows_of(
        database,
        "select f.agency || '/' || f.source_id, m.person_id from person_feature f"
        " left join membership m using (record_id)",
    ):
        assert person is not None, "a live record without a person"
        groups.setdefault(person, set()).add(key)
    return frozenset(frozenset(g) for g in groups.values())


def edges(database: Database) -> frozenset:
    """The stored edges by their records' own names."""
    return frozenset(
        (min(a, b), max(a, b), round(bits, 9))
        for a, b, bits in rows_of(
            database,
            "select x.agency || '/' || x.source_id, y.agency || '/' || y.source_id, e.bits"
            " from edge e join source_record x on x.id = e.a join source_record y on y.id = e.b",
        )
    )


@pytest.mark.parametrize(("size", "seed"), [(1, 1), (7, 2), (100, 3), (1000, 4)])
def test_scenario_32_every_order_and_batch_size_gives_the_partition_of_a_rebuild(
    fresh_database: Database, tools: IndexTools, town: list[Said], size: int, seed: int
) -> None:
    said = list(town)
    random.Random(seed).shuffle(said)
    said = said[: {1: 250, 7: 500}.get(size)]
    load(fresh_database, tools, people.batches(said, size))
    assert stored(fresh_database) == rebuilt(said, tools)
    assert any(len(group) > 2 for group in stored(fresh_database))


@pytest.mark.parametrize("size", [3, 40, 1000])
def test_a_key_that_turns_hot_takes_its_pairs_back_and_gives_them_again_when_it_cools(
    fresh_database: Database, tools: IndexTools, town: list[Said], size: int
) -> None:
    tight = replace(tools, hot=4)
    said = town[:400] if size == 3 else town
    load(fresh_database, tight, people.batches(said, size))
    assert rows_of(fresh_database, "select count(*) from hot_key")[0][0] > 20
    assert stored(fresh_database) == rebuilt(said, tight)
    gone = said[::3]
    withdraw(fresh_database, tight, gone)
    left = [s for s in said if s not in gone]
    assert stored(fresh_database) == rebuilt(left, tight)
    before = edges(fresh_database)
    load(fresh_database, tight, people.batches(left, 50, v=9))
    assert edges(fresh_database) == before
    other = sorted(rows_of(fresh_database, "select key from hot_key"))
    now_hot = rows_of(
        fresh_database, "select key from block_key group by key having count(*) > 4 order by 1"
    )
    assert [r[0] for r in other] == [r[0] for r in now_hot]


def withdraw(database: Database, tools: IndexTools, said: Sequence[Said], v: int = 5) -> None:
    for agency in sorted({s.agency for s in said}):
        mine = [s for s in said if s.agency == agency]
        origin = Origin(
            agency,
            "person",
            people.batch_id(900_000 + v * 10 + people.AGENCIES.index(agency)),
            people.AS_OF,
        )
        arrivals = [people.arrival(i, s, v, op="del") for i, s in enumerate(mine)]
        absorb(database, tools, origin, arrivals)
        reconcile(database, tools, origin)


def test_withdrawing_and_publishing_again_restores_partition_ids_and_edges(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    load(fresh_database, tools, people.batches(town, 100))
    ids, links = membership(fresh_database), edges(fresh_database)
    gone = town[10:400:2]
    withdraw(fresh_database, tools, gone)
    left = [s for s in town if s not in gone]
    assert stored(fresh_database) == rebuilt(left, tools)
    assert edges(fresh_database) < links
    load(fresh_database, tools, people.batches(gone, 60, v=7))
    assert stored(fresh_database) == rebuilt(town, tools)
    assert edges(fresh_database) == links
    again = membership(fresh_database)
    moved = sum(ids[key] != again[key] for key in ids)
    assert moved < len(ids) // 100, "ids are kept but where a group was really cut"


def membership(database: Database) -> dict:
    return dict(
        tuple(r)
        for r in rows_of(
            database,
            "select agency || '/' || source_id, person_id from membership m"
            " join source_record r on r.id = m.record_id",
        )
    )


def test_a_new_version_moves_a_record_to_another_person(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    load(fresh_database, tools, people.batches(town, 1000))
    changed = list(town)
    donor = next(s for s in town if s.agency == "dukcapil")
    for i in range(0, len(town), 9):
        if town[i].agency != "dukcapil":
            changed[i] = replace(town[i], values=donor.values)
    new = [c for c, t in zip(changed, town, strict=True) if c is not t]
    load(fresh_database, tools, people.batches(new, 20, v=3))
    assert stored(fresh_database) == rebuilt(changed, tools)


def test_two_workers_at_once_give_the_partition_of_a_rebuild(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    tight = replace(tools, hot=12)
    batches = people.batches(town, 25)

    def work(mine: list) -> None:
        for origin, arrivals in mine:
            absorb(fresh_database, tight, origin, arrivals)
            reconcile(fresh_database, tight, origin)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, (batches[k::3] for k in range(3))))
    assert stored(fresh_database) == rebuilt(town, tight)


def test_repeating_a_batch_changes_no_table(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    batches = people.batches(town[:300], 60)
    load(fresh_database, tools, batches)
    before = dump(fresh_database)
    load(fresh_database, tools, [*reversed(batches), *batches])
    assert dump(fresh_database) == before


TABLES = (
    "source_record assertion source_batch subject person_feature block_key hot_key touched edge"
    " person membership journal"
).split()


def dump(database: Database, tables: Sequence[str] = TABLES) -> dict[str, list]:
    return {t: sorted(map(str, rows_of(database, f"select * from {t}"))) for t in tables}


def test_replaying_the_journal_reproduces_the_memberships(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    tight = replace(tools, hot=6)
    load(fresh_database, tight, people.batches(town, 30))
    withdraw(fresh_database, tight, town[::4])
    load(fresh_database, tight, people.batches(town[::4], 9, v=7))
    bears: dict[int, object] = {}
    for kind, person, other, record in rows_of(
        fresh_database, "select kind, person_id, other_id, record_id from journal order by id"
    ):
        if kind == "merged":
            bears = {r: person if p == other else p for r, p in bears.items()}
        else:
            bears[record] = person
    assert bears == dict(
        tuple(r) for r in rows_of(fresh_database, "select record_id, person_id from membership")
    )


def test_a_limit_leaves_the_rest_for_the_next_call(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    mine = [s for s in town if s.agency == "dukcapil"][:50]
    ((origin, arrivals),) = people.batches(mine, 100)
    absorb(fresh_database, tools, origin, arrivals)
    with fresh_database.session() as session:
        done = service.reconcile(session, origin.batch_id, tools, limit=20)
        assert (done.records, done.left) == (20, 30)
        done = service.reconcile(session, origin.batch_id, tools, limit=100)
        assert (done.records, done.left) == (30, 0)
        session.commit()
    assert stored(fresh_database) == rebuilt(mine, tools)


def test_two_registered_niks_are_never_one_person(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    one = next(s for s in town if s.agency == "dukcapil")
    nik = one.values["nik"]
    twin = replace(
        one,
        source_id="DUK-twin",
        values={**one.values, "nik": nik[:15] + str((int(nik[15]) + 1) % 10)},
    )
    elsewhere = [replace(s, agency="baz", source_id=s.source_id + "x") for s in (one, twin)]
    load(fresh_database, tools, people.batches([one, twin], 10))
    assert len(stored(fresh_database)) == 2
    load(fresh_database, tools, people.batches(elsewhere, 10, v=2))
    together = next(g for g in stored(fresh_database) if f"dukcapil/{one.source_id}" in g)
    assert "dukcapil/DUK-twin" not in together
    assert any("baz" in key for key in together)


def test_pairs_in_the_steward_band_are_kept_but_do_not_link(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    wide = replace(tools, band=Band(low=-30.0))
    load(fresh_database, wide, people.batches(town, 200))
    assert stored(fresh_database) == rebuilt(town, tools)
    with fresh_database.session() as session:
        stats = index.stats(session)
    kept = len(edges(fresh_database))
    assert stats.links_steward > 100
    assert stats.links_auto + stats.links_steward == kept


def test_a_batch_of_several_chunks_gives_the_same(
    fresh_database: Database, tools: IndexTools
) -> None:
    said = [s for s in people.town(1100, seed=8) if s.agency in ("dukcapil", "dstk")]
    load(fresh_database, tools, people.batches(said, 5000))
    assert stored(fresh_database) == rebuilt(said, tools)
