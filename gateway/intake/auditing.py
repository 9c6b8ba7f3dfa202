"""Holds what the index says against the signed lines it came from, so that an edited row is found.

Of each batch: its lines are those whose root the log's entry of it names; and every version of a
record that is kept of it says what its line says. A row that was taken away leaves no trace here.

Source: trust.md 3.5 (changes index rows directly); 5, row 8.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.index import auditable
from gateway.index.auditable import Kept
from gateway.intake import store, store_audit
from gateway.intake.model import Batch
from gateway.ledger import query as ledger
from keys import merkle
from keys.canonical import read_json
from keys.vault import Vault
from schemas.errors import LineRefused
from schemas.line import BatchParser, LineParser, Parsed
from schemas.records.registry import schema_of

_STEP = 1000


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit found.

    Attributes:
        batches, records: how many were looked at.
        forged: batches whose kept lines are not those that the log accepted, as (agency, stream,
            epoch, seq).
        differing: rows that say something else than their line, as (that place, line from 0).
    """

    batches: int
    records: int
    forged: tuple[tuple[str, str, int, int], ...]
    differing: tuple[tuple[tuple[str, str, int, int], int], ...]


def audit(session: Session, one_in: int, which: int, vault: Vault) -> Audited:
    """Looks at one in so many batches; `which` share of them (from 0) it is this time."""
    records, batches = 0, 0
    forged, differing = [], []
    for batch_id in store_audit.some(session, one_in, which):
        batch = store.get(session, batch_id)
        if batch is None:
            continue
        batches += 1
        place = (batch.agency, batch.stream, batch.epoch, batch.seq)
        said = _read(session, batch, vault)
        if said is None:
            forged.append(place)
            continue
        kept = auditable.kept_of(session, batch.id, vault)
        records += len(kept)
        differing += [(place, each.line) for each in kept if not _agrees(each, said)]
    return Audited(batches, records, tuple(forged), tuple(differing))


def _read(session: Session, batch: Batch, vault: Vault) -> dict[int, Parsed | None] | None:
    """The lines of a batch as they are read, by number; None where they are not what was accepted.

    A line that was erased by law is left out, its leaf hash stays; one that is refused is None.
    """
    parser = BatchParser(LineParser(schema_of(batch.schema)), batch.version)
    leaves: list[bytes] = []
    said: dict[int, Parsed | None] = {}
    for start in range(0, batch.count, _STEP):
        rows = store.lines(session, batch.id, start, start + _STEP)
        leaves += [bytes(row.leaf) for row in rows]
        for row, line in zip(*_opened(batch, rows, vault), strict=True):
            if merkle.leaf_hash(line) != row.leaf:
                return None
            said[row.i] = _parsed(parser, line)
    entry = read_json(ledger.entry(session, batch.leaf))
    return said if merkle.root(leaves).hex() == entry["root"] else None


def _opened(batch: Batch, rows: list[Row[Any]], vault: Vault) -> tuple[list[Row[Any]], list[bytes]]:
    there = [row for row in rows if row.ct is not None]
    aads = [batch.place.aad(row.i) for row in there]
    return there, vault.open_many(batch.place.scope, aads, [row.ct for row in there])


def _parsed(parser: BatchParser, line: bytes) -> Parsed | None:
    try:
        return parser.parse(line)
    except LineRefused:
        return None


def _agrees(kept: Kept, said: Mapping[int, Parsed | None]) -> bool:
    """Whether a row says what its line says; of an erased line nothing can be said."""
    if kept.line not in said:
        return True
    line = said[kept.line]
    if line is None:
        return False
    there = (line.id, line.v, line.content_hash(), line.op == "del", line.values)
    return there == (kept.source_id, kept.v, kept.content, kept.withdrawn, kept.values)
