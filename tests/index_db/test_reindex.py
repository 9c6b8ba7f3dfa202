"""The index key rotates while searches and writers go on, and what is linked stays the same."""

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import text

from gateway.errors import Conflict
from gateway.index import query as index
from gateway.index import reindex
from gateway.index.arrivals import IndexTools
from gateway.index.keying import IndexKeys
from gateway.index.view import Search
from gateway.storage.deks import PgDeks
from keys.vault import Vault
from tests.conftest import Database
from tests.index_db import people
from tests.index_db.conftest import absorb, load, reconcile
from tests.index_db.people import Said
from tests.index_db.test_partition import edges, rebuilt, rows_of, stored, withdraw

NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
BOTH = IndexKeys(1, 2)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reindex, "CHUNK", 60)


def other_process(database: Database, tools: IndexTools) -> IndexTools:
    """The tools of a process that opened the vault for itself."""
    vault = Vault.load(database.settings.vault_file, PgDeks(database.settings))
    return replace(tools, vault=vault)


def steps(database: Database) -> Iterator[str]:
    """The rotation of the index key, one committed step at a time, by an operator's process."""
    vault = Vault.load(database.settings.vault_file, PgDeks(database.settings))
    with database.session() as session:
        keys = reindex.index_keys(session, vault)
    if keys.next is None and len(vault.bix_versions) == 1:
        vault.add_version("bix", NOW)
    yield "key made"
    keys = commit(database, lambda s: reindex.begin(s, vault))
    yield "begun"
    after: int | None = 0
    while after is not None:
        after = commit(database, lambda s, at=after: reindex.write_next(s, vault, keys, at))
        yield "writing"
    keys = commit(database, lambda s: reindex.switch(s, vault, keys))
    yield "switched"
    after = 0
    while after is not None:
        after = commit(database, lambda s, at=after: reindex.drop_old(s, keys, at))
        yield "dropping"
    commit(database, lambda s: vault.drop_below("bix", reindex.finish(s, keys)))
    yield "done"


def commit(database: Database, act: Callable[..., Any]) -> Any:
    with database.session() as session:
        done = act(session)
        session.commit()
    return done


def found(database: Database, tools: IndexTools, **typed: str) -> bool:
    with database.session() as session:
        return bool(index.find(session, Search(**typed), tools))


