"""Working days, holidays, half days and pauses; ticket numbers and PINs."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.complaints import clock, numbers
from gateway.complaints.clock import Due, Light, Now
from gateway.complaints.lifecycle import Span
from schemas.profile import HALF_DAY, Holiday, Profile

PROFILE = Profile.load("payakumbuh")
NOON = datetime(2025, 11, 3, 5, tzinfo=UTC)
DATES = st.dates(date(2024, 1, 1), date(2027, 12, 31))


def with_day(day: date, kind: str) -> Profile:
    added = {**PROFILE.holidays, day: Holiday(day, kind, "baru")}
    return replace(PROFILE, holidays=MappingProxyType(added))


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        (date(2025, 11, 3), 0, date(2025, 11, 3)),
        (date(2025, 11, 3), 1, date(2025, 11, 4)),
        (date(2025, 11, 7), 1, date(2025, 11, 10)),
        (date(2025, 11, 8), 1, date(2025, 11, 10)),
        (date(2025, 3, 27), 3, date(2025, 4, 10)),
        (date(2025, 12, 24), 2, date(2025, 12, 30)),
    ],
    ids=["none", "tomorrow", "weekend", "from saturday", "lebaran", "christmas"],
)
def test_days_off_are_not_counted(start, days, end):
    assert clock.add_days(PROFILE, start, days) == end


def test_a_half_day_counts_half():
    half = with_day(date(2025, 11, 4), HALF_DAY)
    assert clock.add_days(half, date(2025, 11, 3), 1) == date(2025, 11, 5)
    assert clock.days_between(half, date(2025, 11, 3), date(2025, 11, 5)) == 1.5


def test_a_holiday_that_is_added_moves_what_is_due():
    later = with_day(date(2025, 11, 5), "cuti_bersama")
    assert clock.add_days(PROFILE, date(2025, 11, 3), 3) == date(2025, 11, 6)
    assert clock.add_days(later, date(2025, 11, 3), 3) == date(2025, 11, 7)


@given(DATES, st.integers(0, 60))
def test_the_day_is_a_working_day_and_the_count_comes_back(start, days):
    end = clock.add_days(PROFILE, start, days)
    assert clock.days_between(PROFILE, start, end) == days
    assert days == 0 or not PROFILE.is_holiday(end)


@given(DATES, st.integers(1, 30), st.integers(0, 60))
def test_a_pause_leaves_as_many_working_days(start, days, paused):
    due = clock.add_days(PROFILE, start, days)
    back = start + timedelta(days=paused)
    moved = clock.resume(PROFILE, due, start, back)
    assert clock.days_between(PROFILE, back, moved) == days


def test_a_calendar_that_never_opens_is_a_mistake():
    shut = replace(PROFILE, holidays=MappingProxyType({}))
    object.__setattr__(shut, "holidays", _Always())
    with pytest.raises(ValueError, match="ten years"):
        clock.add_days(shut, date(2025, 11, 3), 1)


class _Always(dict):
    def get(self, day, default=None):
        return Holiday(day, "libur_nasional", "selalu")


@pytest.mark.parametrize(
    ("today", "seen"),
    [
        (date(2025, 11, 3), Light.GREEN),
        (date(2025, 11, 7), Light.AMBER),
        (date(2025, 11, 10), Light.AMBER),
        (date(2025, 11, 11), Light.RED),
    ],
)
def test_a_deadline_turns_amber_at_a_quarter_and_red_on_the_day_after(today, seen):
    since = Now(date(2025, 11, 3), NOON)
    due = clock.due(PROFILE, Span(days=5), since)
    assert due == Due(on=date(2025, 11, 10))
    assert clock.light(PROFILE, due, since, Now(today, NOON)) is seen


@pytest.mark.parametrize(
    ("minutes", "seen"), [(1, Light.GREEN), (13, Light.AMBER), (16, Light.RED)]
)
def test_an_emergency_runs_by_the_minute(minutes, seen):
    since = Now(date(2025, 11, 3), NOON)
    due = clock.due(PROFILE, Span(minutes=15), since)
    now = Now(date(2025, 11, 3), NOON + timedelta(minutes=minutes))
    assert clock.light(PROFILE, due, since, now) is seen


def test_without_a_deadline_there_is_no_light():
    now = Now(date(2025, 11, 3), NOON)
    assert clock.light(PROFILE, Due(), now, now) is None
    assert clock.limit(PROFILE, None, now, emergency=False) == Due()


@given(st.integers(2014, 2099), st.integers(1, 999_999))
def test_a_number_reads_back_and_one_wrong_digit_or_swap_does_not(year, running):
    number = numbers.ticket_number(year, running)
    assert numbers.read(number.lower()) == number
    digits = number[4:8] + number[9:15] + number[16]
    for at in range(len(digits)):
        wrong = digits[:at] + str((int(digits[at]) + 1) % 10) + digits[at + 1 :]
        assert _read(wrong) is None
    for a, b in pairwise(range(len(digits))):
        swapped = [*digits]
        swapped[a], swapped[b] = digits[b], digits[a]
        assert digits[a] == digits[b] or _read("".join(swapped)) is None


def _read(digits):
    return numbers.read(f"PKN-{digits[:4]}-{digits[4:10]}-{digits[10]}")


@pytest.mark.parametrize("typed", ["", "PKN-2025-000319", "319", "PKN-2025-000319-77"])
def test_what_is_no_number_is_none(typed):
    assert numbers.read(typed) is None


def test_a_pin_holds_with_its_own_salt_alone():
    pin = numbers.new_pin()
    kept = numbers.pin_hash(pin, b"a" * 16)
    assert len(pin) == 6
    assert numbers.pin_holds(f" {pin[:3]} {pin[3:]}", b"a" * 16, kept)
    assert not numbers.pin_holds(pin, b"b" * 16, kept)
