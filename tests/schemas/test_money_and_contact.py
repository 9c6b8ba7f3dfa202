"""Rupiah, telephone numbers and RT/RW as agencies write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contact import parse_phone, parse_rt_rw
from schemas.errors import Unreadable
from schemas.fields import Phone
from schemas.rupiah import LARGEST, parse_rupiah


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("Rp400.000,-", 400_000),
        ("Rp 400.000", 400_000),
        ("Rp. 400.000,00", 400_000),
        ("400.000,00", 400_000),
        ("400,000.00", 400_000),
        ("400,000", 400_000),
        ("400000", 400_000),
        ("400000.00", 400_000),
        ("400 000", 400_000),
        ("1.250.000", 1_250_000),
        ("0,4 jt", 400_000),
        ("1,5 juta", 1_500_000),
        ("750 rb", 750_000),
        ("750ribu", 750_000),
        ("2 milyar", 2_000_000_000),
        ("IDR 1.250", 1_250),
        ("Rp1.250", 1_250),
        ("0", 0),
        (400_000, 400_000),
        (400_000.0, 400_000),
        (Decimal("400000.00"), 400_000),
        (None, None),
        ("", None),
        (" - ", None),
        ("nihil", None),
        (float("nan"), None),
    ],
)
def test_an_amount_is_whole_rupiah(cell, amount):
    assert parse_rupiah(cell) == amount


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("1.250", "amount.ambiguous"),
        ("1,250", "amount.ambiguous"),
        ("1.250,000", "amount.ambiguous"),
        ("1,250.000", "amount.ambiguous"),
        ("12.50", "amount.ambiguous"),
        ("1.2.3", "amount.ambiguous"),
        ("400.000,50", "amount.fraction"),
        ("0,0000001 jt", "amount.fraction"),
        (0.5, "amount.fraction"),
        ("-400.000", "amount.negative"),
        ("(400.000)", "amount.negative"),
        ("Rp -5", "amount.negative"),
        (-1, "amount.negative"),
        ("empat ratus ribu", "amount.unreadable"),
        ("400.000 per bulan", "amount.unreadable"),
        (float("inf"), "amount.unreadable"),
        (2**53, "amount.range"),
        ("99999999999999999999", "amount.range"),
    ],
)
def test_what_may_mean_two_amounts_or_none_is_asked_about(cell, code):
    with pytest.raises(Unreadable) as unreadable:
        parse_rupiah(cell)
    assert unreadable.value.code == code


def test_a_lone_group_is_read_where_small_amounts_are_usual():
    assert parse_rupiah("1.250", smallest=1_000) == 1_250


@given(st.integers(0, LARGEST))
def test_what_a_page_shows_is_read_back(amount):
    assert parse_rupiah(f"Rp {amount:,}".replace(",", ".")) == amount


@given(st.text(max_size=30) | st.integers() | st.floats())
def test_whatever_a_cell_holds_it_is_an_amount_or_asked_about(cell):
    try:
        amount = parse_rupiah(cell)
    except Unreadable:
        return
    assert amount is None or 0 <= amount <= LARGEST


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("081234567890", "+6281234567890"),
        ("0812-3456-7890", "+6281234567890"),
        ("(0752) 92345", "+6275292345"),
        ("+62 812 3456 7890", "+6281234567890"),
        ("6281234567890", "+6281234567890"),
        ("81234567890", "+6281234567890"),
        (81234567890, "+6281234567890"),
        (81234567890.0, "+6281234567890"),
        ("081234567890 / 0752-92345", "+6281234567890"),
        ("081234567890; 085200000000", "+6281234567890"),
        ("+60123456789", "+60123456789"),
        ("", None),
        ("-", None),
        ("tidak ada", None),
        (None, None),
        (float("nan"), None),
    ],
)
def test_a_telephone_number_becomes_e164(cell, number):
    assert parse_phone(cell) == number


@pytest.mark.parametrize("cell", ["12345", "0812", "tetangga", "hp 081234567890 bu Ani", "9" * 20])
def test_what_is_no_telephone_number_is_asked_about(cell):
    with pytest.raises(Unreadable) as unreadable:
        parse_phone(cell)
    assert unreadable.value.code == "phone.unreadable"
    assert cell not in str(unreadable.value)


@given(st.text(max_size=30) | st.integers() | st.floats())
def test_whatever_a_cell_holds_it_is_a_number_or_asked_about(cell):
    rt, rw = parse_rt_rw(cell)
    assert all(part is None or (len(part) == 3 and part.isdigit()) for part in (rt, rw))
    try:
        number = parse_phone(cell)
    except Unreadable:
        return
    assert number is None or Phone().check(number) == number


def test_another_country_has_its_own_number():
    assert parse_phone("0123456789", country="60") == "+60123456789"


@pytest.mark.parametrize(
    ("cell", "rt", "rw"),
    [
        ("RT 003/RW 001", "003", "001"),
        ("RT.3 RW.1", "003", "001"),
        ("003/001", "003", "001"),
        ("3 / 1", "003", "001"),
        ("R.T 3 R.W 1", "003", "001"),
        ("RT/RW 03/01", "003", "001"),
        ("Jl. Melati RT 12", "012", None),
        ("RW 4", None, "004"),
        ("3", "003", None),
        (3, "003", None),
        (3.0, "003", None),
        ("000/000", None, None),
        ("belakang surau", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_rt_and_rw_have_three_digits(cell, rt, rw):
    assert parse_rt_rw(cell) == (rt, rw)
