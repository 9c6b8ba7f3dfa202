"""What is left of a programme, and where it stands on a day: tables and properties."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.programs.model import Program, Truth, When
from tests.programs.conftest import PROGRAM, TODAY


def program(**more: object) -> Program:
    return Program.read("disdik", {**PROGRAM, **more})


@pytest.mark.parametrize(
    ("more", "held", "found"),
    [
        ({}, 0, When.RUNNING),
        ({"quota_used": 99}, 0, When.RUNNING),
        ({"quota_used": 100}, 0, When.FULL),
        ({"quota_used": 99}, 1, When.FULL),
        ({"budget_spent": 59_700_000}, 0, When.FULL),
        ({"quota_total": None, "budget_total": None}, 500, When.RUNNING),
        ({"budget_total": 0, "amount_min": None, "amount_max": None}, 0, When.RUNNING),
        ({"period_end": "2025-11-02"}, 0, When.CLOSED),
        ({"period_end": "2025-11-03"}, 0, When.RUNNING),
        ({"status": "paused"}, 0, When.CLOSED),
        ({"status": "closed", "period_start": "2026-01-02"}, 0, When.CLOSED),
        ({"status": "draft", "period_start": "2026-01-02"}, 0, When.NEXT),
        ({"fiscal_year": 2026, "period_start": None, "period_end": None}, 0, When.NEXT),
        ({"period_start": None, "period_end": None}, 0, When.RUNNING),
    ],
)
def test_where_a_programme_stands(more, held, found):
    assert Truth(program(**more), held, held * 400_000).when(TODAY) is found


@pytest.mark.parametrize(
    ("more", "asks"),
    [
        ({}, False),
        ({"bidang": "KESEHATAN"}, True),
        ({"bidang": "SOSIAL_BUDAYA"}, True),
        ({"bidang": "KESEHATAN", "funder": "DONASI_LKS"}, False),
        ({"bidang": "KESEHATAN", "needs_mayor_approval": False}, False),
        ({"needs_mayor_approval": True}, True),
    ],
)
def test_when_the_mayor_is_asked(more, asks):
    assert program(**more).needs_mayor is asks


def test_the_range_is_the_programmes_own_or_that_of_the_need():
    usual = (300_000, 900_000)
    assert program().range_of(usual) == (400_000, 750_000)
    assert program(amount_fixed=500_000).range_of(usual) == (500_000, 500_000)
    assert program(amount_min=None, amount_max=None).range_of(usual) == usual


COUNTS = st.integers(0, 10_000)


@given(total=COUNTS, used=COUNTS, held=COUNTS)
def test_what_is_left_is_never_negative_and_never_more_than_was_published(total, used, held):
    truth = Truth(program(quota_total=total, quota_used=used), held, 0)
    assert 0 <= truth.quota_left <= total
    if used + held <= total:
        assert truth.quota_left + used + held == total


def test_a_later_year_is_never_running():
    later = program(fiscal_year=2026, period_start="2026-01-05", period_end="2026-11-30")
    assert not later.is_running(TODAY)
    assert later.is_running(date(2026, 1, 5))
