"""What people decide binds the engine, is remembered while the data stand, and can be undone."""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.index import judgements, links, store_judgements
from gateway.index.arrivals import IndexTools, Origin
from gateway.index.judgements import Judged
from gateway.index.verdict import Verdict
from tests.conftest import Database
from tests.index_db import people
from tests.index_db.conftest import absorb, load, reconcile
from tests.index_db.people import Said
from tests.index_db.test_partition import dump, membership, rows_of, stored

OFFICER = UUID(int=7)
NUMBERS = count()
STATE = "source_record person membership former edge block_key hot_key person_feature".split()


def record(database: Database, agency: str, source_id: str) -> int:
    with database.session() as session:
        return session.scalar(
            text("select id from source_record where agency = :a and source_id = :s"),
            {"a": agency, "s": source_id},
        )


def decide(
    database: Database,
    tools: IndexTools,
    verdict: Verdict,
    pair: tuple[int, int],
    *,
    of_two: bool = False,
) -> UUID:
    judged = Judged(
        people.batch_id(10**6 + next(NUMBERS)), "K00", verdict, *pair, OFFICER, b"l", of_two
    )
    with database.session() as session:
        assert judgements.judge(session, judged, tools.vault, people.AS_OF)
        session.commit()
    run(database, tools, judged.id)
    return judged.id


def run(database: Database, tools: IndexTools, judgement_id: UUID) -> None:
    with database.session() as session:
        links.reconcile(session, judgement_id, tools)
        session.commit()


def undo(database: Database, tools: IndexTools, judgement_id: UUID) -> None:
    with database.session() as session:
        row = store_judgements.get(session, judgement_id, lock=True)
        judgements.undo(session, row, b"l", people.AS_OF)
        session.commit()
    run(database, tools, judgement_id)


def state(database: Database) -> dict[str, list]:
    return dump(database, STATE)


def persons(database: Database) -> dict[str, object]:
    return membership(database)


def two_of(town: Sequence[Said], count: int = 2) -> list[Said]:
    """Records of the register: surely different people."""
    return [s for s in town if s.agency == "dukcapil"][:count]


def key(said: Said) -> str:
    return f"{said.agency}/{said.source_id}"


def ids(database: Database, said: Sequence[Said]) -> list[int]:
    return [record(database, s.agency, s.source_id) for s in said]


