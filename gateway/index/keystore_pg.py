"""The blocking keys of live records in PostgreSQL: the key store of the running index.

It gives the same pairs as the store in arrays; a property test holds the two together. Record
ids stay below 2^31, so that a pair fits 64 bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from gateway.index.blocking import HOT, KeyRows
from gateway.index.keystore import pairs_of
from gateway.index.model import Ints, Pairs
from gateway.storage import bulk

_ROW = np.dtype(
    [("fields", ">i2"), ("w1", ">i4"), ("key", ">i8"), ("w2", ">i4"), ("record", ">i8")]
)
_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"


@dataclass(frozen=True, slots=True)
class Met:
    """What a look-up found: the carriers of each key that is not hot, and the hot keys."""

    keys: Ints
    records: Ints
    hot: frozenset[int]


class PgKeyStore:
    """Keys in the table `block_key`, within the session's transaction."""

    def __init__(self, session: Session, hot: int = HOT) -> None:
        self._session = session
        self._hot = hot

    def put(self, rows: KeyRows) -> None:
        """Add the keys of new records: COPY BINARY, made by numpy in one piece."""
        if not len(rows):
            return
        body = np.empty(len(rows), dtype=_ROW)
        body["fields"], body["w1"], body["w2"] = 2, 8, 8
        body["key"], body["record"] = rows.keys, rows.records
        statement = "copy block_key (key, record_id) from stdin (format binary)"
        with bulk.cursor(self._session) as cur, cur.copy(statement) as copy:
            copy.write(_COPY_HEAD + body.tobytes() + _COPY_END)

    def candidates(self, rows: KeyRows) -> Pairs:
        """Pairs of these records (already put) with any other that shares a key, each once."""
        met = self.meet(rows.keys.tolist())
        pairs = pairs_of(met.keys, met.records, self._hot)
        asking = np.unique(rows.records)
        return pairs.where(np.isin(pairs.left, asking) | np.isin(pairs.right, asking))

    def meet(self, keys: Sequence[int]) -> Met:
        """The live records of each key; one round trip for any number of keys."""
        query = (
            "select k.key, b.record_id from (select distinct unnest(%s::int8[]) key) k"
            " cross join lateral (select record_id from block_key where key = k.key"
            " limit %s) b order by 1, 2"
        )
        with bulk.cursor(self._session) as cur:
            cur.execute(query, (list(keys), self._hot + 1), binary=True)
            flat = np.array(cur.fetchall(), dtype=np.int64).reshape(-1, 2)
        found, records = flat[:, 0], flat[:, 1]
        distinct, counts = np.unique(found, return_counts=True)
        hot = distinct[counts > self._hot]
        keep = ~np.isin(found, hot)
        return Met(found[keep], records[keep], frozenset(hot.tolist()))

    def members(self, keys: Sequence[int]) -> frozenset[int]:
        """All records that carry any of these keys, however many."""
        query = "select distinct record_id from block_key where key = any(%s)"
        with bulk.cursor(self._session) as cur:
            cur.execute(query, (list(keys),), binary=True)
            return frozenset(row[0] for row in cur)
