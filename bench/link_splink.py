"""`python -m bench.link_splink TASK.json`: Splink 5 over a file."""

import time
from pathlib import Path

import numpy as np

from bench import linkers, splink_models
from bench.linkers import Task


def splink(task: Task) -> None:
    """Splink 5 on DuckDB, trained as its own demos train it; its groups at the threshold."""
    table = splink_models.table(task.model, Path(task.path))
    begun = time.perf_counter()
    edges, labels = splink_models.run(task.model, table, task.threshold)
    seconds, peak = time.perf_counter() - begun, linkers.peak()
    rows = np.arange(table.num_rows, dtype=np.int64)
    linkers.keep(task, "splink", rows, {str(task.threshold): labels}, edges)
    linkers.say(seconds, 0.0, peak)


if __name__ == "__main__":
    splink(linkers.given())
