"""How every promised job is carried out: count the attempt, take the row's lock, do, mark done.

1. `attempts` is raised and committed first, so a job that kills its process is still counted.
2. One transaction: lock the row (locked or done by another: nothing to do), do the effect, mark it
   done, commit. The server ends a transaction that takes too long, so a frozen worker cannot hold
   its row for ever.
3. A failure is not raised to the broker: the row says when to try again. After the last attempt
   the promise is parked and a person decides.

Source: design/trust.md 2.6, 6.2.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.errors import GatewayError
from gateway.storage import outbox

TRANSACTION_SECONDS = 500
_log = logging.getLogger(__name__)

Effect = Callable[[Session, dict[str, Any], Any, datetime], None]


@dataclass(frozen=True, slots=True)
class Duty:
    """An effect, and what to do with a job that has used up its attempts."""

    name: str
    effect: Effect
    give_up: Effect | None = None


def carry_out(duty: Duty, promise: str, tools: Any, now: datetime) -> str:
    """Carry out one promise; returns what became of it: `done`, `elsewhere`, `again`, `parked`."""
    promise_id = UUID(promise)
    with tools.sessions() as session:
        attempts = outbox.attempt(session, promise_id)
        session.commit()
    if attempts is None:
        return "elsewhere"
    if attempts > tools.settings.attempts:
        return _give_up(duty, promise_id, tools, now)
    try:
        return _try(duty.effect, promise_id, tools, now)
    except Exception as err:  # noqa: BLE001  (a root: what fails now is tried again)
        code = err.code if isinstance(err, GatewayError) else type(err).__name__
        _log.warning("%s attempt %d failed: %s", duty.name, attempts, code)
        with tools.sessions() as session:
            outbox.postpone(session, promise_id, seconds=min(60, 2**attempts))
            session.commit()
        return "again"


def _try(effect: Effect, promise_id: UUID, tools: Any, now: datetime) -> str:
    with tools.sessions() as session:
        session.execute(text(f"set local transaction_timeout = '{TRANSACTION_SECONDS}s'"))
        held = outbox.lock(session, promise_id)
        if held is None:
            return "elsewhere"
        effect(session, held.args, tools, now)
        outbox.done(session, promise_id)
        session.commit()
    return "done"


def _give_up(duty: Duty, promise_id: UUID, tools: Any, now: datetime) -> str:
    _log.error("%s is set aside after %d attempts", duty.name, tools.settings.attempts)
    if duty.give_up is not None:
        try:
            return _try(duty.give_up, promise_id, tools, now)
        except Exception as err:  # noqa: BLE001  (a root: park it, a person decides)
            _log.error("%s could not be set aside: %s", duty.name, type(err).__name__)
    with tools.sessions() as session:
        outbox.park(session, promise_id, "attempts")
        session.commit()
    return "parked"
