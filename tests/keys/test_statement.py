"""The reader of signed fields: exactly those that belong, each of its type, none too large."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from keys.canonical import to_base64
from keys.errors import BadStatement
from keys.statement import Fields


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(BadStatement) as refused:
        act()
    return refused.value.code


def of(value: Any) -> Fields:
    return Fields({"a": value})


def test_exactly_the_fields_that_belong_are_read() -> None:
    assert Fields.read(b'{"a":1,"b":2}', ("b", "a")).values == {"a": 1, "b": 2}
    for text in (b'{"a":1}', b'{"a":1,"b":2,"c":3}', b'{"a":1,"c":3}', b"[]", b'"ab"', b"1"):
        assert code_of(lambda text=text: Fields.read(text, ("a", "b"))) == "statement.fields"
    assert code_of(lambda: Fields.read(b'{"a":1,"a":1}', ("a",))) == "statement.json"
    assert code_of(lambda: Fields.read(b'{"a":1.5}', ("a",))) == "statement.json"


def test_the_sentence_names_what_is_missing_and_counts_what_is_unknown() -> None:
    with pytest.raises(BadStatement, match=r"^Fields missing: a, b; fields unknown: 2\.$"):
        Fields.read(b'{"x":"secret","y":1}', ("b", "a"))
    with pytest.raises(BadStatement, match=r"^Fields missing: none; fields unknown: 1\.$"):
        Fields.read(b'{"a":1,"x":1}', ("a",))


def test_others_may_stand_beside_where_they_may_and_fractions_too() -> None:
    found = Fields.read_with(b'{"a":1,"other":0.5}', ("a",))
    assert found.values == {"a": 1, "other": 0.5}
    assert code_of(lambda: Fields.read_with(b'{"other":1}', ("a",))) == "statement.fields"


def test_some_of_the_fields_may_be_absent_but_none_is_added() -> None:
    assert Fields.read_some(b'{"a":1}', ("a", "b")).values == {"a": 1}
    assert Fields.read_some(b"{}", ("a", "b")).values == {}
    assert code_of(lambda: Fields.read_some(b'{"c":1}', ("a", "b"))) == "statement.fields"


def test_a_text_has_one_to_two_thousand_characters() -> None:
    assert of("x").text("a") == "x"
    assert of("x" * 2000).text("a") == "x" * 2000
    for wrong in ("", "x" * 2001, "x" * 3000, 7, None, ["x"]):
        assert code_of(lambda wrong=wrong: of(wrong).text("a")) == "statement.field"
    assert of("abc").text("a", re.compile("[a-c]+")) == "abc"
    assert code_of(lambda: of("abc\n").text("a", re.compile("[a-c]+"))) == "statement.field"


def test_an_integer_begins_where_it_is_told_to() -> None:
    assert of(0).integer("a") == 0
    assert of(2).integer("a", 2) == 2
    assert of(3).integer("a", 2) == 3
    assert of(7).integer("a") == 7
    for value, low in ((-1, 0), (1, 2), (True, 0), ("1", 0), (None, 0)):
        assert code_of(lambda value=value, low=low: of(value).integer("a", low)) == (
            "statement.field"
        )


def test_a_moment_may_be_null_only_where_it_may() -> None:
    moment = datetime(2026, 11, 24, 2, tzinfo=UTC)
    assert of("2026-11-24T02:00:00Z").moment("a") == moment
    assert of("2026-11-24T02:00:00Z").moment_or_none("a") == moment
    assert of(None).moment_or_none("a") is None
    for act in (lambda: of(None).moment("a"), lambda: of("now").moment_or_none("a")):
        assert code_of(act) == "statement.field"


def test_bytes_have_their_length() -> None:
    assert of(to_base64(bytes(16))).base64("a", 16) == bytes(16)
    for length in (15, 17):
        assert code_of(lambda length=length: of(to_base64(bytes(16))).base64("a", length)) == (
            "statement.field"
        )
    assert code_of(lambda: of("!").base64("a", 0)) == "statement.field"
    assert of("ab" * 32).sha256("a") == b"\xab" * 32
    for wrong in ("AB" * 32, "ab" * 31, "ab" * 33):
        assert code_of(lambda wrong=wrong: of(wrong).sha256("a")) == "statement.field"


@pytest.mark.parametrize("reader", ["table", "sequence"])
def test_a_collection_has_at_most_64_members(reader: str) -> None:
    def made(count: int) -> Any:
        members = [str(number) for number in range(count)]
        return dict.fromkeys(members, 1) if reader == "table" else members

    for count in (0, 64):
        assert len(getattr(of(made(count)), reader)("a")) == count
    assert code_of(lambda: getattr(of(made(65)), reader)("a")) == "statement.field"
    for wrong in ("text", None, 7, [] if reader == "table" else {}):
        assert code_of(lambda wrong=wrong: getattr(of(wrong), reader)("a")) == "statement.field"
