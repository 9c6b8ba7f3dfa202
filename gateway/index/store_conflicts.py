"""SQL of conflicts: what has stirred, whom it concerns, and what speaks of those persons."""
# ruff: noqa: S608  (queries are put together from this module's own constants, never from values)

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.storage import bulk

_ALIKE = 20
"""Most records of other persons that are compared with one record because of its NIK."""


_EVERY = (
    "with mine as (select m.person_id, r.id, r.agency, r.record_type, r.source_id"
    "  from membership m join source_record r on r.id = m.record_id"
    "  where m.person_id = any(%s) and r.assertion_id is not null),"
    " one as (select x.person_id, r.id, r.agency, r.record_type, r.source_id"
    "  from mine x join subject s on s.kind = 'person' and s.source_id = x.source_id"
    "   and s.agency = x.agency join source_record r on r.id = s.record_id),"
    " two as (select x.person_id, r.id, r.agency, r.record_type, r.source_id, s.kind"
    "  from one x join subject s on s.kind = x.record_type and s.source_id = x.source_id"
    "   and s.agency = x.agency join source_record r on r.id = s.record_id"
    "  where x.record_type in ('household', 'enrolment')),"
    " every as (select person_id, id, 'person' via from mine"
    "  union select person_id, id, 'person' from one union select person_id, id, kind from two)"
)
"""The records that are these persons, that name them, or that name their household or enrolment."""


_UNPLACED_NAME = "(coalesce(a.clear->'address_ktp', a.clear->'address_domicile')->>'kelurahan_raw')"
_UNPLACED = (
    "coalesce(a.clear->'address_ktp', a.clear->'address_domicile')->>'kelurahan' is null"
    f" and {_UNPLACED_NAME} is not null"
)
"""As in the index `ix_assertion_unplaced` (migration 0018), so that it serves."""


class Fact(NamedTuple):
    """A live record that speaks of a person, with the fields that stand in clear.

    Attributes:
        via: `person` for a record that is the person or names him, else what reaches him.
    """

    person_id: UUID
    record_id: int
    agency: str
    record_type: str
    source_id: str
    via: str
    as_of: datetime
    values: Mapping[str, Any]


class Across(NamedTuple):
    """Two records of two persons that are alike: `a` is the person's, `b` the other's."""

    a: int
    b: int
    person: UUID
    other: UUID
    bits: float | None


class Delivery(NamedTuple):
    """What one agency has paid out of one programme, and what is published of that programme."""

    agency: str
    code: str
    paid: int
    is_late: bool
    record_id: int
    is_known: bool
    quota: int | None
    enrolled: int


class Unplaced(NamedTuple):
    """A name without a kelurahan: how many live person records of the agency carry it."""

    agency: str
    name: str
    records: int
    first: int


def take(session: Session, limit: int) -> tuple[int, list[int]]:
    """At most so many entries of the list, taken off it: how many, and their records."""
    query = (
        "delete from stirred where id in (select id from stirred"
        " order by id limit %s for update skip locked) returning record_id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (limit,), binary=True)
        rows = [row[0] for row in cur]
    return len(rows), sorted(set(rows))


def take_all_of(session: Session, persons: Collection[UUID]) -> None:
    """Take off the list what concerns these persons and nobody else: they are looked at now."""
    query = (
        f"{_EVERY}, own as (select id from mine union select id from one"
        "  where record_type in ('listing', 'enrolment')),"
        " seen as (select id from stirred where record_id in (select id from own)"
        "  for update skip locked) delete from stirred where id in (select id from seen)"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(persons),))


