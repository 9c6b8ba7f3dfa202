"""SQL of the history: versions that said nothing new, batches under suspicion, trusted versions.

A record's history is its assertions and its repetitions; each has the batch that it came in. Which
of them is live follows from the history and from which batches are trusted, and from nothing else.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Uuid,
)
from sqlalchemy.orm import Session

from gateway.index.arrivals import Arrival, Origin
from gateway.index.store_assertions import Head
from gateway.storage import bulk
from gateway.storage.base import metadata

repetition = Table(
    "repetition",
    metadata,
    Column("record_id", BigInteger, nullable=False),
    Column("v", BigInteger, nullable=False),
    Column("batch_id", Uuid, nullable=False, index=True),
    Column("line_i", Integer, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("as_of", DateTime(timezone=True), nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("record_id", "v"),
)
"""A version that repeats the one before it: it bears witness to it, should that one fall."""

unjudged = Table(
    "unjudged",
    metadata,
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    Column("batch_id", Uuid, nullable=False, index=True),
)
"""Records whose live version must be found anew, and the batch for which."""

_REPETITION = ("record_id", "v", "batch_id", "line_i", "leaf", "as_of", "content")


class Standing(NamedTuple):
    """How a record stands, and the newest trusted version that it should stand on.

    Attributes:
        assertion_id: the live one, `content` and `v` those of the newest version counted.
        best_v: None if no version of it is trusted; then so are the fields after it.
        word: the newest trusted assertion that says what `best_content` says, None if only
            suspect ones do; `withdrawn` and `word_batch` are its.
    """

    record_id: int
    source_id: str
    v: int
    as_of: datetime
    content: bytes
    assertion_id: int | None
    best_v: int | None
    best_as_of: datetime | None
    best_content: bytes | None
    word: int | None
    withdrawn: bool | None


class Spoken(NamedTuple):
    """An assertion that is about to be live: what is needed to open it."""

    record_id: int
    assertion_id: int
    source_id: str
    v: int
    as_of: datetime
    content: bytes
    clear: Mapping[str, Any]
    sealed: bytes | None
    period: int
    batch_id: UUID


class Echo(NamedTuple):
    """A trusted repetition, and the suspect assertion that says the same in full."""

    record_id: int
    source_id: str
    v: int
    batch_id: UUID
    line_i: int
    leaf: bytes
    as_of: datetime
    content: bytes
    withdrawn: bool
    clear: Mapping[str, Any]
    sealed: bytes | None
    from_v: int
    from_period: int


def add_repetitions(session: Session, origin: Origin, again: Sequence[tuple[int, Arrival]]) -> None:
    """Versions (record, arrival) that said nothing new."""
    rows = [
        (
            *(record_id, a.v, origin.batch_id, a.i, a.leaf),
            *(origin.as_of if a.as_of is None else a.as_of, a.content),
        )
        for record_id, a in again
    ]
    bulk.put_rows(session, repetition, _REPETITION, rows)


def suspect(session: Session, since: Mapping[UUID, datetime]) -> None:
    """No version from these batches counts any more; since when each is in doubt."""
    query = (
        "update source_batch b set suspect_since = n.since"
        " from unnest(%s::uuid[], %s::timestamptz[]) n(id, since) where b.batch_id = n.id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(since), list(since.values())))


def withdraw(session: Session, batch_ids: Collection[UUID]) -> None:
    """It is their agency that has taken these batches back; none is in doubt."""
    query = "update source_batch set withdrawn = true where batch_id = any(%s)"
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(batch_ids),))


def trust(session: Session, batch_ids: Collection[UUID]) -> None:
    """Versions from these batches count again."""
    query = (
        "update source_batch set suspect_since = null, withdrawn = false where batch_id = any(%s)"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(batch_ids),))


def queue(session: Session, batch_ids: Collection[UUID]) -> dict[UUID, int]:
    """Note every record that has a version from these batches; how many for each batch."""
    query = (
        "with said as (select record_id, batch_id from assertion where batch_id = any(%(ids)s)"
        "  union all select record_id, batch_id from repetition where batch_id = any(%(ids)s)),"
        " put as (insert into unjudged (record_id, batch_id)"
        "  select record_id, (array_agg(batch_id order by batch_id))[1] from said"
        "  group by record_id on conflict do nothing returning batch_id)"
        " select batch_id, count(*) from put group by batch_id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, {"ids": list(batch_ids)}, binary=True)
        return dict(cur.fetchall())


def next_unjudged(session: Session, batch_id: UUID, limit: int) -> list[int]:
    """Records noted for a batch, locked together with what is known of them, ascending."""
    query = (
        "select r.id from source_record r join unjudged u on u.record_id = r.id"
        " where u.batch_id = %s order by r.id limit %s for update of r"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (batch_id, limit), binary=True)
        return [row[0] for row in cur]


def drop_unjudged(session: Session, record_ids: Sequence[int]) -> None:
    with bulk.cursor(session) as cur:
        cur.execute("delete from unjudged where record_id = any(%s)", (list(record_ids),))


def count_unjudged(session: Session, batch_ids: Collection[UUID]) -> int:
    """How many records are still noted for these batches."""
    return _count(session, "unjudged", batch_ids)


def is_judged(session: Session, agency: str) -> bool:
    """Whether no record of the agency waits for its live version to be found anew."""
    query = (
        "select not exists (select from unjudged u join source_record r on r.id = u.record_id"
        " where r.agency = %s)"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (agency,))
        row = cur.fetchone()
    return row is None or bool(row[0])


def count_touched(session: Session, batch_ids: Collection[UUID]) -> int:
    """How many records have still to be linked on account of these batches."""
    return _count(session, "touched", batch_ids)


def standings(session: Session, record_ids: Sequence[int]) -> list[Standing]:
    """How these records stand and what they should stand on, ids ascending."""
    with bulk.cursor(session) as cur:
        cur.execute(_STANDINGS, (list(record_ids),), binary=True)
        return [Standing(*row) for row in cur]


def echoes(session: Session, versions: Sequence[tuple[int, int]]) -> list[Echo]:
    """Repetitions by (record, version), each with the newest assertion before it of its content."""
    query = (
        "select distinct on (p.record_id) p.record_id, r.source_id, p.v, p.batch_id, p.line_i,"
        " p.leaf, p.as_of, p.content, a.withdrawn, a.clear, a.sealed, a.v, a.period"
        " from unnest(%s::int8[], %s::int8[]) w(record_id, v)"
        " join repetition p using (record_id, v) join source_record r on r.id = p.record_id"
        " join assertion a on a.record_id = p.record_id and a.v < p.v and a.content = p.content"
        " order by p.record_id, a.v desc"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, ([r for r, _ in versions], [v for _, v in versions]), binary=True)
        return [Echo(*row) for row in cur]


def drop_repetitions(session: Session, versions: Sequence[tuple[int, int]]) -> None:
    """Forget repetitions that are assertions now."""
    query = (
        "delete from repetition p using unnest(%s::int8[], %s::int8[]) w(record_id, v)"
        " where p.record_id = w.record_id and p.v = w.v"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, ([r for r, _ in versions], [v for _, v in versions]))


def spoken(session: Session, assertion_ids: Sequence[int]) -> list[Spoken]:
    """What these assertions say, as it is stored."""
    query = (
        "select a.record_id, a.id, r.source_id, a.v, a.as_of, a.content, a.clear, a.sealed,"
        " a.period, a.batch_id from assertion a join source_record r on r.id = a.record_id"
        " where a.id = any(%s) order by a.record_id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(assertion_ids),), binary=True)
        return [Spoken(*row) for row in cur]


def touch(session: Session, batch_id: UUID, record_ids: Sequence[int]) -> None:
    """Records whose links must be found anew; those that wait already wait once."""
    query = (
        "insert into touched (batch_id, record_id) select %s, unnest(%s::int8[])"
        " on conflict do nothing"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (batch_id, list(record_ids)))


def head_of(row: Standing, live: int | None) -> Head:
    """What a record stands on: its best version, or nothing ever heard."""
    if row.best_v is None or row.best_as_of is None or row.best_content is None:
        return Head(row.record_id, 0, row.as_of, b"", None)
    return Head(row.record_id, row.best_v, row.best_as_of, row.best_content, live)


def _count(session: Session, table: str, batch_ids: Collection[UUID]) -> int:
    query = f"select count(*) from {table} where batch_id = any(%s)"  # noqa: S608  (our own names)
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(batch_ids),))
        row = cur.fetchone()
    return int(row[0]) if row else 0


_STANDINGS = (
    "with asked as (select unnest(%s::int8[]) id),"
    " spoken as ("
    "  select a.record_id, a.v, a.as_of, a.content, a.batch_id, a.withdrawn, a.id word"
    "   from asked join assertion a on a.record_id = asked.id"
    "  union all select p.record_id, p.v, p.as_of, p.content, p.batch_id, null, null"
    "   from asked join repetition p on p.record_id = asked.id),"
    " trusted as (select s.* from spoken s left join source_batch b using (batch_id)"
    "  where b.suspect_since is null),"
    " best as (select distinct on (record_id) * from trusted order by record_id, v desc),"
    " said as (select distinct on (t.record_id) t.record_id, t.word, t.withdrawn"
    "  from trusted t join best using (record_id, content)"
    "  where t.word is not null and t.v <= best.v order by t.record_id, t.v desc)"
    " select r.id, r.source_id, r.v, r.as_of, r.content, r.assertion_id,"
    " best.v, best.as_of, best.content, said.word, said.withdrawn"
    " from asked join source_record r on r.id = asked.id"
    " left join best on best.record_id = r.id left join said on said.record_id = r.id"
    " order by r.id"
)
