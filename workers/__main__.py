"""`python -m workers [relay|beat|health NAME]`: with nothing, a Celery worker."""

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, Self

from gateway.errors import GatewayError
from gateway.settings import Settings
from gateway.storage import heartbeat
from gateway.storage.engine import connect, sessions
from gateway.web.jsonlog import install
from workers.app import Tools, make_app, now
from workers.relay import Relay

_USAGE = "usage: python -m workers [relay | beat | health worker|relay|beat]"
_FOREIGN = ("unregistered task", "unknown message", "invalid task message", "decode message body")
_log = logging.getLogger("workers")


class NoForeignBodies(logging.Filter):
    """Celery prints the whole body of a message that it does not understand; we do not."""

    def filter(self, record: logging.LogRecord) -> bool:
        if any(sign in str(record.msg) for sign in _FOREIGN):
            record.msg, record.args = "a message of an unknown kind was dropped", ()
            record.exc_info = None
        return True


def main(arguments: list[str]) -> int:
    """Run one duty until it is told to stop."""
    settings = Settings.from_env()
    install(settings.log_level)
    logging.getLogger("celery.worker.consumer.consumer").addFilter(NoForeignBodies())
    name = f"{socket.gethostname()}:{os.getpid()}"
    match arguments:
        case []:
            return _worker(settings, name)
        case ["relay"]:
            return _relay(settings, name)
        case ["beat"]:
            return _beat(settings, name)
        case ["health", duty]:
            return _health(settings, duty)
    print(_USAGE, file=sys.stderr)  # noqa: T201  (a command)
    return 2


def _worker(settings: Settings, name: str) -> int:
    app = make_app(settings)
    with _Pulse(settings, "worker", name):
        app.worker_main(
            [
                *("worker", "--concurrency", "1", "--loglevel", settings.log_level),
                *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            ]
        )
    return 0


def _beat(settings: Settings, name: str) -> int:
    app = make_app(settings)
    with _Pulse(settings, "beat", name):
        app.Beat(loglevel=settings.log_level).run()
    return 0


def _relay(settings: Settings, name: str) -> int:
    stop = threading.Event()

    def _stop(*_: Any) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    app = make_app(settings)
    # The relay also signs the log: a broker that hangs must not hold that up for long.
    app.conf.broker_transport_options |= {"socket_timeout": 5}
    Relay(app, Tools.of(settings), name, now).run(stop)
    return 0


def _health(settings: Settings, duty: str) -> int:
    engine = connect(settings, pool_size=1)
    with sessions(engine)() as session:
        return 0 if heartbeat.alive(session, duty) else 1


class _Pulse(contextlib.AbstractContextManager["_Pulse"]):
    """A thread that writes this process's heartbeat row until the process ends."""

    def __init__(self, settings: Settings, duty: str, name: str) -> None:
        self._settings, self._duty, self._name = settings, duty, name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        opened = sessions(connect(self._settings, pool_size=1))
        while True:
            self._write(lambda s: heartbeat.beat(s, self._duty, self._name), opened)
            if self._stop.wait(heartbeat.EVERY_SECONDS):
                break
        self._write(lambda s: heartbeat.end(s, self._duty, self._name), opened)

    @staticmethod
    def _write(act: Callable[[Any], None], opened: Any) -> None:
        try:
            with opened() as session:
                act(session)
                session.commit()
        except Exception as err:  # noqa: BLE001  (a heartbeat must never stop the work)
            _log.warning("heartbeat: %s", type(err).__name__)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except GatewayError as err:
        print(f"workers: {err.sentence}", file=sys.stderr)  # noqa: T201  (a command)
        sys.exit(1)
