"""The processes as they really run: killed, frozen, doubled, without a broker; nothing is lost."""

import json
import signal
import subprocess
import sys
from dataclasses import replace

import psutil
import redis
from sqlalchemy import select, text

from demo.processes import ROOT, environment
from gateway.intake import store
from gateway.ledger import query as log
from gateway.storage import outbox
from tests.conftest import Database
from tests.intake.factory import live, send
from tests.workers.conftest import attempts, is_applied, open_promises, settled, until
from workers.app import make_app

CANARY = "1376019999990001"


def test_a_forged_or_repeated_message_changes_nothing_and_is_not_printed(
    database, tools, agency, busy
):
    parcel = send(database, tools, agency.people(range(20)))
    until(lambda: is_applied(database, parcel) and settled(database))
    app = make_app(database.settings)
    o = outbox.outbox.c
    with database.session() as session:
        batch = store.find(session, parcel.place)
        ids = session.scalars(select(o.id).where(o.args["batch"].astext == str(batch.id))).all()
    for promise in ids:
        for _ in range(2):
            app.send_task("apply", [str(promise)])
            app.send_task("reconcile", [str(promise)])
    app.send_task("surprise", [CANARY], kwargs={"nik": CANARY})
    app.send_task("apply", [CANARY])
    app.close()
    queue = redis.Redis.from_url(database.settings.broker_url)
    until(lambda: not queue.llen("celery") and not queue.hlen("unacked"))
    queue.close()
    assert attempts(database, parcel) == 1
    printed = busy.log_of("worker").read_text()
    assert CANARY not in printed
    assert "unknown kind" in printed
    lines = [text for text in printed.splitlines() if text.startswith("{")]
    assert {"at", "level", "logger", "message"} <= json.loads(lines[-1]).keys()
    assert len(live(database, agency)) == 20


def test_a_killed_child_costs_a_second_attempt_and_nothing_else(database, tools, agency, busy):
    warm = send(database, tools, agency.people([0]))
    until(lambda: is_applied(database, warm) and settled(database))
    parcel = send(database, tools, agency.people(range(1, 6001)))
    children = psutil.Process(busy.running["worker"].pid).children()
    until(lambda: attempts(database, parcel) == 1)
    until(lambda: _is_locked(database, parcel))
    for child in children:
        child.send_signal(signal.SIGKILL)
    assert not is_applied(database, parcel)
    took = until(lambda: is_applied(database, parcel))
    until(lambda: settled(database), 60)
    assert attempts(database, parcel) >= 2
    assert took < 25
    assert len(live(database, agency)) == 6001
    with database.session() as session:
        batch = store.find(session, parcel.place)
        versions = "select count(*) from assertion where batch_id = :id"
        assert session.scalar(text(versions), {"id": batch.id}) == 6000


def _is_locked(database: Database, parcel) -> bool:
    """Whether a worker holds the promise of the batch, so is in the middle of it."""
    o = outbox.outbox.c
    with database.session() as session:
        batch = store.find(session, parcel.place)
        mine = select(o.id).where(o.args["batch"].astext == str(batch.id), o.job == "apply")
        return session.execute(mine.with_for_update(skip_locked=True)).first() is None


def test_a_broker_that_was_away_loses_nothing(database, servers, tools, agency, busy):
    warm = send(database, tools, agency.people([0]))
    until(lambda: is_applied(database, warm) and settled(database))
    servers.kill("valkey")
    try:
        with database.session() as session:
            size = log.state(session).size
        parcels = [send(database, tools, agency.people([n])) for n in range(1, 6)]

        def grown() -> bool:
            with database.session() as session:
                return log.state(session).size >= size + 5

        until(grown, 15)
        assert open_promises(database) >= 5
    finally:
        servers.start_valkey()
    took = until(lambda: all(is_applied(database, p) for p in parcels))
    assert took < 30
    busy.check()


def test_a_database_that_is_too_far_away_ends_the_process_with_a_sentence(database):
    away = replace(database.settings, database_url="postgresql://titian@127.0.0.1:1/none")
    run = subprocess.run(
        [sys.executable, "-m", "workers", "relay"],
        cwd=ROOT,
        env=environment(away.environ()),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 1
    assert "PostgreSQL does not answer" in run.stderr
    assert "Traceback" not in run.stderr
