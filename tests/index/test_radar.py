"""Two payments for one need in one period: duplicate, complement, or to be looked at."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.index import radar
from gateway.index.radar import Kind

SCHOOL = {"need_kinds": ["beasiswa"], "exclusive_group": "beasiswa"}
PROGRAMS = {
    "BSM-2025-01": SCHOOL,
    "BAZ-2025-02": SCHOOL,
    "KES-2025-01": {"need_kinds": ["kesehatan"], "complements": ["LKS-2025-01"]},
    "LKS-2025-01": {"need_kinds": ["kesehatan"]},
    "ZIS-2025-09": {"need_kinds": ["kesehatan"]},
}


def payment(number: int, code: str, period: str | None = "2025-S1", **more: object) -> tuple:
    said = {"date": "2025-03-05", **({"period": period} if period else {}), **more}
    return number, code.partition("-")[0].lower(), "person", said, code


def kinds(*payments: tuple) -> list[Kind]:
    return [o.kind for o in radar.overlaps(radar.aids(payments, PROGRAMS))]


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (payment(1, "BSM-2025-01"), payment(2, "BAZ-2025-02"), [Kind.DUPLICATE]),
        (payment(1, "KES-2025-01"), payment(2, "LKS-2025-01"), [Kind.COMPLEMENT]),
        (payment(1, "LKS-2025-01"), payment(2, "KES-2025-01"), [Kind.COMPLEMENT]),
        (payment(1, "KES-2025-01"), payment(2, "ZIS-2025-09"), [Kind.REVIEW]),
        (payment(1, "BSM-2025-01"), payment(2, "KES-2025-01"), []),
        (payment(1, "BSM-2025-01"), payment(2, "BSM-2025-01"), []),
        (payment(1, "BSM-2025-01"), payment(2, "BAZ-2025-02", "2025-S2"), []),
        (payment(1, "BSM-2025-01"), payment(2, "BAZ-2025-02", None), [Kind.DUPLICATE]),
        (payment(1, "BSM-2025-01"), payment(2, "BAZ-2025-02", reversed_by="x"), []),
        (payment(1, "BSM-2025-01"), payment(2, "NOBODY-2025-01"), []),
    ],
    ids="exclude complete completed look other_need one_programme other_half month back unknown".split(),
)
def test_what_two_payments_are(one, other, found):
    assert kinds(one, other) == kinds(other, one) == found


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("2025", date(2025, 1, 1), date(2025, 12, 31)),
        ("2025-S2", date(2025, 7, 1), date(2025, 12, 31)),
        ("2025-T1", date(2025, 1, 1), date(2025, 3, 31)),
        ("2025-T4", date(2025, 10, 1), date(2025, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2025-12", date(2025, 12, 1), date(2025, 12, 31)),
    ],
)
def test_the_period_that_a_payment_is_for(said, first, last):
    assert radar.period({"period": said, "date": "2025-01-01"}) == (first, last)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_without_a_period_it_is_the_month_of_payment(day):
    first, last = radar.period({"date": day.isoformat()})
    assert first <= day <= last
    assert (first.day, first.month) == (1, last.month)
