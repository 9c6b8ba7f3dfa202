"""What the centre's secret file holds, and its form: one JSON object, read and written whole.

    {"v": 1, "kek": {"1": b64}, "bix": {"1": b64}, "log": b64, "receipt": b64, "house": b64,
     "made": {"kek 1": "2026-11-24T07:00:00Z"}}

``kek`` and ``bix`` hold every version still needed. ``receipt_next`` is there while the receipt key
is being replaced: made and published, but not in use yet. ``made`` says when a key was made and may
be missing, as a whole or for a key; so may ``session``, a key of older files that nothing uses.

Source: trust.md 1.1, 1.9.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Self

from keys.canonical import canonical, to_base64, to_moment
from keys.errors import BadStatement, VaultError
from keys.statement import Fields

Versioned = Literal["kek", "bix"]
SINGLE = ("log", "receipt", "house")
VERSIONED: tuple[Versioned, ...] = ("kek", "bix")
_NEEDED = frozenset(("v", *VERSIONED, *SINGLE))
NEXT: Literal["receipt_next"] = "receipt_next"
_PERHAPS = frozenset(("made", "session", NEXT))


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """The keys of the centre, 32 bytes each.

    Attributes:
        kek: by version; wrap the data keys.
        bix: by version; make the blind index.
        seeds: of the signers, by the names of ``SINGLE``, and perhaps ``NEXT``.
        made: when a key was made, by its name ("log", "kek 1"); not of every key.
    """

    kek: Mapping[int, bytes]
    bix: Mapping[int, bytes]
    seeds: Mapping[str, bytes]
    made: Mapping[str, datetime] = field(default_factory=dict)

    @classmethod
    def fresh(cls, now: datetime | None = None) -> Self:
        """New keys throughout, each version 1."""
        made = (*SINGLE, *(f"{kind} 1" for kind in VERSIONED))
        return cls(
            kek={1: secrets.token_bytes(32)},
            bix={1: secrets.token_bytes(32)},
            seeds={name: secrets.token_bytes(32) for name in SINGLE},
            made={} if now is None else dict.fromkeys(made, now),
        )

    @classmethod
    def read(cls, data: bytes) -> Self:
        """The keys of a secret file.

        Raises:
            VaultError: not such a file (``vault.damaged``), or of a later kind (``vault.version``).
        """
        try:
            fields = Fields.read_some(data, _NEEDED | _PERHAPS)
            fields = Fields.of(fields.values, _NEEDED | (fields.values.keys() & _PERHAPS))
            if fields.integer("v") != 1:
                raise VaultError("vault.version", "The vault's version is not known.")
            return cls(
                kek=_versions(fields, "kek"),
                bix=_versions(fields, "bix"),
                seeds={
                    name: fields.base64(name, 32)
                    for name in (*SINGLE, *(fields.values.keys() & {NEXT}))
                },
                made=_made(fields) if "made" in fields.values else {},
            )
        except BadStatement as err:
            raise VaultError("vault.damaged", "The vault's file is damaged.") from err

    def write(self) -> bytes:
        """The bytes of the file."""
        value: dict[str, Any] = {name: to_base64(seed) for name, seed in self.seeds.items()}
        for kind in VERSIONED:
            value[kind] = {str(n): to_base64(key) for n, key in self.versions(kind).items()}
        if self.made:
            value["made"] = {name: to_moment(at) for name, at in self.made.items()}
        return canonical({"v": 1, **value})

    def versions(self, kind: Versioned) -> Mapping[int, bytes]:
        """The keys of one kind, by version."""
        return self.kek if kind == "kek" else self.bix

    def with_next(self, kind: Versioned, now: datetime) -> Self:
        """The same and one new version of a kind."""
        version = max(self.versions(kind)) + 1
        keys = {**self.versions(kind), version: secrets.token_bytes(32)}
        return self._with(kind, keys, {**self.made, f"{kind} {version}": now})

    def without_below(self, kind: Versioned, version: int) -> Self:
        """The same without the versions of a kind below ``version``, which must be there."""
        held = self.versions(kind)
        if version not in held:
            raise VaultError("vault.version", "The vault has no such version; nothing was dropped.")
        gone = {f"{kind} {n}" for n in held if n < version}
        keys = {n: key for n, key in held.items() if n >= version}
        return self._with(kind, keys, {k: at for k, at in self.made.items() if k not in gone})

    def with_next_receipt(self, now: datetime) -> Self:
        """The same and a receipt key that waits to be used; one that waits already stays."""
        if NEXT in self.seeds:
            return self
        seeds = {**self.seeds, NEXT: secrets.token_bytes(32)}
        return replace(self, seeds=seeds, made={**self.made, NEXT: now})

    def with_receipt_replaced(self) -> Self:
        """The same with the receipt key that waited in use; the one before is gone."""
        if NEXT not in self.seeds:
            return self
        seeds = {name: self.seeds[name] for name in SINGLE} | {"receipt": self.seeds[NEXT]}
        made = {name: at for name, at in self.made.items() if name not in {NEXT, "receipt"}}
        if NEXT in self.made:
            made["receipt"] = self.made[NEXT]
        return replace(self, seeds=seeds, made=made)

    def _with(
        self, kind: Versioned, keys: Mapping[int, bytes], made: Mapping[str, datetime]
    ) -> Self:
        if kind == "kek":
            return replace(self, kek=keys, made=made)
        return replace(self, bix=keys, made=made)

    def __repr__(self) -> str:
        return f"Secrets(kek {sorted(self.kek)}, bix {sorted(self.bix)})"


def _versions(fields: Fields, name: Versioned) -> Mapping[int, bytes]:
    table = fields.table(name)
    if not table or any(not text.isdecimal() for text in table):
        raise VaultError("vault.damaged", "The vault holds no key version where it must.")
    inner = Fields(table)
    return {int(text): inner.base64(text, 32) for text in table}


def _made(fields: Fields) -> Mapping[str, datetime]:
    table = fields.table("made")
    inner = Fields(table)
    return {name: inner.moment(name) for name in table}
