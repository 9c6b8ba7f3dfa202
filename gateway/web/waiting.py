"""Requests that wait: for something in an inbox, or for an agency's answer.

A waiter holds a thread and no database connection. Seats are counted, so that whoever waits never
takes the threads of those who work; who finds no seat gets what there is.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.storage.wake import AGAIN
from gateway.web.edge import edge

SOON = 0.01
"""Seconds to the next look where something is there and only its proof is missing."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Seen(Generic[_T]):
    """What one look found: whether it is worth an answer now, or will be in a moment."""

    found: _T
    enough: bool
    soon: bool = False


def until(topic: str, look: Callable[[], Seen[_T]], seconds: float) -> tuple[_T, bool]:
    """What `look` finds once it is enough or the time is over; whether there was a seat to wait."""
    ours = edge()
    seen = look()
    if seen.enough or seconds <= 0:
        return seen.found, True
    if not ours.seats.acquire(blocking=False):
        return seen.found, False
    try:
        end = time.monotonic() + seconds
        while True:
            mark = ours.wakes.mark(topic)
            seen = look()
            left = end - time.monotonic()
            if seen.enough or left <= 0:
                return seen.found, True
            ours.wakes.wait(topic, mark, min(left, SOON if seen.soon else AGAIN))
    finally:
        ours.seats.release()
