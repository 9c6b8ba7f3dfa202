"""The demo's table: one line a phase, with counts and seconds, as it happens."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Phase:
    """One phase: what it did, in a sentence that is printed when it ends."""

    said: str = ""


@dataclass(slots=True)
class Table:
    """Prints each phase when it ends and keeps its seconds for the summary."""

    seconds: dict[str, float] = field(default_factory=dict)

    def head(self) -> None:
        """The line above the phases."""
        print(f"\n{'phase':<12} {'seconds':>8}  what happened")
        print(f"{'-' * 12} {'-' * 8}  {'-' * 60}")

    @contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        """Time a phase and print its line."""
        phase = Phase()
        started = time.perf_counter()
        if sys.stdout.isatty():
            print(f"{name:<12} {'…':>8}", end="\r", flush=True)
        yield phase
        self.seconds[name] = round(time.perf_counter() - started, 2)
        first, *rest = phase.said.splitlines() or [""]
        print(f"{name:<12} {self.seconds[name]:>8.2f}  {first}")
        for line in rest:
            print(f"{'':<12} {'':>8}  {line}")
        sys.stdout.flush()
