"""The duty `apply`: a batch's records become assertions and blocking keys."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.intake import service as intake
from gateway.jobs import Job
from workers.duty import Duty, carry_out


def register(
    task: Callable[..., Any], tools: Callable[[], Any], now: Callable[[], datetime]
) -> None:
    """Make it a task."""

    @task(name=Job.APPLY.value)
    def apply(promise: str) -> str:
        return carry_out(DUTY, promise, tools(), now())


def _effect(session: Session, args: dict[str, Any], tools: Any, now: datetime) -> None:
    intake.apply(session, UUID(args["batch"]), tools.intake, now)


def _give_up(session: Session, args: dict[str, Any], tools: Any, now: datetime) -> None:
    intake.set_aside(session, UUID(args["batch"]), tools.intake, now)


DUTY = Duty(Job.APPLY.value, _effect, _give_up)
