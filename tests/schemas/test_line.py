"""One line, the lines of a batch, and the hash by which two records are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import LineRefused
from schemas.line import MAX_LINE, BatchParser, LineParser, content_hash, version_of, write
from schemas.records.registry import RECORD_TYPES
from tests.schemas.examples import RECORDS, dumps, head, line, salt

PERSON = LineParser(RECORD_TYPES["person"])


def refused(raw, parser=PERSON):
    with pytest.raises(LineRefused) as caught:
        parser.parse(raw)
    return caught.value.code, caught.value.field


@pytest.mark.parametrize(
    ("change", "due"),
    [
        ({"_s": None}, ("salt.missing", "_s")),
        ({"_s": "A" * 21}, ("salt.format", "_s")),
        ({"_s": "A" * 21 + "="}, ("salt.format", "_s")),
        ({"_op": None}, ("op.missing", "_op")),
        ({"_op": "PUT"}, ("op.unknown", "_op")),
        ({"_op": "del"}, ("op.del_with_values", None)),
        ({"_id": None}, ("id.missing", "_id")),
        ({"_id": ""}, ("id.format", "_id")),
        ({"_id": "a b"}, ("id.format", "_id")),
        ({"_id": "a" * 65}, ("id.format", "_id")),
        ({"_id": "a\n"}, ("id.format", "_id")),
        ({"_v": None}, ("version.missing", "_v")),
        ({"_v": 0}, ("version.format", "_v")),
        ({"_v": True}, ("version.format", "_v")),
        ({"_v": "1"}, ("version.format", "_v")),
        ({"as_of": "2025-11-03"}, ("schema.timestamp", "as_of")),
        ({"as_of": "2025-13-03T00:00:00Z"}, ("schema.timestamp", "as_of")),
        ({"name_source": None}, ("schema.null", "name_source")),
        ({"nik": "137601451280000"}, ("nik.format", "nik")),
        ({"nik": None}, ("nik.status", "nik_status")),
        ({"nik_status": "sentinel"}, ("nik.status", "nik_status")),
        ({"address_ktp": {"rt": "3"}}, ("rt.format", "address_ktp.rt")),
        ({"address_ktp": {"kelurahan": "1376011021"}}, ("wilayah.format", "address_ktp.kelurahan")),
        ({"disability": [{"since": "2010-01-01"}]}, ("schema.missing", "disability.kind")),
        ({"pmks": ["27"]}, ("code.unknown", "pmks")),
        ({"phone": "081234567890"}, ("phone.format", "phone")),
        ({"mother_nam": "x"}, ("schema.unknown_field", None)),
    ],
)
def test_what_a_line_of_a_person_is_refused_for(change, due):
    raw = {**head(), **RECORDS["person"], **change}
    raw = {key: value for key, value in raw.items() if value is not None or key not in head()}
    assert refused(dumps(raw)) == due


@pytest.mark.parametrize(
    ("name", "change", "due"),
    [
        ("listing", {"household": "h-1"}, "schema.one_of"),
        ("listing", {"person": None}, "schema.one_of"),
        ("listing", {"desil": 11}, "number.range"),
        ("listing", {"desil": True}, "schema.type"),
        ("listing", {"listing_status": "proposed_in", "decided_by": None}, "listing.undecided"),
        ("listing", {"listing_status": "excluded", "status_reason": None}, "listing.undecided"),
        ("program", {"period_end": "2024-12-31"}, "date.order"),
        ("program", {"program_code": "dinas/2025/1"}, "program.format"),
        ("program", {"criteria": {"a": 1.5}}, "json.float"),
        ("program", {"criteria": {"a": [[[[[1]]]]]}}, "json.depth"),
        ("enrolment", {"end": "2025-01-31"}, "date.order"),
        ("enrolment", {"status": "aktif"}, "code.unknown"),
        ("benefit", {"person": "p-1"}, "schema.one_of"),
        ("benefit", {"amount_idr": -1}, "amount.negative"),
        ("benefit", {"amount_idr": "500000"}, "amount.type"),
        ("benefit", {"date": None}, "schema.null"),
        ("household", {"member_count": 101}, "number.range"),
        ("household", {"members": [{"person": "p"}] * 51}, "list.length"),
        ("household", {"geolocation": {"lat": "-0.221101", "lon": "1"}}, "decimal.format"),
    ],
)
def test_what_the_other_records_are_refused_for(name, change, due):
    assert refused(line(name, **change), LineParser(RECORD_TYPES[name]))[0] == due


def test_a_deletion_carries_no_values_and_may_say_as_of():
    parsed = PERSON.parse(dumps(head(_op="del", as_of="2025-11-03T00:00:00Z")))
    assert (parsed.op, parsed.values, parsed.as_of) == ("del", {}, "2025-11-03T00:00:00Z")


def test_a_line_of_sixteen_kibibytes_is_read_and_one_byte_more_is_not():
    raw = line("person")
    assert PERSON.parse(raw + b" " * (MAX_LINE - len(raw)))
    assert refused(raw + b" " * (MAX_LINE + 1 - len(raw))) == ("frame.line_length", None)


def test_a_batch_has_each_salt_and_each_id_once_and_one_version():
    batch = BatchParser(PERSON, version_of(1, 1))
    batch.parse(line("person", _s=salt(1), _id="a"))
    assert refused(line("person", _s=salt(1), _id="b"), batch) == ("salt.reused", "_s")
    assert refused(line("person", _s=salt(2), _id="a"), batch) == ("id.twice", "_id")
    late = line("person", _s=salt(3), _id="c", _v=version_of(1, 2))
    assert refused(late, batch) == ("version.mismatch", "_v")


def test_what_is_written_is_read_again():
    for name, kind in RECORD_TYPES.items():
        parser = LineParser(kind)
        parsed = parser.parse(line(name, as_of="2025-11-03T00:00:00+07:00"))
        assert parser.parse(write(parsed)) == parsed


def test_too_much_to_write_is_refused():
    parsed = PERSON.parse(line("person"))
    parsed.values["name_source"] = "x" * MAX_LINE
    with pytest.raises(LineRefused):
        write(parsed)


def test_the_hash_is_of_what_the_record_says():
    values = RECORDS["person"]
    turned = dict(reversed(values.items()))
    assert content_hash(values, "put") == content_hash(turned, "put")
    assert len(content_hash(values, "put")) == 32
    others = [
        content_hash(values, "put", "2025-11-03T00:00:00Z"),
        content_hash({**values, "sex": "L"}, "put"),
        content_hash({}, "put"),
        content_hash({}, "del"),
    ]
    assert len({content_hash(values, "put"), *others}) == 5


def test_salt_and_version_are_not_what_a_record_says():
    one = PERSON.parse(line("person", _s=salt(1), _v=1))
    two = PERSON.parse(line("person", _s=salt(2), _v=2))
    assert one.content_hash() == two.content_hash()


def test_null_and_absent_say_the_same():
    given_null = PERSON.parse(line("person", phone=None))
    without = {key: value for key, value in RECORDS["person"].items() if key != "phone"}
    assert given_null.content_hash() == content_hash(without, "put")


@given(st.integers(1, 2**21 - 2), st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1))
def test_versions_grow_with_the_place_of_the_batch(epoch, seq, other):
    assert version_of(epoch, seq) < version_of(epoch + 1, other) < 2**53
    assert (version_of(epoch, seq) < version_of(epoch, other)) == (seq < other)
