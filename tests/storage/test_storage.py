"""The engine's checks, the outbox's promises, ids, and that migrations make what the tables say."""

import threading
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from gateway.errors import Unavailable
from gateway.jobs import Job
from gateway.migrations import schema
from gateway.migrations.tables import metadata
from gateway.settings import Settings
from gateway.storage import heartbeat, ids, outbox
from gateway.storage.engine import connect, sessions


def test_a_migrated_database_is_what_the_tables_say(fresh_database):
    with fresh_database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_can_be_undone_and_done_again(fresh_database):
    schema.downgrade(fresh_database.engine, "base")
    assert schema.current(fresh_database.engine) is None
    schema.upgrade(fresh_database.engine)
    assert schema.current(fresh_database.engine) == schema.newest()


def test_no_server_is_said_in_a_sentence():
    with pytest.raises(Unavailable) as refused:
        connect(Settings(database_url="postgresql://titian@127.0.0.1:1/titian"))
    assert refused.value.code == "database.unreachable"


def test_a_server_that_may_forget_a_commit_is_refused(servers, fresh_database):
    name = fresh_database.settings.database_url.rsplit("/", 1)[1]
    with psycopg.connect(servers.database_url(), autocommit=True) as admin:
        admin.execute(f"alter database {name} set synchronous_commit = off")
    with pytest.raises(Unavailable) as refused:
        connect(fresh_database.settings)
    assert refused.value.code == "database.not_durable"


def test_an_id_reads_back(session):
    made = session.execute(text("select uuidv7()")).scalar_one()
    assert len(ids.show(made)) == 26
    assert ids.parse(ids.show(made)) == made


@pytest.mark.parametrize("text_", ["", "x", "!" * 26, "a" * 27, "1376015410900002"])
def test_what_is_no_id_is_none(text_: str):
    assert ids.parse(text_) is None


def _promise(database) -> UUID:
    with database.session() as session:
        outbox.promise(session, Job.APPLY, {"batch": "x"})
        session.commit()
        return session.scalar(text("select id from outbox order by id desc limit 1"))


def test_a_promise_is_carried_out_by_one_of_two(database):
    promise_id, got = _promise(database), []

    def take() -> None:
        with database.session() as session:
            held = outbox.lock(session, promise_id)
            barrier.wait(10)
            if held is not None:
                got.append(held)
                outbox.done(session, promise_id)
            session.commit()

    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(got) == 1
    with database.session() as session:
        assert outbox.lock(session, promise_id) is None
        assert outbox.attempt(session, promise_id) is None


def test_a_promise_is_not_handed_out_twice_at_once(database):
    promise_id = _promise(database)
    with database.session() as session:
        assert promise_id in [p for p, _ in outbox.hand(session, 100)]
        assert promise_id not in [p for p, _ in outbox.hand(session, 100)]
        session.execute(text("update outbox set handed = now() - interval '6 s'"))
        assert promise_id in [p for p, _ in outbox.hand(session, 100)]
        session.execute(text("update outbox set handed = now() - interval '6 s'"))
        assert promise_id not in [p for p, _ in outbox.hand(session, 100)]
        session.rollback()


def test_a_rolled_back_fact_leaves_no_promise(database):
    with database.session() as session:
        before = outbox.open_count(session)
        outbox.promise(session, Job.APPLY, {"batch": "x"})
        session.rollback()
        assert outbox.open_count(session) == before


def test_a_silent_process_is_not_alive(session):
    heartbeat.beat(session, "worker", "one")
    heartbeat.beat(session, "worker", "two")
    assert heartbeat.alive(session, "worker") == 2
    session.execute(text("update heartbeat set at = now() - interval '1 min'"))
    assert heartbeat.alive(session, "worker") == 0


def test_settings_come_from_variables_or_files(tmp_path):
    secret = tmp_path / "url"
    secret.write_text("postgresql://x@y/z\n")
    given = Settings.from_env({"TITIAN_DATABASE_URL_FILE": str(secret), "TITIAN_ATTEMPTS": "7"})
    assert (given.database_url, given.attempts) == ("postgresql://x@y/z", 7)
    assert Settings.from_env(given.environ()) == given


@pytest.mark.parametrize(
    "environ", [{"TITIAN_ATTEMPTS": "many"}, {"TITIAN_ORIGIN_FILE": "/does/not/exist"}]
)
def test_a_wrong_setting_is_named(environ):
    with pytest.raises(ValueError, match="TITIAN_"):
        Settings.from_env(environ)


def test_settings_are_frozen():
    with pytest.raises(AttributeError):
        Settings().attempts = 9
    assert replace(Settings(), attempts=9).attempts == 9


def test_a_parked_promise_is_listed_and_taken_up_again(database):
    promise_id = _promise(database)
    with database.session() as session:
        outbox.attempt(session, promise_id)
        outbox.park(session, promise_id, "attempts")
        session.commit()
        assert promise_id in [p.id for p in outbox.parked(session)]
        assert outbox.lock(session, promise_id) is None
        assert outbox.retry(session, promise_id)
        assert not outbox.retry(session, promise_id)
        assert outbox.attempt(session, promise_id) == 1
        session.commit()


def test_the_databases_own_trouble_costs_no_attempt(database):
    promise_id = _promise(database)
    with database.session() as session:
        assert outbox.attempt(session, promise_id) == 1
        outbox.postpone(session, promise_id, 0, forgive=True)
        assert outbox.attempt(session, promise_id) == 1
        session.rollback()


def test_promises_kept_a_week_ago_are_forgotten_and_no_others(fresh_database):
    add = (
        "insert into outbox (id, job, args, done, parked) values"
        " (uuidv7(cast(:age as interval)), 'apply', '{}', :done, :parked) returning id"
    )
    kinds = [
        {"age": "-8 days", "done": "2026-01-01", "parked": None},
        {"age": "-6 days", "done": "2026-01-01", "parked": None},
        {"age": "-8 days", "done": None, "parked": None},
        {"age": "-8 days", "done": None, "parked": "attempts"},
    ]
    with sessions(fresh_database.engine)() as session:
        old, *kept = [session.scalar(text(add), kind) for kind in kinds]
        assert outbox.tidy(session) == 1
        left = set(session.scalars(text("select id from outbox")))
        assert old not in left
        assert set(kept) <= left
