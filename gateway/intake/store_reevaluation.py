"""SQL of re-evaluation: quarantine and return, attestations, and how far each revocation has come.

Two locks put things in order. The heads of an agency's streams: an accept in flight has either
finished and is seen, or sees the revocation. The agency's advisory lock: shared by all who apply
its batches, exclusive for whoever changes which of them are believed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    Uuid,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.intake.judgement import Stood
from gateway.intake.model import Hold, SnapshotState, State
from gateway.intake.snapshots import snapshot, snapshot_member
from gateway.intake.store import batch, stream_head
from gateway.storage.base import metadata
from schemas.batch import BatchKind

reevaluation = Table(
    "reevaluation",
    metadata,
    Column("revocation", BigInteger, primary_key=True, autoincrement=False),
    Column("agency", Text, nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("started", DateTime(timezone=True), nullable=False),
    Column("finished", DateTime(timezone=True)),
)
attestation = Table(
    "attestation",
    metadata,
    Column("by", Uuid, ForeignKey(batch.c.id), nullable=False),
    Column("batch_id", Uuid, ForeignKey(batch.c.id), nullable=False),
    PrimaryKeyConstraint("by", "batch_id"),
)
"""Batch `by`, an `attest`, vouches for the other."""

_LOCK = 0x7469_7469  # "titi"
_HELD = State.HELD.value
_OUT = State.QUARANTINED.value
_BY = {False: "quarantined_by", True: "withdrawn_by"}
_KINDS = (
    *(BatchKind.SNAPSHOT_BEGIN.value, BatchKind.SNAPSHOT.value, BatchKind.SNAPSHOT_END.value),
    *(BatchKind.CONFIRM.value, BatchKind.ATTEST.value),
)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why batches go into quarantine: a revocation, or its agency's departure, by its id.

    `since` is when they are in doubt, or were taken back.
    """

    id: int
    since: datetime
    is_departure: bool = False


def share(session: Session, agency: str) -> None:
    """Wait until nobody changes which of the agency's batches are believed, and keep it so."""
    session.execute(_SHARE, {"lock": _LOCK, "agency": agency})


def close(session: Session, agency: str) -> None:
    """Wait until nobody applies a batch of the agency or accepts one, and keep it so."""
    session.execute(_CLOSE, {"lock": _LOCK, "agency": agency})
    session.execute(
        select(stream_head.c.stream)
        .where(stream_head.c.agency == agency)
        .order_by(stream_head.c.stream)
        .with_for_update()
    )


def line_up(session: Session, agency: str) -> None:
    """Wait until others who look whether all of the agency's records are judged have committed."""
    session.execute(_LINE_UP, {"lock": _LOCK + 1, "agency": agency})


def stood(session: Session, agency: str, kids: Collection[str]) -> list[Row[Any]]:
    """The batches that a judgement may touch: those of these keys, and those that name others."""
    named = select(batch.c.confirms).where(batch.c.agency == agency, batch.c.confirms.is_not(None))
    return list(
        session.execute(
            select(
                *(batch.c[name] for name in _STOOD),
                (batch.c.state == _OUT).label("out"),
                or_(batch.c.state == _HELD, batch.c.was == _HELD).is_(True).label("held"),
            )
            .where(
                batch.c.agency == agency,
                or_(
                    batch.c.kid.in_(kids),
                    batch.c.kind.in_(_KINDS),
                    batch.c.payload_sha256.in_(named),
                    batch.c.state == _OUT,
                ),
            )
            .order_by(batch.c.id)
        )
    )


def attested(session: Session, agency: str) -> dict[UUID, list[UUID]]:
    """By `attest` the batches that it vouches for."""
    found: dict[UUID, list[UUID]] = {}
    for by, named in session.execute(
        select(attestation.c.by, attestation.c.batch_id)
        .join(batch, batch.c.id == attestation.c.by)
        .where(batch.c.agency == agency)
    ):
        found.setdefault(by, []).append(named)
    return found


def add_attestations(session: Session, by: UUID, named: Sequence[UUID]) -> None:
    if named:
        session.execute(insert(attestation), [{"by": by, "batch_id": one} for one in named])


