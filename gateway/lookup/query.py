"""What can be asked about requests: how those of one question stand, and who is connected."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.lookup import store
from gateway.lookup.model import CONNECTED, Standing, scope
from keys import dsse
from keys.vault import Vault
from schemas import inbox


def standing(session: Session, query_id: UUID, vault: Vault, now: datetime) -> list[Standing]:
    """The requests of a question with their answers opened, by agency."""
    return [_standing(row, vault, now) for row in store.of_query(session, query_id)]


def fresh_answers(session: Session, query_id: UUID, now: datetime) -> list[UUID]:
    """The answers of a question that nobody was shown; from now on they count as shown."""
    return store.mark_shown(session, query_id, now)


def connectors_seen(session: Session) -> Mapping[str, datetime]:
    """When each agency's connector last asked for its inbox."""
    return store.seen(session)


def _standing(row: Row[Any], vault: Vault, now: datetime) -> Standing:
    status, rows = row.status, []
    if status is None:
        status = "waiting" if now < row.deadline else "silent"
    else:
        sealed = vault.open(scope(row.issued_at), row.id.bytes, row.answer)
        rows = inbox.load_response(dsse.parse(sealed).payload).rows()
    return Standing(
        rid=row.id,
        agency=row.agency,
        status=status,
        code=row.code,
        rows=rows,
        answered_at=row.answered_at,
        heard_at=row.seen_at,
        connected=row.seen_at is not None and now - row.seen_at <= CONNECTED,
        leaf=row.answer_leaf,
    )
