"""How every promised job is carried out: count the attempt, take the row's lock, do, mark done.

1. `attempts` is raised and committed first, so a job that kills its process is still counted. A
   row that another worker holds is left alone after a second (that is longer than the relay holds
   it while it hands out).
2. One transaction: lock the row (locked or done by another: nothing to do), do the effect, mark it
   done, commit. The server ends a transaction that takes too long, so a frozen worker cannot hold
   its row for ever.
3. A failure is not raised to the broker: the row says when to try again. After the last attempt
   the duty's own rescue has its turn, or the promise is parked and a person decides.

Source: design/trust.md 2.6, 6.2.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import (
    DeadlockDetected,
    DiskFull,
    LockNotAvailable,
    SerializationFailure,
    TooManyConnections,
)
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.errors import GatewayError
from gateway.storage import outbox

TRANSACTION_SECONDS = 500
_LONGEST_WAIT = 60
_log = logging.getLogger(__name__)

_NOT_THE_JOBS = (
    DeadlockDetected,
    DiskFull,
    LockNotAvailable,
    SerializationFailure,
    TooManyConnections,
)
"""The database's own trouble; it never parks a job. (A lost connection may be the job's doing.)"""

Effect = Callable[[Session, dict[str, Any], Any, datetime], None]
Rescue = Callable[[UUID, Any, datetime], str]


@dataclass(frozen=True, slots=True)
class Duty:
    """An effect, and what to do with a job that has used up its attempts."""

    name: str
    effect: Effect
    rescue: Rescue | None = None


def carry_out(duty: Duty, promise: str, tools: Any, now: datetime) -> str:
    """Carry out one promise; returns what became of it: `done`, `elsewhere`, `again`, `parked`."""
    promise_id = UUID(promise)
    attempts = _count(promise_id, tools)
    if attempts is None:
        return "elsewhere"
    try:
        if attempts <= tools.settings.attempts:
            return _try(duty.effect, promise_id, tools, now)
        _log.error("%s failed %d times", duty.name, tools.settings.attempts)
        if duty.rescue is not None:
            return duty.rescue(promise_id, tools, now)
    except Exception as err:  # noqa: BLE001  (a root: what fails now is tried again)
        code = err.code if isinstance(err, GatewayError) else type(err).__name__
        _log.warning("%s attempt %d failed: %s", duty.name, attempts, code)
        forgive = isinstance(getattr(err, "orig", None), _NOT_THE_JOBS)
        wait = min(_LONGEST_WAIT, 2**attempts)
        with tools.sessions.begin() as session:
            outbox.postpone(session, promise_id, wait, forgive=forgive)
        return "again"
    with tools.sessions.begin() as session:
        outbox.park(session, promise_id, "attempts")
    return "parked"


def hold(session: Session, promise_id: UUID) -> dict[str, Any] | None:
    """Begin the transaction of a job: its arguments, and its row locked; None if it is not ours."""
    session.execute(text(f"set local transaction_timeout = '{TRANSACTION_SECONDS}s'"))
    held = outbox.lock(session, promise_id)
    return None if held is None else held.args


def _count(promise_id: UUID, tools: Any) -> int | None:
    """The number of this attempt, committed; None if there is nothing to do here."""
    try:
        with tools.sessions.begin() as session:
            session.execute(text("set local lock_timeout = '1s'"))
            return outbox.attempt(session, promise_id)
    except OperationalError as err:
        if isinstance(err.orig, LockNotAvailable):
            return None
        raise


def _try(effect: Effect, promise_id: UUID, tools: Any, now: datetime) -> str:
    with tools.sessions.begin() as session:
        arguments = hold(session, promise_id)
        if arguments is None:
            return "elsewhere"
        effect(session, arguments, tools, now)
        outbox.done(session, promise_id)
    return "done"
