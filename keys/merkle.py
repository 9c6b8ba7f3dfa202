"""RFC 6962 hash trees: roots, proofs that a leaf is in a tree, and that a tree grew from another.

Small trees (one batch) are lists of leaf hashes. Large trees (the log) are read through
``get_hash(level, index)``, which answers the root of the full subtree over the 2^level leaves
starting at index · 2^level; the ``…_nodes`` functions say which nodes a proof needs, so that a
caller can fetch them at once, and ``fold_path`` makes the proof of them. How nodes lie in tiles of
256 is said by ``tile_of`` and ``changed_tiles``.

Source: RFC 6962 §2.1 (hashing, proofs); RFC 9162 §2.1.3.2 and §2.1.4.2 (verification);
C2SP tlog-tiles (tiles).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from keys.errors import BadProof

EMPTY_ROOT = hashlib.sha256(b"").digest()
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
_sha256 = hashlib.sha256


class Node(NamedTuple):
    """A full subtree: the 2^level leaves from position · 2^level."""

    level: int
    position: int


GetHash = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of a log: ``width`` hashes, those of the nodes ``(8 · level, 256 · n …)``."""

    level: int
    n: int
    width: int


@dataclass(frozen=True, slots=True)
class Frontier:
    """What a tree's first ``size`` leaves come to: all it takes to go on with it.

    ``peaks`` are the hashes of the full subtrees of ``range_nodes(0, size)``.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def grown(self, leaves: Iterable[bytes]) -> "Frontier":
        """The frontier once these leaf hashes have followed."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            found, at = leaf, size
            while at & 1:
                found = node_hash(peaks.pop(), found)
                at >>= 1
            peaks.append(found)
            size += 1
        return Frontier(size, tuple(peaks))

    def root(self) -> bytes:
        """The root over those leaves."""
        return fold(self.peaks) if self.peaks else EMPTY_ROOT


EMPTY = Frontier()


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf's data: SHA-256(0x00 ‖ data)."""
    return _sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees: SHA-256(0x01 ‖ left ‖ right)."""
    return _sha256(b"\1" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes (not leaf data); ``EMPTY_ROOT`` of none.

    An odd node at the end of a level rises unchanged, which gives the tree of RFC 6962.
    """
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        odd = level.pop() if len(level) & 1 else None
        halves = iter(level)
        level = [_sha256(b"\1" + left + right).digest() for left, right in zip(halves, halves)]  # noqa: B905 -- the same iterator twice takes pairs
        if odd is not None:
            level.append(odd)
    return level[0]


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The path from leaf ``index`` to the root over ``leaves``, leaf side first.

    Raises:
        BadProof: there is no such leaf.
    """
    _check_index(index, len(leaves))
    path = []
    level, at = list(leaves), index
    while len(level) > 1:
        sibling = at ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level = [
            node_hash(level[i], level[i + 1]) if i + 1 < len(level) else level[i]
            for i in range(0, len(level), 2)
        ]
        at >>= 1
    return path


def consistency(leaves: Sequence[bytes], m: int, n: int) -> list[bytes]:
    """The proof that the tree over the first ``n`` leaves extends that over the first ``m``.

    Raises:
        BadProof: not 0 < m <= n <= number of leaves.
    """
    if n > len(leaves):
        raise BadProof("proof.size", "The tree has fewer leaves than the proof is asked for.")

    def get_hash(level: int, index: int) -> bytes:
        return root(leaves[index << level : (index + 1) << level])

    return fold_path(consistency_nodes(m, n), get_hash)


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], head: bytes
) -> None:
    """Return if ``leaf`` is number ``index`` of the tree of ``size`` leaves under root ``head``.

    Raises:
        BadProof: index out of range (``proof.index``), a hash of the wrong length or a path of the
            wrong length (``proof.length``), or another root (``proof.root``).
    """
    _check_index(index, size)
    _check_hashes(leaf, head, *path)
    found = leaf
    for sibling, is_left in _climb(index, size - 1, path):
        found = node_hash(sibling, found) if is_left else node_hash(found, sibling)
    if found != head:
        raise BadProof("proof.root", "The proof does not lead to the root.")


def verify_consistency(m: int, n: int, head_m: bytes, head_n: bytes, path: Sequence[bytes]) -> None:
    """Return if the tree (n, head_n) extends the tree (m, head_m).

    Raises:
        BadProof: not 0 < m <= n, a wrong length, or a path that leads to another root. Whoever
            starts from nothing (m = 0) has nothing to compare and must decide so himself.
    """
    if not 0 < m <= n:
        raise BadProof("proof.size", "A tree can only extend a smaller, not empty tree.")
    if m == n:
        if path or head_m != head_n:
            raise BadProof("proof.root", "Two trees of one size have different roots.")
        return
    _check_hashes(head_m, head_n, *path)
    if not path:
        raise BadProof("proof.length", "The proof is shorter than the tree is high.")
    # The first hash is the largest subtree that ends where the old tree ends; if that is the whole
    # old tree, the proof leaves it out.
    shared = (m & -m).bit_length() - 1
    first, *rest = path if m & (m - 1) else (head_m, *path)
    old = new = first
    for sibling, is_left in _climb((m - 1) >> shared, (n - 1) >> shared, rest):
        if is_left:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    if old != head_m or new != head_n:
        raise BadProof("proof.root", "The proof does not lead to both roots.")


def range_nodes(begin: int, end: int) -> list[Node]:
    """The full subtrees that make up leaves [begin, end), left to right, largest first.

    ``begin`` is a multiple of the largest power of two below ``end - begin``, as in every range
    that RFC 6962 cuts. ``fold`` of their hashes is the hash of the range.
    """
    nodes = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        nodes.append(Node(level, begin >> level))
        begin += 1 << level
    return nodes


def inclusion_nodes(index: int, size: int) -> list[list[Node]]:
    """For each hash of an inclusion path, leaf side first, the nodes that fold into it.

    Raises:
        BadProof: there is no such leaf.
    """
    _check_index(index, size)
    path = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(range_nodes(middle, end))
            end = middle
        else:
            path.append(range_nodes(begin, middle))
            begin = middle
    return path[::-1]


def consistency_nodes(m: int, n: int) -> list[list[Node]]:
    """For each hash of a consistency proof, in order, the nodes that fold into it.

    Raises:
        BadProof: not 0 < m <= n.
    """
    if not 0 < m <= n:
        raise BadProof("proof.size", "A tree can only extend a smaller, not empty tree.")
    path = []
    begin, end = 0, n
    while m != end:
        middle = begin + _split(end - begin)
        if m <= middle:
            path.append(range_nodes(middle, end))
            end = middle
        else:
            path.append(range_nodes(begin, middle))
            begin = middle
    if begin:  # the old tree is not itself a node of the new one
        path.append(range_nodes(begin, end))
    return path[::-1]


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash of a range from those of its full subtrees, left to right; at least one."""
    found = hashes[-1]
    for left in reversed(hashes[:-1]):
        found = node_hash(left, found)
    return found


