"""The rules of the NIK: what is strictly valid, what the digits say, what a cell was meant to be."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.nik import NikStatus, classify_nik, ends_in_zero, fault, parts

TODAY = date(2025, 11, 3)


@pytest.mark.parametrize(
    ("digits", "due"),
    [
        ("1376010512800001", None),
        ("1376014512800002", None),
        ("1376017112800002", None),  # day 71 is the 31st of a woman
        ("9976010512800001", None),  # an unknown region is a finding, no refusal
        ("1376012902000001", None),  # 2000 leapt
        ("1376016902040001", None),
        ("1376012902010001", "nik.date"),
        ("1376016902230001", "nik.date"),
        ("1376013202800001", "nik.date"),
        ("1376014002800001", "nik.date"),
        ("1376017202800001", "nik.date"),
        ("1376010002800001", "nik.date"),
        ("1376013104800001", "nik.date"),
        ("1376010513800001", "nik.date"),
        ("1376010500800001", "nik.date"),
        ("1376010512800000", "nik.serial"),
        ("0000000000000000", "nik.sentinel"),
        ("1111111111111111", "nik.sentinel"),
        ("9999999999999994", "nik.sentinel"),
        ("9999999999999995", "nik.sentinel"),
        ("9999999999999996", "nik.sentinel"),
        ("9999999999999999", "nik.sentinel"),
        ("9999999999999998", "nik.date"),
        ("137601051280000", "nik.format"),
        ("13760105128000011", "nik.format"),
        ("1376010512800001\n", "nik.format"),
        (" 1376010512800001", "nik.format"),
        ("137601051280000١", "nik.format"),
        ("", "nik.format"),
    ],
)
def test_what_is_strictly_valid(digits, due):
    assert fault(digits) == due


@pytest.mark.parametrize(
    ("nik", "known", "born", "sex"),
    [
        ("1376014512800002", None, date(1980, 12, 5), "P"),
        ("1376010512800002", None, date(1980, 12, 5), "L"),
        ("1376010511250002", None, None, "L"),  # 5 November 2025 is to come, 1925 is 99 years ago
        ("1376010311250002", date(2025, 11, 3), date(2025, 11, 3), "L"),
        ("1376010101200002", None, None, "L"),  # 1920 or 2020
        ("1376010101200002", date(1920, 1, 1), date(1920, 1, 1), "L"),
        ("1376010101200002", date(2020, 1, 1), date(2020, 1, 1), "L"),
        ("1376010101200002", date(1921, 1, 1), None, "L"),
        ("1376010101140002", None, date(2014, 1, 1), "L"),  # 111 years is too old
        ("1376012902000002", None, date(2000, 2, 29), "L"),
    ],
)
def test_what_the_digits_say(nik, known, born, sex):
    said = parts(nik, today=TODAY, birth_date=known)
    if nik == "1376010511250002":
        born = date(1925, 11, 5)
    assert (said.region, said.birth_date, said.sex, said.serial) == ("137601", born, sex, "0002")


def test_what_is_no_nik_says_nothing():
    with pytest.raises(ValueError, match="not a strictly valid NIK") as caught:
        parts("1376013202800001", today=TODAY)
    assert "1376013202800001" not in str(caught.value)


@pytest.mark.parametrize(
    ("cell", "nik", "raw", "status"),
    [
        ("1376014512800002", "1376014512800002", None, "valid_form"),
        (" 1376 0145 1280 0002 ", "1376014512800002", None, "valid_form"),
        ("'1376014512800002", "1376014512800002", None, "valid_form"),
        ("13.76.01.451280.0002", "1376014512800002", None, "valid_form"),
        ("1376\u200b014512800002", "1376014512800002", None, "valid_form"),
        (1376014512800002, "1376014512800002", None, "valid_form"),
        (1376014512800010, None, "1376014512800010", "truncated_excel"),
        (1.376014512800000e15, None, "1376014512800000", "truncated_excel"),
        ("1376014512800010", "1376014512800010", None, "valid_form"),
        ("1376014512800000", None, "1376014512800000", "truncated_excel"),
        ("1.37601E+15", None, "1.37601E+15", "truncated_excel"),
        ("1,37605E+15", None, "1,37605E+15", "truncated_excel"),
        ("9999999999999996", None, "9999999999999996", "sentinel"),
        ("0000000000000000", None, "0000000000000000", "sentinel"),
        ("137601451280000", None, "137601451280000", "invalid_form"),
        ("1376013202800001", None, "1376013202800001", "invalid_form"),
        ("belum punya", None, "belum punya", "invalid_form"),
        ("A1234567", None, "A1234567", "foreigner"),
        ("", None, None, "missing"),
        ("-", None, None, "missing"),
        (" tidak ada ", None, None, "missing"),
        (None, None, None, "missing"),
        (float("nan"), None, None, "missing"),
        (0, None, None, "missing"),
        (True, None, None, "missing"),
    ],
)
def test_what_a_cell_becomes(cell, nik, raw, status):
    assert classify_nik(cell) == (nik, raw, NikStatus(status))


def test_a_column_that_lost_its_last_digit_is_known_by_the_whole_of_it():
    column = [f"13760145128{n:04d}0" for n in range(1, 9)]
    assert ends_in_zero([*column, None, "", "0000000000000000"])
    assert not ends_in_zero([*column, "1376014512800002"])
    assert not ends_in_zero(column[:7])
    cell = column[0]
    assert classify_nik(cell)[0] == cell
    assert classify_nik(cell, column_truncated=True) == (None, cell, NikStatus.TRUNCATED_EXCEL)


@given(st.text(max_size=40) | st.integers() | st.floats() | st.none())
def test_whatever_a_cell_holds_it_becomes_a_valid_nik_or_none(cell):
    nik, raw, status = classify_nik(cell)
    assert (nik is not None) == (status is NikStatus.VALID_FORM)
    assert nik is None or (fault(nik) is None and raw is None)
    assert raw is None or len(raw) <= 32
