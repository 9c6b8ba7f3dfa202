"""SQL of questions: records by number or name, a person's assertions, and what speaks of them."""
# ruff: noqa: S608  (queries are put together from this module's own constants, never from values)

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.index import sealing
from gateway.index.sealing import Place
from gateway.index.store_links import COLUMNS, Known, read_known
from gateway.index.view import Provenance
from gateway.storage import bulk
from keys.vault import Vault

SIMILAR = 0.45
"""Least trigram similarity of a name that is found. Source: stack.md §5."""

_SIMILAR_THAT_DAY = 0.2
_NAMES = 50
_MEMBERS = 600
_MINE = (
    "r.id, r.agency, r.record_type, r.source_id, a.v, r.as_of, a.batch_id, a.line_i, a.leaf,"
    " a.clear, a.sealed, a.period, b.accepted"
)
_JOINS = (
    "join source_record r on r.id = {of} join assertion a on a.id = r.assertion_id"
    " left join source_batch b on b.batch_id = a.batch_id"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A live person record of a person that was found."""

    person_id: UUID
    known: Known


@dataclass(frozen=True, slots=True)
class Blinds:
    """Blind indexes to look up, under every key in use."""

    nik: Sequence[bytes] = ()
    no_kk: Sequence[bytes] = ()
    phone: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A live assertion, opened: all that the record says, and where that is signed."""

    provenance: Provenance
    source_id: str
    values: Mapping[str, Any]


class Reached(NamedTuple):
    """A record that speaks of a person, of a household or of an enrolment."""

    said: Said
    via: str
    role: str


def by_number(session: Session, vault: Vault, blinds: Blinds) -> list[Hit]:
    """All records of the persons of whom a record carries one of the numbers: one round trip."""
    found = [
        f"select record_id from person_feature where {column} = any(%({column})s)"
        for column, given in _columns(blinds).items()
        if given
    ]
    values = {column: list(given) for column, given in _columns(blinds).items()}
    return _hits(session, vault, " union ".join(found), values)


def by_name(session: Session, vault: Vault, core: str, birth_date: str | None) -> list[Hit]:
    """All records of the persons of whom a record is named alike, by core or alias.

    With a birth date only records of that day are asked, and the name may be less alike.
    """
    values = {"core": core, "day": birth_date, "least": _SIMILAR_THAT_DAY, "names": _NAMES}
    if birth_date is not None:
        found = (
            "(select record_id from person_feature where birth_date = %(day)s"
            " and greatest(similarity(core, %(core)s), similarity(alias, %(core)s)) >= %(least)s"
            " order by similarity(core, %(core)s) desc, record_id limit %(names)s)"
        )
        return _hits(session, vault, found, values)
    session.execute(text(f"set local pg_trgm.similarity_threshold = {SIMILAR}"))
    session.execute(text(f"set local pg_trgm.word_similarity_threshold = {_least_word(core)}"))
    alike = "{0} %% %(core)s" if " " in core else "({0} %% %(core)s or %(core)s <%% {0})"
    found = " union ".join(
        f"(select record_id from person_feature where {alike.format(column)}"
        f" order by similarity({column}, %(core)s) desc, record_id limit %(names)s)"
        for column in ("core", "alias")
    )
    return _hits(session, vault, found, values)


def _least_word(core: str) -> float:
    """One short word must stand in the name as it is; a long one may have a slip."""
    return 0.9 if len(core) < 6 else 0.6


def _columns(blinds: Blinds) -> dict[str, Sequence[bytes]]:
    return {"nik_bix": blinds.nik, "kk_bix": blinds.no_kk, "phone_bix": blinds.phone}


def _hits(session: Session, vault: Vault, found: str, values: Mapping[str, Any]) -> list[Hit]:
    query = (
        f"with found as materialized ({found}),"
        " people as materialized (select distinct m.person_id from found"
        " join membership m using (record_id))"
        f" select {COLUMNS}, m.person_id from people join membership m using (person_id)"
        " join person_feature f using (record_id) limit %(members)s"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, {**values, "members": _MEMBERS}, binary=True)
        rows = cur.fetchall()
    known = read_known(vault, rows)
    return [Hit(row[-1], one) for row, one in zip(rows, known, strict=True)]


def survivor(session: Session, person_id: UUID) -> UUID | None:
    """The person that an id means today: itself or whom it was merged into; None if unknown."""
    found: UUID | None = session.scalar(
        text("select coalesce(merged_into, id) from person where id = :id"), {"id": person_id}
    )
    return found


def members_of(session: Session, vault: Vault, persons: Sequence[UUID]) -> dict[UUID, list[Said]]:
    """The live records of each person, opened."""
    query = (
        f"select {_MINE}, m.person_id from membership m {_JOINS.format(of='m.record_id')}"
        " where m.person_id = any(%s) order by r.id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(persons),), binary=True)
        rows = cur.fetchall()
    out: dict[UUID, list[Said]] = {}
    for row in rows:
        out.setdefault(row[-1], []).append(_said(row, vault))
    return out


def names_of(
    session: Session, records: Sequence[int]
) -> dict[int, tuple[str, datetime, bytes | None]]:
    """The name as the source writes it, its age and the batch's leaf, of live person records."""
    query = (
        "select r.id, a.clear->>'name_source', r.as_of, b.accepted from unnest(%s::int8[]) w(id)"
        f" {_JOINS.format(of='w.id')}"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(records),), binary=True)
        return {row[0]: (row[1], row[2], row[3]) for row in cur}


def listings_of(session: Session, people: Sequence[tuple[int, str, str]]) -> list[tuple[int, Any]]:
    """Lists that hold these person records, themselves or by household.

    `people` are (record, agency, source id); answers are (record, the listing's clear fields).
    """
    query = (
        "with asked as (select * from unnest(%s::int8[], %s::text[], %s::text[])"
        " w(id, agency, source_id)),"
        " homes as (select w.id, h.agency, h.source_id from asked w join subject s"
        "  on s.kind = 'person' and s.source_id = w.source_id and s.agency = w.agency"
        "  join source_record h on h.id = s.record_id and h.record_type = 'household'),"
        " targets as (select id, 'person' kind, agency, source_id from asked"
        "  union all select id, 'household', agency, source_id from homes)"
        " select distinct t.id, a.clear from targets t join subject s"
        "  on s.kind = t.kind and s.source_id = t.source_id and s.agency = t.agency"
        "  join source_record r on r.id = s.record_id and r.record_type = 'listing'"
        "  join assertion a on a.id = r.assertion_id"
    )
    columns = ([p[0] for p in people], [p[1] for p in people], [p[2] for p in people])
    with bulk.cursor(session) as cur:
        cur.execute(query, columns, binary=True)
        return cur.fetchall()


def reached_from(session: Session, vault: Vault, people: Sequence[Said]) -> list[Reached]:
    """All records that speak of these person records: directly, by household, by enrolment."""
    query = (
        "with recursive asked as (select 'person' kind, w.agency, w.source_id"
        "  from unnest(%s::text[], %s::text[]) w(agency, source_id)),"
        " reached(kind, agency, source_id, record_id, via, role) as ("
        "  select kind, agency, source_id, null::int8, kind, '' from asked"
        "  union select r.record_type, r.agency, r.source_id, r.id, t.kind, s.role from reached t"
        "  join subject s on s.kind = t.kind and s.source_id = t.source_id and s.agency = t.agency"
        "  join source_record r on r.id = s.record_id)"
        f" select {_MINE}, t.via, t.role from reached t {_JOINS.format(of='t.record_id')}"
        " order by r.id"
    )
    columns = ([p.provenance.agency for p in people], [p.source_id for p in people])
    with bulk.cursor(session) as cur:
        cur.execute(query, columns, binary=True)
        rows = cur.fetchall()
    return [Reached(_said(row, vault), row[-2], row[-1]) for row in rows]


def people_by_source(
    session: Session, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], tuple[UUID | None, str | None, str | None]]:
    """(person, name, birth date) of person records, by (agency, source id)."""
    pairs = sorted(set(wanted))
    query = (
        "select r.agency, r.source_id, m.person_id, a.clear->>'name_source',"
        " a.clear->>'birth_date' from unnest(%s::text[], %s::text[]) w(agency, source_id)"
        " join source_record r on r.agency = w.agency and r.record_type = 'person'"
        " and r.source_id = w.source_id join assertion a on a.id = r.assertion_id"
        " left join membership m on m.record_id = r.id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, ([a for a, _ in pairs], [s for _, s in pairs]), binary=True)
        return {(row[0], row[1]): (row[2], row[3], row[4]) for row in cur}


def on_card(
    session: Session, agency: str, blinds: Sequence[bytes]
) -> list[tuple[UUID | None, str | None, str | None, str | None]]:
    """(person, name, birth date, relation) of an agency's records on one family card."""
    query = (
        "select m.person_id, a.clear->>'name_source', a.clear->>'birth_date',"
        " a.clear->>'family_relation' from person_feature f"
        " join assertion a on a.id = f.assertion_id"
        " left join membership m on m.record_id = f.record_id"
        " where f.kk_bix = any(%s) and f.agency = %s order by a.clear->>'birth_date', f.record_id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(blinds), agency), binary=True)
        return cur.fetchall()


def programs(session: Session, codes: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What is published of these programmes; of two by one code, the newer."""
    query = (
        "select s.source_id, a.clear from subject s join source_record r on r.id = s.record_id"
        " join assertion a on a.id = r.assertion_id"
        " where s.kind = 'program' and s.role = 'is' and s.source_id = any(%s) order by r.as_of"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (sorted(set(codes)),), binary=True)
        return dict(cur.fetchall())


def freshness(session: Session) -> dict[str, datetime]:
    """The newest data that each agency has published."""
    rows = session.execute(
        text(
            "select agency, max(as_of) from source_batch"
            " where suspect_since is null group by agency"
        )
    )
    return {row[0]: row[1] for row in rows}


def counts(session: Session) -> dict[tuple[str, str], int]:
    """Live records by agency and type."""
    rows = session.execute(
        text(
            "select agency, record_type, count(*) from source_record"
            " where assertion_id is not null group by agency, record_type order by 1, 2"
        )
    )
    return {(row[0], row[1]): row[2] for row in rows}


def link_counts(session: Session) -> tuple[int, int, int, int]:
    """Persons with a live record, linked pairs, pairs for a steward, records still to link."""
    row = session.execute(
        text(
            "select (select count(distinct m.person_id) from person_feature f"
            "  join membership m using (record_id)),"
            " count(*) filter (where x.person_id = y.person_id),"
            " count(*) filter (where x.person_id <> y.person_id),"
            " (select count(*) from touched)"
            " from edge e join membership x on x.record_id = e.a"
            " join membership y on y.record_id = e.b"
        )
    ).one()
    return row[0], row[1], row[2], row[3]


def _said(row: tuple[Any, ...], vault: Vault) -> Said:
    record_id, agency, record_type, source_id, v, as_of, batch_id, line_i, leaf = row[:9]
    clear, sealed, period, accepted = row[9:13]
    place = Place(agency, record_type, source_id, v, period)
    provenance = Provenance(
        agency, record_id, record_type, v, as_of, batch_id, line_i, leaf, accepted
    )
    return Said(provenance, source_id, {**clear, **sealing.opened(vault, place, sealed)})
