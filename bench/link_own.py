"""`python -m bench.link_own TASK.json`: the engine over a file, as `titian link` runs it."""

import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench import linkers
from bench.linkers import Task
from gateway.index import clustering, linking, linkmap, reading
from gateway.index.linking import Linked, Plan
from gateway.index.model import Batch, Ints, Pairs
from gateway.index.questions import Edges
from gateway.index.reading import Persons
from gateway.index.scoring import Scorer, bits_of_posterior


def own(task: Task) -> None:
    """The engine, as `titian link` runs it."""
    begun = time.perf_counter()
    link_map = linkmap.parse(task.link_map)
    persons = reading.read(Path(task.path), link_map)
    read = time.perf_counter()
    bits = bits_of_posterior(task.threshold)
    plan = Plan(persons.fields, bits, within_sources=link_map.within_sources)
    linked = linking.link(persons.batch, plan, lambda line: print(line, file=sys.stderr))
    seconds, peak = time.perf_counter() - read, linkers.peak()
    labels = {str(task.threshold): linked.labels}
    for other in task.others:
        labels[str(other)] = _again(persons, linked, plan, other)
    normalised = Path(task.folder) / "normalised.parquet"
    pq.write_table(_normalised(persons.batch), normalised)
    shown = linked.review
    asked = Pairs(linked.candidates.left[shown], linked.candidates.right[shown])
    linkers.keep(task, "own", persons.rows, labels, Edges(asked, linked.weights[shown]))
    linkers.say(seconds, read - begun, peak)


def _again(persons: Persons, linked: Linked, plan: Plan, chance: float) -> Ints:
    """The partition at another threshold."""
    scorer = Scorer(linked.model)
    rules = linking.rules(persons.batch, plan, bits_of_posterior(chance))
    return clustering.partition(
        len(persons.batch),
        linked.candidates,
        linked.weights,
        rules,
        lambda p: scorer.score_pairs(persons.batch, p),
    )


def _normalised(batch: Batch) -> pa.Table:
    """What Splink compares: the engine's own values, and the words that its rules block on."""
    named = {"nik": "nik", "kk": "no_kk", "birth_date": "birth_date", "sex": "sex"}
    columns = {new: _texts(batch, old) for new, old in named.items()}
    names = [None if n is None else n.split("|")[0] for n in _texts(batch, "name")]
    columns |= {"name_norm": names, "kelurahan_norm": _texts(batch, "kelurahan")}
    columns["first_token"] = [n.split()[0] if n else None for n in names]
    columns["last_token"] = [n.split()[-1] if n else None for n in names]
    return pa.table({"record_id": pa.array(batch.keys), **columns})


def _texts(batch: Batch, name: str) -> list[str | None]:
    column = batch.column(name)
    values = [*column.values.tolist(), None]  # code -1 is the last entry
    return [values[code] for code in column.codes.tolist()]


if __name__ == "__main__":
    own(linkers.given())
