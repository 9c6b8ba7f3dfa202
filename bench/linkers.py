"""One linker over one file in a process of its own: what it took, and the groups that it made.

Both children (`bench.link_own`, `bench.link_splink`) are given a task as JSON and write their edges
and the groups of each row beside it, as arrays in the file's order. Ours reads and normalises the
file itself; Splink is given the columns that ours has normalised, so that both see the same, and
that is not on its clock.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.lab import BenchFailed
from demo.processes import ROOT
from gateway.index.model import Ints, Pairs
from gateway.index.questions import Edges


@dataclass(frozen=True, slots=True)
class Task:
    """What to link, and with what.

    Attributes:
        link_map: the text of the map.
        threshold: chance at which ours joins; `others` are tried after its clock has stopped.
        model: the name of Splink's model.
        folder: where the outcome goes.
    """

    path: str
    link_map: str
    threshold: float
    model: str
    folder: str
    others: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a linker did.

    Attributes:
        seconds: train, score and cluster, wall clock; `reading` what came before it.
        peak: the largest resident memory of its process, in MiB.
        labels: for each threshold the group of each row, in the order of the file.
        edges: Splink's, of the file's rows; ours are the questions left to a person.
    """

    seconds: float
    reading: float
    peak: float
    labels: Mapping[str, Ints]
    edges: Edges


def run(linker: str, task: Task) -> Outcome:
    """Start the linker and wait for it.

    Raises:
        BenchFailed: it did not come to its end; the sentence is its last line.
    """
    folder = Path(task.folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "task.json").write_text(json.dumps(asdict(task)), encoding="utf-8")
    command = [sys.executable, "-m", f"bench.link_{linker}", str(folder / "task.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise BenchFailed(f"{linker} did not come to its end: {last}")
    figures = json.loads(done.stdout.splitlines()[-1])
    with np.load(folder / f"{linker}.npz") as kept:
        labels = {name[1:]: kept[name] for name in kept.files if name.startswith("=")}
        return Outcome(
            figures["seconds"],
            figures["reading"],
            figures["peak"],
            labels,
            Edges(Pairs(kept["left"], kept["right"]), kept["weights"]),
        )


def given() -> Task:
    """The task of this child."""
    told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    return Task(**{**told, "others": tuple(told["others"])})


def keep(task: Task, linker: str, rows: Ints, labels: Mapping[str, Ints], edges: Edges) -> None:
    """Write the arrays in the order of the file's rows."""
    kept: dict[str, Any] = {}
    for name, found in labels.items():
        placed = np.empty(len(rows), dtype=np.int64)
        placed[rows] = found
        kept[f"={name}"] = placed
    left, right, weights = rows[edges.pairs.left], rows[edges.pairs.right], edges.weights
    path = Path(task.folder) / f"{linker}.npz"
    np.savez(path, left=left, right=right, weights=weights, **kept)


def say(seconds: float, read: float, peak: float) -> None:
    """The last line of a child: what it took."""
    print(json.dumps({"seconds": seconds, "reading": read, "peak": peak}))


def peak() -> float:
    """The largest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
