"""Which id a group keeps, and which claim is shown: pure rules."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway.index import persons, precedence, reasons
from gateway.index.precedence import Claim, Rule

P, Q, R = UUID(int=1), UUID(int=2), UUID(int=3)
NOW = datetime(2025, 10, 1, tzinfo=UTC)


def test_the_older_id_survives_a_merge() -> None:
    named = persons.name([[10, 11, 12]], {10: Q, 11: Q, 12: P})
    assert named.ids == [P]
    assert named.merged == {Q: 0}


def test_a_split_leaves_the_id_with_most_of_the_records() -> None:
    named = persons.name([[10], [11, 12]], {10: P, 11: P, 12: P})
    assert named.ids == [None, P]
    assert named.split == {0: P}
    assert named.merged == {}


def test_a_swap_keeps_both_ids() -> None:
    named = persons.name([[10, 21], [20, 11]], {10: P, 11: P, 20: Q, 21: Q})
    assert named.ids == [P, Q]
    assert not named.merged
    assert not named.split


def test_somebody_new_is_new() -> None:
    named = persons.name([[1], [2, 3]], {3: R})
    assert named.ids == [None, R]
    assert not named.split


def claim(agency: str, value: object, days: int = 0, record: str = "a") -> Claim:
    return Claim(agency, record, NOW - timedelta(days=days), value, value)


@pytest.mark.parametrize(
    ("claims", "rule", "value", "agency", "conflict"),
    [
        ([claim("b", 2), claim("a", 1, 900)], Rule(("a", "b")), 1, "a", True),
        ([claim("b", 2), claim("c", 2)], Rule(("a", "b")), 2, "b", False),
        ([claim("x", 3, 5), claim("y", 4, 1)], Rule(("a",)), 4, "y", True),
        ([claim("a", 1, 9), claim("b", 2, 1)], Rule(("a",), "newest"), 2, "b", False),
        ([claim("a", [1]), claim("b", [2, 1])], Rule(("a",), "union"), [1, 2], "a", False),
    ],
    ids=["the first speaker", "the next", "the newest of the rest", "newest", "union"],
)
def test_what_is_shown(claims, rule, value, agency, conflict) -> None:
    shown = precedence.golden(claims, rule)
    assert (shown.value, shown.agency, shown.conflict) == (value, agency, conflict)
    assert precedence.golden(list(reversed(claims)), rule) == shown


def test_a_stale_word_is_passed_over_and_said_so() -> None:
    rule = Rule(("a", "b"), oldest=NOW - timedelta(days=30))
    shown = precedence.golden([claim("a", 1, 60), claim("b", 2, 3)], rule)
    assert (shown.value, shown.instead_of) == (2, "a")
    assert precedence.golden([claim("a", 1, 60)], rule).value == 1
    assert precedence.golden([], rule) is None


def test_only_the_register_lets_people_die() -> None:
    rule, final = Rule(("dukcapil", "baz")), ("dukcapil",)
    said = [claim("baz", "deceased"), claim("dstk", "alive")]
    assert precedence.vital(said, rule, final).value == "alive"
    shown = precedence.vital([*said, claim("dukcapil", "deceased")], rule, final)
    assert (shown.value, shown.agency, shown.conflict) == ("deceased", "dukcapil", True)


def test_the_tree_ends_with_the_weakest_link() -> None:
    pairs = [(0, 1, 9.0), (0, 2, 1.0), (1, 2, 4.0), (0, 3, -2.0), (1, 3, 7.0)]
    assert reasons.tree(4, pairs) == [(0, 1, 9.0), (1, 3, 7.0), (1, 2, 4.0)]
