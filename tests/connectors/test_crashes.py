"""kill -9 anywhere loses and doubles nothing; two at once are refused; no socket ever listens."""

import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest

from connectors.lock import only_one
from tests.shared import ROOT

FORBIDDEN = ("flask", "celery", "redis", "gateway", "workers", "psycopg", "pymysql", "openpyxl")


def _start(agency, *arguments: str, **extra: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "connectors", "--config", str(agency.config), "--lang", "en"]
    return subprocess.Popen(
        [*command, *arguments],
        cwd=ROOT,
        env={**os.environ, **extra},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_kill_at_any_moment_loses_and_doubles_nothing(enrolled, gateway):
    enrolled.settings(batch=100)
    enrolled.rows(2_880, first=121)
    chance = random.Random(7)
    gateway.pause = 0.01
    for n in range(6):
        enrolled.sql("UPDATE mustahik SET nama = ? WHERE id % 10 = ?", f"Putaran {n}", n)
        process = _start(enrolled, "publish")
        time.sleep(0.7 + chance.random() * 0.9)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    gateway.pause = 0.0
    answer = enrolled.run("publish", "--json")
    assert answer.code == 0, answer.err
    live = gateway.records("baz", "person")
    with enrolled.database() as db:
        there = {str(n): name for n, name in db.execute("SELECT id, nama FROM mustahik")}
    assert {key: value["name_source"] for key, value in live.items()} == there
    numbers = [stored.payload.seq for stored in gateway.batches("baz", "target")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert answer.json["open"] == 0


def test_two_at_once_are_refused(enrolled):
    with only_one(enrolled.state / "data" / "lock.sqlite"):
        answer = enrolled.run("publish")
    assert answer.code == 5
    assert "Another connector is running" in answer.err
    assert enrolled.run("publish").code == 0


def test_status_and_preview_work_beside_a_running_connector(enrolled):
    with only_one(enrolled.state / "data" / "lock.sqlite"):
        assert enrolled.run("status").code == 0
        assert enrolled.run("preview").code == 0


def test_a_running_connector_listens_nowhere(enrolled, gateway):
    process = _start(enrolled, "run")
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until and len(gateway.batches("baz", "target")) < 3:
            time.sleep(0.1)
            sockets = psutil.Process(process.pid).net_connections(kind="all")
            assert [s for s in sockets if s.status == psutil.CONN_LISTEN] == []
        assert len(gateway.batches("baz", "target")) == 3
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_connector_comes_without_the_centre_and_without_drivers():
    code = "import connectors.cli, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded.isdisjoint(FORBIDDEN)
    assert "sqlalchemy" not in loaded


def test_a_full_disk_keeps_what_was_there(enrolled, gateway):
    enrolled.run("publish")
    enrolled.settings(batch=5_000)
    enrolled.rows(4_000, first=1_000)
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000));"
        "from connectors.cli import main; sys.argv = ['x', *sys.argv[1:]]; main()"
    )
    command = [sys.executable, "-c", code, "--config", str(enrolled.config), "--lang", "en"]
    done = subprocess.run(
        [*command, "publish"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 5, done.stderr
    assert "The disk is full" in done.stderr
    assert len(gateway.records("baz", "person")) == 120
    assert enrolled.run("publish", "--json").json["sent"] == 4_000
    assert len(gateway.records("baz", "person")) == 4_120
