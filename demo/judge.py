"""How right the automatic links are: pairs of records that share a person, against the truth."""

import csv
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg

Key = tuple[str, str]
"""Agency code and the record's `_id`."""


def pairwise(found: Mapping[Key, str], truth: Mapping[Key, str]) -> dict[str, float | int]:
    """Precision, recall and F1 over pairs of records that the index holds and the truth knows."""
    known = [k for k in found if k in truth]
    together = _pairs(Counter((found[k], truth[k]) for k in known).values())
    said = _pairs(Counter(found[k] for k in known).values())
    real = _pairs(Counter(truth[k] for k in known).values())
    precision = together / said if said else 0.0
    recall = together / real if real else 0.0
    both = precision + recall
    return {
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / both if both else 0.0, 4),
        "pairs": real,
        "records": len(known),
        "unjudged": len(found) - len(known),
    }


def found_persons(database_url: str) -> dict[Key, str]:
    """Which person each live person record belongs to."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select r.agency, r.source_id, m.person_id::text from membership m"
            " join source_record r on r.id = m.record_id"
            " where r.record_type = 'person' and r.assertion_id is not null"
        ).fetchall()
    return {(agency, source_id): person for agency, source_id, person in rows}


def true_persons(truth: Path, states: Mapping[str, Path]) -> dict[Key, str]:
    """The truth by `_id`: the agency's own keys turned into ids by its connector's own memory.

    `states` maps an agency to its connector's SQLite file, the only place that knows the way back.
    """
    person_of: dict[str, dict[str, str]] = defaultdict(dict)
    with truth.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            person_of[row["agency"]][f"{row['table']}|{row['source_key']}"] = row["person_id"]
    known: dict[Key, str] = {}
    for agency, state in states.items():
        for table, source_id, own in _own_keys(state):
            person = person_of[agency].get(f"{table}|{own}")
            if person is not None:
                known[(agency, source_id)] = person
    return known


def _own_keys(state: Path) -> Iterable[tuple[str, str, str]]:
    with sqlite3.connect(f"file:{state}?mode=ro", uri=True) as memory:
        rows: list[tuple[str, str, str]] = memory.execute(
            "select b.name, s.id, coalesce(s.own, s.id) from sent s join block b on b.n = s.block"
        ).fetchall()
    return rows


def _pairs(sizes: Iterable[int]) -> int:
    return sum(n * (n - 1) // 2 for n in sizes)
