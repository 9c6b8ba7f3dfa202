"""SQL of reviews: records of which a newer version is suspect, and what that version said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.index.view import Review
from gateway.storage import bulk

_WORD = "{0}.v, {0}.clear, {0}.sealed, {0}.period"


@dataclass(frozen=True, slots=True)
class Word:
    """What one version of a record says, sealed as it is stored."""

    agency: str
    record_type: str
    source_id: str
    v: int
    clear: Mapping[str, Any]
    sealed: bytes | None
    period: int


def of_person(session: Session, person: UUID, also: Sequence[int]) -> tuple[Review, ...]:
    """Records of a person, and others by id, of which a newer version is in quarantine."""
    query = (
        "select r.agency, r.record_type, min(b.suspect_since),"
        " case when r.assertion_id is null then null else r.as_of end"
        " from source_record r join assertion a on a.record_id = r.id and a.v > r.v"
        " join source_batch b on b.batch_id = a.batch_id and b.suspect_since is not null"
        " and not b.withdrawn"
        " where r.id in (select record_id from membership where person_id = %s"
        "  union select unnest(%s::int8[])) group by r.id order by r.id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (person, list(also)), binary=True)
        return tuple(dict.fromkeys(Review(*row) for row in cur))


def alive(session: Session, persons: Sequence[UUID]) -> frozenset[UUID]:
    """Those of whom, or of whose survivor, a live record speaks."""
    query = (
        "select p.id from person p where p.id = any(%s) and exists (select from membership m"
        " join person_feature f using (record_id)"
        " where m.person_id = coalesce(p.merged_into, p.id))"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(persons),), binary=True)
        return frozenset(row[0] for row in cur)


def beside(
    session: Session, persons: Sequence[UUID], leaves: Sequence[bytes]
) -> list[tuple[UUID, Word, Word | None]]:
    """Of each record of these persons the newest version from these batches, and the live one."""
    query = (
        "select distinct on (p.id, r.id) p.id, r.agency, r.record_type, r.source_id,"  # noqa: S608
        f" {_WORD.format('a')}, {_WORD.format('n')}"
        " from person p join membership m on m.person_id = coalesce(p.merged_into, p.id)"
        " join source_record r on r.id = m.record_id join assertion a on a.record_id = r.id"
        " join source_batch b on b.batch_id = a.batch_id and b.accepted = any(%s)"
        " left join assertion n on n.id = r.assertion_id"
        " where p.id = any(%s) order by p.id, r.id, a.v desc"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(leaves), list(persons)), binary=True)
        rows = cur.fetchall()
    return [
        (row[0], Word(*row[1:8]), None if row[8] is None else Word(*row[1:4], *row[8:12]))
        for row in rows
    ]
