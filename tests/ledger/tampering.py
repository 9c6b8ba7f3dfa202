"""Seeded changes of the log's tables by somebody who may write them; `verify` must see each."""

import random
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger import query
from gateway.ledger.model import LogDamaged
from keys.errors import TrustError
from tests.ledger.logging_room import Log

SIZE = 600
_FLIP = "set_byte({0}, :at, get_byte({0}, :at) # :bit)"


def grown(log: Log) -> Log:
    """The log with `SIZE` entries: two full tiles, and part of a third."""
    log.grow(range(SIZE))
    return log


def missed_in_tables(log: Log, seed: int, count: int) -> list[str]:
    """The changes, of `count`, after which the log was still called whole."""
    rng, missed = random.Random(seed), []
    with log.database.session() as session:
        assert query.verify(session, log.signer.vkey).size == SIZE
        for _ in range(count):
            name, change = rng.choice(sorted(_CHANGES.items()))
            with session.begin_nested() as savepoint:
                change(session, rng)
                if _is_whole(session, log):
                    missed.append(name)
                savepoint.rollback()
        assert query.verify(session, log.signer.vkey).size == SIZE
    return missed


def _is_whole(session: Session, log: Log) -> bool:
    try:
        query.verify(session, log.signer.vkey)
    except (LogDamaged, TrustError):
        return False
    return True


def _flip(table: str, column: str, where: str, length: int) -> Callable[..., None]:
    """Flip one bit of a value of at least `length` bytes."""

    def change(session: Session, rng: random.Random) -> None:
        values = {"at": rng.randrange(length), "bit": 1 << rng.randrange(8)}
        _run(
            session,
            f"update {table} set {column} = {_FLIP.format(column)} where {where}",
            {**values, "i": rng.randrange(SIZE)},
        )

    return change


def _entry_and_leaf(session: Session, rng: random.Random) -> None:
    """Another entry with its own leaf: only tiles and root tell."""
    values = {"i": rng.randrange(SIZE), "entry": rng.randbytes(40)}
    _run(
        session,
        "update log_entry set entry = :entry, leaf = sha256('\\x00'::bytea || :entry)"
        " where idx = :i",
        values,
    )


def _delete(session: Session, rng: random.Random) -> None:
    _run(session, "delete from log_entry where idx = :i", {"i": rng.randrange(SIZE)})


def _truncate(session: Session, rng: random.Random) -> None:
    _run(session, "delete from log_entry where idx >= :i", {"i": rng.randrange(1, SIZE)})


def _insert(session: Session, rng: random.Random) -> None:
    """One entry more in the middle; all that follow move on by one."""
    values = {"i": rng.randrange(SIZE), "entry": rng.randbytes(40)}
    _run(session, "update log_entry set idx = -idx - 2 where idx >= :i", values)
    _run(session, "update log_entry set idx = -idx - 1 where idx < 0", values)
    _run(
        session,
        "insert into log_entry (idx, entry, leaf)"
        " values (:i, :entry, sha256('\\x00'::bytea || :entry))",
        values,
    )


def _swap(session: Session, rng: random.Random) -> None:
    i, j = rng.sample(range(SIZE), 2)
    _run(session, "update log_entry set idx = -idx - 1 where idx in (:i, :j)", {"i": i, "j": j})
    _run(session, "update log_entry set idx = :s + 1 + idx where idx < 0", {"s": i + j})


def _substitute(session: Session, rng: random.Random) -> None:
    """The words of one entry, leaf and all, in the place of another."""
    i, j = rng.sample(range(SIZE), 2)
    _run(
        session,
        "update log_entry a set entry = b.entry, leaf = b.leaf from log_entry b"
        " where a.idx = :i and b.idx = :j",
        {"i": i, "j": j},
    )


def _tile_lost(session: Session, rng: random.Random) -> None:
    level, n = rng.choice(_TILES)
    _run(session, "delete from log_tile where level = :l and n = :n", {"l": level, "n": n})


def _tile_cut(session: Session, rng: random.Random) -> None:
    level, n = rng.choice(_TILES)
    values = {"l": level, "n": n, "keep": 32 * rng.randrange(2)}
    cut = "update log_tile set data = substring(data from 1 for :keep)"
    _run(session, f"{cut} where level = :l and n = :n", values)


def _tile_flipped(session: Session, rng: random.Random) -> None:
    level, n = rng.choice(_TILES)
    values = {"l": level, "n": n, "at": rng.randrange(64), "bit": 1 << rng.randrange(8)}
    flipped = _FLIP.format("data")
    _run(session, f"update log_tile set data = {flipped} where level = :l and n = :n", values)


def _note(session: Session, rng: random.Random) -> None:
    """One letter of the signed note."""
    row = session.execute(text("select note from log_head order by size desc limit 1")).scalar_one()
    at = rng.randrange(len(row))
    other = row[:at] + ("x" if row[at] != "x" else "y") + row[at + 1 :]
    _run(session, "update log_head set note = :note", {"note": other})


def _size(session: Session, rng: random.Random) -> None:
    _run(session, "update log_head set size = :i", {"i": rng.randrange(1, SIZE)})


def _run(session: Session, statement: str, values: dict[str, object]) -> None:
    assert session.execute(text(statement), values).rowcount > 0  # type: ignore[attr-defined]


_TILES = ((0, 0), (0, 1), (0, 2), (1, 0))
_CHANGES: dict[str, Callable[[Session, random.Random], None]] = {
    "an entry edited": _flip("log_entry", "entry", "idx = :i", 30),
    "a leaf edited": _flip("log_entry", "leaf", "idx = :i", 32),
    "the root edited": _flip("log_head", "root", ":i >= 0", 32),
    "an entry and its leaf edited": _entry_and_leaf,
    "an entry deleted": _delete,
    "the log truncated": _truncate,
    "an entry inserted": _insert,
    "two entries swapped": _swap,
    "an entry substituted": _substitute,
    "a tile deleted": _tile_lost,
    "a tile truncated": _tile_cut,
    "a tile edited": _tile_flipped,
    "the note edited": _note,
    "the size edited": _size,
}
