"""`accept`: records a second that a real gateway takes in signed batches of 5,000 persons.

Each of two client processes speaks for an agency of its own, since a stream is one line. All that
acceptance is takes place: signature, decompression, Merkle root, sealing of each line, durable
commit. The limit is the rate at which the same sealed lines go by COPY into a table of the same
shape, from two processes, with a commit as often.
"""

import time
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text

from bench import agency, clients
from bench.clients import Span
from bench.figure import Figure
from bench.lab import BenchFailed, House, Lab, house, serving
from bench.people import line, people

CLIENTS = 2
BAR = 20_000
_TWIN = "bench_line"
_INTO = "copy bench_line (batch_id, i, leaf, ct) from stdin (format binary)"
_FROM = (
    "copy (select batch_id, i, leaf, ct from batch_line where batch_id = %s order by i)"
    " to stdout (format binary)"
)


def run(lab: Lab) -> list[Figure]:
    """Measure acceptance, then COPY."""
    size, batches = lab.size(5_000, 200), lab.size(24, 2)
    with house(lab, "accept") as centre:
        files = [_prepare(centre, f"bench-{n}", (size, batches)) for n in range(CLIENTS)]
        with serving(centre):
            seconds = clients.together(
                clients.put_all, [(centre.settings.origin, [path]) for path in files]
            )
        limit = _copy_rate(centre, (size, batches))
    rate = CLIENTS * size * batches / seconds
    return [
        Figure(
            name="accept",
            value=round(rate),
            unit="records/s",
            limit_value=round(limit),
            ratio=round(rate / limit, 3),
            bar=BAR,
            holds=rate >= BAR,
        )
    ]


def _prepare(centre: House, code: str, sizes: tuple[int, int]) -> Path:
    """Enrol an agency and seal its batches into a file."""
    size, batches = sizes
    who = agency.enrol(centre, code)
    persons = enumerate(people(size * batches, seed=len(code)))
    chunks = (
        [line(f"p.{n:07d}", agency.version(seq), values) for n, values in islice(persons, size)]
        for seq in range(1, batches + 1)
    )
    return agency.keep(centre.folder / f"{code}.puts", who, list(agency.sealed(who, chunks)))


def _copy_rate(centre: House, sizes: tuple[int, int]) -> float:
    """Rows a second by COPY BINARY into a table like `batch_line`, with its keys."""
    with centre.sessions.begin() as session:
        session.execute(text(f"create table {_TWIN} (like batch_line including all)"))
        session.execute(
            text(f"alter table {_TWIN} add foreign key (batch_id) references batch (id)")
        )
        ids = list(session.scalars(text("select id from batch order by id")))
    each = len(ids) // CLIENTS
    given = [
        (centre.settings.database_url, ids[n * each : (n + 1) * each], sizes[0])
        for n in range(CLIENTS)
    ]
    return sizes[0] * each * CLIENTS / clients.together(copy_all, given)


def copy_all(database_url: str, batches: list[UUID], size: int) -> Span:
    """A client process: the stored lines of some batches once more, into the twin table.

    They are read in COPY's own form beforehand, so that nothing but COPY is measured.
    """
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        given = [_read(cursor, batch_id) for batch_id in batches]
        connection.commit()
        clients.wait_for_all()
        began, rows = time.monotonic(), 0
        for data in given:
            with cursor.copy(_INTO) as copy:
                copy.write(data)
            rows += cursor.rowcount
            connection.commit()
        ended = time.monotonic()
    if rows != size * len(batches):
        raise BenchFailed("not every line that was accepted is stored")
    return Span(began, ended)


def _read(cursor: psycopg.Cursor[Any], batch_id: UUID) -> bytes:
    with cursor.copy(_FROM, (batch_id,)) as copy:
        return b"".join(bytes(block) for block in copy)
