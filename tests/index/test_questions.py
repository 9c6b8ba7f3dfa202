"""What is left to a steward: one question about two groups, and none about a stray resemblance."""

import numpy as np

from gateway.index.clustering import Band
from gateway.index.model import Pairs
from gateway.index.questions import HEARD, Edges, open_questions


def asked(weights: dict[tuple[int, int], float], labels: list[int]) -> list[tuple[int, int]]:
    """The pairs shown; pairs that are not named weigh -10."""
    pairs = Pairs(*(np.array([p[i] for p in weights], dtype=np.int64) for i in (0, 1)))

    def score(some: Pairs) -> np.ndarray:
        found = zip(some.left.tolist(), some.right.tolist(), strict=True)
        return np.array([weights.get(p, -10.0) for p in found])

    edges = Edges(pairs, np.array(list(weights.values())))
    shown = open_questions(edges, np.array(labels), Band(), score)
    return list(zip(pairs.left[shown].tolist(), pairs.right[shown].tolist(), strict=True))


def test_what_is_nearly_linked_or_contradicted_is_asked() -> None:
    weights = {(0, 1): 9.0, (0, 2): 5.0, (1, 2): 3.0, (2, 3): -5.0}
    assert asked(weights, [0, 0, 2, 3]) == [(0, 2)]


def test_two_groups_are_one_question_about_their_strongest_pair() -> None:
    weights = {(0, 2): -1.0, (0, 3): 2.0, (1, 2): 3.0, (1, 3): 0.0, (0, 1): 9.0, (2, 3): 9.0}
    assert asked(weights, [0, 0, 2, 2]) == [(1, 2)]


def test_a_stray_resemblance_of_two_families_is_no_question() -> None:
    assert asked({(0, 2): 3.0, (0, 1): 9.0, (2, 3): 9.0}, [0, 0, 2, 2]) == []


def test_within_a_group_nothing_is_asked() -> None:
    assert asked({(0, 1): 2.0}, [0, 0]) == []


def test_the_lower_bound_of_the_band_is_asked() -> None:
    assert asked({(0, 1): -4.0, (2, 3): -4.5}, [0, 1, 2, 3]) == [(0, 1)]


def test_a_flood_of_rows_is_heard_in_part() -> None:
    heard: list[int] = []

    def score(some: Pairs) -> np.ndarray:
        heard.append(len(some))
        return np.zeros(len(some))

    size = 4 * HEARD
    labels = np.repeat(np.array([0, size], dtype=np.int64), size)
    edge = Edges(Pairs(np.array([0]), np.array([size])), np.array([1.0]))
    assert open_questions(edge, labels, Band(), score).tolist() == [True]
    assert heard == [HEARD * HEARD]
