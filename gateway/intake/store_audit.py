"""Which batches an audit looks at."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.intake.model import State
from gateway.intake.store import batch


def some(session: Session, one_in: int, which: int) -> Sequence[UUID]:
    """The applied batches of the share `which` (from 0) of so many shares, oldest first.

    A batch's share is the same for ever: it is found from the hash of its payload.
    """
    high, low = (func.get_byte(batch.c.payload_sha256, n) for n in (0, 1))
    applied = (State.APPLIED.value, State.APPLIED_PARTIAL.value)
    return session.scalars(
        select(batch.c.id)
        .where(batch.c.state.in_(applied), (high * 256 + low) % one_in == which % one_in)
        .order_by(batch.c.id)
    ).all()
