"""The duty `deadlines`: what is late at the desk is told, what waits is reminded of."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from gateway.complaints import deadlines
from gateway.complaints.clock import Now
from gateway.complaints.model import SYSTEM_ACTOR, Desk
from workers.schedule import DEADLINES


def register(
    task: Callable[..., Any], tools: Callable[[], Any], now: Callable[[], datetime]
) -> None:
    """Make it a task."""

    @task(name=DEADLINES)
    def look() -> None:
        held, moment = tools(), now()
        when = Now(held.profile.today(moment), moment)
        with held.sessions() as session:
            deadlines.run(session, Desk(SYSTEM_ACTOR, held.vault, held.profile, when))
            session.commit()
