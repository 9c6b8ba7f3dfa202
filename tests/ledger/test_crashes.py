"""Wherever the integrator dies, the log goes on as one log; and four write while it works."""

import threading

import pytest
from sqlalchemy import text

from gateway.errors import Unavailable
from gateway.ledger import query, service, store
from gateway.ledger.model import LogBehind
from keys import checkpoint, merkle
from keys.errors import NotAnExtension
from tests.ledger.logging_room import Log, heartbeat


@pytest.fixture
def log(fresh_database) -> Log:
    return Log(fresh_database)


def test_died_before_places_were_committed(log, fresh_database):
    leaves = log.grow(range(3)) + log.append(range(3, 6))
    with fresh_database.session() as session:
        assert service.sequence(session) == 3
        session.rollback()
    leaves += log.grow(range(6, 8))
    assert log.note().root == merkle.root(leaves)
    assert log.verify().size == 8


def test_died_between_places_and_signature(log, fresh_database):
    leaves = log.grow(range(3)) + log.append(range(3, 6))
    with fresh_database.session() as session:
        service.sequence(session)
        session.commit()
    assert log.note().size == 3
    leaves += log.append(range(6, 8))
    assert log.integrate(limit=1).size == 7
    assert log.integrate(limit=1).size == 8
    assert log.integrate() is None
    assert log.note().root == merkle.root(leaves)
    log.verify()


def test_died_between_signature_and_publication(log, fresh_database):
    leaves = log.grow(range(3)) + log.append(range(3, 6))
    with fresh_database.session() as session:
        service.sequence(session)
        session.commit()
        assert service.publish(session, log.signer).size == 6
        session.rollback()
    assert log.signer.head().size == 6
    assert log.note().size == 3
    with fresh_database.session() as session:  # nothing waits: the same tree is signed again
        assert service.publish(session, log.signer).size == 6
        session.rollback()
    leaves += log.grow(range(6, 9))
    assert log.note() == checkpoint.Checkpoint(log.note().origin, 9, merkle.root(leaves))
    log.verify()


def test_nothing_uncommitted_is_signed(log, fresh_database):
    log.append(range(3))
    with fresh_database.session() as session:
        service.sequence(session)
        with pytest.raises(Unavailable) as refused:
            service.publish(session, log.signer)
        assert refused.value.code == "log.uncommitted"
        session.rollback()
    assert log.signer.head() is None
    assert log.integrate().size == 3


def test_a_database_from_a_backup_is_not_signed(log, fresh_database):
    log.grow(range(6))
    with fresh_database.session() as session:
        session.execute(text("delete from log_head"))
        session.execute(text("delete from log_entry where idx >= 4"))
        session.execute(text("delete from log_tile"))
        session.commit()
    with pytest.raises(LogBehind):
        log.integrate()
    with fresh_database.session() as session:  # and it grows beyond by other entries
        session.execute(text("delete from log_entry"))
        session.commit()
    log.append(range(100, 110))
    with pytest.raises(NotAnExtension):
        log.integrate()


@pytest.mark.slow
def test_four_write_while_one_integrates(log, fresh_database):
    each, kept, heads = 60, [], []
    done = threading.Event()

    def write(writer: int) -> None:
        mine = []
        for n in range(each):
            with fresh_database.session() as session:
                number = writer * 10_000 + n
                mine.append(service.append(session, heartbeat(number)))
                if n % 7 == 3:
                    session.rollback()
                    mine.pop()
                else:
                    session.commit()
        kept.append(mine)

    def integrate() -> None:
        while not done.is_set():
            state = log.integrate(limit=5)
            if state is not None:
                heads.append(state)
            done.wait(0.002)

    writers = [threading.Thread(target=write, args=(w,)) for w in range(4)]
    integrators = [threading.Thread(target=integrate) for _ in range(2)]
    for thread in writers + integrators:
        thread.start()
    for thread in writers:
        thread.join(60)
    done.set()
    for thread in integrators:
        thread.join(60)
    while log.integrate() is not None:
        pass
    state = log.verify()
    wanted = [leaf for mine in kept for leaf in mine]
    assert state.size == len(wanted) == 4 * (each - 9)
    with fresh_database.session() as session:
        for mine in kept:
            indexes = [query.inclusion(session, leaf).index for leaf in mine]
            assert len(set(indexes)) == len(mine)
            assert indexes == sorted(indexes)  # one writer's entries keep their order
        assert store.count_pending(session) == 0
        assert heads
        for head in heads:
            path = query.consistency(session, head.size, state.size)
            merkle.verify_consistency(head.size, state.size, head.root, state.root, path)
