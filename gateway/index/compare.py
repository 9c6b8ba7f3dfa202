"""How two values compare: one small function for each `Kind`, from best level to worst.

A comparator looks at pairs of *distinct* values (equal ones are level 0 without a look) and gives
each a level. Level `MISSING` means that the pair says nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from gateway.index.model import Codes, Column, Flags, Ints, Levels, Objects, Pairs, objects
from schemas.kinds import Kind

MISSING = -1
_MAX_WORDS = 8
_TABLE = 1 << 24

Compare = Callable[[Objects, Codes, Codes], Levels]


@dataclass(frozen=True, slots=True)
class Comparator:
    """The levels of a kind by name, best first, and the function that finds them.

    `compare(values, left, right)` gets pairs of different codes into `values` and answers with a
    level for each pair, or `MISSING`. `agree(values)` is the level of each value with itself, where
    that is not 0 for all. `cheap` ones look at numbers alone, so that finding the
    distinct pairs first would cost more than it saves.
    """

    levels: tuple[str, ...]
    compare: Compare
    cheap: bool = False
    agree: Callable[[Objects], Levels] | None = None


def levels(kind: Kind, column: Column, pairs: Pairs) -> Levels:
    """The level of every pair; `MISSING` where either value is missing."""
    left, right = column.codes[pairs.left], column.codes[pairs.right]
    out = np.full(len(pairs), MISSING, dtype=np.int8)
    both = (left >= 0) & (right >= 0)
    if kind is Kind.NONE:
        return out
    equal = both & (left == right)
    agree = COMPARATORS[kind].agree
    out[equal] = 0 if agree is None else agree(column.values)[left[equal]]
    rest = np.flatnonzero(both & (left != right))
    if len(rest):
        out[rest] = _unequal(kind, column.values, left[rest], right[rest])
    return out


def _unequal(kind: Kind, values: Objects, left: Codes, right: Codes) -> Levels:
    """Levels of pairs of different values; each distinct pair is looked at once."""
    comparator = COMPARATORS[kind]
    if comparator.cheap:
        return comparator.compare(values, left, right)
    low = np.minimum(left, right).astype(np.int64)
    high = np.maximum(left, right).astype(np.int64)
    size = len(values)
    packed = low * size + high
    if size * size > _TABLE:
        chosen, back = np.unique(packed, return_inverse=True)
        found: Levels = comparator.compare(values, *_unpacked(chosen, size))[back]
        return found
    table = np.zeros(size * size, dtype=np.int8)
    table[packed] = 1
    chosen = np.flatnonzero(table)
    table[chosen] = comparator.compare(values, *_unpacked(chosen, size))
    levels_found: Levels = table[packed]
    return levels_found


def _unpacked(packed: Ints, size: int) -> tuple[Codes, Codes]:
    return (packed // size).astype(np.int32), (packed % size).astype(np.int32)


def nik(values: Objects, left: Codes, right: Codes) -> Levels:
    """Two NIKs: a slip in the day of birth; near; the same day of birth; or different.

    "Near" is one slip outside the day of birth: a typing error, or a twin, or the next in line.
    A damaged number (`~`) that is not one slip away says nothing.
    """
    out = np.full(len(left), 4, dtype=np.int8)
    bare = objects([v.removeprefix("~") for v in values])
    damaged = np.array([v.startswith("~") for v in values], dtype=bool)
    day = _codes([v[6:12] for v in bare])
    same_day = day[left] == day[right]
    slip = _distance(bare, left, right) <= 1
    out[same_day] = 3
    out[(damaged[left] | damaged[right]) & ~slip] = MISSING
    out[slip] = np.where(same_day, 2, 1)[slip]
    return out


def nik_with_itself(values: Objects) -> Levels:
    """A damaged number is near itself; only a whole one is the same."""
    return np.array([2 * v.startswith("~") for v in values], dtype=np.int8)


def number_slip(values: Objects, left: Codes, right: Codes) -> Levels:
    """Two identifying numbers: one slip of a digit apart, or different."""
    return np.where(_distance(values, left, right) <= 1, 1, 2).astype(np.int8)


def name(values: Objects, left: Codes, right: Codes) -> Levels:
    """Two folded names: the same words, near, near but for the first word, one shared word, or not.

    "Same words" holds whatever their order and spacing, where one side leaves words out or gives
    initials, and where an alias of one is the other. "Near" is Jaro-Winkler >= .92; whether the
    first words are equal matters, for twins are Rina and Rini.
    """
    cores = objects([v.split("|", 1)[0] for v in values])
    tight = objects([v.replace(" ", "") for v in cores])
    joined = _codes(list(tight))
    similar = np.maximum(_similar(cores, left, right), _similar(tight, left, right))
    shared, contained = _shared_words(cores, left, right)
    first = _codes([v.split(" ", 1)[0] for v in cores])
    out = np.full(len(left), 5, dtype=np.int8)
    out[shared] = 4
    out[similar >= 0.92] = 3
    out[(similar >= 0.92) & (first[left] == first[right])] = 2
    out[contained | (joined[left] == joined[right])] = 1
    aliased = np.array(["|" in v for v in values], dtype=bool)
    for i in np.flatnonzero(aliased[left] | aliased[right]):
        a, b = values[left[i]].split("|"), values[right[i]].split("|")
        if set(a) & set(b):
            out[i] = min(out[i], 1)
    return out


def date(values: Objects, left: Codes, right: Codes) -> Levels:
    """Two dates: the year agrees and one is vague or 1 January; a slip; same year; different."""
    year = np.array([int(v[:4]) for v in values], dtype=np.int64)
    month = np.array([int(v[5:7] or 0) for v in values], dtype=np.int64)
    day = np.array([int(v[8:10] or 0) for v in values], dtype=np.int64)
    y1, y2, m1, m2, d1, d2 = (x[side] for x in (year, month, day) for side in (left, right))
    out = np.full(len(left), 4, dtype=np.int8)
    same_year = y1 == y2
    out[same_year] = 3
    agreeing = same_year.astype(int) + (m1 == m2) + (d1 == d2)
    by_day = same_year & (m1 == m2)
    digits = sum((y1 // unit % 10 != y2 // unit % 10).astype(int) for unit in (1, 10, 100, 1000))
    by_year = ~same_year & ((digits <= 1) | (np.abs(y1 - y2) <= 2))
    out[(agreeing == 2) & (by_day | same_year | by_year)] = 2
    out[same_year & (m1 == d2) & (d1 == m2)] = 2
    vague = (day == 0) | ((month == 1) & (day == 1))
    unlike = (d1 != 0) & (d2 != 0) & (d1 != d2) & (m1 != 0) & (m2 != 0)
    blurred = (m1 == 0) | (m2 == 0) | ((m1 == m2) & ((d1 == 0) | (d2 == 0)))
    out[same_year & (vague[left] ^ vague[right]) & (unlike | blurred)] = 1
    return out


def differs(_values: Objects, left: Codes, _right: Codes) -> Levels:
    """Anything that is not equal is different."""
    return np.ones(len(left), dtype=np.int8)


def place(values: Objects, left: Codes, right: Codes) -> Levels:
    """Two places: nearly the same spelling (Jaro-Winkler >= .92), or different; codes exact."""
    coded = np.array([v[:1].isdigit() for v in values], dtype=bool)
    near = (_similar(values, left, right) >= 0.92) & ~coded[left] & ~coded[right]
    out = np.where(near, 1, 2).astype(np.int8)
    out[coded[left] ^ coded[right]] = MISSING
    return out


def address(values: Objects, left: Codes, right: Codes) -> Levels:
    """Two addresses: the same house or RT of a street, the same street, the same RT, different.

    Parts that either side leaves out say nothing; "the same RT" needs a street left out.
    """
    parts = [v.split("|") for v in values]
    streets = objects([p[0] for p in parts])
    house, rt, rw = (_codes([p[i] for p in parts], missing="") for i in (1, 2, 3))
    has_street = np.array([bool(p[0]) for p in parts], dtype=bool)
    both_streets = has_street[left] & has_street[right]
    street = both_streets & (_similar(streets, left, right) >= 0.9)
    rt_known = (rt[left] >= 0) & (rt[right] >= 0)
    same_rt = rt_known & (rt[left] == rt[right]) & _agree(rw, left, right)
    house_known = (house[left] >= 0) & (house[right] >= 0)
    same_house = house_known & (house[left] == house[right])
    out = np.full(len(left), 3, dtype=np.int8)
    out[~both_streets & ~rt_known] = MISSING
    out[same_rt & ~both_streets] = 2
    out[street] = 1
    out[street & ((same_rt & (same_house | ~house_known)) | (same_house & ~rt_known))] = 0
    return out


def address_with_itself(values: Objects) -> Levels:
    """An address resembles itself as far as it is complete."""
    return np.array([_completeness(*v.split("|")) for v in values], dtype=np.int8)


def _completeness(street: str, house: str, rt: str, _rw: str) -> int:
    if not street:
        return 2 if rt else MISSING
    return 0 if house or rt else 1


def text(values: Objects, left: Codes, right: Codes) -> Levels:
    """Two free texts: near (Jaro-Winkler >= .92 or words left out), related, or different."""
    similar = _similar(values, left, right)
    shared, contained = _shared_words(values, left, right)
    out = np.full(len(left), 3, dtype=np.int8)
    out[shared | (similar >= 0.82)] = 2
    out[contained | (similar >= 0.92)] = 1
    return out


def code(values: Objects, left: Codes, right: Codes) -> Levels:
    """Two codes: one slip apart, the same first half, or different."""
    half = _codes([v[: max(2, (len(v) + 1) // 2)] for v in values])
    size = np.array([len(v) for v in values], dtype=np.int64)
    slip = (_distance(values, left, right) <= 1) & (np.minimum(size[left], size[right]) >= 4)
    out = np.full(len(left), 3, dtype=np.int8)
    out[half[left] == half[right]] = 2
    out[slip] = 1
    return out


def amount(values: Objects, left: Codes, right: Codes) -> Levels:
    """Two numbers: within one unit or one in a hundred, or different."""
    x = np.array([float(v) for v in values], dtype=np.float64)
    gap = np.abs(x[left] - x[right])
    limit = np.maximum(1.0, 0.01 * np.maximum(np.abs(x[left]), np.abs(x[right])))
    return np.where(gap <= limit, 1, 2).astype(np.int8)


COMPARATORS: Mapping[Kind, Comparator] = {
    Kind.NIK: Comparator(
        ("same", "slip", "near", "same day", "different"), nik, agree=nik_with_itself
    ),
    Kind.NO_KK: Comparator(("same", "slip", "different"), number_slip),
    Kind.NAME: Comparator(
        ("same", "same words", "near", "near, other first word", "shared word", "different"), name
    ),
    Kind.DATE: Comparator(("same", "vague", "slip", "same year", "different"), date, cheap=True),
    Kind.SEX: Comparator(("same", "different"), differs, cheap=True),
    Kind.KELURAHAN: Comparator(("same", "near", "different"), place),
    Kind.ADDRESS: Comparator(
        ("same house", "same street", "same RT", "different"), address, agree=address_with_itself
    ),
    Kind.PHONE: Comparator(("same", "slip", "different"), number_slip),
    Kind.TEXT: Comparator(("same", "near", "related", "different"), text),
    Kind.CODE: Comparator(("same", "slip", "same start", "different"), code),
    Kind.NUMBER: Comparator(("same", "near", "different"), amount, cheap=True),
    Kind.NONE: Comparator(("ignored",), differs),
}


def _similar(values: Objects, left: Codes, right: Codes) -> NDArray[np.float32]:
    """Jaro-Winkler; each pair in alphabetical order, so that the codes' order never shows."""
    a, b = values[left], values[right]
    swap = (a > b).astype(bool)
    low, high = np.where(swap, b, a), np.where(swap, a, b)
    scorer = JaroWinkler.similarity
    return process.cpdist(low, high, scorer=scorer, dtype=np.float32)


