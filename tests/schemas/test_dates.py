"""Dates as agencies write them."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dates import EARLIEST, LATEST, parse_date
from schemas.errors import Unreadable

TODAY = date(2025, 11, 3)


@pytest.mark.parametrize(
    ("cell", "day", "precision"),
    [
        ("31-12-1980", "1980-12-31", "day"),
        ("31/12/80", "1980-12-31", "day"),
        ("31.12.1980", "1980-12-31", "day"),
        ("31 12 1980", "1980-12-31", "day"),
        ("5/3/1980", "1980-03-05", "day"),  # day first, always
        ("1980-12-31", "1980-12-31", "day"),
        ("1980-12-31 00:00:00", "1980-12-31", "day"),
        ("1980-12-31T00:00:00Z", "1980-12-31", "day"),
        ("31/12/1980 00:00", "1980-12-31", "day"),
        ("31 Desember 1980", "1980-12-31", "day"),
        ("31 Des 80", "1980-12-31", "day"),
        ("31-Dec-1980", "1980-12-31", "day"),
        ("17 Agustus 1945", "1945-08-17", "day"),
        ("17 August 1945", "1945-08-17", "day"),
        ("1 Pebruari 1970", "1970-02-01", "day"),
        ("  1   Mei   1970 ", "1970-05-01", "day"),
        ("00-00-1980", "1980-01-01", "year"),
        ("00/05/1980", "1980-05-01", "month"),
        ("1980-00-00", "1980-01-01", "year"),
        ("1980", "1980-01-01", "year"),
        ("Mei 1980", "1980-05-01", "month"),
        ("31121980", "1980-12-31", "day"),
        ("19801231", "1980-12-31", "day"),
        (19801231, "1980-12-31", "day"),
        (6102025, "2025-10-06", "day"),  # 06102025 of a spreadsheet
        (29586, "1980-12-31", "day"),
        ("29586", "1980-12-31", "day"),
        (29586.0, "1980-12-31", "day"),
        ("29586.0", "1980-12-31", "day"),
        (date(1980, 12, 31), "1980-12-31", "day"),
        (datetime(1980, 12, 31, 7, 0), "1980-12-31", "day"),  # noqa: DTZ001
        ("01-01-25", "2025-01-01", "day"),
        ("01-01-26", "1926-01-01", "day"),
        ("29-02-2024", "2024-02-29", "day"),
    ],
)
def test_what_is_read(cell, day, precision):
    assert parse_date(cell, today=TODAY) == (day, precision)


@pytest.mark.parametrize(
    "cell", [None, "", "  ", "-", "0", 0, "00-00-0000", "NULL", float("nan"), True]
)
def test_what_is_nothing(cell):
    assert parse_date(cell, today=TODAY) == (None, None)


@pytest.mark.parametrize(
    "cell",
    [
        "31-02-1980",
        "31-13-1980",
        "29-02-2023",
        "kira-kira 1980-an",
        "31 Foo 1980",
        "1849-12-31",
        "2101-01-01",
        "99999",
        -5,
        999999,
        float("inf"),
        pytest.param(10**400, id="huge"),
        "12-31-1980",
    ],
)
def test_what_is_no_date_is_asked_about(cell):
    with pytest.raises(Unreadable) as unreadable:
        parse_date(cell, today=TODAY)
    assert unreadable.value.code == "date.unreadable"
    assert str(cell) not in str(unreadable.value)


@given(st.dates(EARLIEST, LATEST))
def test_each_way_of_writing_a_day_means_that_day(day):
    for text in (
        f"{day:%d-%m-%Y}",
        f"{day.day}/{day.month}/{day.year}",
        day.isoformat(),
        f"{day:%d%m%Y}",
    ):
        read, precision = parse_date(text, today=TODAY)
        if text.isdigit() and read != day.isoformat():
            continue  # eight digits that are a date both ways
        assert (read, precision) == (day.isoformat(), "day")


@given(st.text(max_size=30) | st.integers() | st.floats())
def test_whatever_a_cell_holds_it_is_read_or_asked_about(cell):
    try:
        day, precision = parse_date(cell, today=TODAY)
    except Unreadable:
        return
    assert (day is None) == (precision is None)
    assert day is None or EARLIEST <= date.fromisoformat(day) <= LATEST
