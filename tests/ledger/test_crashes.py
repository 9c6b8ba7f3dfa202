"""Wherever the integrator dies, the log goes on as one log; and four write while it works."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from gateway.errors import Unavailable
from gateway.ledger import query, service, store
from gateway.ledger.model import LogBehind, LogState
from keys import checkpoint, merkle
from keys.errors import NotAnExtension
from tests.ledger.logging_room import Log, heartbeat


@pytest.fixture
def log(emptied) -> Log:
    return Log(emptied)


def test_died_before_places_were_committed(log, emptied):
    leaves = log.grow(range(3)) + log.append(range(3, 6))
    with emptied.session() as session:
        assert service.sequence(session) == 3
        session.rollback()
    leaves += log.grow(range(6, 8))
    assert log.note().root == merkle.root(leaves)
    assert log.verify().size == 8


def test_died_between_places_and_signature(log, emptied):
    leaves = log.grow(range(3)) + log.append(range(3, 6))
    with emptied.session() as session:
        service.sequence(session)
        session.commit()
    assert log.note().size == 3
    leaves += log.append(range(6, 8))
    assert log.integrate(limit=1).size == 7
    assert log.integrate(limit=1).size == 8
    assert log.integrate() is None
    assert log.note().root == merkle.root(leaves)
    log.verify()


def test_died_between_signature_and_publication(log, emptied):
    leaves = log.grow(range(3)) + log.append(range(3, 6))
    with emptied.session() as session:
        service.sequence(session)
        session.commit()
        assert service.publish(session, log.signer).size == 6
        session.rollback()
    assert log.signer.head().size == 6
    assert log.note().size == 3
    with emptied.session() as session:  # nothing waits: the same tree is signed again
        assert service.publish(session, log.signer).size == 6
        session.rollback()
    leaves += log.grow(range(6, 9))
    assert log.note() == checkpoint.Checkpoint(log.note().origin, 9, merkle.root(leaves))
    log.verify()


def test_nothing_uncommitted_is_signed(log, emptied):
    log.append(range(3))
    with emptied.session() as session:
        service.sequence(session)
        with pytest.raises(Unavailable) as refused:
            service.publish(session, log.signer)
        assert refused.value.code == "log.uncommitted"
        session.rollback()
    assert log.signer.head() is None
    assert log.integrate().size == 3


def test_a_database_from_a_backup_is_not_signed(log, emptied):
    log.grow(range(6))
    with emptied.session() as session:
        session.execute(text("delete from log_head"))
        session.execute(text("delete from log_entry where idx >= 4"))
        session.execute(text("delete from log_tile"))
        session.commit()
    with pytest.raises(LogBehind):
        log.integrate()
    with emptied.session() as session:  # and it grows beyond by other entries
        session.execute(text("delete from log_entry"))
        session.commit()
    log.append(range(100, 110))
    with pytest.raises(NotAnExtension):
        log.integrate()


EACH = 60


def write(database, writer: int) -> list[bytes]:
    """One process's entries, each in a transaction of its own; every seventh is rolled back."""
    kept = []
    for n in range(EACH):
        with database.session() as session:
            leaf = service.append(session, heartbeat(writer * 10_000 + n))
            if n % 7 == 3:
                session.rollback()
            else:
                session.commit()
                kept.append(leaf)
    return kept


def integrate(log: Log, done: threading.Event) -> list[LogState]:
    """An integrator in small cycles until `done`, then until nothing waits."""
    signed = []
    while not done.is_set() or signed[-1:] != [None]:
        signed.append(log.integrate(limit=5))
        done.wait(0.002)
    return [state for state in signed if state is not None]


@pytest.mark.slow
def test_four_write_while_two_integrate(log, emptied):
    done = threading.Event()
    with ThreadPoolExecutor(6) as pool:
        integrators = [pool.submit(integrate, log, done) for _ in range(2)]
        writers = [pool.submit(write, emptied, w) for w in range(4)]
        kept = [writer.result(60) for writer in writers]
        done.set()
        heads = [state for each in integrators for state in each.result(60)]
    state = log.verify()
    assert state.size == sum(map(len, kept)) == 4 * (EACH - 9)
    assert len({head.size for head in heads}) == len(heads) > 1
    with emptied.session() as session:
        assert store.count_pending(session) == 0
        for mine in kept:  # one writer's entries keep their order
            indexes = [query.inclusion(session, leaf).index for leaf in mine]
            assert indexes == sorted(set(indexes))
        for head in heads:
            path = query.consistency(session, head.size, state.size)
            merkle.verify_consistency(head.size, state.size, head.root, state.root, path)
