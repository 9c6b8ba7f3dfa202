"""The hash tree is that of RFC 6962, against published proofs and a naive tree."""

import base64
import hashlib
import json
import time
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import merkle
from keys.errors import BadProof
from keys.merkle import EMPTY_ROOT, Node, Tile
from tests.shared import shared

LEAVES = [merkle.leaf_hash(bytes([i % 256, i // 256])) for i in range(300)]


@cache
def naive(begin: int, end: int) -> bytes:
    """MTH(D[begin:end]) just as RFC 6962 §2.1 writes it."""
    n = end - begin
    if n == 0:
        return hashlib.sha256().digest()
    if n == 1:
        return LEAVES[begin]
    middle = naive_split(begin, end)
    left, right = naive(begin, middle), naive(middle, end)
    return hashlib.sha256(b"\x01" + left + right).digest()


def get_hash(level: int, index: int) -> bytes:
    return naive(index << level, (index + 1) << level)


def _vectors(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(shared(f"data/vectors/rfc6962/{name}").read_text())
    return found


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text) if text else b""


def test_published_inclusion_proofs() -> None:
    cases = _vectors("inclusion.json")
    assert len(cases) == 98
    for case in cases:
        path = [_bytes(each) for each in case["proof"] or []]
        try:
            merkle.verify_inclusion(
                _bytes(case["leafHash"]),
                case["leafIdx"],
                case["treeSize"],
                path,
                _bytes(case["root"]),
            )
        except BadProof:
            assert case["wantErr"], case["_file"]
        else:
            assert not case["wantErr"], case["_file"]


def test_published_consistency_proofs() -> None:
    cases = _vectors("consistency.json")
    assert len(cases) == 98
    for case in cases:
        path = [_bytes(each) for each in case["proof"] or []]
        roots = (_bytes(case["root1"]), _bytes(case["root2"]))
        try:
            merkle.verify_consistency(case["size1"], case["size2"], *roots, path)
        except BadProof:
            assert case["wantErr"], case["_file"]
        else:
            assert not case["wantErr"], case["_file"]


def test_roots_are_those_of_the_naive_tree() -> None:
    assert merkle.root([]) == EMPTY_ROOT == naive(0, 0)
    for size in range(len(LEAVES) + 1):
        assert merkle.root(LEAVES[:size]) == naive(0, size) == merkle.root_at(size, get_hash)


def test_all_inclusion_proofs_up_to_64() -> None:
    for size in range(1, 65):
        for index in range(size):
            path = merkle.inclusion(LEAVES[:size], index)
            nodes = merkle.inclusion_nodes(index, size)
            assert path == merkle.fold_path(nodes, get_hash)
            merkle.verify_inclusion(LEAVES[index], index, size, path, naive(0, size))


def test_all_consistency_proofs_up_to_64() -> None:
    for n in range(1, 65):
        for m in range(1, n + 1):
            path = merkle.consistency(LEAVES[:n], m, n)
            merkle.verify_consistency(m, n, naive(0, m), naive(0, n), path)
            if m < n:
                with pytest.raises(BadProof):
                    merkle.verify_consistency(m, n, naive(1, m + 1), naive(0, n), path)


def naive_split(begin: int, end: int) -> int:
    """Where RFC 6962 cuts the leaves [begin, end): after the largest power of two below."""
    k = 1
    while k * 2 < end - begin:
        k *= 2
    return begin + k


def naive_path(index: int, begin: int, end: int) -> list[bytes]:
    """PATH(m, D[n]) just as RFC 6962 §2.1.1 writes it."""
    if end - begin == 1:
        return []
    middle = naive_split(begin, end)
    if index < middle:
        return [*naive_path(index, begin, middle), naive(middle, end)]
    return [*naive_path(index, middle, end), naive(begin, middle)]


def naive_proof(m: int, begin: int, end: int, *, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b) just as RFC 6962 §2.1.2 writes it; `m` counts from `begin`."""
    if m == end - begin:
        return [] if whole else [naive(begin, end)]
    middle = naive_split(begin, end)
    if begin + m <= middle:
        return [*naive_proof(m, begin, middle, whole=whole), naive(middle, end)]
    rest = naive_proof(begin + m - middle, middle, end, whole=False)
    return [*rest, naive(begin, middle)]


def test_every_inclusion_proof_up_to_300_is_that_of_the_naive_tree() -> None:
    for size in range(1, 301):
        head = naive(0, size)
        for index in range(size):
            path = merkle.fold_path(merkle.inclusion_nodes(index, size), get_hash)
            assert path == naive_path(index, 0, size)
            merkle.verify_inclusion(LEAVES[index], index, size, path, head)


def test_every_consistency_proof_up_to_300_is_that_of_the_naive_tree() -> None:
    for n in range(1, 301):
        head = naive(0, n)
        for m in range(1, n + 1):
            path = merkle.fold_path(merkle.consistency_nodes(m, n), get_hash)
            assert path == naive_proof(m, 0, n, whole=True)
            merkle.verify_consistency(m, n, naive(0, m), head, path)


@settings(max_examples=200)
@given(st.data())
def test_no_other_leaf_place_size_or_path_is_accepted(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))
    path, head = merkle.inclusion(LEAVES[:size], index), naive(0, size)
    other = data.draw(st.integers(0, size))
    if other != index:
        with pytest.raises(BadProof):
            merkle.verify_inclusion(LEAVES[index], other, size, path, head)
    with pytest.raises(BadProof):
        merkle.verify_inclusion(bytes(32), index, size, path, head)
    with pytest.raises(BadProof):
        merkle.verify_inclusion(LEAVES[index], index, size, [*path, bytes(32)], head)
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        for wrong in (path[:at] + path[at + 1 :], [*path[:at], bytes(32), *path[at + 1 :]]):
            with pytest.raises(BadProof):
                merkle.verify_inclusion(LEAVES[index], index, size, wrong, head)


@settings(max_examples=200)
@given(st.data())
def test_no_altered_consistency_proof_is_accepted(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 300))
    m = data.draw(st.integers(1, n - 1))
    path, roots = merkle.consistency(LEAVES, m, n), (naive(0, m), naive(0, n))
    merkle.verify_consistency(m, n, *roots, path)
    at = data.draw(st.integers(0, len(path) - 1))
    for wrong in (
        path[:at] + path[at + 1 :],
        [*path[:at], bytes(32), *path[at + 1 :]],
        [*path, bytes(32)],
        [],
    ):
        with pytest.raises(BadProof):
            merkle.verify_consistency(m, n, *roots, wrong)
    with pytest.raises(BadProof):
        merkle.verify_consistency(m, n, roots[0], bytes(32), path)


@pytest.mark.parametrize(
    ("m", "n", "path"), [(0, 3, []), (4, 3, []), (3, 3, [bytes(32)]), (2, 3, [b"short"])]
)
def test_impossible_consistency_is_refused(m: int, n: int, path: list[bytes]) -> None:
    with pytest.raises(BadProof):
        merkle.verify_consistency(m, n, bytes(32), bytes(32), path)


def test_two_roots_of_one_size_are_refused() -> None:
    with pytest.raises(BadProof):
        merkle.verify_consistency(3, 3, bytes(32), naive(0, 3), [])


def test_proofs_of_what_is_not_there_are_refused() -> None:
    for act in (
        lambda: merkle.inclusion(LEAVES[:3], 3),
        lambda: merkle.inclusion_nodes(-1, 3),
        lambda: merkle.consistency(LEAVES[:3], 2, 4),
        lambda: merkle.consistency_nodes(0, 4),
    ):
        with pytest.raises(BadProof):
            act()


@given(st.integers(1, 5000))
def test_a_range_is_made_of_full_subtrees_largest_first(size: int) -> None:
    nodes = merkle.range_nodes(0, size)
    assert sum(1 << node.level for node in nodes) == size
    assert [node.level for node in nodes] == sorted({node.level for node in nodes}, reverse=True)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65_535, 65_536, 65_537])
def test_tiles_of_a_whole_log_hold_every_full_subtree_once(size: int) -> None:
    widths: dict[int, int] = {}
    for tile in merkle.changed_tiles(0, size):
        assert tile.n * 256 == widths.get(tile.level, 0)
        widths[tile.level] = tile.n * 256 + tile.width
    assert widths == {level: size >> 8 * level for level in range(3) if size >> 8 * level}


@given(st.integers(0, 70_000), st.integers(0, 3_000))
def test_only_the_right_edge_of_tiles_changes(old: int, grown: int) -> None:
    new = old + grown
    changed = set(merkle.changed_tiles(old, new))
    assert changed == set(merkle.changed_tiles(0, new)) - set(merkle.changed_tiles(0, old))


def test_a_node_comes_from_its_tile() -> None:
    tiles: dict[tuple[int, int], list[bytes]] = {}
    for tile in merkle.changed_tiles(0, 300):
        at = range(tile.n * 256, tile.n * 256 + tile.width)
        tiles[tile.level, tile.n] = [get_hash(8 * tile.level, position) for position in at]
    assert Tile(1, 0, 1) in set(merkle.changed_tiles(0, 300))
    for node in (Node(0, 299), Node(3, 5), Node(7, 1), Node(8, 0)):
        level, n, first, count = merkle.tile_of(node)
        assert merkle.root(tiles[level, n][first : first + count]) == get_hash(*node)


def test_a_root_of_ten_thousand_is_quick() -> None:
    leaves = [merkle.leaf_hash(i.to_bytes(4, "big")) for i in range(10_000)]
    began = time.perf_counter()
    merkle.root(leaves)
    assert time.perf_counter() - began < 0.25  # 5 ms here; room for a busy machine


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 255, 256, 257])
def test_a_frontier_goes_on_where_it_was_left(size: int) -> None:
    leaves = [merkle.leaf_hash(b"%d" % n) for n in range(300)]
    left = merkle.EMPTY.grown(leaves[:size])
    assert (left.size, left.root()) == (size, merkle.root(leaves[:size]))
    assert left.grown(leaves[size:]).root() == merkle.root(leaves)
