"""How tiles lie, at the sizes where they begin and end, however the log grew to that size."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger import tiles
from keys import merkle
from tests.ledger import naive

EDGES = [1, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537]
LEAVES = [hashlib.sha256(n.to_bytes(4, "big")).digest() for n in range(65_537)]


def grown(steps: list[int]) -> dict[tuple[int, int], bytes]:
    """The tiles after the log grew to each of the sizes in turn, through its right edge alone."""
    stored: dict[tuple[int, int], bytes] = {}
    size = 0
    for step in steps:
        edge = {at: stored[at] for at in tiles.edge(size)}
        stored |= {(t.level, t.n): t.data for t in tiles.grow(size, LEAVES[size:step], edge)}
        size = step
    return stored


@pytest.mark.parametrize("size", EDGES)
def test_a_log_of_this_size_has_these_tiles(size: int):
    stored = grown([size])
    widths = {at: len(data) // 32 for at, data in stored.items()}
    assert widths == {(t.level, t.n): t.width for t in merkle.changed_tiles(0, size)}
    assert sum(w for (level, _), w in widths.items() if level == 0) == size
    assert sum(w for (level, _), w in widths.items() if level == 1) == size // 256
    assert sum(w for (level, _), w in widths.items() if level == 2) == size // 65_536
    assert merkle.root_at(size, tiles.reader(stored)) == merkle.root(LEAVES[:size])


@pytest.mark.parametrize("size", [255, 256, 257, 513])
def test_a_root_over_tiles_is_that_of_the_rfc(size: int):
    assert merkle.root_at(size, tiles.reader(grown([size]))) == naive.mth(LEAVES[:size])


@given(st.lists(st.integers(1, 1500), min_size=1, max_size=8, unique=True))
def test_the_steps_by_which_it_grew_leave_no_trace(sizes: list[int]):
    steps = sorted(sizes)
    assert grown(steps) == grown([steps[-1]])


def test_only_the_right_edge_changes():
    changed = tiles.grow(
        65_535,
        LEAVES[65_535:65_537],
        {at: d for at, d in grown([65_535]).items() if at in tiles.edge(65_535)},
    )
    assert [(t.level, t.n, t.width) for t in changed] == [
        (0, 255, 256), (0, 256, 1), (1, 0, 256), (2, 0, 1),
    ]  # fmt: skip


def test_an_entry_tile_spells_lengths_before_entries():
    assert tiles.bundle(iter([b"", b"ab", b"x" * 300])) == b"\0\0\0\2ab\1\x2c" + b"x" * 300
