"""Reads a batch as it came in: verify before parse, and never more memory than a few lines.

The body is read twice: once to compare it with what was signed, once to seal its lines into the
database. Between the two nothing of it is kept but 32 bytes a line.
"""

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from gateway.errors import Forbidden, Refused
from gateway.intake.model import PutBatch
from gateway.settings import Settings
from keys import dsse, frame, merkle
from keys.errors import BadFrame
from keys.signers import PublicKey
from schemas import batch as payloads
from schemas.batch import BatchPayload

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Opened:
    """A batch whose signature holds: what it says, and where its lines begin in the body."""

    payload: BatchPayload
    payload_sha256: bytes
    envelope: bytes
    kid: str
    lines_at: int


def limits(settings: Settings) -> frame.Limits:
    """The ceilings of one batch."""
    return frame.Limits(
        body=settings.max_body,
        uncompressed=settings.max_uncompressed,
        records=settings.max_records,
    )


def open_batch(
    request: PutBatch, settings: Settings, speaker: Callable[[str], PublicKey]
) -> Opened:
    """Steps 2 and 3 of acceptance: frame, envelope, signature; only then the payload.

    `speaker` finds the public key of a key id of the agency that the request names.

    Raises:
        TrustError, SchemaError: the frame, the envelope, the signature or the payload is bad.
        Refused: the payload names another place (`batch.path`).
        Forbidden: it was signed for another gateway (`aud.foreign`).
    """
    raw = frame.read_head(request.body, limits(settings))
    lines_at = request.body.tell()
    envelope = dsse.parse(raw, limit=frame.DEFAULT_LIMITS.envelope)
    kid = envelope.signatures[0].keyid
    envelope.verify({s.keyid: speaker(s.keyid) for s in envelope.signatures})
    if envelope.payload_type != frame.BATCH_TYPE:
        raise Refused(
            "envelope.type", "What was signed is not a batch. Put a batch here, nothing else."
        )
    payload = payloads.load(envelope.payload)
    _check_place(request, payload, settings)
    return Opened(payload, hashlib.sha256(envelope.payload).digest(), raw, kid, lines_at)


def read_leaves(body: BinaryIO, opened: Opened, settings: Settings) -> list[bytes]:
    """Step 5: the leaf hash of each line, after all of the body agreed with what was signed.

    Raises:
        BadFrame: it does not (`frame.*`).
    """
    sha256 = hashlib.sha256
    leaves = [sha256(b"\0" + line).digest() for line in _lines(body, opened, settings)]
    if merkle.root(leaves).hex() != opened.payload.root:
        raise BadFrame("frame.root", "The lines do not give the root that was signed.")
    return leaves


def read_chunks(body: BinaryIO, opened: Opened, settings: Settings) -> Iterator[list[bytes]]:
    """The lines again, at most a thousand at a time; the body was checked before."""
    lines = _lines(body, opened, settings)
    while chunk := list(islice(lines, _CHUNK)):
        yield chunk


def _lines(body: BinaryIO, opened: Opened, settings: Settings) -> Iterator[bytes]:
    body.seek(opened.lines_at, io.SEEK_SET)
    return frame.read_lines(
        body,
        declared_bytes=opened.payload.bytes,
        declared_count=opened.payload.count,
        limits=limits(settings),
    )


def _check_place(request: PutBatch, payload: BatchPayload, settings: Settings) -> None:
    put_at = (request.agency, request.stream, request.epoch, request.seq)
    signed = (payload.agency, payload.stream, payload.epoch, payload.seq)
    if put_at != signed:
        raise Refused(
            "batch.path",
            "The signed agency, stream, epoch and number are not those of the address. "
            "Put each batch at its own address.",
        )
    if payload.aud != settings.aud:
        raise Forbidden(
            "aud.foreign",
            "This batch was signed for another gateway. Check `aud` in the connector's ticket.",
            aud=settings.aud,
        )
