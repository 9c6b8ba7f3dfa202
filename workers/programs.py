"""Periodic duties of the agencies' desks: the turn of the year, hand-over, the daily digest.

Each is safe to run twice, late or not at all; each chunk is a transaction of its own.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.complaints import digest, leaving, year
from gateway.complaints.clock import Now
from gateway.complaints.model import SYSTEM_ACTOR, Desk
from gateway.trust import query as trust
from gateway.trust.model import AgencyState
from workers.schedule import DIGEST, HAND_OVER, YEAR


def register(
    task: Callable[..., Any], tools: Callable[[], Any], now: Callable[[], datetime]
) -> None:
    """Make them tasks."""

    @task(name=YEAR)
    def turn() -> None:
        held = tools()
        moved = year.AT_ONCE
        while moved == year.AT_ONCE:
            with held.sessions.begin() as session:
                moved = year.turn(session, _desk(held, now()))["moved"]

    @task(name=HAND_OVER)
    def hand_over() -> None:
        held = tools()
        with held.sessions() as session:
            gone = [a.code for a in trust.agencies(session) if a.state is AgencyState.LEFT]
        for agency in gone:
            done = leaving.AT_ONCE
            while done == leaving.AT_ONCE:
                with held.sessions.begin() as session:
                    done = leaving.hand_over(session, agency, _desk(held, now()))

    @task(name=DIGEST)
    def drop() -> None:
        held = tools()
        if not held.settings.digest_folder:
            return
        today = held.profile.today(now())
        with held.sessions() as session:
            made = digest.of_day(session, held.profile, today)
        digest.drop(Path(held.settings.digest_folder), made, today)


def _desk(held: Any, at: datetime) -> Desk:
    return Desk(SYSTEM_ACTOR, held.vault, held.profile, Now(held.profile.today(at), at))
