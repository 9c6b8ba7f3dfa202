"""SQL of absorbing: what is known of a batch's records, and the new versions written in bulk."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.index.arrivals import Current, Origin
from gateway.storage import bulk

_HOT_GATE = 0x7469_7469_616E_0001
"""Advisory lock: shared by all who add, remove or look up blocking keys; exclusive for a key that
turns hot or cool. Which keys are hot cannot change under whoever holds it shared and has looked.
"""

_RECORD = (
    ("id", "int8"),
    ("agency", "text"),
    ("record_type", "text"),
    ("source_id", "text"),
    ("v", "int8"),
    ("as_of", "timestamptz"),
    ("content", "bytea"),
    ("assertion_id", "int8"),
)
_ASSERTION = (
    ("id", "int8"),
    ("record_id", "int8"),
    ("v", "int8"),
    ("batch_id", "uuid"),
    ("line_i", "int4"),
    ("leaf", "bytea"),
    ("as_of", "timestamptz"),
    ("withdrawn", "bool"),
    ("content", "bytea"),
    ("clear", "jsonb"),
    ("sealed", "bytea"),
    ("period", "int4"),
)
_SUBJECT = (
    ("record_id", "int8"),
    ("kind", "text"),
    ("source_id", "text"),
    ("role", "text"),
    ("agency", "text"),
)
_FEATURE = (
    ("record_id", "int8"),
    ("assertion_id", "int8"),
    ("agency", "text"),
    ("source_id", "text"),
    ("name", "text"),
    ("core", "text"),
    ("alias", "text"),
    ("birth_date", "text"),
    ("sex", "text"),
    ("kelurahan", "text"),
    ("address", "text"),
    ("registered", "bool"),
    ("nik_bix", "bytea"),
    ("kk_bix", "bytea"),
    ("phone_bix", "bytea"),
    ("period", "int4"),
    ("hidden", "bytea"),
    ("keys", "int8[]"),
    ("bix_v", "int4"),
    ("keys_next", "int8[]"),
)
_FEW = 8


@dataclass(frozen=True, slots=True)
class Head:
    """The newest version of a record: what `source_record` says after a batch."""

    record_id: int
    v: int
    as_of: datetime
    content: bytes
    assertion_id: int | None


def share_gate(session: Session) -> None:
    """Wait until no key is turning hot or cool, and keep it so until the transaction ends."""
    session.execute(text("select pg_advisory_xact_lock_shared(:gate)"), {"gate": _HOT_GATE})


def close_gate(session: Session) -> None:
    """Wait until nobody adds, removes or looks up keys; so it stays until the transaction ends."""
    session.execute(text("select pg_advisory_xact_lock(:gate)"), {"gate": _HOT_GATE})


def note_batch(session: Session, origin: Origin) -> None:
    """Remember where a batch stands in the log, and how old its data are."""
    query = (
        "insert into source_batch (batch_id, agency, as_of, accepted) values (%s, %s, %s, %s)"
        " on conflict (batch_id) do nothing"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (origin.batch_id, origin.agency, origin.as_of, origin.accepted))


def get_current(session: Session, origin: Origin, source_ids: Sequence[str]) -> dict[str, Current]:
    """The newest known versions of these records, locked, ids ascending."""
    query = (
        "select source_id, id, v, content, assertion_id from source_record"
        " where agency = %s and record_type = %s and source_id = any(%s) order by id for update"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (origin.agency, origin.record_type, list(source_ids)), binary=True)
        return {row[0]: Current(row[1], row[2], row[3], row[4]) for row in cur}


def take_ids(session: Session, records: int, assertions: int) -> tuple[list[int], list[int]]:
    """Fresh ids for so many records and assertions, in one round trip."""
    if not records and not assertions:
        return [], []
    query = (
        "select array(select nextval('source_record_id_seq') from generate_series(1, %s)),"
        " array(select nextval('assertion_id_seq') from generate_series(1, %s))"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (records, assertions), binary=True)
        row = cur.fetchone()
    return (row[0], row[1]) if row else ([], [])


def add_records(session: Session, origin: Origin, heads: Sequence[tuple[str, Head]]) -> None:
    """New source records, by source id."""
    rows = [
        (h.record_id, origin.agency, origin.record_type, s, h.v, h.as_of, h.content, h.assertion_id)
        for s, h in heads
    ]
    _copy(session, "source_record", _RECORD, rows)


def move_heads(session: Session, heads: Sequence[Head]) -> None:
    """Point known records (already locked) at their newest version."""
    if not heads:
        return
    query = (
        "update source_record r set v = n.v, as_of = n.as_of, content = n.content,"
        " assertion_id = n.assertion_id from unnest(%s::int8[], %s::int8[], %s::timestamptz[],"
        " %s::bytea[], %s::int8[]) n(id, v, as_of, content, assertion_id) where r.id = n.id"
    )
    columns = (
        [h.record_id for h in heads],
        [h.v for h in heads],
        [h.as_of for h in heads],
        [h.content for h in heads],
        [h.assertion_id for h in heads],
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, columns)


def add_assertions(session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
    """Versions in the order of `_ASSERTION`; the clear fields as a dict."""
    at = [name for name, _ in _ASSERTION].index("clear")
    _copy(session, "assertion", _ASSERTION, [(*r[:at], Jsonb(r[at]), *r[at + 1 :]) for r in rows])


def known_versions(
    session: Session, versions: Sequence[tuple[int, int]]
) -> frozenset[tuple[int, int]]:
    """Which of these (record, v) are in the history already."""
    if not versions:
        return frozenset()
    query = (
        "with w as (select * from unnest(%s::int8[], %s::int8[]) w(record_id, v))"
        " select a.record_id, a.v from w join assertion a using (record_id, v)"
        " union select p.record_id, p.v from w join repetition p using (record_id, v)"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, ([r for r, _ in versions], [v for _, v in versions]), binary=True)
        return frozenset((row[0], row[1]) for row in cur)


def drop_derived(session: Session, record_ids: Sequence[int]) -> None:
    """Forget features, blocking keys and subjects of versions that are live no more.

    Hot keys that lose a record are marked: whoever reconciles next looks whether they cooled.
    """
    if not record_ids:
        return
    with bulk.cursor(session) as cur:
        cur.execute("delete from subject where record_id = any(%s)", (list(record_ids),))
        cur.execute(
            "with old as (delete from person_feature where record_id = any(%s)"
            " returning record_id, keys || coalesce(keys_next, '{}') as keys),"
            # Row by row through the index: the planner would rather read all keys there are.
            " gone as (delete from block_key where ctid in (select b.ctid from old,"
            "  unnest(old.keys) k(key), lateral (select ctid from block_key"
            "  where key = k.key and record_id = old.record_id offset 0) b) returning key)"
            " update hot_key h set stale = true from (select distinct key from gone) g"
            " where h.key = g.key and not h.stale",
            (list(record_ids),),
        )


def add_subjects(session: Session, rows: Sequence[tuple[int, str, str, str, str]]) -> None:
    """Whom or what records speak of: (record, kind, source id, role, agency)."""
    _copy(session, "subject", _SUBJECT, rows)


def add_features(session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
    """Features of live person records, in the order of `_FEATURE`."""
    _copy(session, "person_feature", _FEATURE, rows)


def add_touched(session: Session, batch_id: UUID, record_ids: Iterable[int]) -> None:
    """Records whose links the batch's reconciliation must find anew."""
    rows = [(batch_id, record_id) for record_id in record_ids]
    _copy(session, "touched", (("batch_id", "uuid"), ("record_id", "int8")), rows)


