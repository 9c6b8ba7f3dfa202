"""The measure of partitions, on groups that can be counted by hand."""

import numpy as np
import pytest

from bench import partitions
from gateway.index.model import Pairs
from gateway.index.questions import Edges

TRUTH = np.array([0, 0, 0, 1, 1])


@pytest.mark.parametrize(
    ("labels", "precision", "recall", "b_cubed"),
    [
        pytest.param([5, 5, 5, 9, 9], 1.0, 1.0, 1.0, id="right"),
        pytest.param([0, 1, 2, 3, 4], 1.0, 0.0, 2 * 0.4 / 1.4, id="nothing joined"),
        pytest.param([0, 0, 0, 0, 0], 0.4, 1.0, 2 * 0.52 / 1.52, id="all joined"),
        pytest.param([0, 0, 3, 3, 4], 0.5, 0.25, 2 * 0.8 * 0.5333333 / 1.3333333, id="mixed"),
    ],
)
def test_a_partition_is_judged_by_pairs_and_by_records(
    labels: list[int], precision: float, recall: float, b_cubed: float
) -> None:
    found = partitions.judge(TRUTH, np.array(labels))
    assert (found.precision, found.recall) == (precision, recall)
    assert found.b_cubed == pytest.approx(b_cubed, abs=1e-6)


def test_across_lists_pairs_within_one_list_do_not_count() -> None:
    truth, sources = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 1, 0, 1])
    found = partitions.across(truth, np.array([7, 7, 8, 9, 9]), sources)
    assert (found.precision, found.recall) == (1.0, 2 / 3)


def test_the_best_threshold_is_that_of_the_highest_f1() -> None:
    edges = Edges(
        Pairs(np.array([0, 1, 2, 3]), np.array([1, 2, 3, 4])), np.array([9.0, 9.0, 1.0, 5.0])
    )
    assert partitions.best(TRUTH, edges, (0.0, 3.0, 7.0)).f1 == 1.0
    assert partitions.best(TRUTH, edges, (0.0, 7.0)).f1 < 1.0
