"""A promise is carried out once, whatever is lost, repeated, frozen or poisonous."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from gateway.intake import store
from gateway.intake.model import State
from gateway.jobs import Job
from gateway.storage import outbox
from tests.intake.factory import NOW, found, live, send
from workers import apply, reconcile, schedule
from workers.app import Tools, configuration, make_app
from workers.duty import Duty, carry_out


@pytest.fixture(scope="module")
def held(database) -> Iterator[Tools]:
    made = Tools.of(database.settings)
    yield made
    made.sessions.kw["bind"].dispose()


def promise_of(database, job: Job = Job.APPLY, **args) -> str:
    with database.session() as session:
        outbox.promise(session, job, args)
        session.commit()
        made = session.scalar(
            select(outbox.outbox.c.id).order_by(outbox.outbox.c.id.desc()).limit(1)
        )
    return str(made)


def row(database, promise: str):
    with database.session() as session:
        return session.execute(
            select(outbox.outbox).where(outbox.outbox.c.id == UUID(promise))
        ).one()


def apply_promise(database, parcel) -> str:
    with database.session() as session:
        batch = store.find(session, parcel.place)
        made = session.scalar(
            select(outbox.outbox.c.id).where(
                outbox.outbox.c.args["batch"].astext == str(batch.id),
                outbox.outbox.c.job == "apply",
            )
        )
    return str(made)


def test_every_job_is_a_task_and_every_task_a_job_or_a_timed_duty(database):
    ours = {name for name in make_app(database.settings).tasks if not name.startswith("celery.")}
    timed = {entry["task"] for entry in schedule.TABLE.values()}
    assert ours == {job.value for job in Job} | timed


def test_messages_are_json_and_nobody_commands_a_worker():
    settings = configuration()
    assert settings["accept_content"] == ["json"]
    assert settings["task_serializer"] == "json"
    assert settings["worker_enable_remote_control"] is False
    assert settings["result_backend"] is None
    assert settings["task_acks_late"]
    assert settings["task_reject_on_worker_lost"]
    assert settings["broker_transport_options"]["visibility_timeout"] > settings["task_time_limit"]


def test_making_the_app_connects_to_nothing(database):
    away = replace(
        database.settings,
        broker_url="redis://127.0.0.1:1/0",
        database_url="postgresql://127.0.0.1:1/x",
    )
    assert make_app(away).tasks


def test_a_promise_is_kept_once(database, held):
    kept = []
    duty = Duty("count", lambda session, args, tools, now: kept.append(args["n"]))
    promise = promise_of(database, n=1)
    assert [carry_out(duty, promise, held, NOW) for _ in range(3)] == [
        "done",
        "elsewhere",
        "elsewhere",
    ]
    assert kept == [1]
    assert row(database, promise).done is not None


def test_a_message_about_nothing_does_nothing(held):
    assert carry_out(apply.DUTY, str(uuid4()), held, NOW) == "elsewhere"


def test_the_effect_and_its_end_are_one_transaction(database, held):
    def fail_late(session, args, tools, now):
        session.execute(text("create table never (x int)"))
        raise RuntimeError

    promise = promise_of(database)
    assert carry_out(Duty("fail", fail_late), promise, held, NOW) == "again"
    found_row = row(database, promise)
    assert (found_row.attempts, found_row.done, found_row.handed) == (1, None, None)
    with database.session() as session:
        assert session.scalar(text("select to_regclass('never')")) is None
        assert session.scalar(
            text("select due > now() from outbox where id = :id"), {"id": promise}
        )


def test_after_the_last_attempt_it_is_parked(database, held):
    def fail(*_):
        raise RuntimeError

    promise = promise_of(database)
    said = [carry_out(Duty("fail", fail), promise, held, NOW) for _ in range(5)]
    assert said == ["again", "again", "again", "parked", "elsewhere"]
    assert row(database, promise).parked == "attempts"


def test_what_another_worker_does_is_left_alone(database, held):
    entered, leave, said = threading.Event(), threading.Event(), []

    def slow(*_):
        entered.set()
        assert leave.wait(20)

    promise = promise_of(database)
    first = threading.Thread(
        target=lambda: said.append(carry_out(Duty("slow", slow), promise, held, NOW))
    )
    first.start()
    assert entered.wait(10)
    assert carry_out(Duty("slow", slow), promise, held, NOW) == "elsewhere"
    assert row(database, promise).attempts == 1
    with database.session() as session:
        assert UUID(promise) not in [i for i, _ in outbox.hand(session, 100)]
    leave.set()
    first.join()
    assert said == ["done"]


def test_a_frozen_worker_loses_its_transaction(database, held, monkeypatch):
    monkeypatch.setattr("workers.duty.TRANSACTION_SECONDS", 1)

    def freeze(session, *_):
        session.execute(text("select pg_sleep(5)"))

    promise = promise_of(database)
    assert carry_out(Duty("freeze", freeze), promise, held, NOW) == "again"
    assert row(database, promise).done is None


def test_a_batch_is_applied_and_its_persons_are_linked(database, held, tools, agency):
    parcel = send(database, tools, agency.people(range(20)))
    assert carry_out(apply.DUTY, apply_promise(database, parcel), held, NOW) == "done"
    with database.session() as session:
        due = [i for i, job in outbox.hand(session, 100) if job is Job.RECONCILE]
        session.commit()
    assert [carry_out(reconcile.DUTY, str(i), held, NOW) for i in due] == ["done"] * len(due)
    with database.session() as session:
        assert session.scalar(text("select count(*) from touched")) == 0
        assert session.scalar(text("select count(*) from person")) >= 20


TRIGGERS = {
    "raises": "raise exception 'poison'",
    "kills": "perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1)",
}


@pytest.mark.parametrize("how", TRIGGERS, ids=str)
def test_poison_bisect(database, held, tools, agency, how):
    """A trigger stands for a record that the database cannot take, whoever tries."""
    with database.session() as session:
        session.execute(
            text(
                "create or replace function bite() returns trigger language plpgsql as $$ begin"
                f" if new.source_id = 'p7' and new.agency = '{agency.code}' then {TRIGGERS[how]}; end if;"
                " return new; end $$"
            )
        )
        session.execute(
            text(
                "create or replace trigger bite before insert on source_record for each row execute function bite()"
            )
        )
        session.commit()
    parcel = send(database, tools, agency.people(range(16), max_reject=0.1))
    promise = apply_promise(database, parcel)
    said = [carry_out(apply.DUTY, promise, held, NOW)]
    while said[-1] != "done" and len(said) < 20:
        said.append(carry_out(apply.DUTY, promise, held, NOW))
    with database.session() as session:
        session.execute(text("drop trigger bite on source_record"))
        session.commit()
    assert said[-1] == "done"
    assert found(database, parcel) == [(7, "poison", "E", None)]
    assert live(database, agency) == {f"p{n}" for n in range(16) if n != 7}


def test_poison_parked(database, held, tools, agency):
    with database.session() as session:
        session.execute(
            text(
                "create or replace function bite() returns trigger language plpgsql as $$ begin"
                f" if new.agency = '{agency.code}' and new.counts is not null and new.state <> 'parked'"
                " then raise exception 'no'; end if; return new; end $$"
            )
        )
        session.execute(
            text("create trigger bite before update on batch for each row execute function bite()")
        )
        session.commit()
    parcel = send(database, tools, agency.people(range(3)))
    promise = apply_promise(database, parcel)
    said = [carry_out(apply.DUTY, promise, held, NOW) for _ in range(6)]
    with database.session() as session:
        session.execute(text("drop trigger bite on batch"))
        session.commit()
        assert store.find(session, parcel.place).state is State.PARKED
    assert said == ["again"] * 5 + ["done"]
    assert live(database, agency) == set()
