"""A key that ends is warned of at 30, 14, 7, 3 and 1 days, on both sides by one rule."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keys import rotation
from keys.keyset import entry_of
from tests.keys.city import AGENCY, NOW

MOMENT, DAY = timedelta(seconds=1), timedelta(days=1)
ENTRY = entry_of("dinsos", AGENCY.public, instance="conn", not_before=NOW)
EDGES = [
    (30 * DAY + MOMENT, None), (30 * DAY, 30), (14 * DAY + MOMENT, 30), (14 * DAY, 14),
    (7 * DAY + MOMENT, 14), (7 * DAY, 7), (3 * DAY + MOMENT, 7), (3 * DAY, 3),
    (DAY + MOMENT, 3), (DAY, 1), (MOMENT, 1), (timedelta(0), None), (-DAY, None),
]  # fmt: skip


@pytest.mark.parametrize(("left", "warned"), EDGES, ids=str)
def test_each_edge(left, warned):
    assert rotation.warning(ENTRY, ENTRY.not_after - left) == warned


def test_a_key_with_a_successor_is_not_warned_of():
    retiring = replace(ENTRY, sign_until=NOW + DAY)
    assert rotation.warning(retiring, NOW) is None
