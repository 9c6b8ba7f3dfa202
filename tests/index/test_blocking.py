import hashlib
import hmac
from collections.abc import Sequence

import numpy as np
import pytest

from gateway.index import blocking
from gateway.index.blocking import RULES, WIDE, KeyRows
from gateway.index.keystore import ArrayKeyStore
from gateway.index.model import Batch
from tests.index.records import CARD, KELURAHAN, person


def keyed(label: str, values: Sequence[bytes]) -> list[bytes]:
    return [hmac.digest(b"key" + label.encode(), v, hashlib.sha256)[:16] for v in values]


def shared_rules(*records: object) -> set[int]:
    rows = blocking.keys(Batch.of(records), RULES + WIDE)  # type: ignore[arg-type]
    owners: dict[int, set[int]] = {}
    rule = {}
    for record, number, key in zip(rows.records, rows.rules, rows.keys, strict=True):
        owners.setdefault(int(key), set()).add(int(record))
        rule[int(key)] = int(number)
    return {rule[k] for k, who in owners.items() if len(who) > 1}


def test_keys_are_stable_signed_and_of_this_release() -> None:
    rows = blocking.keys(Batch.of([person("a", "Siti Aminah", birth_date="1980-02-03")]))
    assert rows.keys.dtype == np.int64
    assert sorted(rows.rules.tolist()) == [2, 4, 4]
    again = blocking.keys(Batch.of([person("b", "Siti Aminah", birth_date="1980-02-03")]))
    assert again.keys.tolist() == rows.keys.tolist()


def test_personal_numbers_are_hashed_by_the_callers_key_alone() -> None:
    batch = Batch.of([person("a", "Ali", nik="1376010203800001", no_kk=CARD, kelurahan=KELURAHAN)])
    plain, secret = blocking.keys(batch), blocking.keys(batch, keyed=keyed)
    differ = {
        int(r) for r, a, b in zip(plain.rules, plain.keys, secret.keys, strict=True) if a != b
    }
    personal = {r.number for r in RULES if set(r.parts) & blocking.PERSONAL}
    assert differ == personal & {int(r) for r in plain.rules}


def test_a_damaged_nik_blocks_by_its_stem_and_a_name() -> None:
    whole = person("a", "Ali Basri", nik="1376010203800012", nik_stem="137601020380001")
    cut = person("b", "Ali Basri", nik_stem="137601020380001")
    assert 10 in shared_rules(whole, cut)
    assert 1 not in shared_rules(whole, cut)


def test_a_gelar_meets_the_name_it_stands_for() -> None:
    a = person("a", "Ujang gelar St. Rajo Ameh", kelurahan=KELURAHAN)
    b = person("b", "Sutan Rajo Ameh", kelurahan=KELURAHAN)
    assert 6 in shared_rules(a, b)


def test_candidates_of_a_batch_are_all_pairs_that_touch_it() -> None:
    records = [person(str(i), "Siti Aminah", kelurahan=KELURAHAN) for i in range(6)]
    rows = blocking.keys(Batch.of(records))
    whole, grown = ArrayKeyStore(), ArrayKeyStore()
    whole.put(rows)
    for i in range(6):
        mine = rows.records == i
        part = KeyRows(rows.records[mine], rows.rules[mine], rows.keys[mine])
        grown.put(part)
    asked = grown.candidates(rows)
    assert len(whole.pairs()) == 15
    assert asked.left.tolist() == whole.pairs().left.tolist()


@pytest.mark.parametrize(("carriers", "pairs"), [(3, 3), (4, 0)])
def test_a_hot_key_yields_nothing(carriers: int, pairs: int) -> None:
    store = ArrayKeyStore(hot=3)
    ids = np.arange(carriers)
    rows = KeyRows(ids, np.ones(carriers, dtype=np.int16), np.full(carriers, 7, dtype=np.int64))
    store.put(rows)
    assert len(store.candidates(rows)) == len(store.pairs()) == pairs
