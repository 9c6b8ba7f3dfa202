"""The one search box: what was typed becomes terms, or a sentence that helps."""

from datetime import date

import pytest

from gateway.access.box import read_box
from gateway.errors import Refused

TODAY = date(2025, 11, 3)


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("1376015410900002", {"number": "1376015410900002"}),
        ("1376 0154 1090 0002", {"number": "1376015410900002"}),
        ("0812-3456-7890", {"phone": "081234567890"}),
        ("+62 812 3456 7890", {"phone": "+6281234567890"}),
        ("  Siti   Aminah ", {"name": "Siti Aminah"}),
        ("Siti 17-08-1965", {"name": "Siti", "birth_date": "1965-08-17"}),
        ("Siti, 17/8/65", {"name": "Siti", "birth_date": "1965-08-17"}),
        ("1965-08-17 Siti", {"name": "Siti", "birth_date": "1965-08-17"}),
    ],
)
def test_what_is_typed_becomes_terms(typed: str, terms: dict[str, str]):
    assert read_box(typed, TODAY) == terms


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "search.short"),
        ("ab", "search.short"),
        ("13760154109000", "search.number"),
        ("Sit%", "search.wildcard"),
        ("Siti 31-02-1965", "search.date"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_a_reason(typed: str, code: str):
    with pytest.raises(Refused) as refused:
        read_box(typed, TODAY)
    assert refused.value.code == code
    assert typed == "" or typed not in refused.value.sentence
