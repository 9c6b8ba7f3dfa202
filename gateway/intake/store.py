"""The tables of intake, and every statement that touches them. Never commits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from gateway.intake.model import Batch, Disposition, Head, Hold, State
from gateway.storage import bulk
from gateway.storage.base import metadata
from gateway.storage.quick import Quick

stream_head = Table(
    "stream_head",
    metadata,
    Column("agency", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("payload_sha256", LargeBinary, nullable=False),
    Column("leaf", LargeBinary),
    Column("suspended", Text),
    Column("restart", Boolean, nullable=False, server_default="false"),
    PrimaryKeyConstraint("agency", "stream"),
)
"""One row a stream; its lock puts the batches of a stream into one line. `restart` allows a new
epoch."""

batch = Table(
    "batch",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("agency", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("record_type", Text, nullable=False),
    Column("schema", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload_sha256", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("count", Integer, nullable=False),
    Column("as_of", DateTime(timezone=True), nullable=False),
    Column("accepted_at", DateTime(timezone=True), nullable=False),
    Column("max_reject", Double, nullable=False),
    Column("kid", Text, nullable=False),
    Column("snapshot", Text),
    Column("confirms", LargeBinary),
    Column("envelope", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("hold", Text),
    # The state to come back to, and the revocation or departure that led into quarantine.
    Column("was", Text),
    Column("quarantined_by", BigInteger, index=True),
    Column("withdrawn_by", BigInteger, index=True),
    Column("counts", JSONB),
    Column("result", LargeBinary),
    Column("applied_at", DateTime(timezone=True)),
    UniqueConstraint("agency", "stream", "epoch", "seq"),
    Index("ix_batch_agency_accepted_at", "agency", "accepted_at"),
    Index("ix_batch_waiting", "agency", "stream", postgresql_where=text("state = 'accepted'")),
    Index("ix_batch_snapshot", "snapshot", postgresql_where=text("snapshot is not null")),
)

batch_line = Table(
    "batch_line",
    metadata,
    Column("batch_id", Uuid, ForeignKey(batch.c.id), nullable=False),
    Column("i", Integer, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("ct", LargeBinary),
    PrimaryKeyConstraint("batch_id", "i"),
)
"""Each line is sealed on its own, so one person's line can go while its leaf hash stays."""

