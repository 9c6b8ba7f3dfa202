"""Which keys were used lately."""

from collections.abc import Collection, Mapping
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


def signers(
    session: Session, agencies: Collection[str], leaves: Collection[bytes]
) -> Mapping[bytes, tuple[str, str]]:
    """(agency, kid) of the batches of these agencies, by the leaves that say they were accepted."""
    rows = session.execute(
        select(batch.c.leaf, batch.c.agency, batch.c.kid).where(
            batch.c.agency.in_(agencies), batch.c.leaf.in_(leaves)
        )
    )
    return {row.leaf: (row.agency, row.kid) for row in rows}
