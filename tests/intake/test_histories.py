"""Over many random histories the live view is what a naive reading of the whole history gives.

A sample; `make bench ONLY=histories` plays 1,000 others.
"""

import random

import pytest

from gateway.intake.model import IntakeTools
from tests.conftest import Database
from tests.intake.factory import tools_of
from tests.intake.histories import expected, play, shown

SEEDS = 30


@pytest.fixture(scope="module")
def tools(database: Database) -> IntakeTools:
    return tools_of(database)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_live_view_is_that_of_a_naive_reading(database, tools, seed):
    world = play(database, tools, random.Random(seed))
    assert shown(world) == expected(world)