def count_niks(session: Session, agency: str, blinds: Sequence[bytes]) -> dict[bytes, int]:
    """How many live records of this agency carry each of these blind indexes of a NIK."""
    if not blinds:
        return {}
    query = (
        "select nik_bix, count(*) from person_feature where nik_bix = any(%s) and agency = %s"
        " group by nik_bix"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(set(blinds)), agency), binary=True)
        return {row[0]: row[1] for row in cur}


def known_programs(session: Session, codes: Sequence[str]) -> frozenset[str]:
    """Which of these programme codes some agency has published."""
    query = (
        "select distinct source_id from subject"
        " where kind = 'program' and role = 'is' and source_id = any(%s)"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(set(codes)),))
        return frozenset(row[0] for row in cur)


def overfull(session: Session, codes: Sequence[str]) -> frozenset[str]:
    """Which of these programmes have more approved or active enrolments than their quota."""
    query = (
        "with wanted as (select distinct unnest(%s::text[]) code),"
        " quota as (select w.code, max((a.clear->>'quota_total')::int8) total from wanted w"
        "  join subject s on s.source_id = w.code and s.kind = 'program' and s.role = 'is'"
        "  join source_record r on r.id = s.record_id join assertion a on a.id = r.assertion_id"
        "  group by w.code)"
        " select q.code from quota q where q.total < (select count(*) from subject s"
        "  join source_record r on r.id = s.record_id and r.record_type = 'enrolment'"
        "  join assertion a on a.id = r.assertion_id"
        "  where s.source_id = q.code and s.kind = 'program' and s.role = 'of'"
        "  and a.clear->>'status' in ('approved', 'active'))"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(set(codes)),))
        return frozenset(row[0] for row in cur)


def of_batch(session: Session, batch_id: UUID) -> list[tuple[Any, ...]]:
    """The versions that a batch brought, by line.

    Each is (agency, record type, source id, line, v, content, withdrawn, clear, sealed, period).
    """
    query = (
        "select r.agency, r.record_type, r.source_id, a.line_i, a.v, a.content, a.withdrawn,"
        " a.clear, a.sealed, a.period from assertion a join source_record r on r.id = a.record_id"
        " where a.batch_id = %s order by a.line_i, a.id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (batch_id,))
        return list(cur)


def _copy(
    session: Session, table: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]
) -> None:
    """COPY the rows, or insert them where they are few."""
    if not rows:
        return
    if len(rows) > _FEW:
        bulk.copy_rows(session, table, columns, rows)
        return
    names = ", ".join(name for name, _ in columns)
    places = ", ".join(f"%s::{kind}" for _, kind in columns)
    with bulk.cursor(session) as cur:
        cur.executemany(f"insert into {table} ({names}) values ({places})", rows)  # noqa: S608
