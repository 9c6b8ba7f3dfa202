"""The compiled plan and marshmallow give one verdict and one value, whatever the line holds."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import LineRefused
from schemas.line import LineParser
from schemas.records.registry import RECORD_TYPES
from tests.schemas.examples import RECORDS, dumps, head, line

PARSERS = {
    name: (LineParser(kind), LineParser(kind, strict=True)) for name, kind in RECORD_TYPES.items()
}
QUICK = settings(max_examples=120, deadline=None)

ODD = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1,
        11,
        2**53,
        10**20,
        1.5,
        "",
        " ",
        "x",
        "x" * 400,
        "\u200b",
        "a\nb",
        "\u202e",
        "Rene\u0301",
        "13.76.01.1021",
        "13.76.01",
        "1376014512800002",
        "1376014512800000",
        "9999999999999999",
        "2024-02-29",
        "2023-02-29",
        "1700-01-01",
        "2025-1-1",
        "20250101",
        "+6281234567890",
        "03",
        "24",
        "L",
        "P",
        "valid_form",
        "sentinel",
        "uang",
        "proposed_in",
        "p-1",
        "2025",
        "٠٠٣",
        [],
        [None],
        ["24", "10"],
        ["x"] * 60,
        {},
        {"kelurahan": None},
        {"kind": "FISIK"},
        {"x": 1},
        [{}],
        [[[[[[[1]]]]]]],
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | ODD,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


def verdict(parser, raw):
    try:
        return parser.parse(raw)
    except LineRefused as refused:
        return refused.code, refused.field


def places(value, path=()):
    """The path of every value inside a record."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inner:
        yield (*path, key)
        if isinstance(each, dict | list):
            yield from places(each, (*path, key))


@st.composite
def near_valid(draw, name):
    """A valid record with up to four things dropped, replaced, added, or put in another order."""
    record = copy.deepcopy({**head(as_of="2025-11-03T08:00:00+07:00"), **RECORDS[name]})
    absent = [key for key in RECORD_TYPES[name].schema.load_fields if key not in record]
    for _ in range(draw(st.integers(0, 4))):
        path = draw(st.sampled_from(list(places(record))))
        target = record
        for key in path[:-1]:
            target = target[key]
        match draw(st.sampled_from(["drop", "odd", "json", "add", "fill"])):
            case "drop":
                del target[path[-1]]
            case "odd":
                target[path[-1]] = copy.deepcopy(draw(ODD))
            case "json":
                target[path[-1]] = copy.deepcopy(draw(JSON))
            case "add":
                record[draw(st.text(max_size=8))] = copy.deepcopy(draw(ODD))
            case "fill" if absent:
                record[draw(st.sampled_from(absent))] = copy.deepcopy(draw(ODD))
        if not record:
            break
    keys = draw(st.permutations(list(record)))
    text = json.dumps({key: record[key] for key in keys}, ensure_ascii=draw(st.booleans()))
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("name", RECORD_TYPES)
@given(data=st.data())
@QUICK
def test_near_valid_lines(name, data):
    raw = data.draw(near_valid(name))
    fast, strict = PARSERS[name]
    assert verdict(fast, raw) == verdict(strict, raw)


@given(name=st.sampled_from(list(RECORD_TYPES)), raw=st.binary(max_size=200))
@QUICK
def test_arbitrary_bytes(name, raw):
    fast, strict = PARSERS[name]
    assert verdict(fast, raw) == verdict(strict, raw)


@given(name=st.sampled_from(list(RECORD_TYPES)), value=JSON)
@QUICK
def test_arbitrary_json(name, value):
    raw = json.dumps(value).encode("utf-8", "surrogatepass")
    fast, strict = PARSERS[name]
    assert verdict(fast, raw) == verdict(strict, raw)


@given(name=st.sampled_from(list(RECORD_TYPES)), cut=st.integers(0, 2000), byte=st.integers(0, 255))
@QUICK
def test_damaged_lines(name, cut, byte):
    raw = bytearray(line(name))
    raw[cut % len(raw)] = byte
    fast, strict = PARSERS[name]
    assert verdict(fast, bytes(raw)) == verdict(strict, bytes(raw))


@pytest.mark.parametrize("name", RECORD_TYPES)
def test_the_full_example_is_accepted_as_it_is(name):
    for parser in PARSERS[name]:
        parsed = parser.parse(line(name))
        assert parsed.values == RECORDS[name]
        assert (parsed.op, parsed.id, parsed.v) == ("put", "r-1", 2**32 + 1)


@pytest.mark.parametrize("name", RECORD_TYPES)
def test_every_field_refuses_what_no_field_may_be(name):
    """Each field, wrong on its own, refuses the line under both paths and is named."""
    for field in RECORD_TYPES[name].schema.load_fields:
        raw = dumps({**head(), **RECORDS[name], field: [[["\u0000"]]]})
        fast, strict = (verdict(parser, raw) for parser in PARSERS[name])
        assert fast == strict
        assert fast[1] is not None
        assert fast[1].split(".")[0] == field
