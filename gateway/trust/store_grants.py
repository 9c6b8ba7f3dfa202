"""What an agency may be asked: its grants, one action at a time."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from gateway.trust.model import AgencyState
from gateway.trust.store import agency, grant_


def basis(session: Session, code: str, action: str, now: datetime) -> str | None:
    """The agreement under which the agency may do `action` now; None where no grant counts."""
    found: str | None = session.scalar(
        select(grant_.c.basis).where(grant_.c.agency == code, _counts(action, now)).limit(1)
    )
    return found


def holders(session: Session, action: str, now: datetime) -> Sequence[str]:
    """The active agencies that hold a grant for `action` now, by code."""
    return session.scalars(
        select(grant_.c.agency)
        .join(agency, agency.c.code == grant_.c.agency)
        .where(_counts(action, now), agency.c.state == AgencyState.ACTIVE.value)
        .distinct()
        .order_by(grant_.c.agency)
    ).all()


def _counts(action: str, now: datetime) -> ColumnElement[bool]:
    return and_(
        grant_.c.action == action,
        grant_.c.valid_from <= now,
        or_(grant_.c.valid_until.is_(None), grant_.c.valid_until > now),
    )
