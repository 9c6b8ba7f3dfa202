"""Which streams stand still, and what was found when they stopped."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from gateway.intake.store import fork_evidence, stream_head


def stopped(session: Session) -> Sequence[Any]:
    """(agency, stream, epoch, seq, suspended, kind, found_at), a row for each piece of evidence."""
    f, s = fork_evidence.c, stream_head.c
    chosen = (
        select(s.agency, s.stream, s.epoch, s.seq, s.suspended, f.kind, f.found_at)
        .outerjoin(fork_evidence, and_(f.agency == s.agency, f.stream == s.stream))
        .where(s.suspended.is_not(None))
        .order_by(s.agency, s.stream, f.found_at)
    )
    return session.execute(chosen).all()
