"""An ordinary week: the rows that the agencies enter anew, and what the stewards get to do by it.

A year's stock turns over in a year, so a week brings a fifty-second part of it. Those rows are
taken out of the agencies' own databases before the first publication and put back afterwards; they
are of the same make as all others.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from demo.city.build import City
from gateway.stewards.model import kinds
from gateway.stewards.query import OURS

WEEKS = 52
_TABLES: Mapping[str, Sequence[str]] = {
    "baz": ("mustahik", "penyaluran"),
    "dstk": ("pls_art", "dtks_2021", "pmks"),
}
AGENCIES = tuple(_TABLES)
"""The agencies whose week it is: those with a database that people type into."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows of one table that are not entered yet."""

    path: Path
    table: str
    rows: Sequence[tuple[object, ...]]


def hold_back(city: City) -> list[Kept]:
    """Take every fifty-second row out of the agencies' tables."""
    kept = []
    for agency, tables in _TABLES.items():
        path = {"baz": city.baz, "dstk": city.dstk}[agency]
        with sqlite3.connect(path) as database:
            for table in tables:
                chosen = f"from {table} where rowid % {WEEKS} = 1"
                rows = database.execute(f"select * {chosen}").fetchall()
                database.execute(f"delete {chosen}")
                kept.append(Kept(path, table, rows))
    return kept


def enter(kept: Sequence[Kept]) -> int:
    """Put the rows into the agencies' tables; how many they are."""
    for some in kept:
        with sqlite3.connect(some.path) as database:
            places = ", ".join("?" * len(some.rows[0]))
            insert = f"insert into {some.table} values ({places})"  # noqa: S608  (our own tables)
            database.executemany(insert, some.rows)
    return sum(len(some.rows) for some in kept)


def new_tasks(session: Session, since: datetime) -> int:
    """How many tasks for the stewards were opened since, closed again or not."""
    ours = [k.code for k in kinds().values() if k.to in OURS]
    query = text("select count(*) from task where kind = any(:kinds) and opened_at > :since")
    return session.scalar(query, {"kinds": ours, "since": since}) or 0


def standing_tasks(session: Session) -> dict[str, int]:
    """How many tasks stand, by kind."""
    rows = session.execute(
        text("select kind, count(*) from task where closed_at is null group by kind order by kind")
    )
    return {row[0]: row[1] for row in rows}
