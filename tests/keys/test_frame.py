"""A batch is read in small pieces against its signed figures; nothing else gets through."""

import hashlib
import io
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import BinaryIO

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import dsse, frame, merkle
from keys.errors import BadFrame, TrustError
from keys.frame import Limits
from keys.signers import Ed25519Signer
from tests.shared import ROOT

SIGNER = Ed25519Signer.from_seed("dinsos", bytes([1]) * 32)
LINES = [b'{"_id":"a"}', b'{"_id":"b"}', b'{"_id":"c"}']
PLAIN = b"\n".join(LINES) + b"\n"
LINE_LISTS = st.lists(st.binary(min_size=1, max_size=60).filter(lambda b: b"\n" not in b))


def zstd(plain: bytes, **options: object) -> bytes:
    options.setdefault("write_checksum", True)
    return zstandard.ZstdCompressor(**options).compress(plain)


def read(body: bytes, count: int, size: int, limits: Limits = frame.DEFAULT_LIMITS) -> frame.Body:
    return frame.lines_and_root(io.BytesIO(body), count=count, size=size, limits=limits)


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(BadFrame) as error:
        act()
    return error.value.code


class OneByteAtATime(io.RawIOBase):
    """A stream that never gives more than a byte, as a slow peer would."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 1))


@given(LINE_LISTS)
def test_what_is_sealed_reads_back(lines: list[bytes]) -> None:
    sealed = frame.seal_batch({"v": 1}, lines, [SIGNER])
    stream = io.BytesIO(sealed.body)
    envelope = dsse.parse(frame.read_head(stream))
    envelope.verify({SIGNER.kid: SIGNER.public})
    payload = json.loads(envelope.payload)
    body = frame.lines_and_root(stream, count=payload["count"], size=payload["bytes"])
    assert body.lines == lines
    assert body.root == sealed.root == bytes.fromhex(payload["root"])
    assert body.leaves == sealed.leaves == [merkle.leaf_hash(line) for line in lines]
    assert sealed.payload_sha256 == hashlib.sha256(envelope.payload).digest()


def believed(body: bytes) -> list[bytes]:
    """The lines of a batch as the centre takes them in: signature, figures, frame and root."""
    stream = io.BytesIO(body)
    envelope = dsse.parse(frame.read_head(stream))
    envelope.verify({SIGNER.kid: SIGNER.public})
    payload = json.loads(envelope.payload)
    found = frame.lines_and_root(stream, count=payload["count"], size=payload["bytes"])
    if found.root.hex() != payload["root"]:
        raise BadFrame("frame.root", "The lines are not those that were signed.")
    return found.lines


SEALED = frame.seal_batch({"v": 1}, LINES, [SIGNER]).body
EDITS = st.one_of(
    st.tuples(st.just("flip"), st.integers(0, len(SEALED) * 8 - 1), st.just(b"")),
    st.tuples(st.just("cut"), st.integers(0, len(SEALED) - 1), st.just(b"")),
    st.tuples(st.just("drop"), st.integers(0, len(SEALED) - 1), st.just(b"")),
    st.tuples(st.just("insert"), st.integers(0, len(SEALED)), st.binary(min_size=1, max_size=5)),
)


@settings(max_examples=400, deadline=None)
@given(EDITS)
def test_no_edit_of_a_batch_changes_what_is_believed(edit: tuple[str, int, bytes]) -> None:
    kind, at, more = edit
    if kind == "flip":
        body = bytearray(SEALED)
        body[at // 8] ^= 1 << at % 8
        changed = bytes(body)
    else:
        end = {"cut": len(SEALED), "drop": at + 1, "insert": at}[kind]
        changed = SEALED[:at] + more + SEALED[end:]
    assert believed(SEALED) == LINES
    try:
        lines = believed(changed)
    except TrustError:
        return
    assert lines == LINES
    assert _envelope(changed).payload == _envelope(SEALED).payload


def _envelope(body: bytes) -> dsse.Envelope:
    return dsse.parse(frame.read_head(io.BytesIO(body)))


def test_lines_can_be_taken_as_they_come() -> None:
    stream = io.BytesIO(zstd(PLAIN))
    found = frame.read_lines(stream, declared_bytes=len(PLAIN), declared_count=3)
    assert list(found) == LINES


def test_a_slow_stream_reads_the_same() -> None:
    sealed = frame.seal_batch({}, LINES, [SIGNER])
    stream: BinaryIO = OneByteAtATime(sealed.body)  # type: ignore[assignment]
    assert frame.read_head(stream)
    assert frame.lines_and_root(stream, count=3, size=len(PLAIN)).lines == LINES


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "frame.short"),
        (b"TTB", "frame.short"),
        (b"TTB2\0\0\0\1x", "frame.magic"),
        (b"TTB1\0\0\0\0", "frame.envelope_size"),
        (b"TTB1\0\0\x80\x01" + bytes(40_000), "frame.envelope_size"),
        (b"TTB1\xff\xff\xff\xff", "frame.envelope_size"),
        (b"TTB1\0\0\0\5abcd", "frame.short"),
    ],
)
def test_a_wrong_head_is_refused(body: bytes, code: str) -> None:
    assert refused(lambda: frame.read_head(io.BytesIO(body))) == code


@pytest.mark.parametrize(
    ("count", "size", "code"),
    [
        (3, len(PLAIN) - 1, "frame.bytes"),
        (3, len(PLAIN) + 1, "frame.bytes"),
        (2, len(PLAIN), "frame.count"),
        (4, len(PLAIN), "frame.count"),
        (0, 0, "frame.trailing"),
        (0, 5, "frame.trailing"),
        (-1, 0, "frame.limit"),
        (50_001, len(PLAIN), "frame.limit"),
        (3, (64 << 20) + 1, "frame.limit"),
        (3, -1, "frame.limit"),
    ],
)
def test_other_figures_than_signed_are_refused(count: int, size: int, code: str) -> None:
    stated, silent = zstd(PLAIN), zstd(PLAIN, write_content_size=False)
    assert refused(lambda: read(stated, count, size)) == code
    assert refused(lambda: read(silent, count, size)) == code


def test_no_records_means_no_frame() -> None:
    assert read(b"", 0, 0).root == merkle.EMPTY_ROOT
    assert refused(lambda: read(b"", 0, 1)) == "frame.trailing"
    assert refused(lambda: read(zstd(b""), 0, 0)) == "frame.trailing"
    assert refused(lambda: read(b"", 1, 2)) == "frame.zstd"


SKIPPABLE = b"\x50\x2a\x4d\x18\x04\0\0\0skip"


@pytest.mark.parametrize("tail", [b"x", zstd(b""), zstd(PLAIN), SKIPPABLE, bytes(3000)])
def test_anything_after_the_frame_is_refused(tail: bytes) -> None:
    assert refused(lambda: read(zstd(PLAIN) + tail, 3, len(PLAIN))) == "frame.trailing"
    # … also where the frame ends just where a piece ends
    plain = b""
    while len(zstd(plain)) != 512:
        plain += os.urandom(1).replace(b"\n", b"a")
        assert len(plain) < 600
    plain = plain[:-1] + b"\n"
    body = zstd(plain)
    assert len(body) == 512
    assert refused(lambda: read(body + tail, 1, len(plain))) == "frame.trailing"


def test_other_frames_are_refused() -> None:
    whole = zstd(PLAIN)
    assert refused(lambda: read(SKIPPABLE + whole, 3, len(PLAIN))) == "frame.zstd"
    assert refused(lambda: read(whole[:5], 3, len(PLAIN))) == "frame.zstd"
    assert refused(lambda: read(PLAIN, 3, len(PLAIN))) == "frame.zstd"
    assert refused(lambda: read(whole[:-1], 3, len(PLAIN))) == "frame.short"
    broken = whole[:-1] + bytes([whole[-1] ^ 1])
    assert refused(lambda: read(broken, 3, len(PLAIN))) == "frame.zstd"
    unchecked = zstd(PLAIN, write_checksum=False)
    assert refused(lambda: read(unchecked, 3, len(PLAIN))) == "frame.checksum"
    dictionary = zstandard.train_dictionary(1024, [PLAIN + bytes([i]) * 99 for i in range(256)])
    foreign = zstd(PLAIN, dict_data=dictionary)
    assert refused(lambda: read(foreign, 3, len(PLAIN))) == "frame.dictionary"


def test_too_large_a_window_is_refused_before_anything_is_decompressed() -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=24, write_checksum=True)
    stream = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    body = stream.compress(PLAIN) + stream.flush()
    assert refused(lambda: read(body, 3, len(PLAIN))) == "frame.window"


def test_lines_out_of_bounds_are_refused() -> None:
    small = Limits(line=10)
    for plain in (b"12345678901\n", b"12345678901", b"\n", b"a\n\nb\n", b"a\nb"):
        count = plain.count(b"\n") + 1 if not plain.endswith(b"\n") else plain.count(b"\n")
        assert refused(lambda: read(zstd(plain), count, len(plain), small)) == "frame.line"  # noqa: B023 -- called at once
    assert read(zstd(b"1234567890\n"), 1, 11, small).lines == [b"1234567890"]


def test_a_line_has_16_kib_at_most_and_an_envelope_32() -> None:
    for length, fits in ((16_384, True), (16_385, False)):
        body = zstd(b"a" * length + b"\n")
        if fits:
            assert len(read(body, 1, length + 1).lines[0]) == length
        else:
            assert refused(lambda body=body, length=length: read(body, 1, length + 1)) == (
                "frame.line"
            )
    head = b"TTB1" + (32_768).to_bytes(4, "big")
    assert len(frame.read_head(io.BytesIO(head + bytes(32_768)))) == 32_768


def test_the_largest_figures_are_not_refused_as_figures() -> None:
    """What is refused then is the frame, which holds less."""
    assert refused(lambda: read(zstd(PLAIN), 50_000, len(PLAIN))) == "frame.count"
    silent = zstd(PLAIN, write_content_size=False)
    assert refused(lambda: read(silent, 3, 64 << 20)) == "frame.bytes"
    assert refused(lambda: read(silent, 3, (64 << 20) + 1)) == "frame.limit"
    assert refused(lambda: read(silent, 50_001, len(PLAIN))) == "frame.limit"


def test_a_body_beyond_the_limit_is_refused() -> None:
    plain = os.urandom(4000).replace(b"\n", b"a") + b"\n"
    code = refused(lambda: read(zstd(plain), 1, len(plain), Limits(body=1000)))
    assert code == "frame.body_size"


BOMB = """
import io, resource, sys, time
from keys import frame
from keys.errors import BadFrame
body = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began, code = time.process_time(), ""
try:
    frame.lines_and_root(io.BytesIO(body), count=50_000, size=64 << 20)
