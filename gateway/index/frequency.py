"""How rare a value is, in bits: sharing a rare one says more than sharing a common one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gateway.index.model import Bits, Column, Levels, Objects

CUTS = (4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 21.0)
"""Bounds of the bands, in bits: a value of band 0 is carried by more than one in 16 records."""

BANDS = tuple(range(len(CUTS) + 1))
_MIDDLES = (3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0, 19.5, 22.0)
_CAP = 24.0
_LETTER = 4.0
_COMMON_NAME = 10
_WORD_DISCOUNT = 0.9


@dataclass(frozen=True, slots=True)
class Frequency:
    """A frozen frequency table.

    Attributes:
        by_word: the bits of a text are the sum of the bits of its words.
        known: bits of values (or words; a value with a space stands for itself).
        unknown: bits of all others.
    """

    by_word: bool
    known: Mapping[str, float]
    unknown: float

    def bits_of(self, values: Objects) -> Bits:
        """Bits of each value."""
        if not self.by_word:
            return np.array([self.known.get(v, self.unknown) for v in values], dtype=np.float64)
        return np.array([self._text(v) for v in values], dtype=np.float64)

    def _text(self, value: str) -> float:
        core = value.split("|", 1)[0]
        words = core.split()
        total = sum(self.known.get(w, self.unknown) if len(w) > 1 else _LETTER for w in words)
        if len(words) > 1:
            total = min(total * _WORD_DISCOUNT, self.known.get(core, _CAP))
        return min(total, _CAP)

    @staticmethod
    def band(bits: Bits) -> Levels:
        return np.digitize(bits, CUTS).astype(np.int8)


def middle(band: int) -> float:
    """Bits that stand for all values of a band."""
    return _MIDDLES[band]


def count(column: Column, *, by_word: bool, shares: float = 1.0) -> Frequency:
    """The frequency table of a column; each value's share of the records that carry any.

    `shares` is how many records a person has on average; it only guards the rarest values.
    """
    codes = column.codes[column.codes >= 0]
    total = max(1, len(codes))
    counts = np.bincount(codes, minlength=len(column.values))
    rarest = float(np.log2(max(2.0, total / max(1.0, shares))))
    if not by_word:
        bits = np.minimum(rarest, np.log2(total) - np.log2(np.maximum(counts, 1)))
        pairs = zip(column.values.tolist(), bits.tolist(), strict=True)
        return Frequency(by_word=False, known=dict(pairs), unknown=rarest)
    words: dict[str, int] = {}
    names: dict[str, float] = {}
    for value, n in zip(column.values.tolist(), counts.tolist(), strict=True):
        core = value.split("|", 1)[0]
        for word in set(core.split()):
            words[word] = words.get(word, 0) + n
        if n >= _COMMON_NAME and " " in core:
            names[core] = float(np.log2(total) - np.log2(n))
    known = {w: float(np.log2(total) - np.log2(n)) for w, n in words.items() if n}
    return Frequency(by_word=True, known=known | names, unknown=rarest)
