"""The log's tables: what waits, what is in the log, its tiles, and the checkpoints signed."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    DateTime,
    Identity,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    cast,
    event,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from gateway.ledger.model import CHANNEL, Head, LogIndex, LogState
from gateway.ledger.tiles import TileRow
from gateway.storage.base import metadata
from gateway.storage.quick import Quick

log_pending = Table(
    "log_pending",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("entry", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)
log_entry = Table(
    "log_entry",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
    # Not unique: the same words said twice are two leaves, and must not stop the integrator.
    Column("leaf", LargeBinary, nullable=False, index=True),
)
log_tile = Table(
    "log_tile",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("width", SmallInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
log_head = Table(
    "log_head",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("signed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
# Hashes do not compress; PostgreSQL need not try.
event.listen(
    log_tile,
    "after_create",
    DDL("alter table log_tile alter column data set storage external"),  # type: ignore[no-untyped-call]
)

_LOCK = 0x746974_6C6F67  # "tit" "log"
_TAKE = text(
    "with taken as (delete from log_pending where id in"
    " (select id from log_pending order by id limit :limit) returning id, entry, leaf)"
    " insert into log_entry (idx, entry, leaf)"
    " select :size - 1 + row_number() over (order by id), entry, leaf from taken"
    " returning idx, leaf"
)
_OURS = text(
    "select xmin::text = (pg_current_xact_id()::text::numeric % 4294967296)::text"
    " from log_entry where idx = :idx"
)


# Built once: every fact that is logged goes this way.
_ADD_ONE = Quick(
    log_pending.insert().returning(func.pg_notify(CHANNEL, "").label("told")), "entry", "leaf"
)
_HEAD = select(log_head).order_by(log_head.c.size.desc()).limit(1)
_NEWEST = Quick(_HEAD)


def add_pending(session: Session, rows: Sequence[tuple[bytes, bytes]]) -> None:
    """Put (entry, leaf) pairs in the queue, in order; their commit wakes the integrator."""
    if len(rows) == 1:
        _ADD_ONE.one(session, {"entry": rows[0][0], "leaf": rows[0][1]})
        return
    session.execute(log_pending.insert(), [{"entry": e, "leaf": leaf} for e, leaf in rows])
    session.execute(select(func.pg_notify(CHANNEL, "")))


def lock(session: Session) -> None:
    """Be the only integrator until the transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def size(session: Session) -> int:
    """How many entries have their index, signed or not yet."""
    return session.scalar(select(func.coalesce(func.max(log_entry.c.idx) + 1, 0))) or 0


def take_pending(session: Session, start: int, limit: int) -> list[bytes]:
    """Move committed entries from the queue to indexes from `start`; their leaves in order."""
    rows = session.execute(_TAKE, {"size": start, "limit": limit}).all()
    return [leaf for _, leaf in sorted(tuple(row) for row in rows)]


def is_uncommitted(session: Session, index: int) -> bool:
    """Whether the entry was given its index by the current transaction."""
    return bool(session.scalar(_OURS, {"idx": index}))


def get_tiles(
    session: Session, wanted: Collection[tuple[int, int]]
) -> dict[tuple[int, int], bytes]:
    """The data of those of the wanted tiles (level, n) that exist."""
    if not wanted:
        return {}
    rows = session.execute(
        select(log_tile.c.level, log_tile.c.n, log_tile.c.data).where(
            tuple_(log_tile.c.level, log_tile.c.n).in_(list(wanted))
        )
    )
    return {(row.level, row.n): row.data for row in rows}


def put_tiles(session: Session, tiles: Sequence[TileRow]) -> None:
    """Store tiles; one that grew replaces its narrower self."""
    statement = insert(log_tile)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[log_tile.c.level, log_tile.c.n],
            set_={"width": statement.excluded.width, "data": statement.excluded.data},
        ),
        [{"level": t.level, "n": t.n, "width": t.width, "data": t.data} for t in tiles],
    )


def get_head(session: Session) -> Head | None:
    """The newest signed checkpoint."""
    row = _NEWEST.one(session, {})
    if row is None:
        return None
    return Head(LogState(row.size, row.root, row.signed_at), row.note.encode("utf-8"))


def head_before(session: Session, moment: datetime) -> Head | None:
    """The newest checkpoint that was signed before a moment."""
    row = session.execute(_HEAD.where(log_head.c.signed_at < moment)).one_or_none()
    if row is None:
        return None
    return Head(LogState(row.size, row.root, row.signed_at), row.note.encode("utf-8"))


def find_head(session: Session, count: int) -> Head | None:
    """The signed checkpoint of just that size."""
    row = session.execute(select(log_head).where(log_head.c.size == count)).one_or_none()
    if row is None:
        return None
    return Head(LogState(row.size, row.root, row.signed_at), row.note.encode("utf-8"))


def add_head(session: Session, count: int, root: bytes, note: bytes) -> Head:
    """Keep a signed checkpoint; signing the same size again changes nothing."""
    session.execute(
        insert(log_head)
        .values(size=count, root=root, note=note.decode("utf-8"))
        .on_conflict_do_nothing()
    )
    found = get_head(session)
    assert found is not None  # noqa: S101 -- just inserted
    return found


def find_leaves(session: Session, leaves: Collection[bytes]) -> dict[bytes, int]:
    """The indexes of those of the leaves that have one."""
    rows = session.execute(
        select(log_entry.c.leaf, func.max(log_entry.c.idx))
        .where(log_entry.c.leaf == func.any(cast(list(leaves), ARRAY(LargeBinary))))
        .group_by(log_entry.c.leaf)
    )
    return {leaf: int(index) for leaf, index in rows}


def find_leaf(session: Session, leaf: bytes) -> LogIndex | None:
    """The first index under which the leaf is in the log."""
    found = session.scalar(
        select(log_entry.c.idx).where(log_entry.c.leaf == leaf).order_by(log_entry.c.idx).limit(1)
    )
    return None if found is None else LogIndex(found)


def is_pending(session: Session, leaf: bytes) -> bool:
    """Whether the leaf waits for its index."""
    return bool(
        session.scalar(select(select(log_pending.c.id).where(log_pending.c.leaf == leaf).exists()))
    )


def get_entry(session: Session, leaf: bytes) -> bytes | None:
    """The entry of the leaf, in the log or waiting."""
    placed = select(log_entry.c.entry).where(log_entry.c.leaf == leaf)
    waiting = select(log_pending.c.entry).where(log_pending.c.leaf == leaf)
    return session.scalar(placed.union_all(waiting).limit(1))


def get_entries(session: Session, start: int, stop: int) -> list[bytes]:
    """Entries of the indexes [start, stop), in order, as far as there are any."""
    return list(
        session.scalars(
            select(log_entry.c.entry)
            .where(log_entry.c.idx >= start, log_entry.c.idx < stop)
            .order_by(log_entry.c.idx)
        )
    )


def read_all(session: Session, stop: int, chunk: int) -> Iterator[list[tuple[int, bytes, bytes]]]:
    """All (idx, entry, leaf) below `stop` in order, in chunks of `chunk` rows."""
    for start in range(0, stop, chunk):
        rows = session.execute(
            select(log_entry.c.idx, log_entry.c.entry, log_entry.c.leaf)
            .where(log_entry.c.idx >= start, log_entry.c.idx < min(stop, start + chunk))
            .order_by(log_entry.c.idx)
        )
        yield [(row.idx, row.entry, row.leaf) for row in rows]


def count_pending(session: Session) -> int:
    """How many entries wait for their index."""
    return session.scalar(select(func.count()).select_from(log_pending)) or 0
