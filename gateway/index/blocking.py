"""Blocking: which records are worth comparing, as signed 64-bit keys, one for each rule they meet.

The rules are data: a rule names parts of a record, and two records that agree on all of them
meet. Parts made from NIK, family card or phone are hashed by the caller's `keyed` function (the
vault's index key online), the others by a plain stable hash. Keys of different rules never meet.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.index.model import Batch, Codes, Ints

HOT = 500
"""A key that more records carry than this says nothing; it yields no pairs at all."""

MAX_WORDS = 5
Keyed = Callable[[str, Sequence[bytes]], Sequence[bytes]]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Rule:
    """Records that agree on all `parts` are compared.

    `optional` rules cast wide: offline they are used only as far as the budget of pairs allows,
    online not at all.
    """

    number: int
    parts: tuple[str, ...]
    optional: bool = False


RULES: tuple[Rule, ...] = (
    Rule(1, ("nik",)),
    Rule(2, ("words", "birth_date")),
    Rule(3, ("no_kk",)),
    Rule(4, ("birth_date", "word")),
    Rule(5, ("birth_date", "kelurahan", "sex")),
    Rule(6, ("words", "kelurahan")),
    Rule(7, ("nik_head", "word")),
    Rule(8, ("nik_tail", "sex")),
    Rule(9, ("kelurahan", "name_start", "birth_year")),
    Rule(10, ("nik_stem", "word")),
    Rule(11, ("phone",)),
    Rule(12, ("kelurahan", "rt_rw", "word")),
    Rule(13, ("kelurahan", "street", "word")),
)

WIDE: tuple[Rule, ...] = (
    Rule(20, ("words",), optional=True),
    Rule(21, ("birth_date",), optional=True),
    Rule(22, ("two_words",), optional=True),
    Rule(23, ("name_start", "name_end"), optional=True),
    Rule(24, ("street", "house"), optional=True),
    Rule(25, ("word", "birth_year"), optional=True),
    Rule(26, ("kelurahan", "word"), optional=True),
    Rule(27, ("name_start", "birth_month_day"), optional=True),
)

PERSONAL = frozenset(("nik", "nik_head", "nik_tail", "nik_stem", "no_kk", "phone"))


@dataclass(frozen=True, slots=True)
class KeyRows:
    """One row a record and rule: `keys[i]` is carried by record `records[i]` under `rules[i]`."""

    records: Ints
    rules: NDArray[np.int16]
    keys: Ints

    def __len__(self) -> int:
        return len(self.keys)


def unkeyed(label: str, values: Sequence[bytes]) -> list[bytes]:
    """A plain hash in the place of a keyed one: for offline runs, where nothing is stored."""
    head = label.encode() + b"\0"
    return [hashlib.blake2b(head + v, digest_size=8).digest() for v in values]


def keys(batch: Batch, rules: Iterable[Rule] = RULES, keyed: Keyed = unkeyed) -> KeyRows:
    """Every key of every record, without repetition within a record and rule."""
    parts = _Parts(batch, keyed)
    rows = [_rule_rows(rule, parts) for rule in rules]
    rows = [r for r in rows if len(r)]
    if not rows:
        empty = np.zeros(0, dtype=np.int64)
        return KeyRows(empty, np.zeros(0, dtype=np.int16), empty)
    return KeyRows(
        np.concatenate([r.records for r in rows]),
        np.concatenate([r.rules for r in rows]),
        np.concatenate([r.keys for r in rows]),
    )


def extra_rules(names: Iterable[str]) -> tuple[Rule, ...]:
    """Wide rules over a map's further fields: each alone, and each with a word of the name."""
    out: list[Rule] = []
    for i, name in enumerate(sorted(names)):
        out.append(Rule(100 + 4 * i, (name,), optional=True))
        out.append(Rule(101 + 4 * i, (name, "word"), optional=True))
        out.append(Rule(102 + 4 * i, (name, "birth_date"), optional=True))
        out.append(Rule(103 + 4 * i, (name + ":start", "word"), optional=True))
    return tuple(out)


