"""How many records of an agency are live, and which: for those who must know what would vanish."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.index.store import assertion, source_record


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


def live_lines(
    session: Session, agency: str, batches: Collection[UUID]
) -> frozenset[tuple[UUID, int]]:
    """(batch, line) of the versions that count now, among these batches."""
    rows = session.execute(
        select(assertion.c.batch_id, assertion.c.line_i)
        .join(source_record, source_record.c.assertion_id == assertion.c.id)
        .where(source_record.c.agency == agency, assertion.c.batch_id.in_(batches))
    )
    return frozenset((r.batch_id, r.line_i) for r in rows)


def lines_of(session: Session, records: Collection[int]) -> dict[int, tuple[UUID, int]]:
    """(batch, line) of the version of each of these records that counts now."""
    rows = session.execute(
        select(source_record.c.id, assertion.c.batch_id, assertion.c.line_i)
        .join(assertion, assertion.c.id == source_record.c.assertion_id)
        .where(source_record.c.id.in_(records))
    )
    return {r.id: (r.batch_id, r.line_i) for r in rows}
