"""Which keys were used lately."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.intake.store import batch


def last_used(session: Session, agency: str, since: datetime) -> Mapping[str, datetime]:
    """When each of an agency's keys last signed a batch that was accepted, after `since`."""
    rows = session.execute(
        select(batch.c.kid, func.max(batch.c.accepted_at).label("at"))
        .where(batch.c.agency == agency, batch.c.accepted_at > since)
        .group_by(batch.c.kid)
    )
    return {row.kid: row.at for row in rows}
