"""Snapshots: all records of a type at once, so that what is missing in them has gone.

A snapshot is `snapshot_begin`, its parts, `snapshot_end`, all in one stream; the end states how
many parts and records there were and the root over the parts' roots. Its numbers are checked when
it is accepted. What is missing is proposed as deleted only when every batch before its end has
been applied, whichever worker is the last; if that is too much at once it is held until the agency
confirms it.

Source: design/trust.md 2.3 and 2.6; domain.md 6.6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    UniqueConstraint,
    func,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from gateway.errors import Conflict, Refused
from gateway.intake import store
from gateway.intake.model import Batch, SnapshotState, State
from gateway.storage import bulk
from gateway.storage.base import metadata
from keys import merkle
from schemas.batch import BatchKind, BatchPayload
from schemas.batch import Snapshot as Named

snapshot = Table(
    "snapshot",
    metadata,
    Column("n", BigInteger, Identity(always=True), primary_key=True),
    Column("agency", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("record_type", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("begin_seq", BigInteger, nullable=False),
    Column("end_seq", BigInteger),
    Column("parts", Integer, nullable=False, server_default="0"),
    Column("total", BigInteger, nullable=False, server_default="0"),
    Column("roots", LargeBinary, nullable=False, server_default=text("''::bytea")),
    UniqueConstraint("agency", "stream", "id"),
    Index("ix_snapshot_ended", "agency", "stream", postgresql_where=text("state = 'ended'")),
)
"""`parts`, `total` and `roots` (32 bytes a part) are what has been accepted so far."""

snapshot_member = Table(
    "snapshot_member",
    metadata,
    Column("snapshot", BigInteger, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("refused", Boolean, nullable=False, server_default="false"),
    PrimaryKeyConstraint("snapshot", "source_id"),
)
"""The records that a snapshot holds, also those that were refused: they exist at the source.

Once the snapshot is done only these are kept: the others have a version in it.
"""

_OVER = (SnapshotState.OPEN.value, SnapshotState.HELD.value)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot whose end was accepted."""

    n: int
    id: str
    record_type: str
    epoch: int
    begin_seq: int
    end_seq: int

    @property
    def begin_version(self) -> int:
        """Records of this version or a later one are not older than the snapshot."""
        return self.epoch * 2**32 + self.begin_seq


def follow(session: Session, payload: BatchPayload) -> None:
    """Keep a snapshot's books while its batches are accepted; the stream's head is locked.

    Raises:
        Conflict: a part or an end of a snapshot that is not open (`snapshot.not_open`), or a
            begin whose id was used (`snapshot.known`).
        Refused: the end's figures are not those of the parts that came (`snapshot.totals`).
    """
    if payload.snapshot is None:
        return
    if payload.kind is BatchKind.SNAPSHOT_BEGIN:
        _begin(session, payload)
        return
    row = _open(session, payload)
    if row is None or row.record_type != payload.record_type or row.epoch != payload.epoch:
        raise Conflict(
            "snapshot.not_open",
            "No snapshot of this id and record type is open in this stream. Begin it anew.",
        )
    if payload.kind is BatchKind.SNAPSHOT:
        values: dict[str, Any] = {
            "parts": row.parts + 1,
            "total": row.total + payload.count,
            "roots": row.roots + bytes.fromhex(payload.root),
        }
    else:
        _check_totals(payload, row)
        values = {"state": SnapshotState.ENDED.value, "end_seq": payload.seq}
    session.execute(update(snapshot).where(snapshot.c.n == row.n).values(**values))


def number_of(session: Session, batch: Batch) -> int | None:
    """The snapshot that a batch is part of."""
    found: int | None = session.scalar(
        select(snapshot.c.n).where(
            snapshot.c.agency == batch.agency,
            snapshot.c.stream == batch.stream,
            snapshot.c.id == batch.snapshot,
        )
    )
    return found


def add_members(
    session: Session, number: int, source_ids: Sequence[str], *, refused: bool = False
) -> None:
    """Records that the snapshot holds; an id may come again."""
    if source_ids:
        with bulk.cursor(session) as cur:
            cur.execute(
                "insert into snapshot_member (snapshot, source_id, refused)"
                " select %s, unnest(%s::text[]), %s on conflict do nothing",
                (number, list(source_ids), refused),
            )


def lock_ended(session: Session, batch: Batch) -> list[Snapshot]:
    """The ended, not yet completed snapshots of a stream and record type, locked, in order.

    Whoever finishes a batch calls this after writing its state: the lock puts the last ones in
    line, and each sees what the one before has written. A snapshot that is still open is locked
    too, so that its end is not accepted between our looking and our commit.
    """
    rows = session.execute(
        select(snapshot)
        .where(
            snapshot.c.agency == batch.agency,
            snapshot.c.stream == batch.stream,
            snapshot.c.record_type == batch.record_type,
            snapshot.c.state.in_((SnapshotState.OPEN.value, SnapshotState.ENDED.value)),
        )
        .order_by(snapshot.c.n)
        .with_for_update()
    ).all()
    return [_snapshot(row) for row in rows if row.state == SnapshotState.ENDED.value]


