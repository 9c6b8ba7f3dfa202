"""The key stores in arrays and in PostgreSQL give the same pairs, for any keys in any order."""

from collections.abc import Iterable

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.index.blocking import KeyRows
from gateway.index.keystore import ArrayKeyStore
from gateway.index.keystore_pg import PgKeyStore
from tests.conftest import Database

CARRIED = st.dictionaries(st.integers(1, 40), st.sets(st.integers(-3, 12), max_size=5), max_size=30)


def rows(carried: Iterable[tuple[int, Iterable[int]]]) -> KeyRows:
    flat = [(record, key * 2**58 + 1) for record, keys in carried for key in sorted(keys)]
    return KeyRows(
        np.array([r for r, _ in flat], dtype=np.int64),
        np.zeros(len(flat), dtype=np.int16),
        np.array([k for _, k in flat], dtype=np.int64),
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(carried=CARRIED, cut=st.integers(0, 30), hot=st.integers(1, 6))
def test_both_stores_give_the_same_pairs(
    database: Database, carried: dict[int, set[int]], cut: int, hot: int
) -> None:
    items = list(carried.items())
    with database.session() as session:
        session.execute(text("truncate block_key"))
        array, table = ArrayKeyStore(hot), PgKeyStore(session, hot)
        for part in (items[:cut], items[cut:]):
            asked = rows(part)
            array.put(asked)
            table.put(asked)
            expected, found = array.candidates(asked), table.candidates(asked)
            assert found.left.tolist() == expected.left.tolist()
            assert found.right.tolist() == expected.right.tolist()
        session.rollback()