def test_same_joins_what_the_engine_would_not_and_undoing_restores_every_row(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    load(fresh_database, tools, people.batches(town, 200))
    before, named = state(fresh_database), persons(fresh_database)
    one, other = two_of(town)
    made = decide(fresh_database, tools, Verdict.SAME, tuple(ids(fresh_database, [one, other])))
    now = persons(fresh_database)
    assert now[key(one)] == now[key(other)] == min(named[key(one)], named[key(other)])
    assert len(stored(fresh_database)) == len(set(named.values())) - 1
    undo(fresh_database, tools, made)
    assert state(fresh_database) == before


def test_different_parts_what_the_engine_had_joined_and_everything_that_hangs_on_them(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    load(fresh_database, tools, people.batches(town, 200))
    before, named = state(fresh_database), persons(fresh_database)
    group = next(sorted(g) for g in stored(fresh_database) if len(g) > 3)
    pair = [record(fresh_database, *k.split("/")) for k in group[:2]]
    made = decide(fresh_database, tools, Verdict.DIFFERENT, tuple(pair))
    now = persons(fresh_database)
    assert now[group[0]] != now[group[1]]
    undo(fresh_database, tools, made)
    after = state(fresh_database)
    # The id that the part bore for a while stays known, as one that was merged back.
    assert {
        k: after[k] == before[k] for k in after if k not in ("person", "former")
    } == dict.fromkeys(set(after) - {"person", "former"}, True)
    assert persons(fresh_database) == named


def test_a_judgement_of_two_binds_only_with_the_second_person(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    load(fresh_database, tools, people.batches(town[:200], 200))
    one, other = two_of(town[:200])
    pair = ids(fresh_database, [one, other])
    made = decide(fresh_database, tools, Verdict.SAME, tuple(pair), of_two=True)
    assert persons(fresh_database)[key(one)] != persons(fresh_database)[key(other)]
    with fresh_database.session() as session:
        row = store_judgements.get(session, made)
        judgements.second(session, row, UUID(int=8), b"m")
        session.commit()
    run(fresh_database, tools, made)
    assert persons(fresh_database)[key(one)] == persons(fresh_database)[key(other)]


def test_a_judgement_binds_until_one_of_the_two_says_something_else_and_again_with_the_old_word(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    load(fresh_database, tools, people.batches(town[:200], 200))
    one, other = two_of(town[:200])
    decide(fresh_database, tools, Verdict.SAME, tuple(ids(fresh_database, [one, other])))
    together = persons(fresh_database)
    assert together[key(one)] == together[key(other)]
    changed = replace(other, values={**other.values, "birth_date": "1977-07-07"})
    load(fresh_database, tools, people.batches([changed], 5, v=2))
    assert persons(fresh_database)[key(one)] != persons(fresh_database)[key(other)]
    load(fresh_database, tools, people.batches([other], 5, v=3))
    assert persons(fresh_database) == together
    silent = replace(other, values={**other.values, "occupation": "PETANI"})
    load(fresh_database, tools, people.batches([silent], 5, v=4))
    assert persons(fresh_database) == together, "what nobody compares changes nothing"


def test_a_contradiction_is_not_followed_and_different_stands_above_same(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    load(fresh_database, tools, people.batches(town[:300], 200))
    a, b, c = two_of(town[:300], 3)
    x, y, z = ids(fresh_database, [a, b, c])
    decide(fresh_database, tools, Verdict.DIFFERENT, (x, z))
    decide(fresh_database, tools, Verdict.SAME, (x, y))
    decide(fresh_database, tools, Verdict.SAME, (y, z))
    now = persons(fresh_database)
    assert now[key(a)] == now[key(b)] != now[key(c)]


def test_who_merges_everybody_makes_no_person_of_more_records_than_the_limit(
    fresh_database: Database, tools: IndexTools, town: list[Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.index.clustering.MOST_JOINED", 12)
    load(fresh_database, tools, people.batches(town[:400], 200))
    many = ids(fresh_database, two_of(town[:400], 30))
    for other in many[1:]:
        decide(fresh_database, tools, Verdict.SAME, (many[0], other))
    assert max(len(g) for g in stored(fresh_database)) == 12


def test_a_record_that_comes_back_as_somebody_else_does_not_bear_the_old_id(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    load(fresh_database, tools, people.batches(town, 200))
    group = next(sorted(g) for g in stored(fresh_database) if len(g) > 2)
    gone = next(s for s in town if key(s) == group[0])
    origin = Origin(gone.agency, "person", people.batch_id(77), people.AS_OF)
    absorb(fresh_database, tools, origin, [people.arrival(0, gone, 5, op="del")])
    reconcile(fresh_database, tools, origin)
    stranger = replace(
        two_of(people.town(20, seed=99))[0], agency=gone.agency, source_id=gone.source_id
    )
    load(fresh_database, tools, people.batches([stranger], 5, v=9))
    named = persons(fresh_database)
    assert named[group[0]] != named[group[1]]


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_judgements_undone_in_any_order_restore_the_state(
    fresh_database: Database, tools: IndexTools, town: list[Said], data: st.DataObject
) -> None:
    some = town[:120]
    if not rows_of(fresh_database, "select 1 from source_record limit 1"):
        load(fresh_database, tools, people.batches(some, 200))
    before = state(fresh_database)
    records = ids(fresh_database, some)
    made = []
    for _ in range(data.draw(st.integers(1, 5))):
        pair = data.draw(st.lists(st.sampled_from(records), min_size=2, max_size=2, unique=True))
        made.append(decide(fresh_database, tools, Verdict.SAME, tuple(pair)))
    for judgement_id in data.draw(st.permutations(made)):
        undo(fresh_database, tools, judgement_id)
    assert state(fresh_database) == before


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_partition_is_the_same_whether_the_decision_or_the_data_came_first(
    fresh_database: Database, tools: IndexTools, town: list[Said], seed: int
) -> None:
    some = list(town[:150])
    pairs = [(some[i], some[i + 1]) for i in range(0, 40, 4)]
    verdicts = [Verdict.SAME, Verdict.DIFFERENT] * 5
    load(fresh_database, tools, people.batches(some, 200))
    for pair, verdict in zip(pairs, verdicts, strict=True):
        decide(fresh_database, tools, verdict, tuple(ids(fresh_database, pair)))
    late = stored(fresh_database)
    # All goes away and comes back in another order and in other batches: the decisions are there first.
    gone = [replace(s, values={}) for s in some]
    random.Random(seed).shuffle(gone)
    for agency in sorted({s.agency for s in gone}):
        origin = Origin(agency, "person", people.batch_id(5_000 + len(agency)), people.AS_OF)
        mine = [s for s in gone if s.agency == agency]
        arrivals = [people.arrival(i, s, 5, op="del") for i, s in enumerate(mine)]
        absorb(fresh_database, tools, origin, arrivals)
        reconcile(fresh_database, tools, origin)
    assert stored(fresh_database) == frozenset()
    random.Random(seed + 9).shuffle(some)
    load(fresh_database, tools, people.batches(some, 7 * seed, v=9))
    assert stored(fresh_database) == late
