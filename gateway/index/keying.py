"""What the vault's index key makes of persons: blocking keys and blind indexes, for one version.

Writers make them, and a rotation of the key makes them anew from what is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.index import blocking, features, sealing
from gateway.index.blocking import KeyRows
from gateway.index.model import Batch, PersonFeatures
from keys.vault import Vault


@dataclass(frozen=True, slots=True)
class IndexKeys:
    """Which versions of the index key the rows carry.

    Attributes:
        current: by which records are looked up and linked.
        next: the one that a rotation writes beside it, None while there is none.
    """

    current: int
    next: int | None = None

    @property
    def newest(self) -> int:
        """The version of the blind indexes that are written now."""
        return self.current if self.next is None else self.next


@dataclass(frozen=True, slots=True)
class Blinded:
    """The blind indexes of persons, in order; None where a person has no such number."""

    nik: Sequence[bytes | None]
    no_kk: Sequence[bytes | None]
    phone: Sequence[bytes | None]


def blinded(vault: Vault, version: int, people: Sequence[PersonFeatures]) -> Blinded:
    """The blind indexes of these persons under one version of the key."""
    return Blinded(
        sealing.blind(vault, "nik", map(features.whole_nik, people), version),
        sealing.blind(vault, "no_kk", (p.no_kk for p in people), version),
        sealing.blind(vault, "phone", (p.phone for p in people), version),
    )


def block_keys(
    vault: Vault, version: int, record_ids: Sequence[int], people: Sequence[PersonFeatures]
) -> KeyRows:
    """The blocking keys, by record id, each once; those of identifiers are keyed by the vault."""
    rows = _raw(vault, version, people)
    ids = np.array(record_ids, dtype=np.int64)
    order = np.lexsort((rows.keys, rows.records))
    records, found = rows.records[order], rows.keys[order]
    again = np.zeros(len(order), dtype=bool)
    again[1:] = (records[1:] == records[:-1]) & (found[1:] == found[:-1])
    kept = order[~again]
    return KeyRows(ids[rows.records[kept]], rows.rules[kept], rows.keys[kept])


def translation(
    vault: Vault, old: int, new: int, people: Sequence[PersonFeatures]
) -> dict[int, int]:
    """What each blocking key of these persons becomes under another version of the key.

    Which rows there are, and their order, does not depend on the key that they are hashed with.
    """
    before, after = (_raw(vault, version, people) for version in (old, new))
    return dict(zip(before.keys.tolist(), after.keys.tolist(), strict=True))


def carried(record_ids: Sequence[int], rows: KeyRows) -> dict[int, list[int]]:
    """The keys of each of these records."""
    found: dict[int, list[int]] = {record_id: [] for record_id in record_ids}
    for record_id, key in zip(rows.records.tolist(), rows.keys.tolist(), strict=True):
        found[record_id].append(key)
    return found


def beyond(rows: KeyRows, known: Mapping[int, Sequence[int]]) -> KeyRows:
    """The rows that records do not carry already: a key of public parts has no version."""
    pairs = zip(rows.records.tolist(), rows.keys.tolist(), strict=True)
    have = {record_id: frozenset(keys) for record_id, keys in known.items()}
    new = np.array([key not in have[record_id] for record_id, key in pairs], dtype=bool)
    return KeyRows(rows.records[new], rows.rules[new], rows.keys[new])


def _raw(vault: Vault, version: int, people: Sequence[PersonFeatures]) -> KeyRows:
    def keyed(label: str, values: Sequence[bytes]) -> list[bytes]:
        return vault.hmac(f"block:{label}", values, version=version)

    return blocking.keys(Batch.of(people), blocking.RULES, keyed)
