"""The duty `examine`: what stirred in the index is looked at, and the stewards' tasks follow."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from gateway.jobs import Job
from gateway.stewards import examining
from gateway.storage import outbox
from workers.duty import Duty, carry_out


def register(
    task: Callable[..., Any], tools: Callable[[], Any], now: Callable[[], datetime]
) -> None:
    """Make it a task."""

    @task(name=Job.EXAMINE.value)
    def examine(promise: str) -> str:
        return carry_out(DUTY, promise, tools(), now())


def _effect(session: Session, args: dict[str, Any], tools: Any, now: datetime) -> None:
    if examining.examine(session, tools.index, now) == examining.AT_ONCE:
        outbox.promise(session, Job.EXAMINE, args)


DUTY = Duty(Job.EXAMINE.value, _effect)
