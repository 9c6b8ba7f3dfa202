"""Heavier faults: each starts and kills processes of its own."""

import os
import signal

import pytest
import redis
from sqlalchemy import text

from tests.conftest import Database
from tests.intake.factory import live, send
from tests.workers.conftest import attempts, is_applied, settled, until


@pytest.mark.slow
def test_two_relays_are_one_and_the_second_takes_over(database, tools, agency, centre):
    centre.relay()
    until(lambda: _relays(database) == 1)
    first = centre.running.pop("relay")
    centre.relay()
    until(lambda: _relays(database) == 2)
    centre.worker()
    parcels = [send(database, tools, agency.people([n])) for n in range(8)]
    until(lambda: all(is_applied(database, p) for p in parcels) and settled(database))
    assert [attempts(database, p) for p in parcels] == [1] * 8
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(10)
    parcel = send(database, tools, agency.people([9]))
    assert until(lambda: is_applied(database, parcel)) < 10


def _relays(database: Database) -> int:
    with database.session() as session:
        query = "select count(*) from pg_stat_activity where application_name = 'titian relay' and datname = current_database()"
        return session.scalar(text(query))


@pytest.mark.slow
def test_a_broker_that_forgot_everything_loses_nothing(database, tools, agency, centre):
    centre.relay()
    parcels = [send(database, tools, agency.people([n])) for n in range(5)]
    queue = redis.Redis.from_url(database.settings.broker_url)
    until(lambda: queue.llen("celery") >= 5)
    queue.flushall()
    queue.close()
    centre.worker()
    until(lambda: all(is_applied(database, p) for p in parcels), 60)


@pytest.mark.slow
def test_whole_workers_killed_again_and_again_apply_everything_once(
    database, tools, agency, centre
):
    centre.relay()
    centre.worker()
    parcels = [
        send(database, tools, agency.people(range(n * 800, n * 800 + 800))) for n in range(8)
    ]
    for n in range(3):
        until(lambda n=n: sum(is_applied(database, p) for p in parcels) > n, 60)
        centre.kill("worker")
        centre.worker()
    until(lambda: all(is_applied(database, p) for p in parcels) and settled(database), 120)
    assert len(live(database, agency)) == 6400
    with database.session() as session:
        twice = session.scalar(
            text(
                "select count(*) from (select record_id, v from assertion group by 1, 2 having count(*) > 1) x"
            )
        )
    assert twice == 0
