"""Bounds of clustering: thresholds met exactly, walls, decisions, and sizes."""

import numpy as np
import pytest

from gateway.index import clustering
from gateway.index.clustering import Rules
from gateway.index.model import Pairs

Weights = dict[tuple[int, int], float]


def cut(weights: Weights, count: int, threshold: float = 4.0, **rules) -> list[int]:
    """Persons of `count` records; pairs that are not named weigh -10."""
    nobody = np.full(count, -1, dtype=np.int64)
    apart, alone = (np.array(rules.pop(n, nobody)) for n in ("apart", "alone"))
    pairs = Pairs(*(np.array([p[i] for p in weights], dtype=np.int64) for i in (0, 1)))

    def score(asked: Pairs) -> np.ndarray:
        found = zip(asked.left.tolist(), asked.right.tolist(), strict=True)
        return np.array([weights.get(p, -10.0) for p in found])

    bits = np.array(list(weights.values()), dtype=np.float64)
    obeyed = Rules(threshold, apart, alone, **rules)
    return clustering.partition(count, pairs, bits, obeyed, score).tolist()


@pytest.mark.parametrize(
    ("weights", "persons"),
    [
        pytest.param({(0, 1): 4.0}, [0, 0, 2], id="the threshold itself joins"),
        pytest.param({(0, 1): 3.99}, [0, 1, 2], id="less does not"),
        pytest.param({(0, 1): 9.0, (0, 2): 9.0, (1, 2): -1.0}, [0, 0, 0], id="average of two is 4"),
        pytest.param({(0, 1): 9.0, (0, 2): 9.0, (1, 2): -1.1}, [0, 0, 2], id="average is less"),
        pytest.param({(0, 1): 90.0, (1, 2): 5.0, (0, 2): 4.0}, [0, 0, 0], id="more than 20 is 20"),
        pytest.param({(0, 1): 5.0, (1, 2): 50.0, (0, 2): -13.0}, [0, 1, 1], id="the best pair first"),
        pytest.param({(0, 2): 30.0, (0, 1): 28.0, (1, 2): -90.0}, [0, 0, 2], id="no less than -20, capped alike"),
    ],
)  # fmt: skip
def test_averages(weights: Weights, persons: list[int]) -> None:
    assert cut(weights, 3) == persons


def test_three_groups_of_four_and_their_averages() -> None:
    weights = {(0, 1): 12.0, (2, 3): 11.0, (0, 2): 9.0, (0, 3): 3.0, (1, 2): 3.0, (1, 3): 1.0}
    assert cut(weights, 4) == [0, 0, 0, 0]
    assert cut({**weights, (1, 3): 0.9}, 4) == [0, 0, 2, 2]
    assert cut({**weights, (3, 4): 4.5}, 5) == [0, 0, 0, 0, 4]


def test_walls_stand_between_numbers_sources_and_what_was_decided() -> None:
    all_alike = {(0, 1): 15.0, (0, 2): 10.0, (1, 2): 11.0}
    assert cut(all_alike, 3) == [0, 0, 0]
    assert cut(all_alike, 3, apart=[0, 1, -1]) == [0, 1, 1]
    assert cut(all_alike, 3, apart=[1, 1, 0]) == [0, 0, 2]
    assert cut(all_alike, 3, alone=[0, 0, 1]) == [0, 1, 1]
    assert cut(all_alike, 3, alone=[0, 1, 0]) == [0, 0, 2]
    assert cut(all_alike, 3, alone=[1, 0, 2]) == [0, 0, 0]
    assert cut(all_alike, 3, different=[(0, 1)]) == [0, 1, 1]
    assert cut(all_alike, 3, different=[(1, 0), (2, 1)]) == [0, 1, 0]


def test_what_was_decided_to_be_one_is_one_the_oldest_first(monkeypatch) -> None:
    nothing: Weights = {(0, 1): -5.0}
    assert cut(nothing, 4, same=[(3, 1)]) == [0, 1, 2, 1]
    assert cut(nothing, 4, same=[(1, 2), (3, 2)]) == [0, 1, 1, 1]
    assert cut(nothing, 4, same=[(1, 1), (0, 3), (3, 0)]) == [0, 1, 2, 0]
    assert cut(nothing, 4, same=[(0, 1), (1, 2)], different=[(0, 2)]) == [0, 0, 2, 3]
    assert cut(nothing, 4, same=[(1, 2), (0, 1)], different=[(2, 0)]) == [0, 1, 1, 3]
    monkeypatch.setattr(clustering, "MOST_JOINED", 3)
    assert cut(nothing, 5, same=[(0, 1), (2, 3), (1, 2), (1, 4)]) == [0, 0, 2, 2, 0]


def test_components_are_named_by_their_first_record() -> None:
    pairs = Pairs(np.array([3, 1, 6, 5]), np.array([4, 3, 7, 6]))
    assert clustering.components(9, pairs).tolist() == [0, 1, 2, 1, 1, 5, 5, 5, 8]
    empty = np.zeros(0, dtype=np.int64)
    assert clustering.components(2, Pairs(empty, empty)).tolist() == [0, 1]


def test_weights_are_whole_and_bounded() -> None:
    found = clustering.whole(np.array([1.0, -0.5, 20.5, -21.0, 0.0006]))
    assert found.tolist() == [1024, -512, 20480, -20480, 1]


@pytest.mark.parametrize(("size", "persons"), [(4, [0, 0, 0, 0]), (3, [0, 0, 2, 2])])
def test_a_component_of_the_largest_size_is_cut_whole(monkeypatch, size, persons) -> None:
    monkeypatch.setattr(clustering, "LARGEST", size)
    weights = {(0, 1): 19.0, (2, 3): 19.0, (1, 2): 6.0, (0, 2): 6.0, (0, 3): 6.0, (1, 3): 6.0}
    assert cut(weights, 4) == persons


def test_the_bound_rises_by_three_bits_until_the_component_falls_apart(monkeypatch) -> None:
    monkeypatch.setattr(clustering, "LARGEST", 2)
    weights = {(0, 1): 19.0, (1, 2): 6.9, (2, 3): 10.1}
    assert cut(weights, 4) == [0, 0, 2, 2]
    assert cut({(0, 1): 19.0, (1, 2): 7.1}, 3) == [0, 0, 2]
    assert cut({(0, 1): 19.0, (1, 2): 6.9, (2, 3): 7.5}, 4) == [0, 0, 2, 2]


def test_a_threshold_below_zero_is_one_too() -> None:
    assert cut({(0, 1): 5.0, (0, 2): -0.5, (1, 2): -3.0}, 3, threshold=-1.0) == [0, 0, 2]
    assert cut({(0, 1): 5.0, (0, 2): -0.5, (1, 2): -1.5}, 3, threshold=-1.0) == [0, 0, 0]


def test_many_components_are_cut_alike() -> None:
    groups = 40
    weights = {}
    for g in range(groups):
        a = 3 * g
        weights |= {(a, a + 1): 9.0, (a, a + 2): 9.0, (a + 1, a + 2): -1.0 if g % 2 else -2.0}
    expected = [3 * g + (0 if g % 2 or i < 2 else 2) for g in range(groups) for i in range(3)]
    assert cut(weights, 3 * groups) == expected
