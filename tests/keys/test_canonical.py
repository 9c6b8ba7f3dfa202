"""One byte string per value and one value per byte string: JCS vectors, and what is refused."""

import hashlib
import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.canonical import (
    canonical,
    digest,
    from_base64,
    from_moment,
    read_json,
    to_base64,
    to_moment,
)
from keys.errors import BadJson
from tests.shared import shared

DOCUMENTS = ("arrays", "french", "structures", "unicode", "values", "weird")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    max_leaves=20,
)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_jcs_documents_come_out_byte_for_byte(name: str) -> None:
    folder = shared("data/vectors/jcs")
    value = json.loads((folder / f"input.{name}.json").read_text("utf-8"))
    assert canonical(value) == (folder / f"output.{name}.json").read_bytes()
    assert canonical(value) == bytes.fromhex((folder / f"outhex.{name}.txt").read_text())


def _es6_numbers(count: int) -> Iterator[int]:
    static = json.loads(shared("data/vectors/jcs/es6-static-u64.json").read_text())
    fixed = [int(x, 16) for x in static] + [0x0010000000000000 + k for k in range(2000)]
    yield from fixed[:count]
    block, made = bytes(32), len(fixed)
    while made < count:
        block = hashlib.sha256(block).digest()
        for bits in struct.unpack("<4Q", block):
            number = struct.unpack("<d", struct.pack("<Q", bits))[0]
            if number and number == number and abs(number) != float("inf") and made < count:
                made += 1
                yield bits


@pytest.mark.parametrize(
    ("count", "sha256"),
    [
        (1_000, "be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687"),
        (10_000, "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892"),
    ],
)
def test_es6_numbers_give_the_published_checksum(count: int, sha256: str) -> None:
    seen = hashlib.sha256()
    for bits in _es6_numbers(count):
        number = struct.unpack("<d", struct.pack("<Q", bits))[0]
        seen.update(f"{bits:x},{canonical(number).decode()}\n".encode())
    assert seen.hexdigest() == sha256


@given(JSON)
def test_what_is_written_reads_back_and_writes_the_same(value: object) -> None:
    assert canonical(read_json(canonical(value))) == canonical(value)
    assert digest(value) == hashlib.sha256(canonical(value)).digest()


@pytest.mark.parametrize("frames", [0, 500])
def test_the_depth_that_is_read_does_not_depend_on_the_caller(frames: int) -> None:
    def read(levels: int, frames: int) -> object:
        if frames:
            return read(levels, frames - 1)
        return read_json(b"[" * levels + b"1" + b"]" * levels)

    read(64, frames)
    for levels in (65, 400):
        with pytest.raises(BadJson):
            read(levels, frames)


FOREIGN = st.sampled_from(
    [2**53, -(2**53), float("nan"), float("inf"), float("-inf"), "\ud800", "a\udfffb", b"", {1: 2}]
)


@given(JSON, st.recursive(FOREIGN, lambda each: st.lists(each, min_size=1, max_size=3)))
def test_what_rfc_8785_has_no_form_for_is_refused_at_any_depth(good: object, bad: object) -> None:
    for value in (bad, [good, bad], {"a": good, "b": bad}, {"a": [{"b": bad}]}):
        with pytest.raises(BadJson):
            canonical(value)


@given(st.dictionaries(st.text(), st.none(), min_size=1))
def test_names_stand_in_the_order_of_their_utf_16_units(value: dict[str, None]) -> None:
    names = list(read_json(canonical(value)))
    assert names == sorted(value, key=lambda name: name.encode("utf-16-be"))


@pytest.mark.parametrize("value", [2**53, float("nan"), float("inf"), "\ud800", {1: 2}, object()])
def test_a_value_without_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(BadJson):
        canonical(value)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b"NaN",
        b"[Infinity]",
        b"-0",
        b"1.5",
        b"1e3",
        b"9007199254740992",
        b"123456789012345678901234567890",
        b'"\\ud800"',
        b'{"\\udc00":1}',
        b"\xff",
        b"",
        b"[1,]",
        b"1 2",
        b"[" * 20_001,
        b"[" * 15_000,
        b'"' + b"a" * (1 << 20) + b'"',
    ],
    ids=range(18),
)
def test_json_that_two_readers_could_read_differently_is_refused(text: bytes) -> None:
    with pytest.raises(BadJson):
        read_json(text)


