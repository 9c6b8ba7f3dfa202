"""Where a batch may stand in its stream: the chain of numbers and hashes, as pure rules.

A stream is one history. Two signed histories of it mean that a key was cloned, or that one side
was restored from an old backup: a fork. Then both stay as evidence, and the stream stops until a
person has looked.

Source: design/trust.md 2.3 and 2.5.
"""

import hashlib
from enum import StrEnum

from gateway.errors import Conflict
from gateway.intake.model import Head


class Fork(StrEnum):
    """How two histories part."""

    CONTENT = "content"
    """Another batch was accepted under this number."""
    PREVIOUS = "prev"
    """The next batch does not follow on the last one accepted."""


def genesis(agency: str, stream: str) -> Head:
    """What the first batch of a stream follows on."""
    return Head(1, 0, hashlib.sha256(f"{agency}\0{stream}".encode()).digest(), None, None)


def follows(head: Head, at: tuple[int, int], prev: bytes, *, restart: bool) -> Fork | None:
    """Whether a batch numbered `at` (epoch, seq) may come next; a fork if it has another past.

    `restart` says that a new epoch may begin here (and the batch begins a snapshot).

    Raises:
        Conflict: the stream is suspended (`stream.suspended`), a batch is missing in between
            (`stream.gap`), the epoch is not the current one (`stream.epoch`), or the first batch
            does not follow on the genesis (`stream.genesis`).
    """
    epoch, seq = at
    if head.suspended is not None:
        raise Conflict(
            "stream.suspended",
            "This stream is stopped because two histories of it were signed. "
            "Keep your batches; talk to the gateway's key administrator.",
            reason=head.suspended,
        )
    expected = (
        (head.epoch + 1, 1) if epoch != head.epoch and restart else (head.epoch, head.seq + 1)
    )
    if epoch != expected[0]:
        raise Conflict(
            "stream.epoch",
            f"The stream is in epoch {head.epoch}; a new one begins only with a snapshot after "
            "recovery. Ask for the head, and go on from it.",
            expected_epoch=head.epoch,
        )
    if seq != expected[1]:
        raise Conflict(
            "stream.gap",
            f"Number {seq} came, number {expected[1]} is next. Send the missing batches first.",
            expected=expected[1],
            head_hash=head.payload_sha256.hex(),
        )
    if prev == head.payload_sha256:
        return None
    if head.seq == 0:
        raise Conflict(
            "stream.genesis",
            "The first batch does not follow on the stream's genesis. "
            "Set `prev` to the SHA-256 of agency, a zero byte and stream.",
            head_hash=head.payload_sha256.hex(),
        )
    return Fork.PREVIOUS
