"""Which batches of an agency are not to be believed: a pure function of what was signed.

1. A batch signed by a revoked key is suspect if its accept entry stands in the log at the size that
   was cosigned by T, or later, or has no place there yet. What the batch says of time is not asked.
   So is every batch of an agency that left and took back what it had said: its keys count from 0.
2. An `attest` that is itself believed vouches for the batches that it names.
3. A batch that was held and that only disbelieved `confirm`s released falls with them.
4. The end of a snapshot falls with any other part of it, whoever vouches for it: what is missing
   in the rest is no news.

Source: design/trust.md 1.6 steps 3 to 6.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from schemas.batch import BatchKind

_PARTS = (BatchKind.SNAPSHOT_BEGIN.value, BatchKind.SNAPSHOT.value)


@dataclass(frozen=True, slots=True)
class Stood:
    """What the judgement knows of a batch.

    Attributes:
        index: of its accept entry in the log, None while it has none.
        held: it waits for a `confirm`, or did when it came into quarantine.
        attests: the batches it vouches for, if it is an `attest`.
    """

    id: UUID
    stream: str
    epoch: int
    seq: int
    kind: str
    kid: str
    payload_sha256: bytes
    snapshot: str | None
    confirms: bytes | None
    held: bool
    index: int | None = None
    attests: tuple[UUID, ...] = ()


def untrusted(batches: Sequence[Stood], revoked: Mapping[str, int]) -> frozenset[UUID]:
    """The batches that may not count; `revoked` is the log's size at T by key id."""
    suspect = {b.id for b in batches if is_suspect(b, revoked)}  # 1
    vouched = _vouched(batches, suspect)  # 2
    bad = suspect - vouched
    bad |= _released(batches, bad) - vouched  # 3
    bad |= _ends(batches, bad)  # 4
    return frozenset(bad)


def is_suspect(batch: Stood, revoked: Mapping[str, int]) -> bool:
    """Whether a revoked key signed it at its time T or later, by the log's order."""
    size = revoked.get(batch.kid)
    return size is not None and (batch.index is None or batch.index >= size)


def _vouched(batches: Iterable[Stood], suspect: set[UUID]) -> set[UUID]:
    """What believed attests name; the latest first, since an attest names only earlier batches."""
    vouched: set[UUID] = set()
    latest_first = sorted(batches, key=lambda b: (b.epoch, b.seq), reverse=True)
    for batch in latest_first:
        if batch.id not in suspect or batch.id in vouched:
            vouched |= set(batch.attests)
    return vouched


def _released(batches: Iterable[Stood], bad: set[UUID]) -> set[UUID]:
    """Batches that were released, and by nobody who is believed."""
    believed: dict[tuple[str, bytes], bool] = {}
    for b in batches:
        if b.confirms is not None:
            place = (b.stream, b.confirms)
            believed[place] = believed.get(place, False) or b.id not in bad
    return {
        b.id for b in batches if not b.held and not believed.get((b.stream, b.payload_sha256), True)
    }


def _ends(batches: Iterable[Stood], bad: set[UUID]) -> set[UUID]:
    broken = {(b.stream, b.snapshot) for b in batches if b.kind in _PARTS and b.id in bad}
    return {
        b.id
        for b in batches
        if b.kind == BatchKind.SNAPSHOT_END.value and (b.stream, b.snapshot) in broken
    }
