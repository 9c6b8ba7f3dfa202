"""`demo`: the straight line as `make demo SERVE=0` walks it: how long, and how right."""

import json
import subprocess
import sys
import time
from typing import Any

from bench.figure import Figure
from bench.lab import BenchFailed, Lab, free_port
from demo.processes import ROOT, environment

SECONDS, F1, PRECISION = 90, 0.95, 0.98


def run(lab: Lab) -> list[Figure]:
    """Seconds of the command, F1 and precision of its summary; `quick` only asks for its help."""
    if lab.quick:
        seconds, links = _timed(["--help"]), {"f1": 0.0, "precision": 0.0}
    else:
        var = lab.var.resolve() / "demo"
        seconds = _timed(["--no-serve", "--var", str(var), "--port", str(free_port())])
        links = json.loads((var / "summary.json").read_text(encoding="utf-8"))["pairwise"]
    return [
        Figure("demo", round(seconds, 1), "s", bar=SECONDS, holds=seconds <= SECONDS),
        _quality("demo_f1", links["f1"], F1),
        _quality("demo_precision", links["precision"], PRECISION),
    ]


def _timed(arguments: list[str]) -> float:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "demo", *arguments],
        cwd=ROOT,
        env=environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchFailed(f"the demo failed: {done.stderr.strip()[-1000:]}")
    return time.monotonic() - started


def _quality(name: str, value: Any, bar: float) -> Figure:
    return Figure(name, value, "pairs of records", bar=bar, holds=value >= bar)
