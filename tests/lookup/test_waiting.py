"""Long polls: woken at once, looking by themselves without Redis, and never in the way of others."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore

import pytest
from flask import Flask

from connectors.errors import Wait
from connectors.listening import follow
from gateway.settings import Settings
from gateway.storage.wake import AGAIN, Wakes
from gateway.web import waiting
from gateway.web.edge import Edge, install
from gateway.web.waiting import Seen


@pytest.fixture
def urls(servers):
    alive = f"redis://127.0.0.1:{servers.valkey_port}/0"
    return {"redis": alive, "rabbit": "amqp://127.0.0.1/", "dead": "redis://127.0.0.1:9/0"}


def _wait(wakes: Wakes, mark: int, seconds: float) -> float:
    began = time.monotonic()
    wakes.wait("inbox:baz", mark, seconds)
    return time.monotonic() - began


def test_a_waiter_in_another_process_is_woken_through_redis(urls):
    here, there = Wakes(urls["redis"]), Wakes(urls["redis"])
    deadline = time.monotonic() + 10
    before = here.mark("inbox:first")
    while here.mark("inbox:first") == before:  # until it listens
        assert time.monotonic() < deadline
        there.say("inbox:first")
        time.sleep(0.01)
    mark = here.mark("inbox:baz")
    there.say("inbox:dstk")
    assert _wait(here, mark, 0.2) >= 0.2
    there.say("inbox:baz")
    assert _wait(here, mark, 10) < 5


@pytest.mark.parametrize("broker", ["rabbit", "dead"])
def test_without_redis_nothing_fails_and_the_same_process_is_woken(urls, broker):
    wakes = Wakes(urls[broker])
    mark = wakes.mark("inbox:baz")
    threading.Timer(0.05, wakes.say, ["inbox:baz"]).start()
    assert _wait(wakes, mark, 10) < 5


def test_what_was_said_between_the_mark_and_the_wait_is_not_missed():
    wakes = Wakes()
    mark = wakes.mark("inbox:baz")
    wakes.say("inbox:baz")
    assert _wait(wakes, mark, 10) < 1


@pytest.fixture
def looking():
    app = Flask("waiting")
    edge = Edge(Settings(), None, None, None, None, None, Wakes(), Semaphore(2))
    install(app, edge)
    return app, edge


def test_who_finds_no_seat_gets_what_there_is_at_once(looking):
    app, edge = looking
    looked: list[int] = []

    def look() -> Seen[int]:
        looked.append(1)
        return Seen(len(looked), enough=False)

    def poll(answers: list) -> None:
        with app.app_context():
            answers.append(waiting.until("t", look, 1.0))

    seated: list = []
    threads = [threading.Thread(target=poll, args=(seated,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    began, turned_away = time.monotonic(), []
    poll(turned_away)
    assert time.monotonic() - began < 0.5
    assert [seat for _, seat in turned_away] == [False]
    for thread in threads:
        thread.join()
    assert [seat for _, seat in seated] == [True, True]
    assert edge.seats.acquire(blocking=False)  # seats are given back


def test_a_waiter_looks_by_itself_again(looking, monkeypatch):
    monkeypatch.setattr(waiting, "AGAIN", 0.05)
    app, _ = looking
    looks = iter([Seen(0, enough=False)] * 3 + [Seen(7, enough=True)])
    with app.app_context():
        assert waiting.until("t", lambda: next(looks), 5.0) == (7, True)
    assert AGAIN == 2.0


def test_an_answerer_comes_back_within_five_seconds_after_a_cut():
    class Cut:
        turns = 0

        def turn(self) -> bool:
            self.turns += 1
            if self.turns == 8:
                stop.is_set = lambda: True
            raise Wait("gateway.unreachable", reason="cut")

    class Stop(threading.Event):
        def __init__(self) -> None:
            super().__init__()
            self.waits: list[float] = []

        def wait(self, seconds=None) -> bool:
            self.waits.append(seconds)
            return False

    stop, said = Stop(), []
    follow(Cut(), said.append, stop)
    assert len(said) == 1  # said once until it is well again
    assert len(stop.waits) == 8
    assert max(stop.waits) <= 5
    assert len(set(stop.waits)) == 8  # with jitter
    assert stop.waits[0] < 1


def test_only_so_many_are_worked_on_at_once():
    busy, most, turn = [0], [0], threading.Lock()

    def work(environ, start_response):
        with turn:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        time.sleep(0.02)
        with turn:
            busy[0] -= 1
        return [b"done"]

    app = waiting.AtOnce(work, Semaphore(2))
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda _: app({}, None), range(12))) == [[b"done"]] * 12
    assert most == [2]


def test_whoever_waits_gives_the_place_back(looking):
    app, edge = looking

    def poll():
        with edge.gate, app.app_context():
            waiting.until("t", lambda: Seen(0, enough=False), 0.8)

    waiter = threading.Thread(target=poll)
    waiter.start()
    time.sleep(0.1)
    assert edge.gate.acquire(timeout=2)
    edge.gate.release()
    edge.wakes.say("t")
    waiter.join()
