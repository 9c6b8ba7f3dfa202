"""The first city's own folder; that another city is only another folder: test_second_city.py."""

from dataclasses import fields
from datetime import date

import pytest

from schemas.codes import lists
from schemas.profile import Profile
from schemas.records.registry import RECORD_TYPES

PROFILE = Profile.load("payakumbuh")


def test_every_section_says_something():
    for field in fields(PROFILE):
        assert getattr(PROFILE, field.name), field.name
    assert len(PROFILE.agencies) == 9
    assert [a.code for a in PROFILE.agencies.values() if a.house] == [PROFILE.unit.code]


def test_a_profile_is_read_once_and_can_be_a_key():
    again = Profile.load("payakumbuh")
    assert again.wilayah is PROFILE.wilayah
    assert {PROFILE: 1}[PROFILE] == 1


@pytest.mark.parametrize("attribute", PROFILE.precedence)
def test_each_attribute_with_a_precedence_is_a_field_or_a_part_of_the_view(attribute):
    known = {name for kind in RECORD_TYPES.values() for name in kind.schema.fields}
    view = {"household_kk", "household_ruta", "listing", "fund_balance"}
    assert attribute in known | view
    assert PROFILE.precedence[attribute]


def test_the_lists_in_their_order_are_lists_of_the_code_list():
    assert set(PROFILE.list_order) <= set(lists.load("list_code").codes)


@pytest.mark.parametrize(
    ("nik", "name"),
    [
        ("1376014512800002", PROFILE.nik_prefixes["137601"]),
        ("1376994512800002", PROFILE.nik_prefixes["1376"]),
        ("1399014512800002", PROFILE.nik_prefixes["13"]),
        ("0199014512800002", None),
    ],
)
def test_a_region_is_known_by_its_longest_prefix(nik, name):
    assert PROFILE.region_name(nik) == name


@pytest.mark.parametrize(
    ("day", "closed"),
    [
        (date(2025, 1, 1), True),
        (date(2025, 11, 1), True),
        (date(2025, 11, 2), True),
        (date(2025, 11, 3), False),
    ],
)
def test_the_office_is_closed_at_weekends_and_on_holidays(day, closed):
    assert PROFILE.is_holiday(day) is closed
