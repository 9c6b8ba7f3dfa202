"""Requests that wait: for something in an inbox, or for an agency's answer.

A waiter holds a thread and no database connection. Seats are counted, so that whoever waits never
takes the threads of those who work; who finds no seat gets what there is.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Semaphore
from typing import Generic, TypeVar
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from gateway.ledger.model import CHANNEL as LOG
from gateway.storage.wake import AGAIN
from gateway.web.edge import edge

SOON = 0.1
"""Seconds to the next look where only the log's proof is missing, if no wake-up of it comes."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Seen(Generic[_T]):
    """What one look found: whether it is worth an answer now, or once the log has grown."""

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
            mark, grown = ours.wakes.mark(topic), ours.wakes.mark(LOG)
            seen = look()
            left = end - time.monotonic()
            if seen.enough or left <= 0:
                return seen.found, True
            ours.gate.release()
            try:
                if seen.soon:
                    ours.wakes.wait(LOG, grown, min(left, SOON))
                else:
                    ours.wakes.wait(topic, mark, min(left, AGAIN))
            finally:
                ours.gate.acquire()
    finally:
        ours.seats.release()


class AtOnce:
    """WSGI: only so many requests are worked on at a time.

    There are threads for all that wait, and if so many worked at once they would only wait for
    each other's turn at the interpreter: a tenth fewer batches a second, measured.
    """

    def __init__(self, app: WSGIApplication, gate: Semaphore) -> None:
        """`gate` is the edge's, so that whoever waits can give it back."""
        self._app, self._gate = app, gate

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, when it is this request's turn."""
        with self._gate:
            return self._app(environ, start_response)
