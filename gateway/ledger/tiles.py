"""How a log of tiles grows: the tiles that new leaves add or change, from the right edge alone.

A tile holds up to 256 hashes of 32 bytes; tile (0, n) those of leaves, tile (L + 1, n) the roots of
full tiles of level L. Knows no database.

Source: C2SP tlog-tiles.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from keys import merkle
from keys.merkle import TILE_WIDTH

HASH = 32
TILE_BYTES = TILE_WIDTH * HASH


@dataclass(frozen=True, slots=True)
class TileRow:
    """One tile as it is stored: `data` is `width` hashes in a row."""

    level: int
    n: int
    data: bytes

    @property
    def width(self) -> int:
        """How many hashes it holds, 1 to 256."""
        return len(self.data) // HASH


def edge(size: int) -> list[tuple[int, int]]:
    """The partial tiles (level, n) of a log of `size` leaves, low to high."""
    found = []
    level = 0
    while size:
        if size % TILE_WIDTH:
            found.append((level, size // TILE_WIDTH))
        size //= TILE_WIDTH
        level += 1
    return found


def grow(
    size: int, leaves: Sequence[bytes], partial: Mapping[tuple[int, int], bytes]
) -> list[TileRow]:
    """The tiles that change when `leaves` follow the first `size`, low levels first.

    `partial` holds the data of the tiles of `edge(size)`; more than the tree of `size` needs is
    cut off.
    """
    changed: list[TileRow] = []
    level, hashes = 0, leaves
    while hashes:
        n, offset = divmod(size, TILE_WIDTH)
        kept = partial[level, n][: offset * HASH] if offset else b""
        row = kept + b"".join(hashes)
        fresh = [
            TileRow(level, n + i, row[at : at + TILE_BYTES])
            for i, at in enumerate(range(0, len(row), TILE_BYTES))
        ]
        changed += fresh
        hashes = [merkle.root(split(t.data)) for t in fresh if t.width == TILE_WIDTH]
        size //= TILE_WIDTH
        level += 1
    return changed


def split(data: bytes) -> list[bytes]:
    """The hashes of a tile's data."""
    return [data[at : at + HASH] for at in range(0, len(data), HASH)]


def tiles_of(groups: Sequence[Sequence[merkle.Node]]) -> set[tuple[int, int]]:
    """The tiles (level, n) that hold the nodes of a proof."""
    return {merkle.tile_of(node)[:2] for group in groups for node in group}


def reader(tiles: Mapping[tuple[int, int], bytes]) -> merkle.GetHash:
    """The hash of any full subtree whose tile is among `tiles`."""

    def get_hash(level: int, position: int) -> bytes:
        tile_level, n, first, count = merkle.tile_of(merkle.Node(level, position))
        data = tiles[tile_level, n]
        return merkle.root(split(data[first * HASH : (first + count) * HASH]))

    return get_hash


def bundle(entries: Iterator[bytes]) -> bytes:
    """An entry tile: each entry behind its length, 2 bytes big-endian."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