def numbers(said: list[Said], name: str, count: int = 12) -> list[str]:
    return [s.values[name] for s in said if name in s.values][:: len(said) // count]


def sound(database: Database, tools: IndexTools) -> None:
    """Nothing of the old key is left, and every table says the same."""
    assert rows_of(database, "select current, next from index_key") == [(2, None)]
    assert rows_of(database, "select bix_v, keys_next from person_feature group by 1, 2") == [
        (2, None)
    ]
    carried = "select unnest(keys) key, record_id from person_feature order by 1, 2"
    put = "select key, record_id from block_key order by 1, 2"
    assert rows_of(database, carried) == rows_of(database, put)
    hot = f"select key from block_key group by key having count(*) > {tools.hot} order by 1"
    assert rows_of(database, hot) == rows_of(database, "select key from hot_key order by 1")
    assert tools.vault.bix_versions == (2,)


def test_a_search_finds_at_every_step(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    load(fresh_database, tools, people.batches(town[:300], 100))
    desk = other_process(fresh_database, tools)
    niks, cards = numbers(town[:300], "nik"), numbers(town[:300], "no_kk")
    phones = numbers(town[:300], "phone")
    seen = []
    for step in steps(fresh_database):
        seen.append(step)
        for tried in (tools, desk):
            assert all(found(fresh_database, tried, nik=nik) for nik in niks), step
            assert all(found(fresh_database, tried, no_kk=card) for card in cards), step
            assert all(found(fresh_database, tried, phone=phone) for phone in phones), step
    assert seen.count("writing") == 6
    sound(fresh_database, tools)


@pytest.mark.parametrize("hot", [None, 4])
@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_linked_does_not_depend_on_a_rotation(
    fresh_database: Database, tools: IndexTools, town: list[Said], seed: int, hot: int | None
) -> None:
    chosen = tools if hot is None else replace(tools, hot=hot)
    said = town[:]
    random.Random(seed).shuffle(said)
    said = said[:400]
    arriving = people.batches(said[200:], 15)
    late, queue = arriving[:4], iter(arriving[4:])
    load(fresh_database, chosen, people.batches(said[:200], 50))
    for n, step in enumerate(steps(fresh_database)):
        worker = other_process(fresh_database, chosen)
        if n == 3:  # absorbed before the switch
            for origin, arrivals in late:
                absorb(fresh_database, worker, origin, arrivals)
        if step == "dropping" and late:  # linked while some records have the old key no more
            for origin, _ in late:
                reconcile(fresh_database, worker, origin)
            late = []
        if n == 7:
            withdraw(fresh_database, worker, said[:200:5], v=7)
        load(fresh_database, worker, list(islice(queue, 2)))
    load(fresh_database, chosen, list(queue))
    assert late == []
    left = [s for s in said if s not in said[:200:5]]
    assert stored(fresh_database) == rebuilt(left, chosen)
    before = edges(fresh_database)
    load(fresh_database, chosen, people.batches(left, 100, v=9))
    assert edges(fresh_database) == before
    sound(fresh_database, chosen)


def test_bix_rotation_live(fresh_database: Database, tools: IndexTools, town: list[Said]) -> None:
    """A writer and a searcher, each with a vault of its own, work through the whole rotation."""
    load(fresh_database, tools, people.batches(town[:200], 100))
    arriving = people.batches(town[200:420], 10)
    niks = numbers(town[:200], "nik")
    failed: list[str] = []
    ended, looks = threading.Event(), 0

    def write() -> None:
        worker = other_process(fresh_database, tools)
        for batch in arriving:
            load(fresh_database, worker, [batch])
            nik = next(a.values["nik"] for a in batch[1] if "nik" in a.values)
            if not found(fresh_database, worker, nik=nik):
                failed.append(f"a record just written: {batch[0].batch_id}")

    def search() -> None:
        nonlocal looks
        desk = other_process(fresh_database, tools)
        while not ended.is_set():
            failed.extend("an old record" for n in niks if not found(fresh_database, desk, nik=n))
            looks += 1

    threads = [threading.Thread(target=write), threading.Thread(target=search)]
    for thread in threads:
        thread.start()
    assert list(steps(fresh_database))[-1] == "done"
    threads[0].join()
    ended.set()
    threads[1].join()
    assert failed == []
    assert looks > 1
    assert stored(fresh_database) == rebuilt(town[:420], tools)
    sound(fresh_database, tools)


def test_a_rotation_killed_at_any_step_goes_on(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    load(fresh_database, tools, people.batches(town[:150], 50))
    for at in range(1, 30):
        made = []
        for step in steps(fresh_database):
            made.append(step)
            if len(made) == at:
                break  # killed here; the next one begins again
        if made[-1] == "done":
            break
        assert found(fresh_database, tools, nik=numbers(town[:150], "nik")[0])
    assert made[-1] == "done"
    sound(fresh_database, tools)


def test_one_nik_on_two_records_is_found_out_in_the_middle_of_a_rotation(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    first = next(s for s in town if s.agency == "baz" and "nik" in s.values)
    load(fresh_database, tools, people.batches([first], 1))
    turning = steps(fresh_database)
    for step in turning:
        if step == "begun":
            break
    twin = replace(first, source_id="BAZ-twin")
    ((origin, arrivals),) = people.batches([twin], 1, v=2)
    done = absorb(fresh_database, tools, origin, arrivals)
    assert [code for _, code in done.findings] == ["NIK_DUP_IN_SOURCE"]


def test_no_key_is_dropped_while_a_row_holds_it(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    load(fresh_database, tools, people.batches(town[:100], 100))
    tools.vault.add_version("bix", NOW)
    keys = commit(fresh_database, lambda s: reindex.begin(s, tools.vault))
    assert keys == BOTH
    for act in (
        lambda s: reindex.switch(s, tools.vault, keys),
        lambda s: reindex.finish(s, keys),
        lambda s: reindex.finish(s, IndexKeys(2)),
    ):
        with pytest.raises(Conflict) as refused:
            commit(fresh_database, act)
        assert refused.value.code == "index.rotating"
    assert rows_of(fresh_database, "select current, next from index_key") == [(1, 2)]


def test_a_record_held_by_another_transaction_is_left_for_later(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    load(fresh_database, tools, people.batches(town[:50], 50))
    tools.vault.add_version("bix", NOW)
    keys = commit(fresh_database, lambda s: reindex.begin(s, tools.vault))
    with fresh_database.session() as holding:
        holding.execute(text("select 1 from person_feature order by record_id limit 5 for update"))
        commit(fresh_database, lambda s: reindex.write_next(s, tools.vault, keys, 0))
        assert reindex.left_to_write(holding, keys) == 5
    commit(fresh_database, lambda s: reindex.write_next(s, tools.vault, keys, 0))
    assert commit(fresh_database, lambda s: reindex.left_to_write(s, keys)) == 0