disposition = Table(
    "disposition",
    metadata,
    Column("batch_id", Uuid, ForeignKey(batch.c.id), nullable=False),
    Column("n", Integer, nullable=False),
    Column("i", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("field", Text),
    PrimaryKeyConstraint("batch_id", "n"),
)

fork_evidence = Table(
    "fork_evidence",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("agency", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("ours", LargeBinary),
    Column("theirs", LargeBinary, nullable=False),
    Column("theirs_sha256", LargeBinary, nullable=False),
    UniqueConstraint("agency", "stream", "epoch", "seq", "theirs_sha256"),
)
"""`ours` is the envelope we had accepted, `theirs` the one that cannot stand beside it."""


def head(session: Session, agency: str, stream: str) -> Head | None:
    """The head of a stream, not locked."""
    return _head(session.execute(_HEAD, {"a": agency, "s": stream}).one_or_none())


def lock_head(session: Session, first: Head, agency: str, stream: str) -> tuple[Head, bool]:
    """The head, locked until the transaction ends, and whether a new epoch may begin.

    A stream that has none gets `first`.
    """
    found = _LOCK_HEAD.one(session, {"a": agency, "s": stream})
    if found is None:
        session.execute(
            insert(stream_head)
            .values(
                agency=agency,
                stream=stream,
                epoch=first.epoch,
                seq=first.seq,
                payload_sha256=first.payload_sha256,
            )
            .on_conflict_do_nothing()
        )
        found = _LOCK_HEAD.one(session, {"a": agency, "s": stream})
    return _head(found) or first, bool(found.restart)


def set_suspended(
    session: Session, agency: str, stream: str, reason: str | None, *, restart: bool = False
) -> None:
    """Stop a stream for `reason`, or let it go on (None)."""
    session.execute(
        update(stream_head)
        .where(stream_head.c.agency == agency, stream_head.c.stream == stream)
        .values(suspended=reason, restart=restart)
    )


@dataclass(frozen=True, slots=True)
class Stored:
    """What a repeated batch is answered with, and measured against."""

    payload_sha256: bytes
    envelope: bytes
    receipt: bytes


def stored(session: Session, place: tuple[str, str, int, int]) -> Stored | None:
    """The batch accepted at (agency, stream, epoch, seq)."""
    row = session.execute(
        select(batch.c.payload_sha256, batch.c.envelope, batch.c.receipt).where(*_at(place))
    ).one_or_none()
    return None if row is None else Stored(row.payload_sha256, row.envelope, row.receipt)


def add_batch(
    session: Session, values: Mapping[str, Any], few: Sequence[tuple[int, bytes, bytes]]
) -> UUID:
    """A new batch, its lines where they are few (i, leaf, ct), and the locked head moved on to it.

    One round trip, since batches of one record are most of all. Returns the batch's id.
    """
    lines = {
        "i": [i for i, _, _ in few],
        "leaves": [leaf for _, leaf, _ in few],
        "cts": [ct for _, _, ct in few],
    }
    with bulk.cursor(session) as cur:
        cur.execute(_ADD_BATCH, {**values, **lines})
        row = cur.fetchone()
    if row is None:
        raise LookupError("a batch without an id")
    made: UUID = row[0]
    return made


def copy_lines(session: Session, rows: Iterable[tuple[UUID, int, bytes, bytes]]) -> None:
    """The same for many, streamed."""
    columns = [("batch_id", "uuid"), ("i", "int4"), ("leaf", "bytea"), ("ct", "bytea")]
    bulk.copy_rows(session, batch_line.name, columns, rows)


def lines(session: Session, batch_id: UUID, start: int, stop: int) -> list[Row[Any]]:
    """(i, leaf, ct) of lines `start` to `stop` (exclusive), ascending; `ct` None where erased."""
    wanted = {"batch_id": batch_id, "start": start, "stop": stop}
    return list(session.execute(_LINES, wanted).all())


def get(session: Session, batch_id: UUID, *, lock: bool = False) -> Batch | None:
    """A batch, locked until the transaction ends if asked."""
    query = select(*_BATCH).where(batch.c.id == batch_id)
    return _batch(session.execute(query.with_for_update() if lock else query).one_or_none())


def leaf_of(session: Session, batch_id: UUID) -> bytes:
    """The leaf of the entry that says it was accepted."""
    return bytes(session.scalars(select(batch.c.leaf).where(batch.c.id == batch_id)).one())


def find(session: Session, place: tuple[str, str, int, int], *, lock: bool = False) -> Batch | None:
    """The batch at (agency, stream, epoch, seq), locked until the transaction ends if asked."""
    query = select(*_BATCH).where(*_at(place))
    return _batch(session.execute(query.with_for_update() if lock else query).one_or_none())


def find_held(
    session: Session, agency: str, stream: str, payload_sha256: bytes, *, lock: bool = False
) -> Batch | None:
    """The batch of that hash which waits for a confirmation."""
    query = select(*_BATCH).where(
        batch.c.agency == agency,
        batch.c.stream == stream,
        batch.c.payload_sha256 == payload_sha256,
        batch.c.state == State.HELD.value,
        batch.c.hold == Hold.MASS_DELETE.value,
    )
    return _batch(session.execute(query.with_for_update() if lock else query).one_or_none())


def set_state(session: Session, batch_id: UUID, state: State, hold: Hold | None = None) -> None:
    session.execute(
        update(batch).where(batch.c.id == batch_id).values(state=state.value, hold=hold)
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the application of a batch ended."""

    state: State
    hold: Hold | None
    counts: Mapping[str, int]
    result: bytes
    at: datetime


def put_outcome(session: Session, batch_id: UUID, outcome: Outcome) -> None:
    session.execute(
        update(batch)
        .where(batch.c.id == batch_id)
        .values(
            state=outcome.state.value,
            hold=outcome.hold,
            counts=dict(outcome.counts),
            result=outcome.result,
            applied_at=outcome.at,
        )
    )


def put_dispositions(session: Session, batch_id: UUID, found: Sequence[Disposition]) -> None:
    """What was found about a batch's records, in place of what stood there."""
    session.execute(disposition.delete().where(disposition.c.batch_id == batch_id))
    rows = [(batch_id, n, d.i, d.code, d.level, d.field) for n, d in enumerate(found)]
    bulk.put_rows(session, disposition, ("batch_id", "n", "i", "code", "level", "field"), rows)


def dispositions(session: Session, batch_id: UUID, after: int, limit: int) -> list[Disposition]:
    """Dispositions from number `after` on (exclusive), at most `limit`, in their order."""
    rows = session.execute(
        select(disposition.c.i, disposition.c.code, disposition.c.level, disposition.c.field)
        .where(disposition.c.batch_id == batch_id, disposition.c.n > after)
        .order_by(disposition.c.n)
        .limit(limit)
    )
    return [Disposition(*row) for row in rows]


def add_fork(session: Session, values: Mapping[str, Any]) -> None:
    """Both envelopes; a newcomer that came before is not kept twice."""
    session.execute(insert(fork_evidence).values(**values).on_conflict_do_nothing())


def result(session: Session, place: tuple[str, str, int, int]) -> tuple[Batch, bytes | None] | None:
    """The batch at a place and its result statement, if it has one yet."""
    row = session.execute(select(*_BATCH, batch.c.result).where(*_at(place))).one_or_none()
    made = _batch(row)
    return None if made is None or row is None else (made, row.result)


def sent(session: Session) -> Sequence[Row[Any]]:
    """Per agency: its newest batch's `accepted_at`; how many `batches`, `records`, `refused`."""
    return session.execute(_SENT).all()


def sums(session: Session) -> Row[Any]:
    """Over all batches: `batches`, `records`, how many were `applied`, how many `refused`."""
    return session.execute(_SUMS).one()


def _at(place: tuple[str, str, int, int]) -> tuple[Any, ...]:
    agency, stream, epoch, seq = place
    return (
        batch.c.agency == agency,
        batch.c.stream == stream,
        batch.c.epoch == epoch,
        batch.c.seq == seq,
    )


def _head(row: Row[Any] | None) -> Head | None:
    if row is None:
        return None
    return Head(row.epoch, row.seq, row.payload_sha256, row.leaf, row.suspended)


def _batch(row: Any) -> Batch | None:
    if row is None:
        return None
    values = {name: getattr(row, name) for name in Batch.__dataclass_fields__}
    values["state"] = State(row.state)
    values["hold"] = None if row.hold is None else Hold(row.hold)
    return Batch(**values)


_BATCH = tuple(batch.c[name] for name in Batch.__dataclass_fields__)
_HEAD = text(
    "select epoch, seq, payload_sha256, leaf, suspended, restart from stream_head"
    " where agency = :a and stream = :s"
)
_LOCK_HEAD = Quick(text(_HEAD.text + " for update"))
_NEW = (
    *("agency", "stream", "epoch", "seq", "record_type", "schema", "kind", "payload_sha256"),
    *("root", "count", "as_of", "accepted_at", "max_reject", "kid", "snapshot", "confirms"),
    *("envelope", "leaf", "receipt", "state"),
)
_ADD_BATCH = (
    "with made as (insert into batch ("  # noqa: S608  (our own column names)
    + ", ".join(_NEW)
    + ") values ("
    + ", ".join(f"%({name})s" for name in _NEW)
    + ") returning id),"
    " put as (insert into batch_line (batch_id, i, leaf, ct)"
    " select made.id, u.i, u.leaf, u.ct from made,"
    " unnest(%(i)s::int4[], %(leaves)s::bytea[], %(cts)s::bytea[]) u(i, leaf, ct)),"
    " moved as (update stream_head set epoch = %(epoch)s, seq = %(seq)s,"
    " payload_sha256 = %(payload_sha256)s, leaf = %(leaf)s,"
    " restart = restart and epoch = %(epoch)s"
    " where agency = %(agency)s and stream = %(stream)s)"
    " select id from made"
)
_LINES = text(
    "select i, leaf, ct from batch_line"
    " where batch_id = :batch_id and i >= :start and i < :stop order by i"
)
_SENT = text(
    "select agency, max(accepted_at) as accepted_at, count(*) as batches,"
    " coalesce(sum(count), 0) as records,"
    " coalesce(sum((counts->>'rejected')::int), 0) as refused from batch group by agency"
)
_SUMS = text(
    "select count(*) as batches, coalesce(sum(count), 0) as records,"
    " coalesce(sum((counts->>'applied')::int + (counts->>'unchanged')::int"
    "  + (counts->>'superseded')::int + (counts->>'tombstoned')::int), 0) as applied,"
    " coalesce(sum((counts->>'rejected')::int), 0) as refused from batch"
)