def fold_path(groups: Sequence[Sequence[Node]], get_hash: GetHash) -> list[bytes]:
    """The proof whose nodes were named by ``inclusion_nodes`` or ``consistency_nodes``."""
    return [fold([get_hash(*node) for node in group]) for group in groups]


def root_at(size: int, get_hash: GetHash) -> bytes:
    """The root of the first ``size`` leaves."""
    nodes = range_nodes(0, size)
    return fold([get_hash(*node) for node in nodes]) if nodes else EMPTY_ROOT


def tile_of(node: Node) -> tuple[int, int, int, int]:
    """Where a node's hash comes from: (tile level, tile n, first hash, how many hashes).

    ``root`` over those hashes is the node's hash; the tile may still be partial.
    """
    tile_level, above = divmod(node.level, TILE_HEIGHT)
    n, first = divmod(node.position << above, TILE_WIDTH)
    return tile_level, n, first, 1 << above


def changed_tiles(old: int, new: int) -> Iterator[Tile]:
    """The tiles of a log of ``new`` leaves that are not those of its first ``old``, low to high."""
    level = 0
    while new:
        for n in range(old // TILE_WIDTH, -(-new // TILE_WIDTH)):
            width = min(TILE_WIDTH, new - n * TILE_WIDTH)
            if n * TILE_WIDTH + width > old:
                yield Tile(level, n, width)
        old //= TILE_WIDTH
        new //= TILE_WIDTH
        level += 1


def _climb(at: int, last: int, path: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each sibling on the way up from node ``at`` of ``last + 1``, and whether it stands left."""
    for sibling in path:
        if last == 0:
            raise BadProof("proof.length", "The proof is longer than the tree is high.")
        is_left = bool(at & 1) or at == last
        yield sibling, is_left
        while is_left and at and not at & 1:
            at >>= 1
            last >>= 1
        at >>= 1
        last >>= 1
    if last:
        raise BadProof("proof.length", "The proof is shorter than the tree is high.")


def _split(size: int) -> int:
    """The largest power of two below ``size`` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_index(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise BadProof("proof.index", "The tree has no leaf of that index.")


def _check_hashes(*hashes: bytes) -> None:
    if any(len(each) != 32 for each in hashes):
        raise BadProof("proof.length", "A hash of the proof has not 32 bytes.")
