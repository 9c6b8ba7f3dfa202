"""Periodic duties: what beat asks for. Each is safe to run twice, late or not at all."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from gateway.access import sessions
from gateway.storage import heartbeat, outbox
from gateway.trust import centre, keylife
from gateway.trust import service as trust
from workers.schedule import TIDY


def register(
    task: Callable[..., Any], tools: Callable[[], Any], now: Callable[[], datetime]
) -> None:
    """Make them tasks."""

    @task(name=TIDY)
    def tidy() -> None:
        held = tools()
        with held.sessions() as session:
            sessions.tidy(session, held.settings, now())
            trust.forget_nonces(session, now() - timedelta(minutes=20))
            keylife.count_waiting(session, now())
            centre.publish(session, held.vault, held.settings.aud, now())
            heartbeat.tidy(session)
            outbox.tidy(session)
            session.commit()
