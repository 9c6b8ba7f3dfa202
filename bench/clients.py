"""Client processes that work at the same time: they get ready, start together and tell their times.

Requests are signed before the start: what a client computes is not the gateway's time, though both
share the machine.
"""

import http.client
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import agency as agencies
from bench.agency import Put
from bench.lab import BenchFailed

_PATIENCE = 600
_gate: list[Barrier] = []


@dataclass(frozen=True, slots=True)
class Span:
    """When work began and ended, by the clock that all processes share."""

    began: float
    ended: float


def _enter(barrier: Barrier) -> None:
    _gate.append(barrier)


def wait_for_all() -> None:
    """Inside a client: return when every client is ready."""
    _gate[0].wait(_PATIENCE)


def together(work: Callable[..., Span], given: Sequence[tuple[Any, ...]]) -> float:
    """Run `work` once for each of `given`, each in a process; seconds from first to last."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(len(given))
    with ProcessPoolExecutor(
        len(given), mp_context=context, initializer=_enter, initargs=(barrier,)
    ) as pool:
        spans = [f.result(_PATIENCE) for f in [pool.submit(work, *one) for one in given]]
    return max(s.ended for s in spans) - min(s.began for s in spans)


def put_all(origin: str, files: Sequence[Path]) -> Span:
    """A client process: put the batches of each file in order, the files side by side.

    Raises:
        BenchFailed: a batch was refused.
    """
    kept = [agencies.load(path) for path in files]
    ready = [(puts, agencies.signed_headers(who, origin, puts)) for who, puts in kept]
    wait_for_all()
    began = time.monotonic()
    with ThreadPoolExecutor(len(ready)) as pool:
        list(pool.map(lambda one: _put_stream(origin, *one), ready))
    return Span(began, time.monotonic())


def _put_stream(origin: str, puts: Sequence[Put], headers: Sequence[dict[str, str]]) -> None:
    connection = http.client.HTTPConnection(urlsplit(origin).netloc, timeout=120)
    for put, added in zip(puts, headers, strict=True):
        connection.request("PUT", put.path, put.body, added)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 201:
            raise BenchFailed(f"{put.path}: {answer.status} {said[:300]!r}")
    connection.close()
