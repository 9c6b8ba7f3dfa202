"""How many records of an agency are live, and which: for those who must know what would vanish."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.index.store import source_record


def live_count(session: Session, agency: str, record_type: str) -> int:
    """How many live records of a type an agency has."""
    s = source_record.c
    count = session.scalar(
        select(func.count()).where(
            s.agency == agency, s.record_type == record_type, s.assertion_id.is_not(None)
        )
    )
    return count or 0


def live_ids(session: Session, agency: str, record_type: str, before: int) -> frozenset[str]:
    """The ids of live records whose version is lower than `before`."""
    s = source_record.c
    rows = session.scalars(
        select(s.source_id).where(
            s.agency == agency,
            s.record_type == record_type,
            s.assertion_id.is_not(None),
            s.v < before,
        )
    )
    return frozenset(rows)


def live_among(session: Session, agency: str, record_type: str, ids: list[str]) -> int:
    """How many of these ids are live."""
    s = source_record.c
    count = session.scalar(
        select(func.count()).where(
            s.agency == agency,
            s.record_type == record_type,
            s.assertion_id.is_not(None),
            s.source_id.in_(ids),
        )
    )
    return count or 0