def _distance(values: Objects, left: Codes, right: Codes) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = process.cpdist(
        values[left], values[right], scorer=OSA.distance, dtype=np.uint8, score_cutoff=3
    )
    return found


def _codes(values: list[str], missing: str | None = None) -> Codes:
    return Column.of(None if v == missing else v for v in values).codes


def _agree(codes: Codes, left: Codes, right: Codes) -> Flags:
    """Equal, or unknown on either side."""
    a, b = codes[left], codes[right]
    flags: Flags = (a == b) | (a < 0) | (b < 0)
    return flags


def _shared_words(values: Objects, left: Codes, right: Codes) -> tuple[Flags, Flags]:
    """Whether a whole word is shared, and whether all words of the shorter side are found.

    A single letter is found in any word that begins with it.
    """
    words, initials, short = _word_codes(values)
    exact = np.zeros(len(left), dtype=bool)
    found_left = np.zeros((len(left), words.shape[1]), dtype=bool)
    found_right = np.zeros_like(found_left)
    for i in range(words.shape[1]):
        a, a1, a_short = words[left, i], initials[left, i], short[left, i]
        for j in range(words.shape[1]):
            b, b1, b_short = words[right, j], initials[right, j], short[right, j]
            same = (a == b) & (a >= 0)
            exact |= same & ~a_short
            hit = same | ((a_short | b_short) & (a1 == b1) & (a >= 0) & (b >= 0))
            found_left[:, i] |= hit
            found_right[:, j] |= hit
    all_left = (found_left | (words[left] < 0)).all(axis=1)
    all_right = (found_right | (words[right] < 0)).all(axis=1)
    return exact, exact & (all_left | all_right)


def _word_codes(values: Objects) -> tuple[Codes, Codes, Flags]:
    """Word codes, codes of first letters, and which words are single letters; -1 pads."""
    split = [v.split()[:_MAX_WORDS] for v in values]
    width = max((len(w) for w in split), default=1) or 1
    flat = [w[i] if i < len(w) else None for w in split for i in range(width)]
    words = Column.of(flat).codes.reshape(-1, width)
    initials = Column.of(None if w is None else w[0] for w in flat).codes.reshape(-1, width)
    short = np.array([w is not None and len(w) == 1 for w in flat]).reshape(-1, width)
    return words, initials, short