def get_held(session: Session, batch: Batch) -> Snapshot | None:
    """The held snapshot that a `snapshot_end` ends, locked; None if a newer one took its place."""
    row = session.execute(
        select(snapshot)
        .where(
            snapshot.c.agency == batch.agency,
            snapshot.c.stream == batch.stream,
            snapshot.c.id == batch.snapshot,
            snapshot.c.state == SnapshotState.HELD.value,
        )
        .with_for_update()
    ).one_or_none()
    return None if row is None else _snapshot(row)


def is_ready(session: Session, batch: Batch, of: Snapshot) -> bool:
    """Whether every batch of the record type before the snapshot's end has been applied."""
    b = store.batch.c
    waiting = session.scalar(
        select(func.count()).where(
            b.agency == batch.agency,
            b.stream == batch.stream,
            b.record_type == of.record_type,
            b.state == State.ACCEPTED.value,
            tuple_(b.epoch, b.seq) < tuple_(of.epoch, of.end_seq),
        )
    )
    return not waiting


def is_whole(session: Session, batch: Batch, of: Snapshot) -> bool:
    """Whether none of the snapshot's own parts was held, parked or quarantined."""
    b = store.batch.c
    stopped = (State.HELD.value, State.PARKED.value, State.QUARANTINED.value)
    return not session.scalar(
        select(func.count()).where(
            b.snapshot == of.id,
            b.agency == batch.agency,
            b.stream == batch.stream,
            b.kind != BatchKind.SNAPSHOT_END.value,
            b.state.in_(stopped),
        )
    )


def members(session: Session, of: Snapshot) -> frozenset[str]:
    """The ids of the records that the snapshot holds."""
    rows = session.scalars(
        select(snapshot_member.c.source_id).where(snapshot_member.c.snapshot == of.n)
    )
    return frozenset(rows)


def put_state(session: Session, of: Snapshot, state: SnapshotState) -> None:
    """Its new state; once it is done only refused members need be remembered."""
    session.execute(update(snapshot).where(snapshot.c.n == of.n).values(state=state.value))
    if state is SnapshotState.DONE:
        taken = (snapshot_member.c.snapshot == of.n, ~snapshot_member.c.refused)
        session.execute(snapshot_member.delete().where(*taken))


def _begin(session: Session, payload: BatchPayload) -> None:
    """Open a snapshot; one of the same type that was never finished is given up."""
    said = _named(payload)
    of_stream = (snapshot.c.agency == payload.agency, snapshot.c.stream == payload.stream)
    if session.scalar(select(func.count()).where(*of_stream, snapshot.c.id == said.id)):
        raise Conflict(
            "snapshot.known", "A snapshot of this id was begun before. Give each its own id."
        )
    session.execute(
        update(snapshot)
        .where(
            *of_stream,
            snapshot.c.record_type == payload.record_type,
            snapshot.c.state.in_(_OVER),
        )
        .values(state=SnapshotState.SUPERSEDED.value)
    )
    session.execute(
        snapshot.insert().values(
            agency=payload.agency,
            stream=payload.stream,
            id=said.id,
            record_type=payload.record_type,
            state=SnapshotState.OPEN.value,
            epoch=payload.epoch,
            begin_seq=payload.seq,
        )
    )


def _open(session: Session, payload: BatchPayload) -> Row[Any] | None:
    said = _named(payload)
    return session.execute(
        select(snapshot).where(
            snapshot.c.agency == payload.agency,
            snapshot.c.stream == payload.stream,
            snapshot.c.id == said.id,
            snapshot.c.state == SnapshotState.OPEN.value,
        )
    ).one_or_none()


def _check_totals(payload: BatchPayload, row: Row[Any]) -> None:
    said = _named(payload)
    roots = [row.roots[at : at + 32] for at in range(0, len(row.roots), 32)]
    whole = merkle.root([merkle.leaf_hash(root) for root in roots]).hex()
    if (said.parts, said.total, said.root_of_roots) != (row.parts, row.total, whole):
        raise Refused(
            "snapshot.totals",
            f"The end states {said.parts} parts and {said.total} records; "
            f"{row.parts} parts with {row.total} records came. Begin the snapshot anew.",
            parts=row.parts,
            total=row.total,
        )


def _snapshot(row: Row[Any]) -> Snapshot:
    return Snapshot(row.n, row.id, row.record_type, row.epoch, row.begin_seq, row.end_seq)


def _named(payload: BatchPayload) -> Named:
    """The snapshot that a payload names; its schema asks for one in these kinds."""
    if payload.snapshot is None:
        raise Refused("batch.snapshot", "A batch of this kind names its snapshot.")
    return payload.snapshot