def test_brackets_of_both_kinds_are_counted_together() -> None:
    assert len(read_json(b"[" + b"{}," * 9_999 + b"{}" + b",[]" * 9_999 + b"]")) == 19_999
    for inner in (b"{}," * 10_000 + b"[]," * 9_999 + b"[]", b"[]," * 20_000 + b"[]"):
        with pytest.raises(BadJson) as refused:
            read_json(b"[" + inner + b"]")
        assert refused.value.code == "json.depth"
    with pytest.raises(BadJson) as refused:
        read_json(b"[" * 30_000 + b"]" * 30_000)
    assert refused.value.code == "json.depth"


@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_value_stands_in_64_brackets_at_most(opens: bytes, closes: bytes) -> None:
    assert read_json(opens * 64 + b"1" + closes * 64)
    for depth in (65, 66, 200):
        with pytest.raises(BadJson) as refused:
            read_json(opens * depth + b"1" + closes * depth)
        assert refused.value.code == "json.depth"
    inner = opens * 63 + b"1" + closes * 63
    assert len(read_json(b"[[]," + inner + b"]")) == 2
    assert len(read_json(b"[" + b"[1]," * 100 + b"[]]")) == 101  # many are not deep


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("1970-01-01T00:00:00Z", True),
        ("1969-12-31T23:59:59Z", False),
        ("8999-12-31T23:59:59Z", True),
        ("9000-01-01T00:00:00Z", False),
        ("9999-12-31T23:59:59Z", False),
        ("0001-01-01T00:00:00Z", False),
    ],
)
def test_a_moment_lies_within_reach(text: str, fits: bool) -> None:
    if fits:
        assert to_moment(from_moment(text)) == text
        return
    with pytest.raises(BadJson) as refused:
        from_moment(text)
    assert refused.value.code == "json.time"


def test_a_text_of_a_mebibyte_is_read_and_no_longer_one() -> None:
    text = b'"' + b"a" * ((1 << 20) - 2) + b'"'
    assert len(read_json(text)) == (1 << 20) - 2
    for longer, limit in ((text + b" ", 1 << 20), (b"  1", 2)):
        with pytest.raises(BadJson) as refused:
            read_json(longer, limit=limit)
        assert refused.value.code == "json.size"


@pytest.mark.parametrize("number", [2**53 - 1, -(2**53) + 1, 0, -1, -9])
def test_every_integer_below_two_to_the_53_is_read(number: int) -> None:
    assert read_json(str(number).encode()) == number == int(canonical(number))


@pytest.mark.parametrize("number", [2**53, -(2**53), 10**16, 10**17, -(10**17)])
def test_no_larger_integer_is_read_or_written(number: int) -> None:
    with pytest.raises(BadJson):
        read_json(str(number).encode())
    with pytest.raises(BadJson):
        canonical(number)


def test_fractions_are_read_only_where_they_are_asked_for_and_only_finite() -> None:
    assert read_json(b'{"max_reject":0.02}', fractions=True) == {"max_reject": 0.02}
    with pytest.raises(BadJson):
        read_json(b"1e999", fractions=True)


@given(st.binary(max_size=40))
def test_base64_has_one_spelling(data: bytes) -> None:
    assert from_base64(to_base64(data)) == data


@pytest.mark.parametrize("text", ["QQ", "QR==", "QQ==\n", "Q-==", "QQ= =", "é", "_w=="])
def test_other_spellings_of_base64_are_refused(text: str) -> None:
    with pytest.raises(BadJson):
        from_base64(text)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_moment_reads_back_to_the_second(when: datetime) -> None:
    assert from_moment(to_moment(when)) == when.replace(microsecond=0)


def test_a_moment_of_another_zone_is_written_in_utc() -> None:
    wib = timezone(timedelta(hours=7))
    assert to_moment(datetime(2026, 11, 24, 9, tzinfo=wib)) == "2026-11-24T02:00:00Z"


def test_a_naive_time_is_not_written() -> None:
    with pytest.raises(BadJson):
        to_moment(datetime(2026, 11, 24))  # noqa: DTZ001


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T02:00:00+00:00",
        "2026-11-24 02:00:00Z",
        "2026-11-24T02:00:00Z\n",
        "2026-02-30T02:00:00Z",
        "2026-11-24T02:00:60Z",
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "٢٠٢٦-11-24T02:00:00Z",
    ],
)
def test_other_spellings_of_a_moment_are_refused(text: str) -> None:
    with pytest.raises(BadJson):
        from_moment(text)
