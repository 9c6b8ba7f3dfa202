"""`python -m bench`: what `make bench` runs; prints a table and writes `var/bench/results.json`."""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench import (
    accept,
    accept_single,
    connector,
    counter,
    evidence,
    figure,
    histories,
    link_bulk,
    link_public,
    live,
    log_append,
    lookup,
    lookup_name,
    mutations,
    queues,
    quota,
    reevaluate,
    rotate,
    suspend,
    walk,
    work,
    year,
)
from bench.figure import Figure
from bench.lab import BenchFailed, Lab, load
from demo.enrol import ConnectorFailed
from demo.holding import AlreadyRunning, hold
from demo.processes import ProcessFailed
from demo.servers import ServerFailed, running

VAR = Path("var") / "bench"
BENCHMARKS: Mapping[str, Callable[[Lab], list[Figure]]] = {
    "accept": accept.run,
    "accept_single": accept_single.run,
    "work": work.run,
    "lookup": lookup.run,
    "lookup_name": lookup_name.run,
    "connector": connector.run,
    "reevaluate": reevaluate.run,
    "histories": histories.run,
    "rotate": rotate.run,
    "suspend": suspend.run,
    "live": live.run,
    "log_append": log_append.run,
    "mutations": mutations.run,
    "evidence": evidence.run,
    "link_bulk": link_bulk.run,
    "link_public": link_public.run,
    "link_million": link_bulk.million,
    "quota": quota.run,
    "year": year.run,
    "counter": counter.run,
    "queues": queues.run,
    "demo": walk.run,
}


def main() -> int:
    """Run what was asked for, in the order of the table; 0 unless something could not be run.

    A bar that does not hold is a figure, not a failure: shared machines are slow.
    """
    parser = argparse.ArgumentParser(prog="python -m bench", description="Titian's benchmarks.")
    parser.add_argument("--only", default="", help=f"some of {','.join(BENCHMARKS)}")
    parser.add_argument("--runs", type=int, default=1, help="how often; the median is shown")
    parser.add_argument("--quick", action="store_true", help="small sizes: does the harness run?")
    parser.add_argument("--var", type=Path, default=VAR, help="where everything is kept")
    given = parser.parse_args()
    chosen = [name for name in given.only.split(",") if name] or list(BENCHMARKS)
    if unknown := set(chosen) - BENCHMARKS.keys():
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    given.var.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that was started stops
    try:
        with (
            hold(given.var / "bench.lock"),
            running(given.var) as servers,
            ExitStack() as stack,
        ):
            _measure(Lab(servers, given.var, given.quick, stack), chosen, max(1, given.runs))
    except (AlreadyRunning, ServerFailed) as err:
        print(f"\nbench: {err}", file=sys.stderr)
        return 1
    except (BenchFailed, ConnectorFailed, ProcessFailed) as err:
        print(f"\nbench: {err}", file=sys.stderr)
        return 1
    return 0


def _measure(lab: Lab, chosen: list[str], runs: int) -> None:
    """Run each so often, show the median, and keep what is known so far."""
    figures: list[Figure] = []
    path = lab.var / "results.json"
    print(load())
    figure.head()
    for name in [known for known in BENCHMARKS if known in chosen]:
        for made in figure.medians([BENCHMARKS[name](lab) for _ in range(runs)]):
            figures.append(replace(made, command=f"make bench ONLY={name}"))
            figure.show(figures[-1])
        figure.write(figures, path)
    print(f"\n{load()}\nresults: {path}")


if __name__ == "__main__":
    sys.exit(main())
