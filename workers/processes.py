"""What each background process is: a Celery worker, the relay, the timetable.

`__main__` loads this only for those; its health check must stay cheap.
"""

import contextlib
import logging
import signal
import threading
from collections.abc import Callable
from typing import Any, Self

from gateway.settings import Settings
from gateway.storage import heartbeat
from gateway.storage.engine import connect, sessions
from gateway.web.jsonlog import install
from workers.app import Tools, make_app, now
from workers.relay import Relay

_FOREIGN = ("unregistered task", "unknown message", "invalid task message", "decode message body")
_log = logging.getLogger("workers")


class NoForeignBodies(logging.Filter):
    """Celery prints the whole body of a message that it does not understand; we do not."""

    def filter(self, record: logging.LogRecord) -> bool:
        if any(sign in str(record.msg) for sign in _FOREIGN):
            record.msg, record.args = "a message of an unknown kind was dropped", ()
            record.exc_info = None
        return True


def work(settings: Settings, name: str) -> int:
    """A Celery worker with one child: more of them are more processes."""
    _log_to_json(settings)
    app = make_app(settings)
    with _Pulse(settings, "worker", name):
        app.worker_main(
            [
                *("--quiet", "worker", "--concurrency", "1", "--loglevel", settings.log_level),
                *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            ]
        )
    return 0


def beat(settings: Settings, name: str) -> int:
    """The timetable of periodic duties."""
    _log_to_json(settings)
    app = make_app(settings)
    with _Pulse(settings, "beat", name):
        app.Beat(loglevel=settings.log_level).run()
    return 0


def relay(settings: Settings, name: str) -> int:
    """The relay and the log's integrator."""
    _log_to_json(settings)
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


def _log_to_json(settings: Settings) -> None:
    install(settings.log_level)
    logging.getLogger("celery.worker.consumer.consumer").addFilter(NoForeignBodies())


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
