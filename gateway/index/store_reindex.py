"""SQL of rotating the index key: its state, the rows still to be done, and the guards.

A row of `person_feature` says by `bix_v` under which version its `keys` are; with `keys_next` it
carries the next version too, and its blind indexes are of that one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.index.keying import IndexKeys
from gateway.index.store_links import COLUMNS
from gateway.storage import bulk

COLUMN_COUNT = COLUMNS.count(",") + 1


def get_index_keys(session: Session) -> IndexKeys | None:
    """The versions in use; None before the first rotation. They change behind the gate only."""
    with bulk.cursor(session) as cur:
        cur.execute("select current, next from index_key")
        row = cur.fetchone()
    return None if row is None else IndexKeys(row[0], row[1])


def put_index_keys(session: Session, keys: IndexKeys) -> None:
    """Set the versions in use; the caller has closed the gate."""
    session.execute(
        text(
            "insert into index_key (current, next) values (:current, :next)"
            " on conflict (one) do update set current = excluded.current, next = excluded.next"
        ),
        {"current": keys.current, "next": keys.next},
    )


def lock_without_next(
    session: Session, current: int, after: int, limit: int
) -> list[tuple[Any, ...]]:
    """Rows of `COLUMNS` and the keys, of records that lack the next version, ascending, locked.

    Rows that another transaction holds are left out: a later look finds them.
    """
    query = (
        f"select {COLUMNS}, f.keys from person_feature f"  # noqa: S608  (our own column names)
        " where f.record_id > %s and f.bix_v = %s and f.keys_next is null"
        " order by f.record_id limit %s for update skip locked"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (after, current, limit), binary=True)
        return cur.fetchall()


def put_next(
    session: Session,
    record_ids: Sequence[int],
    keys: Sequence[Sequence[int]],
    blinds: Sequence[Sequence[bytes | None]],
) -> None:
    """Write the next version's keys and blind indexes (NIK, No. KK, phone) beside the old keys."""
    query = (
        "update person_feature f set keys_next = n.keys::int8[], nik_bix = n.nik,"
        " kk_bix = n.kk, phone_bix = n.phone"
        " from unnest(%s::int8[], %s::text[], %s::bytea[], %s::bytea[], %s::bytea[])"
        " n(id, keys, nik, kk, phone) where f.record_id = n.id"
    )
    spelt = ["{" + ",".join(map(str, each)) + "}" for each in keys]
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(record_ids), spelt, *(list(b) for b in blinds)))


def drop_old(session: Session, current: int, after: int, limit: int) -> list[int]:
    """Take older keys from at most so many records that carry them; these records, ascending."""
    query = (
        "with old as (select record_id, keys, keys_next from person_feature"
        "  where record_id > %s and bix_v < %s order by record_id limit %s for update skip locked),"
        " gone as (delete from block_key b using old, unnest(old.keys) k(key)"
        "  where b.key = k.key and b.record_id = old.record_id"
        "  and not b.key = any(old.keys_next)),"
        " moved as (update person_feature f set keys = old.keys_next, keys_next = null, bix_v = %s"
        "  from old where f.record_id = old.record_id returning f.record_id)"
        " select record_id from moved order by record_id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (after, current, limit, current), binary=True)
        return [row[0] for row in cur]


def get_hot_carriers(session: Session) -> list[tuple[int, int]]:
    """Each hot key that records carry, with one of them."""
    query = (
        "select h.key, b.record_id from hot_key h"
        " cross join lateral (select record_id from block_key where key = h.key limit 1) b"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, binary=True)
        return cur.fetchall()


def rename_hot(session: Session, renamed: Mapping[int, int]) -> None:
    """Note hot keys under their next names; the caller has closed the gate."""
    query = (
        "update hot_key h set key = n.key from unnest(%s::int8[], %s::int8[]) n(old, key)"
        " where h.key = n.old and n.old <> n.key"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(renamed), list(renamed.values())))


def count_without_next(session: Session, current: int) -> int:
    """How many records lack the next version."""
    query = "select count(*) from person_feature where bix_v = :v and keys_next is null"
    return session.scalar(text(query), {"v": current}) or 0


def count_below(session: Session, version: int) -> int:
    """How many records carry keys of an older version."""
    query = "select count(*) from person_feature where bix_v < :v"
    return session.scalar(text(query), {"v": version}) or 0
