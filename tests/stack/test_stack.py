"""Real processes on real servers: each is killed in the middle, and nothing is lost or doubled."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.errors import Wait
from gateway.index.store import person_feature
from gateway.intake.store import batch
from gateway.ledger import query as ledger
from tests.line.village import villager
from tests.stack.running import Stack, batches, being_applied, number, persons, queue, until

FIRST, ALL = 300, 1_600

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_killing_any_process_loses_and_doubles_nothing(stack: Stack, tmp_path: Path):
    stack.publisher.village.settle((villager(n) for n in range(FIRST)), batch_records=20)
    stack.centre.serve(port=stack.port)
    stack.centre.relay()
    stack.publisher.enrol(stack.database, tmp_path)
    _accepted_without_a_worker(stack)
    _applied_by_a_worker(stack)
    village = stack.publisher.village
    # Everyone known gets a new name, and a few hundred come: far more batches than before.
    changed = (replace(villager(n), name=f"{villager(n).name} Baru") for n in range(FIRST))
    village.admit([*changed, *(villager(n) for n in range(FIRST, 600))])
    _connector_killed_in_mid_publish(stack)
    _gateway_killed_in_mid_publish(stack)
    _broker_killed_while_batches_come(stack)
    village.settle_batches(5_000)
    village.admit(villager(n) for n in range(600, ALL))
    _worker_killed_in_mid_apply(stack)
    until(stack.settled, "the queue drains")
    stack.publisher.run("publish")
    until(stack.settled, "the queue drains")
    _converged(stack)


def _accepted_without_a_worker(stack: Stack) -> None:
    stack.publisher.run("publish")
    assert batches(stack.database) == FIRST // 20
    assert number(stack.database, "select count(*) from batch where state <> 'accepted'") == 0
    assert number(stack.database, "select count(*) from source_record") == 0
    assert persons(stack.database) == 0


def _applied_by_a_worker(stack: Stack) -> None:
    stack.centre.worker()
    until(stack.settled, "the first round is applied")
    assert persons(stack.database) == FIRST


def _connector_killed_in_mid_publish(stack: Stack) -> None:
    before = batches(stack.database)
    with stack.publisher.start("publish") as process:
        until(lambda: batches(stack.database) >= before + 3, "a few batches come")
        process.kill()
    assert process.returncode == -9
    assert batches(stack.database) < before + 30


def _gateway_killed_in_mid_publish(stack: Stack) -> None:
    before = batches(stack.database)
    with stack.publisher.start("publish") as process:
        until(lambda: batches(stack.database) >= before + 3, "a few more batches come")
        stack.centre.kill("gateway")
        said, _ = process.communicate(timeout=120)
    assert process.returncode == Wait.exit_code, said
    assert "Traceback" not in said
    stack.centre.serve(port=stack.port)


def _broker_killed_while_batches_come(stack: Stack) -> None:
    stack.servers.kill("valkey")
    before = batches(stack.database)
    stack.publisher.run("publish")
    assert batches(stack.database) > before
    assert queue(stack.database)["open"] > 0
    stack.centre.check()
    stack.servers.start_valkey()
    until(stack.settled, "the queue drains after the broker came back")
    assert persons(stack.database) == 600


def _worker_killed_in_mid_apply(stack: Stack) -> None:
    with stack.publisher.start("publish") as process:
        until(lambda: being_applied(stack.database), "a worker is in the middle of a batch")
        stack.centre.kill("worker")
        assert persons(stack.database) == 600
        stack.centre.worker()
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said


def _converged(stack: Stack) -> None:
    database = stack.database
    assert queue(database) == {"open": 0, "parked": 0}
    assert _receipted(stack) == _accepted(stack)
    assert number(database, "select count(*) from batch where state <> 'applied'") == 0
    one_a_version = (
        "select count(*) from (select 1 from assertion group by record_id, v having count(*) > 1) x"
    )
    assert number(database, one_a_version) == 0
    sent = number(database, "select sum(count) from batch")
    assert sent == number(database, "select count(*) from batch_line")
    assert sent == number(database, "select count(*) from assertion") == FIRST + ALL
    live = "select count(*) from source_record where assertion_id is not null"
    assert number(database, live) == ALL
    assert persons(database) == ALL
    with database.session() as session:
        names = set(session.scalars(select(person_feature.c.source_id)))
        assert names == {f"w.{n}" for n in range(ALL)}
        vkey = database.vault.log_signer(database.settings.log_origin).vkey
        assert ledger.verify(session, vkey).size > 0
        assert ledger.pending(session) == 0
    stack.centre.check()


def _receipted(stack: Stack) -> set[tuple[str, int, int, bytes]]:
    """The batches that the connector holds a receipt and a log proof for."""
    memory = stack.publisher.village.config().places.memory
    with closing(sqlite3.connect(memory)) as db:
        assert db.execute("select count(*) from outbox where settled_at is null").fetchone()[0] == 0
        rows = db.execute("select stream, epoch, seq, payload_sha256 from outbox").fetchall()
    return {(stream, epoch, seq, bytes(sha)) for stream, epoch, seq, sha in rows}


def _accepted(stack: Stack) -> set[tuple[str, int, int, bytes]]:
    c = batch.c
    with stack.database.session() as session:
        rows = session.execute(select(c.stream, c.epoch, c.seq, c.payload_sha256)).all()
    return {(row.stream, row.epoch, row.seq, bytes(row.payload_sha256)) for row in rows}