except BadFrame as err:
    code = err.code
took = time.process_time() - began
rise = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
print(code, rise, took)
"""


def _bomb(name: str) -> bytes:
    def silent(block: bytes, times: int) -> bytes:
        maker = zstandard.ZstdCompressor(write_content_size=False, write_checksum=True)
        stream = maker.compressobj()
        return b"".join([*(stream.compress(block) for _ in range(times)), stream.flush()])

    match name:
        case "stated":
            return zstd(bytes(256 << 20))
        case "zeros":
            return silent(bytes(1 << 20), 256)
        case "lines":
            return silent((b"a" * 1300 + b"\n") * 800, 100)
        case "window":
            wide = zstandard.ZstdCompressionParameters(window_log=27, write_checksum=True)
            maker = zstandard.ZstdCompressor(compression_params=wide).compressobj()
            return maker.compress(bytes(1 << 20)) + maker.flush()
        case "two_frames":
            return zstd((b"a" * 1300 + b"\n") * 50_000, write_content_size=False) * 2
        case _:
            return silent(b"a\n" * 500_000, 100)


BOMBS = {
    "stated": "frame.bytes",
    "zeros": "frame.line",
    "lines": "frame.count",
    "tiny_lines": "frame.count",
    "window": "frame.window",
    "two_frames": "frame.trailing",
}


@pytest.mark.skipif(not hasattr(resource, "RUSAGE_SELF"), reason="measures memory by getrusage")
@pytest.mark.parametrize("name", [*BOMBS])
def test_bombs(name: str, tmp_path: object) -> None:
    """A few kilobytes that would be hundreds of megabytes cost less than 100 MiB and a second."""
    file = f"{tmp_path}/bomb"
    with open(file, "wb") as out:  # noqa: PTH123 -- a plain path is enough here
        out.write(_bomb(name))
    done = subprocess.run(
        [sys.executable, "-c", BOMB, file], cwd=ROOT, capture_output=True, text=True, check=True
    )
    code, rise, took = done.stdout.split()
    assert code == BOMBS[name]
    assert float(rise) < 100
    assert float(took) < 1


def test_ten_thousand_lines_are_quick() -> None:
    lines = [
        json.dumps({"_s": os.urandom(11).hex(), "_id": str(i), "text": os.urandom(120).hex()})
        for i in range(10_000)
    ]
    sealed = frame.seal_batch({}, [line.encode() for line in lines], [SIGNER])
    payload = json.loads(sealed.payload)
    taken = []
    for _ in range(3):
        stream = io.BytesIO(sealed.body)
        frame.read_head(stream)
        began = time.perf_counter()
        frame.lines_and_root(stream, count=payload["count"], size=payload["bytes"])
        taken.append(time.perf_counter() - began)
    assert min(taken) < 0.25  # 16 ms here, 60 ms is the target; room for a busy machine


def test_a_batch_signed_anew_differs_in_its_signatures_alone() -> None:
    sealed = frame.seal_batch({"v": 1}, LINES, [SIGNER])
    other = Ed25519Signer.from_seed("dinsos", bytes([2]) * 32)
    again = io.BytesIO(frame.resign(sealed.body, [other]))
    envelope = dsse.parse(frame.read_head(again))
    assert envelope.verify({other.kid: other.public}) == {other.kid}
    assert envelope.payload == sealed.payload
    before = io.BytesIO(sealed.body)
    frame.read_head(before)
    assert again.read() == before.read()
