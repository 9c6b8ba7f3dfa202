"""A moment as a person types it: each zone, none, and what is no moment."""

from datetime import UTC, datetime

import pytest

from schemas.errors import Unreadable
from schemas.moment import read_moment

EIGHT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T08:00:00Z",
        "2026-11-20T08:00Z",
        "2026-11-20 08:00 UTC",
        "2026-11-20 15:00 WIB",
        "2026-11-20 15.00",
        "2026-11-20T15:00",
        "2026-11-20t15:00wib",
        "2026-11-20 16:00 WITA",
        "2026-11-20 17:00:00 WIT",
        "2026-11-20T15:00+07:00",
        "2026-11-19T22:30-09:30",
        "  2026-11-20 15:00 ",
    ],
)
def test_one_moment_in_many_spellings(text: str) -> None:
    assert read_moment(text) == EIGHT
    assert read_moment(text).tzinfo is UTC


def test_a_day_alone_is_its_beginning_by_the_citys_clock() -> None:
    assert read_moment("2026-11-20") == datetime(2026, 11, 19, 17, 0, tzinfo=UTC)
    assert read_moment("2026-11-20 15:00:59 WIB").second == 59


@pytest.mark.parametrize(
    "text",
    [
        *("", "kemarin", "20-11-2026", "2026-11-20T", "2026-11-20 8:00", "2026-11-20 08:00 CET"),
        *("2026-02-30 08:00", "2026-11-20 24:01", "2026-11-20 08:60", "2026-11-20T08:00+99:00"),
        *("2026-11-20Z", "2026-11-20 08:00 +7", "0001-01-01", "٢٠٢٦-11-20", "2026-11-20 08:00\nZ"),
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_moment(text)
    assert refused.value.code == "moment.text"
