import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.index import clustering
from gateway.index.clustering import Rules
from gateway.index.model import Pairs


def partition(weights: dict[tuple[int, int], float], count: int, **barred: list[int]) -> list[int]:
    """Cut `count` records; pairs that are not named weigh -10."""
    nobody = np.full(count, -1, dtype=np.int64)
    apart = np.array(barred["apart"]) if "apart" in barred else nobody
    alone = np.array(barred["alone"]) if "alone" in barred else nobody
    keys = list(weights)
    pairs = Pairs(np.array([a for a, _ in keys]), np.array([b for _, b in keys]))

    def score(asked: Pairs) -> np.ndarray:
        found = zip(asked.left.tolist(), asked.right.tolist(), strict=True)
        return np.array([weights.get(p, -10.0) for p in found])

    bits = np.array(list(weights.values()), dtype=np.float64)
    return clustering.partition(count, pairs, bits, Rules(4.0, apart, alone), score).tolist()


def test_friends_of_friends_do_not_make_a_blob() -> None:
    chain = {(0, 1): 9.0, (1, 2): 8.0, (2, 3): 9.0}
    assert partition(chain, 4) == [0, 0, 2, 2]


def test_missing_edges_inside_a_component_are_scored() -> None:
    assert partition({(0, 1): 9.0, (1, 2): 8.0, (0, 2): 3.0}, 3) == [0, 0, 0]


def test_an_average_over_the_threshold_joins() -> None:
    assert partition({(0, 1): 20.0, (0, 2): 9.0, (1, 2): -0.5}, 3) == [0, 0, 0]


def test_two_registered_niks_never_share_a_person() -> None:
    weights = {(0, 1): 18.0, (1, 2): 19.0, (0, 2): 20.0}
    assert partition(weights, 3, apart=[5, -1, 6]) == [0, 1, 1]


def test_one_registered_nik_twice_is_no_bar() -> None:
    assert partition({(0, 1): 18.0}, 2, apart=[5, 5]) == [0, 0]


def test_sources_free_of_duplicates_stay_so() -> None:
    weights = {(0, 2): 18.0, (1, 2): 17.0, (0, 1): 20.0}
    assert partition(weights, 3, alone=[0, 0, 1]) == [0, 1, 0]


def test_ties_go_to_the_first_keys() -> None:
    assert partition({(0, 1): 9.0, (1, 2): 9.0}, 3) == [0, 0, 2]


def test_a_component_beyond_all_bounds_is_cut_by_its_strongest_edges(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clustering, "LARGEST", 3)
    strong = {(0, 1): 19.0, (2, 3): 19.0, (1, 2): 5.0}
    assert partition(strong, 4) == [0, 0, 2, 2]


SIZE = 7
WEIGHTS = st.dictionaries(
    st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)).filter(lambda p: p[0] < p[1]),
    st.floats(-15, 25).filter(lambda w: abs(w) > 1e-3),
    min_size=1,
)


@settings(max_examples=150, deadline=None)
@given(
    WEIGHTS,
    st.permutations(range(SIZE)),
    st.lists(st.integers(-1, 1), min_size=SIZE, max_size=SIZE),
)
def test_the_order_of_edges_never_shows(
    weights: dict[tuple[int, int], float], order: list[int], apart: list[int]
) -> None:
    items = list(weights.items())
    shuffled = dict(sorted(items, key=lambda kv: (order[kv[0][0]], order[kv[0][1]])))
    whole = partition(weights, SIZE, apart=apart)
    assert partition(shuffled, SIZE, apart=apart) == whole
    for i in range(SIZE):
        for j in range(SIZE):
            if whole[i] == whole[j]:
                assert -1 in (apart[i], apart[j]) or apart[i] == apart[j]
