"""SQL of reconciling: features of candidates, edges, components under lock, persons, journal."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.index import features, sealing
from gateway.index.model import PersonFeatures
from gateway.index.sealing import Hidden, Slot
from gateway.storage import bulk
from keys.vault import Vault

COLUMNS = (
    "f.record_id, f.assertion_id, f.agency, f.source_id, f.name, f.birth_date, f.sex,"
    " f.kelurahan, f.address, f.registered, f.period, f.hidden"
)
_EDGE = (("a", "int8"), ("b", "int8"), ("bits", "float8"), ("levels", "bytea"), ("model", "text"))
_JOURNAL = (
    ("kind", "text"),
    ("person_id", "uuid"),
    ("other_id", "uuid"),
    ("record_id", "int8"),
    ("batch_id", "uuid"),
    ("bits", "float4"),
    ("model", "text"),
)


@dataclass(frozen=True, slots=True)
class Known:
    """A live person record as the engine sees it, and the version that this was read from."""

    record_id: int
    assertion_id: int
    features: PersonFeatures


@dataclass(frozen=True, slots=True)
class Edge:
    """Two records that were compared, `a < b`; `levels` holds a byte a field, 0 for missing."""

    a: int
    b: int
    bits: float
    levels: bytes


def next_touched(session: Session, batch_id: UUID, limit: int | None) -> list[int]:
    """Records of the batch whose links are still to be found, ascending."""
    query = "select record_id from touched where batch_id = %s order by record_id limit %s"
    with bulk.cursor(session) as cur:
        cur.execute(query, (batch_id, limit), binary=True)
        return [row[0] for row in cur]


def drop_touched(session: Session, batch_id: UUID, record_ids: Sequence[int]) -> int:
    """These are done; returns how many of the batch are left."""
    with bulk.cursor(session) as cur:
        cur.execute(
            "delete from touched where batch_id = %s and record_id = any(%s)",
            (batch_id, list(record_ids)),
        )
        cur.execute("select count(*) from touched where batch_id = %s", (batch_id,))
        row = cur.fetchone()
    return int(row[0]) if row else 0


def get_known(session: Session, vault: Vault, record_ids: Iterable[int]) -> dict[int, Known]:
    """Live person records by id, their identifiers opened in memory."""
    query = f"select {COLUMNS} from person_feature f where f.record_id = any(%s)"  # noqa: S608
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(record_ids),), binary=True)
        rows = cur.fetchall()
    return {known.record_id: known for known in read_known(vault, rows)}


def read_known(vault: Vault, rows: Sequence[tuple[Any, ...]]) -> list[Known]:
    """Rows that begin with `COLUMNS`, in order."""
    slots = [Slot(row[2], row[10], row[0], row[1]) for row in rows]
    hidden = sealing.reveal(vault, slots, [row[11] for row in rows])
    return [_known(row, secret) for row, secret in zip(rows, hidden, strict=True)]


def _known(row: tuple[Any, ...], secret: Hidden) -> Known:
    made = PersonFeatures(
        key=features.record_key(row[2], row[3]),
        source=row[2],
        nik=secret.nik,
        nik_stem=secret.nik_stem,
        registered=row[9],
        no_kk=secret.no_kk,
        name=row[4],
        birth_date=row[5],
        sex=row[6],
        kelurahan=row[7],
        address=row[8],
        phone=secret.phone,
    )
    return Known(row[0], row[1], made)


def get_keys(session: Session, record_ids: Iterable[int]) -> dict[int, list[int]]:
    """The blocking keys of live person records, under the index key in use."""
    query = (
        "select f.record_id, case when f.bix_v < k.current then f.keys_next else f.keys end"
        " from person_feature f left join index_key k on true where f.record_id = any(%s)"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(record_ids),), binary=True)
        return {row[0]: row[1] for row in cur}


def get_hot(session: Session, keys: Iterable[int]) -> tuple[frozenset[int], frozenset[int]]:
    """Which of `keys` are noted as hot, and all hot keys that have lost a record since."""
    query = "select key, stale from hot_key where stale or key = any(%s)"
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(keys),), binary=True)
        rows = cur.fetchall()
    return frozenset(k for k, _ in rows), frozenset(k for k, stale in rows if stale)


def note_hot(session: Session, hot: Iterable[int], cool: Iterable[int]) -> None:
    """Note keys that are hot, and forget those that are not any more."""
    with bulk.cursor(session) as cur:
        cur.execute("delete from hot_key where key = any(%s)", (list(cool),))
        cur.execute(
            "insert into hot_key (key) select unnest(%s::int8[])"
            " on conflict (key) do update set stale = false",
            (list(hot),),
        )


def edges_at(session: Session, record_ids: Iterable[int]) -> list[tuple[int, int, float]]:
    """Stored edges (a, b, bits) with at least one end among these records, each once."""
    query = (
        "select a, b, bits from edge where a = any(%(ids)s)"
        " union select a, b, bits from edge where b = any(%(ids)s)"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, {"ids": list(record_ids)}, binary=True)
        return cur.fetchall()


def lock_records(session: Session, record_ids: Iterable[int]) -> dict[int, int | None]:
    """Lock these records, ids ascending; returns the live assertion of each."""
    query = "select id, assertion_id from source_record where id = any(%s) order by id for update"
    with bulk.cursor(session) as cur:
        cur.execute(query, (sorted(record_ids),), binary=True)
        return dict(cur.fetchall())


def replace_edges(
    session: Session,
    of_records: Iterable[int],
    dropped: Sequence[tuple[int, int]],
    fresh: Sequence[Edge],
    model: str,
) -> None:
    """Drop all edges of some records and some others, then put the fresh ones."""
    ids = list(of_records)
    with bulk.cursor(session) as cur:
        cur.execute("delete from edge where a = any(%s)", (ids,))
        cur.execute("delete from edge where b = any(%s)", (ids,))
        if dropped:
            cur.execute(
                "delete from edge e using unnest(%s::int8[], %s::int8[]) d(a, b)"
                " where e.a = d.a and e.b = d.b",
                ([a for a, _ in dropped], [b for _, b in dropped]),
            )
    own = frozenset(ids)
    plain = [e for e in fresh if e.a in own or e.b in own]
    if plain:
        bulk.copy_rows(session, "edge", _EDGE, [(e.a, e.b, e.bits, e.levels, model) for e in plain])
    # Pairs of a key that cooled may have an edge already, by another key: the same one.
    others = [(e.a, e.b, e.bits, e.levels, model) for e in fresh if not (e.a in own or e.b in own)]
    if others:
        with bulk.cursor(session) as cur:
            cur.executemany(
                "insert into edge (a, b, bits, levels, model) values (%s, %s, %s, %s, %s)"
                " on conflict (a, b) do update set bits = excluded.bits,"
                " levels = excluded.levels, model = excluded.model",
                others,
            )


@dataclass(frozen=True, slots=True)
class Borne:
    """The person whom a record bears now, and its own: the one before all merges."""

    person: UUID
    own: UUID


def get_persons(session: Session, record_ids: Iterable[int]) -> dict[int, Borne]:
    """Which person each record bears or bore."""
    query = (
        "select m.record_id, m.person_id, coalesce(f.person_id, m.person_id) from membership m"
        " left join former f using (record_id) where m.record_id = any(%s)"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(record_ids),), binary=True)
        return {row[0]: Borne(row[1], row[2]) for row in cur}


def mates_of(session: Session, record_ids: Iterable[int]) -> frozenset[int]:
    """All records that bear the same persons as these."""
    query = (
        "select m.record_id from membership m where m.person_id in"
        " (select person_id from membership where record_id = any(%s))"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(record_ids),), binary=True)
        return frozenset(row[0] for row in cur)


def keep_former(session: Session, own: Mapping[int, UUID], not_now: Iterable[int]) -> None:
    """Note the ids that records bore before a merge, and forget those of `not_now`."""
    with bulk.cursor(session) as cur:
        cur.execute("delete from former where record_id = any(%s)", (list(not_now),))
        cur.execute(
            "insert into former (record_id, person_id) select * from unnest(%s::int8[], %s::uuid[])"
            " on conflict (record_id) do update set person_id = excluded.person_id",
            (list(own), list(own.values())),
        )


def wake_persons(session: Session, persons: Sequence[UUID]) -> None:
    """Ids that had been merged away name somebody again."""
    with bulk.cursor(session) as cur:
        cur.execute("update person set merged_into = null where id = any(%s)", (list(persons),))
        cur.execute("delete from former where person_id = any(%s)", (list(persons),))


def stir(session: Session, record_ids: Iterable[int]) -> None:
    """The conflicts of these records must be looked for anew."""
    with bulk.cursor(session) as cur:
        cur.execute(
            "insert into stirred (record_id) select unnest(%s::int8[])", (list(record_ids),)
        )


def mint_persons(session: Session, count: int) -> list[UUID]:
    """New persons, in ascending order of their time-ordered ids."""
    if not count:
        return []
    query = "insert into person (id) select uuidv7() from generate_series(1, %s) returning id"
    with bulk.cursor(session) as cur:
        cur.execute(query, (count,), binary=True)
        return sorted(row[0] for row in cur)


def add_members(session: Session, rows: Sequence[tuple[int, UUID]]) -> None:
    """Records that bore no id before."""
    if rows:
        bulk.copy_rows(session, "membership", (("record_id", "int8"), ("person_id", "uuid")), rows)


def move_members(session: Session, rows: Sequence[tuple[int, UUID]]) -> None:
    """Records that bear another id from now on."""
    if not rows:
        return
    query = (
        "update membership m set person_id = n.person_id"
        " from unnest(%s::int8[], %s::uuid[]) n(record_id, person_id)"
        " where m.record_id = n.record_id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, ([r for r, _ in rows], [p for _, p in rows]))


def merge_persons(session: Session, into: Mapping[UUID, UUID]) -> None:
    """Ids that end become aliases of the survivors, and so do their own aliases."""
    if not into:
        return
    columns = (list(into), list(into.values()))
    with bulk.cursor(session) as cur:
        cur.execute(
            "update person p set merged_into = n.survivor"
            " from unnest(%s::uuid[], %s::uuid[]) n(old, survivor)"
            " where p.id = n.old or p.merged_into = n.old",
            columns,
        )
        cur.execute(
            "update membership m set person_id = n.survivor"
            " from unnest(%s::uuid[], %s::uuid[]) n(old, survivor) where m.person_id = n.old",
            columns,
        )


def add_journal(session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
    """Entries in the order kind, person, other, record, batch, bits, model."""
    if rows:
        bulk.copy_rows(session, "journal", _JOURNAL, rows)


def savepoint(session: Session, word: str) -> None:
    """`savepoint`, `rollback to savepoint` or `release savepoint`: locks taken after it go too."""
    session.execute(text(f"{word} titian_links"))
