"""The bytes of a batch, frame ``TTB1``: a signed envelope, then one zstd frame of record lines.

    0    4   "TTB1"
    4    4   length N of the envelope, big-endian, at most 32 768
    8    N   DSSE envelope (``dsse``)
    8+N  …   exactly one zstd frame (content checksum, window at most 8 MiB, no dictionary),
             or nothing when the batch holds no records

The reader trusts nothing that is not signed: it decompresses in small pieces, counts every byte
against the *signed* length, and stops at the first one too many. Never one-shot: a frame of 16 kB
can claim 512 MiB (trust.md F5).

Source: RFC 8878 (zstd); RFC 6962 §2.1 (tree over the lines); trust.md 2.3 and 2.4.
"""

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import zstandard

from keys import dsse, merkle
from keys.canonical import canonical
from keys.errors import BadFrame
from keys.signers import Signer

MAGIC = b"TTB1"
BATCH_TYPE = "application/vnd.titian.batch.v1+json"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_LEVEL = 3  # window 2 MiB, well below the limit
# One compressed byte can stand for 32 KiB (an RLE block is 4 bytes for 128 KiB), so the piece
# bounds how much can come out before the counter is asked: 512 · 32 KiB = 16 MiB.
_PIECE = 512
_READ = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings of one batch, in bytes but ``records``; a line is counted without its LF."""

    body: int = 8 << 20
    envelope: int = 32_768
    uncompressed: int = 64 << 20
    records: int = 50_000
    line: int = 16_384
    window: int = 8 << 20


@dataclass(frozen=True, slots=True)
class Body:
    """The lines of a batch without LF, their leaf hashes, and the root over those."""

    lines: list[bytes]
    leaves: list[bytes]
    root: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """A batch ready to send. ``payload_sha256`` is the next batch's ``prev``."""

    body: bytes
    payload: bytes
    payload_sha256: bytes
    leaves: list[bytes]
    root: bytes


DEFAULT_LIMITS = Limits()


