"""The relay: hands due promises to Celery and keeps the log's integrator going. One runs at a time.

It waits on PostgreSQL's NOTIFY; a tick of 200 ms serves the log, a sweep every 2 s hands out again
what was handed out in vain. With the broker away it waits and tries again; nothing is lost, since
a promise counts as handed only when the message is out.

Source: design/trust.md 3.2, 6.2.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg
from celery import Celery
from kombu.exceptions import OperationalError as BrokerError
from psycopg import sql
from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import Unavailable
from gateway.ledger.model import CHANNEL as LOG
from gateway.storage import heartbeat, outbox
from gateway.storage.wake import Wakes
from keys.canonical import to_moment
from keys.errors import TrustError
from workers.integrate import heartbeat as log_heartbeat
from workers.integrate import integrate

HAND_AT_ONCE = 200
TICK_SECONDS, SWEEP_SECONDS, LOG_BEAT_SECONDS = 0.2, 2.0, 60.0
_ALONE = 0x7469_7469
_log = logging.getLogger(__name__)


class Relay:
    """One loop: wait for a wake-up, integrate, hand out, now and then sweep and beat."""

    def __init__(self, app: Celery, tools: Any, name: str, now: Callable[[], datetime]) -> None:
        """`name` is this process's name among the heartbeats."""
        self._app, self._tools, self._name, self._now = app, tools, name, now
        self._last: dict[str, float] = {}
        self._broker_away = 0.0
        self._wakes = Wakes(tools.settings.broker_url)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; a lost database connection is made again."""
        while not stop.is_set():
            try:
                self._hold_and_work(stop)
            except (psycopg.OperationalError, SQLAlchemyError) as err:
                _log.warning("relay lost the database: %s", type(err).__name__)
                stop.wait(1)

    def _hold_and_work(self, stop: threading.Event) -> None:
        url = self._tools.settings.database_url
        with psycopg.connect(url, autocommit=True, application_name="titian relay") as connection:
            while not self._alone(connection):
                self._beat()
                if stop.wait(1):
                    return
            for channel in (outbox.CHANNEL, LOG):
                connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
            while not stop.is_set():
                for _ in connection.notifies(timeout=TICK_SECONDS, stop_after=1):
                    pass
                self.step()

    @staticmethod
    def _alone(connection: psycopg.Connection[Any]) -> bool:
        row = connection.execute("select pg_try_advisory_lock(%s)", [_ALONE]).fetchone()
        return bool(row and row[0])

    def step(self) -> None:
        """One turn: integrate the log, hand out what is due, and the timed duties."""
        if self._due("log beat", LOG_BEAT_SECONDS):
            log_heartbeat(self._tools, to_moment(self._now()))
        try:
            if integrate(self._tools):
                self._wakes.say(LOG)
        except (TrustError, Unavailable, OSError) as err:
            if self._due("log problem", 10):
                code = getattr(err, "code", type(err).__name__)
                _log.error("the log cannot be signed: %s", code)
        if time.monotonic() >= self._broker_away:
            self._hand_out()
        if self._due("beat", heartbeat.EVERY_SECONDS):
            self._beat()

    def _hand_out(self) -> None:
        while True:
            with self._tools.sessions() as session:
                due = outbox.hand(session, HAND_AT_ONCE)
                try:
                    for promise_id, job in due:
                        self._app.send_task(job.value, [str(promise_id)], task_id=str(promise_id))
                except (BrokerError, ConnectionError, TimeoutError) as err:
                    session.rollback()
                    self._broker_away = time.monotonic() + SWEEP_SECONDS
                    _log.warning("the broker does not answer: %s", type(err).__name__)
                    return
                session.commit()
            if len(due) < HAND_AT_ONCE:
                return

    def _beat(self) -> None:
        with self._tools.sessions() as session:
            heartbeat.beat(session, "relay", self._name)
            session.commit()

    def _due(self, what: str, seconds: float) -> bool:
        now = time.monotonic()
        if now - self._last.get(what, -math.inf) < seconds:
            return False
        self._last[what] = now
        return True
