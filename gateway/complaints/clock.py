"""Working days: when something is due, and how a pause moves it. Pure.

A day weighs 1, a half day ½, a day on which the office is closed 0. What is due in n working days
is due on the first day on which the weights after today's add up to n; a case is late on the day
after.

Source: design/domain.md §2.5 (calendar).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from gateway.complaints.lifecycle import Limit, Span
from schemas.profile import Profile

_DAY = timedelta(days=1)
_MOST = 3660
"""Days that are looked ahead: a calendar that is closed for ten years is a mistake."""


class Light(StrEnum):
    """How a deadline looks: green, amber from a quarter of the time left, red when it is over."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline: a business date, or a moment (of an emergency, aware UTC)."""

    on: date | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """The two clocks: the business date, and the aware UTC time."""

    today: date
    moment: datetime


def add_days(profile: Profile, start: date, days: int) -> date:
    """The day on which `days` working days after `start` end; `start` itself for none.

    Raises:
        ValueError: the calendar has no such day within ten years.
    """
    day, halves = start, 0
    for _ in range(_MOST):
        if halves >= 2 * days:
            return day
        day += _DAY
        halves += profile.halves(day)
    raise ValueError("the calendar is closed for ten years")


def days_between(profile: Profile, start: date, end: date) -> float:
    """Working days after `start` up to and with `end`; negative where `end` is earlier."""
    if end < start:
        return -days_between(profile, end, start)
    count = (end - start).days
    return sum(profile.halves(start + _DAY * n) for n in range(1, count + 1)) / 2


def due(profile: Profile, span: Span, since: Now) -> Due:
    """When a span that began at `since` is over."""
    if span.minutes is not None:
        return Due(at=since.moment + timedelta(minutes=span.minutes))
    return Due(on=add_days(profile, since.today, span.days or 0))


def limit(profile: Profile, given: Limit | None, since: Now, *, emergency: bool) -> Due:
    """When a state's limit that began at `since` is over; nothing where it has none."""
    if given is None:
        return Due()
    return due(profile, given.emergency if emergency else given.normal, since)


def resume(profile: Profile, due_on: date, paused_on: date, today: date) -> date:
    """A date that stood still from `paused_on` to `today`: as many working days are left."""
    left = max(days_between(profile, paused_on, due_on), 0)
    moved = add_days(profile, today, int(left))
    return moved if left == int(left) else add_days(profile, moved, 1)


def is_late(given: Due, now: Now) -> bool:
    """Whether a deadline is over."""
    if given.at is not None:
        return now.moment > given.at
    return given.on is not None and now.today > given.on


def light(profile: Profile, given: Due, since: Now, now: Now) -> Light | None:
    """Green, amber or red; None without a deadline."""
    if given.on is None and given.at is None:
        return None
    if is_late(given, now):
        return Light.RED
    if given.at is not None:
        whole, left = given.at - since.moment, given.at - now.moment
        return Light.GREEN if left > whole / 4 else Light.AMBER
    assert given.on is not None  # noqa: S101 -- one of the two stands
    total = days_between(profile, since.today, given.on)
    remaining = days_between(profile, now.today, given.on)
    return Light.GREEN if remaining > total / 4 else Light.AMBER
