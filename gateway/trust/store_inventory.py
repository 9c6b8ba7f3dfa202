"""SQL of the inventory: every key that an agency ever enrolled."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from gateway.trust.store import agency, key
from gateway.trust.store_revocations import revocation


def every_key(session: Session) -> Sequence[Row[Any]]:
    """Keys by agency and time, with the agency's `state` and `revoked` (since when, or None)."""
    return session.execute(
        select(key, agency.c.state, revocation.c.since.label("revoked"))
        .join(agency, agency.c.code == key.c.agency)
        .outerjoin(revocation, revocation.c.kid == key.c.kid)
        .order_by(key.c.agency, key.c.not_before, key.c.kid)
    ).all()
