"""The duty `apply`: a batch's records become assertions and blocking keys.

A batch that has failed or killed its worker too often is searched for the record that does it
(`intake.poison`); if it fails even without that record it is parked.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.intake import poison
from gateway.intake import service as intake
from gateway.jobs import Job
from gateway.storage import outbox
from workers.duty import Duty, carry_out, hold


def register(
    task: Callable[..., Any], tools: Callable[[], Any], now: Callable[[], datetime]
) -> None:
    """Make it a task."""

    @task(name=Job.APPLY.value)
    def apply(promise: str) -> str:
        return carry_out(DUTY, promise, tools(), now())


def _effect(session: Session, args: dict[str, Any], tools: Any, now: datetime) -> None:
    intake.apply(session, UUID(args["batch"]), tools.intake, now)


def _rescue(promise_id: UUID, tools: Any, now: datetime) -> str:
    """Find the poison, then apply the rest; this transaction holds the promise all the while."""
    with tools.sessions.begin() as session:
        arguments = hold(session, promise_id)
        if arguments is None:
            return "elsewhere"
        batch_id = UUID(arguments["batch"])
        _search(session, batch_id, tools, now)
        with tools.sessions.begin() as books:
            may_apply = poison.may_still_apply(books, batch_id)
            if _is_ours(len(poison.found(books, batch_id)), intake.count_of(session, batch_id)):
                may_apply = False
        finish = intake.apply if may_apply else intake.set_aside
        finish(session, batch_id, tools.intake, now)
        outbox.done(session, promise_id)
    return "done"


def _is_ours(convicted: int, count: int) -> bool:
    """Whether so many records failed that the fault is ours: park the batch, blame nobody."""
    return convicted > MOST_POISON or (count > 1 and convicted == count)


def _search(session: Session, batch_id: UUID, tools: Any, now: datetime) -> None:
    """Try span after span; what is being tried is committed beside this transaction first."""
    count = intake.count_of(session, batch_id)
    while True:
        with tools.sessions.begin() as books:
            span = poison.next_span(books, batch_id, count)
            many = len(poison.found(books, batch_id)) > MOST_POISON
        if span is None or many:
            return
        rehearsal = session.begin_nested()
        try:
            intake.rehearse(session, batch_id, span, tools.intake, now)
        except OperationalError:
            raise  # the database's trouble, not the record's
        except Exception:  # noqa: BLE001  (whatever it is, the record did it)
            rehearsal.rollback()
            continue
        rehearsal.rollback()
        with tools.sessions.begin() as books:
            poison.clear(books, batch_id, span)


MOST_POISON = 5

DUTY = Duty(Job.APPLY.value, _effect, _rescue)