def concerned(session: Session, record_ids: Sequence[int]) -> frozenset[UUID]:
    """The persons that these records are or speak of."""
    query = (
        "with recursive reached(id) as (select unnest(%s::int8[]) union"
        " select r.id from reached x join subject s on s.record_id = x.id"
        "  join source_record r on r.agency = s.agency and r.record_type = s.kind"
        "   and r.source_id = s.source_id)"
        " select distinct m.person_id from reached join membership m on m.record_id = reached.id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(record_ids),), binary=True)
        return frozenset(row[0] for row in cur)


def aliases(session: Session, persons: Collection[UUID]) -> frozenset[UUID]:
    """Ids that were merged into these persons."""
    with bulk.cursor(session) as cur:
        cur.execute("select id from person where merged_into = any(%s)", (list(persons),))
        return frozenset(row[0] for row in cur)


class Member(NamedTuple):
    """A live person record, and the blind index of its NIK: equal for equal valid numbers."""

    person_id: UUID
    record_id: int
    nik: bytes | None


def members(session: Session, persons: Collection[UUID]) -> list[Member]:
    """The live person records of these persons, ascending."""
    query = (
        "select m.person_id, m.record_id, f.nik_bix from membership m"
        " join person_feature f using (record_id) where m.person_id = any(%s) order by m.record_id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(persons),), binary=True)
        return [Member(*row) for row in cur]


def facts(session: Session, persons: Collection[UUID]) -> list[Fact]:
    """All live records that are these persons or speak of them or of their households."""
    query = (
        f"{_EVERY}"
        " select e.person_id, r.id, r.agency, r.record_type, r.source_id, e.via, r.as_of, a.clear"
        " from every e join source_record r on r.id = e.id"
        " join assertion a on a.id = r.assertion_id"
        " order by e.person_id, r.id, e.via desc"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(persons),), binary=True)
        return [Fact(*row) for row in cur]


def across(session: Session, persons: Collection[UUID], low: float) -> list[Across]:
    """Pairs of a record of these persons and one of another, by an edge or by one valid NIK."""
    query = (
        "with mine as (select m.person_id, m.record_id, f.nik_bix from membership m"
        "  join person_feature f using (record_id) where m.person_id = any(%(ids)s)),"
        " met as (select x.record_id a, e.b, x.person_id, e.bits from mine x"
        "   join edge e on e.a = x.record_id where e.bits >= %(low)s"
        "  union all select x.record_id, e.a, x.person_id, e.bits from mine x"
        "   join edge e on e.b = x.record_id where e.bits >= %(low)s"
        "  union all select x.record_id, y.record_id, x.person_id, null from mine x, lateral"
        "   (select f.record_id from person_feature f where f.nik_bix = x.nik_bix"
        f"    and f.record_id <> x.record_id order by f.record_id limit {_ALIKE}) y)"
        " select met.a, met.b, met.person_id, o.person_id, max(met.bits) from met"
        " join membership o on o.record_id = met.b join person_feature g on g.record_id = met.b"
        " where o.person_id <> met.person_id group by 1, 2, 3, 4 order by 1, 2"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, {"ids": list(persons), "low": low}, binary=True)
        return [Across(*row) for row in cur]


def count_registered(session: Session, persons: Sequence[UUID]) -> int:
    """How many of these persons the civil register itself knows."""
    query = (
        "select count(distinct m.person_id) from membership m join person_feature f"
        " using (record_id) where m.person_id = any(%s) and f.registered"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(persons),))
        row = cur.fetchone()
    return int(row[0]) if row else 0


def any_aid(session: Session, record_ids: Sequence[int]) -> bool:
    """Whether one of these records, live or gone, is a payment, an enrolment or a programme."""
    query = (
        "select exists (select from source_record where id = any(%s)"
        " and record_type in ('benefit', 'enrolment', 'program'))"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(record_ids),))
        row = cur.fetchone()
    return bool(row and row[0])


def programs_of(session: Session, record_ids: Sequence[int]) -> frozenset[str]:
    """The programme codes that these records speak of or are."""
    query = "select distinct source_id from subject where record_id = any(%s) and kind = 'program'"
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(record_ids),), binary=True)
        return frozenset(row[0] for row in cur)


def deliveries(session: Session, codes: Collection[str]) -> list[Delivery]:
    """What was paid out of these programmes, by agency, and whether they are published."""
    if not codes:
        return []
    query = (
        "with paid as materialized (select r.agency, s.source_id code, count(*) n,"
        "   max(a.clear->>'date') last, min(r.id) first from subject s"
        "  join source_record r on r.id = s.record_id and r.record_type = 'benefit'"
        "  join assertion a on a.id = r.assertion_id"
        "  where s.kind = 'program' and s.role = 'of' and s.source_id = any(%(codes)s)"
        "  group by r.agency, s.source_id),"
        " known as materialized (select s.source_id code, max(a.clear->>'delivery_end') till,"
        "   max((a.clear->>'quota_total')::int8) quota from subject s"
        "  join source_record r on r.id = s.record_id join assertion a on a.id = r.assertion_id"
        "  where s.kind = 'program' and s.role = 'is' and s.source_id = any(%(codes)s)"
        "  group by s.source_id),"
        " enrolled as materialized (select s.source_id code, count(*) n from subject s"
        "  join source_record r on r.id = s.record_id and r.record_type = 'enrolment'"
        "  join assertion a on a.id = r.assertion_id"
        "  where s.kind = 'program' and s.role = 'of' and s.source_id = any(%(codes)s)"
        "   and a.clear->>'status' in ('approved', 'active') group by s.source_id)"
        " select p.agency, p.code, p.n, coalesce(p.last > k.till, false), p.first,"
        "  k.code is not null, k.quota, coalesce(e.n, 0)"
        " from paid p left join known k using (code) left join enrolled e using (code)"
        " order by 1, 2"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, {"codes": list(codes)}, binary=True)
        return [Delivery(*row) for row in cur]


def agencies_of(session: Session, record_ids: Sequence[int]) -> frozenset[str]:
    """Whose person records these are, live or gone."""
    query = (
        "select distinct agency from source_record where id = any(%s) and record_type = 'person'"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(record_ids),), binary=True)
        return frozenset(row[0] for row in cur)


def unplaced(session: Session, agencies: Collection[str], names: Collection[str]) -> list[Unplaced]:
    """How often these agencies' live persons carry these names and no kelurahan."""
    if not names:
        return []
    query = (
        f"select r.agency, {_UNPLACED_NAME} as name, count(*), min(r.id)"
        " from assertion a join source_record r on r.assertion_id = a.id"
        f" where {_UNPLACED_NAME} = any(%s) and {_UNPLACED} and r.record_type = 'person'"
        " and r.agency = any(%s) group by 1, 2 order by 1, 2"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(names), list(agencies)), binary=True)
        return [Unplaced(*row) for row in cur]
