"""The duty `reconcile`: the persons that a batch touched are linked. Nothing else reconciles.

What it moves may make or end conflicts: the last step promises that they are looked for.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.index import service as index
from gateway.jobs import Job
from gateway.storage import outbox
from workers.duty import Duty, carry_out

AT_ONCE = 1000
"""Records linked in one transaction; the rest is promised again."""


def register(
    task: Callable[..., Any], tools: Callable[[], Any], now: Callable[[], datetime]
) -> None:
    """Make it a task."""

    @task(name=Job.RECONCILE.value)
    def reconcile(promise: str) -> str:
        return carry_out(DUTY, promise, tools(), now())


def _effect(session: Session, args: dict[str, Any], tools: Any, now: datetime) -> None:
    del now
    done = index.reconcile(session, UUID(args["batch"]), tools.index, limit=AT_ONCE)
    outbox.promise(session, Job.RECONCILE if done.left else Job.EXAMINE, args)


DUTY = Duty(Job.RECONCILE.value, _effect)
