"""The signed payload of a batch, and what the gateway signs about it: read strictly or refused."""

import pytest

from schemas import batch
from schemas.batch import BatchKind, BatchSchema, LogSeen
from schemas.errors import PayloadRefused
from schemas.receipt import load_receipt, load_result
from schemas.records.registry import RECORD_TYPES
from tests.schemas.examples import dumps

HASH = "ab" * 32
SEEN = {"size": 0, "root": HASH}
DELTA = {
    "v": 1,
    "aud": "kota",
    "agency": "dinas-1",
    "stream": "target",
    "record_type": "person",
    "schema": "person/1",
    "epoch": 1,
    "seq": 1,
    "prev": HASH,
    "kind": "delta",
    "count": 2,
    "bytes": 300,
    "root": HASH,
    "as_of": "2025-11-03T08:00:00+07:00",
    "created": "2025-11-03T01:00:00Z",
    "basis": "PKS-01/2025",
    "max_reject": 0.02,
    "log_seen": SEEN,
}
OPTIONAL = {"max_reject", "snapshot", "confirms", "attests"}
EMPTY = {"count": 0, "bytes": 0}
PART = {"id": "s-1"}
WHOLE = {"id": "s-1", "parts": 2, "total": 9, "root_of_roots": HASH}
NAMED = {"epoch": 1, "seq": 4, "payload_sha256": HASH}


def refused(value, load=batch.load):
    with pytest.raises(PayloadRefused) as caught:
        load(value if isinstance(value, bytes) else dumps(value))
    return caught.value.code, caught.value.field


@pytest.mark.parametrize("name", [n for n in BatchSchema().fields if n not in OPTIONAL])
def test_each_missing_field_refuses_the_batch(name):
    assert refused({key: value for key, value in DELTA.items() if key != name}) == (
        "schema.missing",
        name,
    )
    assert refused({**DELTA, name: None}) == ("schema.null", name)


@pytest.mark.parametrize("name", ["V", "kid", "__proto__", "snapshots", "url", ""])
def test_each_unknown_field_refuses_the_batch_and_is_not_repeated(name):
    assert refused({**DELTA, name: 1}) == ("schema.unknown_field", None)


@pytest.mark.parametrize("name", ["size", "root"])
def test_what_the_log_was_seen_as_is_whole(name):
    part = {key: value for key, value in SEEN.items() if key != name}
    assert refused({**DELTA, "log_seen": part}) == ("schema.missing", f"log_seen.{name}")
    assert refused({**DELTA, "log_seen": {**SEEN, "x": 1}}) == ("schema.unknown_field", "log_seen")


@pytest.mark.parametrize(
    ("change", "due"),
    [
        ({"v": 2}, ("number.range", "v")),
        ({"v": True}, ("schema.type", "v")),
        ({"v": 1.0}, ("schema.type", "v")),
        ({"agency": "Dinas"}, ("agency.format", "agency")),
        ({"agency": "a" * 41}, ("agency.format", "agency")),
        ({"agency": "-a"}, ("agency.format", "agency")),
        ({"aud": ""}, ("text.empty", "aud")),
        ({"aud": "a" * 81}, ("text.length", "aud")),
        ({"stream": "program"}, ("batch.stream", "stream")),
        ({"stream": "other"}, ("code.unknown", "stream")),
        ({"record_type": "complaint"}, ("code.unknown", "record_type")),
        ({"schema": "household/1"}, ("batch.schema", "schema")),
        ({"schema": "person/2"}, ("batch.schema", "schema")),
        ({"schema": "person"}, ("batch.schema.format", "schema")),
        ({"epoch": 0}, ("number.range", "epoch")),
        ({"epoch": 2**21}, ("number.range", "epoch")),
        ({"seq": 0}, ("number.range", "seq")),
        ({"seq": 2**32}, ("number.range", "seq")),
        ({"prev": HASH.upper()}, ("sha256.format", "prev")),
        ({"root": HASH[:-1]}, ("sha256.format", "root")),
        ({"kind": "DELTA"}, ("code.unknown", "kind")),
        ({"count": 50_001}, ("number.range", "count")),
        ({"count": -1}, ("number.range", "count")),
        ({"count": 0}, ("batch.count", "bytes")),
        ({"bytes": 0}, ("batch.count", "bytes")),
        ({"bytes": 64 * 2**20 + 1}, ("number.range", "bytes")),
        ({"as_of": "2025-11-03"}, ("schema.timestamp", "as_of")),
        ({"as_of": "2025-11-03T08:00:00"}, ("schema.timestamp", "as_of")),
        ({"created": "2025-11-31T08:00:00Z"}, ("schema.timestamp", "created")),
        ({"basis": "x" * 65}, ("text.length", "basis")),
        ({"max_reject": 1.01}, ("number.range", "max_reject")),
        ({"max_reject": True}, ("schema.type", "max_reject")),
        ({"snapshot": PART}, ("batch.snapshot", "snapshot")),
        ({"kind": "snapshot"}, ("batch.snapshot", "snapshot")),
        ({"kind": "snapshot_end", "snapshot": PART}, ("batch.snapshot", "snapshot")),
        ({"kind": "snapshot", "snapshot": {}}, ("schema.missing", "snapshot.id")),
        ({"kind": "heartbeat"}, ("batch.count", "count")),
        ({"kind": "confirm"}, ("batch.count", "count")),
        ({"kind": "confirm", **EMPTY}, ("batch.confirms", "confirms")),
        ({"kind": "attest", **EMPTY}, ("batch.attests", "attests")),
        ({"confirms": HASH}, ("batch.confirms", "confirms")),
        ({"attests": [NAMED]}, ("batch.attests", "attests")),
        ({"kind": "attest", **EMPTY, "attests": [{}]}, ("schema.missing", "attests.epoch")),
    ],
)
def test_what_a_batch_is_refused_for(change, due):
    assert refused({**DELTA, **change}) == due


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"kind": "delta", **EMPTY},
        {"kind": "heartbeat", **EMPTY},
        {"kind": "snapshot_begin", "snapshot": PART},
        {"kind": "snapshot_begin", "snapshot": PART, **EMPTY},
        {"kind": "snapshot", "snapshot": PART},
        {"kind": "snapshot_end", "snapshot": WHOLE},
        {"kind": "confirm", "confirms": HASH, **EMPTY},
        {"kind": "attest", "attests": [NAMED], **EMPTY},
        {"max_reject": 1},
        {"snapshot": None, "confirms": None, "attests": None},
    ],
)
def test_each_kind_of_batch_is_read(change):
    read = batch.load(dumps({**DELTA, **change}))
    assert read.kind is BatchKind(change.get("kind", "delta"))
    assert read.log_seen == LogSeen(0, HASH)
    assert read.version == 2**32 + 1
    assert read.record is RECORD_TYPES["person"]
    assert read.as_of_time.utcoffset() is not None