def _rule_rows(rule: Rule, parts: "_Parts") -> KeyRows:
    records = np.arange(len(parts.batch), dtype=np.int64)
    mixed = np.full(len(records), np.uint64(rule.number), dtype=np.uint64)
    for name in rule.parts:
        records, mixed = parts.get(name).join(records, mixed)
    numbers = np.full(len(records), rule.number, dtype=np.int16)
    return KeyRows(records, numbers, mixed.view(np.int64))


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of every record: value c has the hashes `flat[starts[c]:starts[c + 1]]`."""

    codes: Codes
    starts: Ints
    flat: Hashes

    def join(self, records: Ints, mixed: Hashes) -> tuple[Ints, Hashes]:
        """Rows of `records` once for each hash of theirs, that hash mixed in."""
        codes = self.codes[records]
        records, mixed, codes = records[codes >= 0], mixed[codes >= 0], codes[codes >= 0]
        first, widths = self.starts[codes], self.starts[codes + 1] - self.starts[codes]
        ends = np.cumsum(widths)
        within = np.arange(len(np.repeat(widths, widths))) - np.repeat(ends - widths, widths)
        chosen = self.flat[np.repeat(first, widths) + within]
        seed = np.repeat(mixed, widths) * np.uint64(0x9E3779B97F4A7C15)
        return np.repeat(records, widths), _mix(seed + chosen)


class _Parts:
    """The parts of a batch, each hashed once for each distinct value and kept."""

    def __init__(self, batch: Batch, keyed: Keyed) -> None:
        self.batch = batch
        self._keyed = keyed
        self._made: dict[str, _Part] = {}

    def get(self, name: str) -> _Part:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> _Part:
        field, derive = _derivation(name)
        column = self.batch.column(field)
        derived = [list(dict.fromkeys(derive(v))) for v in column.values]
        starts = np.zeros(len(derived) + 1, dtype=np.int64)
        np.cumsum([len(d) for d in derived], out=starts[1:])
        distinct = sorted({text for texts in derived for text in texts})
        digest = self._keyed if name in PERSONAL else unkeyed
        made = digest(name, [text.encode() for text in distinct])
        number = {t: int.from_bytes(d[:8], "little") for t, d in zip(distinct, made, strict=True)}
        flat = np.array([number[t] for texts in derived for t in texts], dtype=np.uint64)
        return _Part(column.codes, starts, flat)


def _mix(x: Hashes) -> Hashes:
    """The finalizer of splitmix64: every bit of the input moves every bit of the key."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


Derive = Callable[[str], Iterable[str]]


def _derivation(name: str) -> tuple[str, Derive]:
    """The field that a part is made from, and how."""
    if name in _DERIVED:
        return _DERIVED[name]
    if name.endswith(":start"):
        return name.removesuffix(":start"), lambda v: (v[: max(3, (len(v) + 1) // 2)],)
    return name, lambda v: (v,)


def _forms(name: str) -> list[str]:
    return [" ".join(sorted(form.split())) for form in name.split("|")]


def _words(name: str) -> list[str]:
    return [w for w in name.replace("|", " ").split() if len(w) > 1][:MAX_WORDS]


def _two_words(name: str) -> list[str]:
    words = sorted(set(_words(name)))
    return [f"{a} {b}" for i, a in enumerate(words) for b in words[i + 1 :]]


def _name_start(name: str) -> tuple[str, ...]:
    return (name.split("|", maxsplit=1)[0].replace(" ", "")[:4],)


def _name_end(name: str) -> list[str]:
    return [w[:3] for w in name.split("|", maxsplit=1)[0].split()[1:][-1:]]


def _digits(value: str, start: int, stop: int) -> tuple[str, ...]:
    return (value[start:stop],) if not value.startswith("~") else ()


def _stem(value: str) -> tuple[str, ...]:
    return (value.removeprefix("~")[:15],)


def _address(value: str, *wanted: int) -> tuple[str, ...]:
    parts = value.split("|")
    chosen = [parts[i] for i in wanted]
    return ("/".join(chosen),) if all(chosen) else ()


_DERIVED: Mapping[str, tuple[str, Derive]] = {
    "words": ("name", _forms),
    "word": ("name", _words),
    "two_words": ("name", _two_words),
    "name_start": ("name", _name_start),
    "name_end": ("name", _name_end),
    "birth_year": ("birth_date", lambda v: (v[:4],)),
    "birth_month_day": ("birth_date", lambda v: (v[5:],) if len(v) == 10 else ()),
    "nik_head": ("nik", lambda v: _digits(v, 0, 12)),
    "nik_tail": ("nik", lambda v: _digits(v, 6, 16)),
    "nik_stem": ("nik_stem", _stem),
    "street": ("address", lambda v: _address(v, 0)),
    "house": ("address", lambda v: _address(v, 1)),
    "rt_rw": ("address", lambda v: _address(v, 2, 3)),
}
