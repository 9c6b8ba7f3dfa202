"""The duty `reevaluate`: what a revoked key signed since T stops counting, step by step.

A promise names its step: a `revocation` or a `departure` to begin with, a `batch` whose records
fall back (all workers share these), an `agency` that may be finished, a `report` to be logged.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.access import blast
from gateway.intake import reevaluation, withdrawing
from gateway.jobs import Job
from workers.duty import Duty, carry_out


def register(
    task: Callable[..., Any], tools: Callable[[], Any], now: Callable[[], datetime]
) -> None:
    """Make it a task."""

    @task(name=Job.REEVALUATE.value)
    def reevaluate(promise: str) -> str:
        return carry_out(DUTY, promise, tools(), now())


def _effect(session: Session, args: dict[str, Any], tools: Any, now: datetime) -> None:
    if "batch" in args:
        reevaluation.fall_back(session, UUID(args["batch"]), tools.intake)
    elif "agency" in args:
        reevaluation.finish(session, args["agency"], tools.intake, now)
    elif "departure" in args:
        withdrawing.begin(session, int(args["departure"]), now)
    elif "report" in args:
        blast.record(session, int(args["report"]), tools.vault, now)
    else:
        reevaluation.begin(session, int(args["revocation"]), now)


DUTY = Duty(Job.REEVALUATE.value, _effect)