def find_named(
    session: Session, place: tuple[str, str, int, int], payload_sha256: bytes
) -> tuple[UUID, State] | None:
    """The batch at (agency, stream, epoch, seq), if it has that hash."""
    agency, stream, epoch, seq = place
    row = session.execute(
        select(batch.c.id, batch.c.state).where(
            batch.c.agency == agency,
            batch.c.stream == stream,
            batch.c.epoch == epoch,
            batch.c.seq == seq,
            batch.c.payload_sha256 == payload_sha256,
        )
    ).one_or_none()
    return None if row is None else (row.id, State(row.state))


def quarantine(session: Session, batch_ids: Collection[UUID], cause: Cause) -> None:
    """Put batches into quarantine, remembering how they stood; their streams may begin anew."""
    session.execute(
        update(batch)
        .where(batch.c.id.in_(batch_ids), batch.c.state != _OUT)
        .values(was=batch.c.state, state=_OUT, **{_BY[cause.is_departure]: cause.id})
    )
    streams = select(batch.c.agency, batch.c.stream).where(batch.c.id.in_(batch_ids)).subquery()
    session.execute(
        update(stream_head)
        .where(stream_head.c.agency == streams.c.agency, stream_head.c.stream == streams.c.stream)
        .values(restart=True)
    )


def restore(session: Session, batch_ids: Collection[UUID]) -> list[UUID]:
    """Bring batches back to how they stood; returns those that wait to be applied."""
    rows = session.execute(
        update(batch)
        .where(batch.c.id.in_(batch_ids), batch.c.state == _OUT)
        .values(state=batch.c.was, was=None, quarantined_by=None, withdrawn_by=None)
        .returning(batch.c.id, batch.c.state)
    )
    return sorted(row.id for row in rows if row.state == State.ACCEPTED.value)


def waiting_ends(session: Session, agency: str) -> list[UUID]:
    """Ends of snapshots that wait for the batches before them."""
    return list(
        session.scalars(
            select(batch.c.id)
            .where(
                batch.c.agency == agency,
                batch.c.kind == BatchKind.SNAPSHOT_END.value,
                batch.c.state == State.ACCEPTED.value,
            )
            .order_by(batch.c.id)
        )
    )


def reopen(session: Session, batch_ids: Collection[UUID]) -> None:
    """Snapshots held for want of these parts are no longer held for that."""
    parts = select(batch.c.agency, batch.c.stream, batch.c.snapshot).where(
        batch.c.id.in_(batch_ids), batch.c.snapshot.is_not(None)
    )
    held = session.execute(
        update(snapshot)
        .where(
            tuple_(snapshot.c.agency, snapshot.c.stream, snapshot.c.id).in_(parts),
            snapshot.c.state.in_((SnapshotState.HELD.value, SnapshotState.SUPERSEDED.value)),
            batch.c.agency == snapshot.c.agency,
            batch.c.stream == snapshot.c.stream,
            batch.c.epoch == snapshot.c.epoch,
            batch.c.seq == snapshot.c.end_seq,
            batch.c.state == _HELD,
            batch.c.hold == Hold.SNAPSHOT.value,
        )
        .values(state=SnapshotState.ENDED.value)
        .returning(batch.c.id)
    )
    session.execute(
        update(batch)
        .where(batch.c.id.in_(list(held.scalars())))
        .values(state=State.ACCEPTED.value, hold=None)
    )


def done_snapshots(session: Session, agency: str) -> list[Row[Any]]:
    """Completed snapshots whose end is believed, the earliest first.

    Each row has `n`, `end_id`, `record_type`, `epoch` and `begin_seq`.
    """
    return list(
        session.execute(
            select(
                snapshot.c.n,
                batch.c.id.label("end_id"),
                snapshot.c.record_type,
                snapshot.c.epoch,
                snapshot.c.begin_seq,
            )
            .join(
                batch,
                (batch.c.agency == snapshot.c.agency)
                & (batch.c.stream == snapshot.c.stream)
                & (batch.c.epoch == snapshot.c.epoch)
                & (batch.c.seq == snapshot.c.end_seq),
            )
            .where(
                snapshot.c.agency == agency,
                snapshot.c.state == SnapshotState.DONE.value,
                batch.c.state != _OUT,
            )
            .order_by(snapshot.c.epoch, snapshot.c.end_seq)
        )
    )


