"""What was found about an agency's lines, read batch by batch; nothing is written here."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from gateway.intake.store import batch, disposition

_ACCEPTED = "W"


def told(session: Session, agency: str) -> Sequence[Any]:
    """Every finding about a line that was accepted, with its batch's place, in its order."""
    d = disposition.c
    return session.execute(
        select(d.batch_id, d.i, d.code, d.field, batch.c.stream, batch.c.epoch, batch.c.seq)
        .join(batch, batch.c.id == d.batch_id)
        .where(batch.c.agency == agency, d.level == _ACCEPTED)
        .order_by(batch.c.stream, batch.c.epoch, batch.c.seq, d.n)
    ).all()


def by_week(session: Session, agency: str, since: datetime) -> Sequence[Row[Any]]:
    """(week's Monday, code, how many) of findings told since then, oldest week first."""
    week = func.date_trunc("week", batch.c.accepted_at).label("week")
    return session.execute(
        select(week, disposition.c.code, func.count().label("n"))
        .join(batch, batch.c.id == disposition.c.batch_id)
        .where(batch.c.agency == agency, batch.c.accepted_at >= since)
        .group_by(week, disposition.c.code)
        .order_by(week, disposition.c.code)
    ).all()


def places(session: Session, batches: Collection[UUID]) -> dict[UUID, tuple[str, int, int]]:
    """(stream, epoch, seq) of batches."""
    rows = session.execute(
        select(batch.c.id, batch.c.stream, batch.c.epoch, batch.c.seq).where(
            batch.c.id.in_(batches)
        )
    )
    return {r.id: (r.stream, r.epoch, r.seq) for r in rows}
