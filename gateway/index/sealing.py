"""What of a record is sealed and what stays searchable, and under which data key.

A record's identifiers and its fields of class S3 are one ciphertext, bound to the row; what
comparing needs of them is a second, short one beside the features. Nothing here knows SQL.

Source: trust.md 1.9.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import orjson
from marshmallow import fields

from keys.vault import Vault
from schemas.kinds import Kind, Sensitivity
from schemas.records.registry import RECORD_TYPES

_IDENTIFYING = frozenset((Kind.NIK, Kind.NO_KK, Kind.PHONE))
_SEALED_BY_NAME = frozenset(("nik_raw", "mother_name", "household_key"))
"""Beside the kinds: a household's key may be its family card's number."""

_PERIOD_MS = 30 * 24 * 3_600_000
_SEPARATOR = "\x1f"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """The row and data key of a sealed assertion."""

    agency: str
    record_type: str
    source_id: str
    v: int
    period: int

    @property
    def scope(self) -> str:
        return f"assertion|{self.agency}|{self.record_type}|{self.period}"

    @property
    def aad(self) -> bytes:
        return (
            f"assertion|sealed|{self.agency}|{self.record_type}|{self.source_id}|{self.v}".encode()
        )


@dataclass(frozen=True, slots=True)
class Slot:
    """The row and data key of what `person_feature` hides."""

    agency: str
    period: int
    record_id: int
    assertion_id: int

    @property
    def scope(self) -> str:
        return f"person_feature|{self.agency}|{self.period}"

    @property
    def aad(self) -> bytes:
        return b"person_feature|hidden|%d|%d" % (self.record_id, self.assertion_id)


@dataclass(frozen=True, slots=True)
class Hidden:
    """What comparing needs of the identifiers."""

    nik: str | None
    nik_stem: str | None
    no_kk: str | None
    phone: str | None

    def plain(self) -> bytes:
        parts = (self.nik, self.nik_stem, self.no_kk, self.phone)
        return _SEPARATOR.join([part or "" for part in parts]).encode()


def period_of(batch_id: UUID) -> int:
    """The 30 days in which the batch's id was made: records of one data key."""
    return (batch_id.int >> 80) // _PERIOD_MS


def split(record_type: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The searchable fields and those to be sealed."""
    names = sealed_names(record_type)
    clear = {k: v for k, v in values.items() if k not in names}
    return clear, {k: v for k, v in values.items() if k in names}


@lru_cache(maxsize=64)
def sealed_names(record_type: str) -> frozenset[str]:
    """The fields of a record type that never stand in clear."""
    schema = RECORD_TYPES[record_type].schema
    return frozenset(name for name, field in schema.load_fields.items() if _is_sealed(name, field))


def seal(vault: Vault, places: Sequence[Place], values: Sequence[Mapping[str, Any]]) -> list[bytes]:
    """The ciphertexts of assertions of one scope."""
    if not places:
        return []
    plains = [orjson.dumps(v) for v in values]
    return vault.seal_many(places[0].scope, [p.aad for p in places], plains)


def opened(vault: Vault, place: Place, sealed: bytes | None) -> dict[str, Any]:
    """The sealed fields of one assertion.

    Raises:
        VaultError: the ciphertext does not belong to this row.
    """
    if sealed is None:
        return {}
    found: dict[str, Any] = orjson.loads(vault.open(place.scope, place.aad, sealed))
    return found


def opened_many(
    vault: Vault, places: Sequence[Place], sealed: Sequence[bytes | None]
) -> list[dict[str, Any]]:
    """The sealed fields of assertions of one scope, in order.

    Raises:
        VaultError: a ciphertext does not belong to its row.
    """
    given = [(i, ct) for i, ct in enumerate(sealed) if ct is not None]
    out: list[dict[str, Any]] = [{} for _ in sealed]
    if given:
        aads = [places[i].aad for i, _ in given]
        plains = vault.open_many(places[0].scope, aads, [ct for _, ct in given])
        for (i, _), plain in zip(given, plains, strict=True):
            out[i] = orjson.loads(plain)
    return out


def hide(vault: Vault, slots: Sequence[Slot], hidden: Sequence[Hidden]) -> list[bytes]:
    """The ciphertexts of what comparing needs, of one scope."""
    if not slots:
        return []
    return vault.seal_many(slots[0].scope, [s.aad for s in slots], [h.plain() for h in hidden])


def reveal(vault: Vault, slots: Sequence[Slot], sealed: Sequence[bytes]) -> list[Hidden]:
    """What comparing needs, in order; each data key's values are opened together.

    Raises:
        VaultError: a ciphertext does not belong to its row.
    """
    by_scope: dict[tuple[str, int], list[int]] = {}
    for i, slot in enumerate(slots):
        by_scope.setdefault((slot.agency, slot.period), []).append(i)
    plains: dict[int, bytes] = {}
    for chosen in by_scope.values():
        scope = slots[chosen[0]].scope
        aads = [slots[i].aad for i in chosen]
        plains.update(
            zip(chosen, vault.open_many(scope, aads, [sealed[i] for i in chosen]), strict=True)
        )
    return [_hidden(plains[i]) for i in range(len(slots))]


def blind(
    vault: Vault, label: str, values: Iterable[str | None], version: int
) -> list[bytes | None]:
    """The blind index of each value under one version of the key, None for None."""
    given = list(values)
    distinct = sorted({v for v in given if v is not None})
    hashed = vault.hmac(label, [v.encode() for v in distinct], version=version)
    made = dict(zip(distinct, hashed, strict=True))
    return [None if v is None else made[v] for v in given]


def blind_all(vault: Vault, label: str, value: str) -> list[bytes]:
    """The blind indexes of one value under every key still in use, for a look-up."""
    return [
        vault.hmac(label, [value.encode()], version=version)[0] for version in vault.bix_versions
    ]


def settled(vault: Vault, look: Callable[[], T]) -> T:
    """What `look` finds by blind indexes, asked again if a key came or went meanwhile."""
    while True:
        before = vault.bix_versions
        found = look()
        if vault.bix_versions == before:
            return found


def _hidden(plain: bytes) -> Hidden:
    nik, stem, no_kk, phone = plain.decode().split(_SEPARATOR)
    return Hidden(nik or None, stem or None, no_kk or None, phone or None)


def _is_sealed(name: str, field: fields.Field[Any]) -> bool:
    if name in _SEALED_BY_NAME or getattr(field, "kind", None) in _IDENTIFYING:
        return True
    return _has_specific(field)


def _has_specific(field: fields.Field[Any]) -> bool:
    if getattr(field, "sensitivity", None) is Sensitivity.SPECIFIC:
        return True
    if isinstance(field, fields.List):
        return _has_specific(field.inner)
    if isinstance(field, fields.Nested):
        return any(map(_has_specific, field.schema.load_fields.values()))
    return False