def members_left(session: Session, number: int) -> frozenset[str]:
    """The refused records that a completed snapshot holds."""
    return frozenset(
        session.scalars(
            select(snapshot_member.c.source_id).where(snapshot_member.c.snapshot == number)
        )
    )


def head(session: Session, agency: str, stream: str) -> tuple[int, bool] | None:
    """The epoch of a stream, and whether a new one may begin; None where nothing came yet."""
    row = session.execute(
        select(stream_head.c.epoch, stream_head.c.restart).where(
            stream_head.c.agency == agency, stream_head.c.stream == stream
        )
    ).one_or_none()
    return None if row is None else (row.epoch, row.restart)


def quarantined_in(session: Session, agency: str, stream: str, limit: int) -> list[Row[Any]]:
    """Batches of a stream in quarantine: `epoch`, `seq`, `payload_sha256`, in their order."""
    return list(
        session.execute(
            select(batch.c.epoch, batch.c.seq, batch.c.payload_sha256)
            .where(batch.c.agency == agency, batch.c.stream == stream, batch.c.state == _OUT)
            .order_by(batch.c.epoch, batch.c.seq)
            .limit(limit)
        )
    )


def last_trusted(session: Session, agency: str, stream: str) -> bytes | None:
    """The payload hash of the stream's newest batch that is not in quarantine."""
    found: bytes | None = session.scalar(
        select(batch.c.payload_sha256)
        .where(batch.c.agency == agency, batch.c.stream == stream, batch.c.state != _OUT)
        .order_by(batch.c.epoch.desc(), batch.c.seq.desc())
        .limit(1)
    )
    return found


def begin(session: Session, revocation: int, agency: str, now: datetime) -> bool:
    """Note that a re-evaluation has begun; False if it had before."""
    made = session.execute(
        insert(reevaluation)
        .values(revocation=revocation, agency=agency, records=0, started=now)
        .on_conflict_do_nothing()
        .returning(reevaluation.c.revocation)
    )
    return made.one_or_none() is not None


def set_records(session: Session, revocation: int, records: int) -> None:
    session.execute(
        update(reevaluation).where(reevaluation.c.revocation == revocation).values(records=records)
    )


def open_of(session: Session, agency: str) -> list[int]:
    """The agency's re-evaluations that are not finished, locked."""
    return list(
        session.scalars(
            select(reevaluation.c.revocation)
            .where(reevaluation.c.agency == agency, reevaluation.c.finished.is_(None))
            .order_by(reevaluation.c.revocation)
            .with_for_update()
        )
    )


def finish(session: Session, revocations: Collection[int], now: datetime) -> None:
    session.execute(
        update(reevaluation).where(reevaluation.c.revocation.in_(revocations)).values(finished=now)
    )


def find(session: Session, revocation: int) -> Row[Any] | None:
    """The re-evaluation after a revocation."""
    return session.execute(
        select(reevaluation).where(reevaluation.c.revocation == revocation)
    ).one_or_none()


def all_of(session: Session) -> list[int]:
    """Every revocation that was followed by a re-evaluation, oldest first."""
    return list(
        session.scalars(select(reevaluation.c.revocation).order_by(reevaluation.c.revocation))
    )


def quarantined(session: Session, revocation: int) -> list[Row[Any]]:
    """Batches in quarantine by a revocation, oldest first: `id`, `leaf`, `record_type`."""
    return list(
        session.execute(
            select(batch.c.id, batch.c.leaf, batch.c.record_type)
            .where(batch.c.quarantined_by == revocation)
            .order_by(batch.c.id)
        )
    )


_STOOD = (
    *("id", "leaf", "stream", "epoch", "seq", "kind", "kid", "payload_sha256", "snapshot"),
    "confirms",
)
_SHARE = text("select pg_advisory_xact_lock_shared(:lock, hashtext(:agency))")
_CLOSE = _LINE_UP = text("select pg_advisory_xact_lock(:lock, hashtext(:agency))")


def to_stood(row: Row[Any], index: int | None, attests: Sequence[UUID]) -> Stood:
    """A row of `stood` as the judgement knows it."""
    values = {name: getattr(row, name) for name in _STOOD if name != "leaf"}
    return Stood(**values, held=row.held, index=index, attests=tuple(attests))