def read_head(stream: BinaryIO, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The envelope's bytes; leaves the stream at the zstd frame.

    Raises:
        BadFrame: ``frame.magic``, ``frame.envelope_size`` or ``frame.short``.
    """
    head = _exactly(stream, 8)
    if head[:4] != MAGIC:
        raise BadFrame("frame.magic", "The body does not begin with TTB1.")
    length = int.from_bytes(head[4:], "big")
    if not 0 < length <= limits.envelope:
        raise BadFrame("frame.envelope_size", "The envelope's length is out of bounds.")
    return _exactly(stream, length)


def read_lines(
    stream: BinaryIO,
    *,
    declared_bytes: int,
    declared_count: int,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[bytes]:
    """The record lines without LF, as they come; complete only when the iterator ends.

    Raises:
        BadFrame: see ``lines_and_root``.
    """
    for lines in _groups(stream, declared_bytes, declared_count, limits):
        yield from lines


def lines_and_root(
    stream: BinaryIO, *, count: int, size: int, limits: Limits = DEFAULT_LIMITS
) -> Body:
    """All lines with their leaf hashes and root; the stream stands at the zstd frame.

    Args:
        stream: the body, after ``read_head``.
        count: the signed number of records.
        size: the signed uncompressed length in bytes.
        limits: the ceilings.

    Raises:
        BadFrame: the signed figures break the limits (``frame.limit``); the frame is not zstd
            (``frame.zstd``), has too large a window (``frame.window``), a dictionary
            (``frame.dictionary``) or no checksum (``frame.checksum``); more or fewer bytes than
            signed (``frame.bytes``); more or fewer lines (``frame.count``); a line too long, empty
            or without LF (``frame.line``); a cut-off frame (``frame.short``); anything after it
            (``frame.trailing``); a body too large (``frame.body_size``).
    """
    lines: list[bytes] = []
    leaves: list[bytes] = []
    sha256 = hashlib.sha256
    for group in _groups(stream, size, count, limits):
        lines += group
        leaves += [sha256(b"\0" + line).digest() for line in group]
    return Body(lines, leaves, merkle.root(leaves))


def resign(body: bytes, signers: Sequence[Signer]) -> bytes:
    """The same batch under other signatures: payload and lines stay byte for byte.

    Raises:
        BadFrame: the body is not a batch.
        BadEnvelope: nor is its envelope one.
    """
    stream = io.BytesIO(body)
    envelope = dsse.parse(read_head(stream))
    fresh = dsse.seal(envelope.payload_type, envelope.payload, signers)
    return MAGIC + len(fresh).to_bytes(4, "big") + fresh + stream.read()


def pack(envelope: bytes, lines: Sequence[bytes]) -> bytes:
    """The bytes of a batch: frame head, envelope, and the lines as one zstd frame."""
    head = MAGIC + len(envelope).to_bytes(4, "big") + envelope
    if not lines:
        return head
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    return head + compressor.compress(b"\n".join([*lines, b""]))  # one copy of the lines


def seal_batch(
    payload: Mapping[str, Any], lines: Sequence[bytes], signers: Sequence[Signer]
) -> Sealed:
    """A signed batch: ``count``, ``bytes`` and ``root`` are added to the payload here."""
    leaves = [merkle.leaf_hash(line) for line in lines]
    root = merkle.root(leaves)
    figures = {
        "count": len(lines),
        "bytes": sum(map(len, lines)) + len(lines),
        "root": root.hex(),
    }
    signed = canonical({**payload, **figures})
    body = pack(dsse.seal(BATCH_TYPE, signed, signers), lines)
    return Sealed(body, signed, hashlib.sha256(signed).digest(), leaves, root)


def _groups(stream: BinaryIO, size: int, count: int, limits: Limits) -> Iterator[list[bytes]]:
    """The lines in groups of what one step brought; every check of the body is here."""
    # 1. The signed figures themselves.
    if not 0 <= size <= limits.uncompressed or not 0 <= count <= limits.records:
        raise BadFrame("frame.limit", "The signed figures are beyond the limits of a batch.")
    pieces = _pieces(stream, limits.body)
    # 2. No records: no frame.
    if count == 0:
        if size or next(pieces, b""):
            raise BadFrame("frame.trailing", "A batch without records has bytes after its head.")
        return
    # 3. Bytes counted, lines cut, none too long or too many.
    seen_bytes = seen_lines = 0
    rest = b""
    for chunk in _decompressed(pieces, size, limits):
        seen_bytes += len(chunk)
        if seen_bytes > size:
            raise BadFrame("frame.bytes", "The body holds more bytes than were signed.")
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        _check_lines(lines, rest, limits)
        seen_lines += len(lines)
        if seen_lines > count:
            raise BadFrame("frame.count", "The body holds more lines than were signed.")
        yield lines
    # 4. Nothing missing.
    if rest:
        raise BadFrame("frame.line", "The last line does not end in LF.")
    if seen_bytes != size:
        raise BadFrame("frame.bytes", "The body holds fewer bytes than were signed.")
    if seen_lines != count:
        raise BadFrame("frame.count", "The body holds fewer lines than were signed.")


def _check_lines(lines: Sequence[bytes], rest: bytes, limits: Limits) -> None:
    longest = max(map(len, lines), default=0)
    if b"" in lines or max(longest, len(rest)) > limits.line:
        raise BadFrame("frame.line", "A line is empty or longer than allowed.")


def _decompressed(pieces: Iterator[bytes], size: int, limits: Limits) -> Iterator[bytes]:
    """What comes out of exactly one zstd frame, a piece at a time."""
    piece = next(pieces, b"")
    _check_header(piece, size, limits)
    zstd = zstandard.ZstdDecompressor(max_window_size=limits.window).decompressobj(
        read_across_frames=False
    )
    while piece:
        try:
            chunk = zstd.decompress(piece)
        except zstandard.ZstdError as err:
            raise BadFrame("frame.zstd", "The zstd frame is damaged.") from err
        if chunk:
            yield chunk
        if zstd.eof:
            if zstd.unused_data or next(pieces, b""):
                raise BadFrame("frame.trailing", "The body goes on after its zstd frame.")
            return
        piece = next(pieces, b"")
    raise BadFrame("frame.short", "The zstd frame is cut off.")


def _check_header(piece: bytes, size: int, limits: Limits) -> None:
    """Refuse by the frame's own header, before a byte of it is decompressed."""
    if piece[:4] != _ZSTD_MAGIC:
        raise BadFrame("frame.zstd", "The envelope is not followed by a zstd frame.")
    try:
        header = zstandard.get_frame_parameters(piece)
    except zstandard.ZstdError as err:
        raise BadFrame("frame.zstd", "The zstd frame's header is damaged.") from err
    if header.window_size > limits.window:
        raise BadFrame("frame.window", "The zstd frame asks for too large a window.")
    if header.dict_id:
        raise BadFrame("frame.dictionary", "The zstd frame asks for a dictionary.")
    if not header.has_checksum:
        raise BadFrame("frame.checksum", "The zstd frame has no content checksum.")
    if header.content_size not in {zstandard.CONTENTSIZE_UNKNOWN, size}:
        raise BadFrame("frame.bytes", "The zstd frame states another length than was signed.")


def _pieces(stream: BinaryIO, limit: int) -> Iterator[bytes]:
    """The body in full pieces, however little each read brings."""
    total = 0
    waiting = b""
    while block := stream.read(_READ):
        total += len(block)
        if total > limit:
            raise BadFrame("frame.body_size", "The body is larger than allowed.")
        waiting += block
        full = len(waiting) - len(waiting) % _PIECE
        for at in range(0, full, _PIECE):
            yield waiting[at : at + _PIECE]
        waiting = waiting[full:]
    if waiting:
        yield waiting


def _exactly(stream: BinaryIO, length: int) -> bytes:
    parts = []
    while length:
        part = stream.read(length)
        if not part:
            raise BadFrame("frame.short", "The body ends too early.")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
