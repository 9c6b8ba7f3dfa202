"""The log on a database: tiles and entries as stored, proofs against the RFC's own recursion."""

import itertools

import pytest
from sqlalchemy import text

from gateway.errors import NotFound, Refused
from gateway.ledger import query, service, store
from keys import checkpoint, merkle
from tests.ledger import naive
from tests.ledger.logging_room import Log

MANY = (
    "insert into log_pending (entry, leaf) select e, sha256('\\x00'::bytea || e)"
    " from generate_series(0, 65534) n, convert_to(n::text, 'UTF8') e order by n"
)


@pytest.fixture
def log(emptied) -> Log:
    return Log(emptied)


def test_an_empty_log_has_signed_nothing(log, emptied):
    assert log.integrate() is None
    with emptied.session() as session:
        assert query.checkpoint(session) is None
        assert query.state(session).root == merkle.EMPTY_ROOT
        with pytest.raises(NotFound):
            query.tile(session, 0, 0, 1)
    assert log.verify().size == 0


def test_proofs_are_those_of_the_rfc_at_every_edge(log, emptied):
    leaves: list[bytes] = []
    seen = []
    for size in (1, 2, 3, 255, 256, 257, 300):
        leaves += log.grow(range(len(leaves), size))
        head = log.note()
        assert (head.size, head.root) == (size, naive.mth(leaves))
        seen.append((size, head.root))
        with emptied.session() as session:
            for index in {0, 1, 254, 255, 256, size // 2, size - 1} & set(range(size)):
                found = query.inclusion(session, leaves[index])
                assert (found.index, list(found.path)) == (index, naive.path(index, leaves))
                proof = checkpoint.parse_proof(query.proof(session, leaves[index]))
                merkle.verify_inclusion(leaves[index], index, size, proof.path, head.root)
    with emptied.session() as session:
        for (m, root_m), (n, root_n) in itertools.combinations_with_replacement(seen, 2):
            path = query.consistency(session, m, n)
            assert path == naive.proof(m, leaves[:n])
            merkle.verify_consistency(m, n, root_m, root_n, path)
        for m in range(1, 300, 7):
            assert query.consistency(session, m, 300) == naive.proof(m, leaves)


def test_the_log_crosses_the_third_level(log, emptied):
    with emptied.session() as session:
        session.execute(text(MANY))
        session.commit()
    log.integrate()
    leaves = [merkle.leaf_hash(b"%d" % n) for n in range(65_535)]
    for size in (65_535, 65_536, 65_537):
        leaves += log.grow(range(len(leaves), size))
        with emptied.session() as session:
            assert log.note().root == merkle.root(leaves)
            widths = session.execute(text("select level, n, width from log_tile")).all()
            assert sorted(map(tuple, widths)) == sorted(
                (t.level, t.n, t.width) for t in merkle.changed_tiles(0, size)
            )
            assert list(query.inclusion(session, leaves[-1]).path) == merkle.inclusion(
                leaves, size - 1
            )
    with emptied.session() as session:
        assert query.tile(session, 2, 0, 1) == merkle.root(leaves[:65_536])
        assert query.tile(session, 1, 0)[:32] == merkle.root(leaves[:256])
        assert query.tile(session, 1, 0, 7) == query.tile(session, 1, 0)[: 7 * 32]
    assert log.verify().size == 65_537


def test_entries_are_given_back_byte_for_byte(log, emptied):
    leaves = log.grow(range(258))
    with emptied.session() as session:
        data, found = query.entries(session, 0) + query.entries(session, 1, 2), []
        while data:
            length = int.from_bytes(data[:2], "big")
            found.append(merkle.leaf_hash(data[2 : 2 + length]))
            data = data[2 + length :]
        assert found == leaves
        assert merkle.leaf_hash(query.entry(session, leaves[7])) == leaves[7]
        for n, width in ((1, 3), (1, None), (2, 1), (0, 0), (0, 257)):
            with pytest.raises(NotFound):
                query.entries(session, n, width)
            with pytest.raises(NotFound):
                query.tile(session, 0, n, width)


def test_what_waits_is_not_proved_yet(log, emptied):
    log.grow(range(3))
    (leaf,) = log.append([9])
    with emptied.session() as session:
        with pytest.raises(NotFound) as refused:
            query.proof(session, leaf)
        assert refused.value.code == "log.pending"
        with pytest.raises(NotFound) as refused:
            query.proof(session, bytes(32))
        assert refused.value.code == "log.unknown_leaf"
        service.sequence(session)
        session.commit()
        with pytest.raises(NotFound):  # it has its place, but nobody has signed that
            query.tile(session, 0, 0, 4)
        with pytest.raises(NotFound):
            query.proof(session, leaf)
    log.integrate()
    with emptied.session() as session:
        assert query.inclusion(session, leaf).index == 3


@pytest.mark.parametrize(("m", "n", "kind"), [(0, 1, Refused), (3, 2, Refused), (1, 9, NotFound)])
def test_a_range_that_is_none_is_refused(log, emptied, m, n, kind):
    log.grow(range(3))
    with emptied.session() as session, pytest.raises(kind) as refused:
        query.consistency(session, m, n)
    assert refused.value.code == "log.range"


def test_the_same_words_twice_are_two_leaves(log, emptied):
    log.grow([1, 1])
    with emptied.session() as session:
        assert query.state(session).size == 2
        assert store.get_entries(session, 0, 2)[0] == store.get_entries(session, 1, 2)[0]


def test_an_entry_of_a_fact_that_was_undone_never_was(log, emptied):
    with emptied.session() as session:
        service.append(session, {"t": "heartbeat", "at": "2025-11-03T00:00:00Z"})
        session.rollback()
    assert log.integrate() is None