@pytest.mark.parametrize("name", RECORD_TYPES)
def test_each_record_type_travels_in_its_own_stream(name):
    stream = RECORD_TYPES[name].stream.value
    own = {**DELTA, "record_type": name, "schema": f"{name}/1", "stream": stream}
    assert batch.load(dumps(own)).record is RECORD_TYPES[name]
    other = {"target": "program", "program": "target"}[stream]
    assert refused({**own, "stream": other}) == ("batch.stream", "stream")


def test_what_is_left_out_has_its_default():
    read = batch.load(dumps({key: value for key, value in DELTA.items() if key != "max_reject"}))
    assert (read.max_reject, read.snapshot, read.confirms, read.attests) == (0.02, None, None, ())


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "json.syntax"),
        (b"[]", "json.not_object"),
        (b'{"v":1,"v":1}', "json.duplicate_key"),
        (b'{"v":NaN}', "json.nonfinite"),
        (b'{"v":1e999}', "json.nonfinite"),
        (b'{"v":9007199254740993}', "json.integer_range"),
        (b"\xef\xbb\xbf{}", "text.bom"),
        (b"{\xff}", "text.utf8"),
        (b"[" * 2000, "json.depth"),
    ],
)
def test_what_is_no_strict_json_is_refused(raw, code):
    assert refused(raw) == (code, None)


def test_the_first_batch_of_each_stream_has_its_own_beginning():
    starts = {batch.genesis(a, s) for a in ("a", "b") for s in ("target", "program")}
    assert len(starts) == 4
    assert batch.genesis("a", "target") == b"a\x00target"


REF = {"agency": "dinas-1", "stream": "target", "epoch": 1, "seq": 1, "payload_sha256": HASH}
RECEIPT = {
    **REF,
    "v": 1,
    "aud": "kota",
    "root": HASH,
    "count": 2,
    "accepted_at": "2025-11-03T01:00:00Z",
    "leaf": HASH,
    "mmd": 10,
    "min_size": 7,
}
RESULT = {
    "v": 1,
    "aud": "kota",
    "batch": REF,
    "state": "applied_partial",
    "applied": 1,
    "unchanged": 0,
    "superseded": 0,
    "rejected_count": 1,
    "rejected": [{"i": 1, "code": "nik.date"}],
    "dispositions_root": HASH,
    "held": False,
    "index_version": 3,
}


@pytest.mark.parametrize(("load", "whole"), [(load_receipt, RECEIPT), (load_result, RESULT)])
def test_receipts_and_results_are_read_as_strictly(load, whole):
    assert load(dumps(whole)).aud == "kota"
    for name in whole:
        part = {key: value for key, value in whole.items() if key != name}
        assert refused(part, load) == ("schema.missing", name)
    assert refused({**whole, "more": 1}, load) == ("schema.unknown_field", None)


def test_a_result_names_at_most_a_thousand_refusals_and_no_values():
    many = [{"i": i, "code": "nik.date"} for i in range(1000)]
    assert len(load_result(dumps({**RESULT, "rejected": many})).rejected) == 1000
    over = {**RESULT, "rejected": [*many, {"i": 1000, "code": "nik.date"}]}
    assert refused(over, load_result) == ("list.length", "rejected")
    shown = {**RESULT, "rejected": [{"i": 0, "code": "1376014512800002 SITI"}]}
    assert refused(shown, load_result) == ("code.format", "rejected.code")
