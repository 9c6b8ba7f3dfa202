"""How long one waits after failures: doubled each time, then until the oldest is over."""

from datetime import timedelta

import pytest

from gateway.access import throttle
from tests.access.conftest import NOW

SECOND = timedelta(seconds=1)


def failed(*ago: float, account: bool = True, address: bool = True) -> list[throttle.Failure]:
    return [(NOW - timedelta(seconds=each), account, address) for each in ago]


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        ([], 0),
        (failed(0), 0),
        (failed(0, 0), 0),
        (failed(0, 1, 2), 2),
        (failed(1, 5, 9), 1),
        (failed(2, 5, 9), 0),
        (failed(0, 5, 9, 20), 4),
        (failed(3, 5, 9, 20), 1),
        (failed(10, 20, 30, 40, 100), 800),
        (failed(*range(6)), 896),
        (failed(*range(19), address=False), 0),
        (failed(*range(20), address=False), 881),
        (failed(*range(49), account=False), 0),
        (failed(*range(50), account=False), 851),
    ],
)
def test_the_wait(failures, seconds):
    left = throttle.wait(failures, NOW)
    assert max(left, timedelta(0)) == seconds * SECOND
    assert throttle.wait(failures[::-1], NOW) == left


@pytest.mark.parametrize(
    ("left", "text"), [(0.2, "0:01"), (4, "0:04"), (59.01, "1:00"), (900, "15:00")]
)
def test_the_time_left_in_minutes_and_seconds(left, text):
    assert throttle.shown(timedelta(seconds=left)) == text
