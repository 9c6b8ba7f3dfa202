"""What can be asked of batches: heads, results, what was found, and how much came from whom."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from gateway.errors import NotFound
from gateway.intake import chain, store, store_reevaluation, store_streams, store_usage
from gateway.intake.model import Disposition, Head, State
from schemas.batch import MAX_ATTESTED

PAGE = 5000
KEY_LIFE = timedelta(days=120)
"""No key signs longer than this. Source: trust.md 1.1."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What one agency has sent so far."""

    accepted_at: datetime
    batches: int
    records: int
    refused: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What all have sent: `applied` records stand in the index, changed it or were known."""

    batches: int
    records: int
    applied: int
    refused: int


def head(session: Session, agency: str, stream: str) -> Head:
    """The head of a stream: genesis where nothing came yet."""
    return store.head(session, agency, stream) or chain.genesis(agency, stream)


@dataclass(frozen=True, slots=True)
class Recovery:
    """The ways out of quarantine that a stream has.

    Attributes:
        epoch: that may begin now, by a snapshot, following on `prev` (32 bytes); None if none may.
        quarantined: (epoch, seq, payload hash) of what an `attest` may name, oldest first, at most
            as many as one attest holds.
    """

    epoch: int | None
    prev: bytes | None
    quarantined: tuple[tuple[int, int, bytes], ...]


def recovery(session: Session, agency: str, stream: str) -> Recovery:
    """What an agency can do about batches of a revoked key."""
    found = store_reevaluation.quarantined_in(session, agency, stream, MAX_ATTESTED)
    quarantined = tuple((row.epoch, row.seq, row.payload_sha256) for row in found)
    first = chain.genesis(agency, stream)
    current, restart = store_reevaluation.head(session, agency, stream) or (first.epoch, False)
    if not restart:
        return Recovery(None, None, quarantined)
    trusted = store_reevaluation.last_trusted(session, agency, stream)
    return Recovery(current + 1, trusted or first.payload_sha256, quarantined)


def result(session: Session, place: tuple[str, str, int, int]) -> tuple[State, bytes | None]:
    """The state of the batch at (agency, stream, epoch, seq), and its signed result if any.

    Raises:
        NotFound: no such batch was accepted.
    """
    found = store.result(session, place)
    if found is None:
        raise NotFound("batch.unknown", "No batch of that number was accepted.")
    return found[0].state, found[1]


def dispositions(
    session: Session, place: tuple[str, str, int, int], after: int
) -> list[Disposition]:
    """What was found about a batch's records, at most 5,000 from number `after` on.

    Raises:
        NotFound: no such batch was accepted.
    """
    found = store.find(session, place)
    if found is None:
        raise NotFound("batch.unknown", "No batch of that number was accepted.")
    return store.dispositions(session, found.id, after, PAGE)


def overview(session: Session) -> Mapping[str, Sent]:
    """Agency to what it has sent, from its batches alone."""
    rows = store.sent(session)
    return {r.agency: Sent(r.accepted_at, r.batches, r.records, r.refused) for r in rows}


def counts(session: Session) -> Counts:
    """What all agencies have sent."""
    row = store.sums(session)
    return Counts(row.batches, row.records, row.applied, row.refused)


def receipt(session: Session, place: tuple[str, str, int, int]) -> bytes | None:
    """The receipt of the batch at a place; None where there is none."""
    found = store.stored(session, place)
    return None if found is None else found.receipt


def last_used(session: Session, agency: str, now: datetime) -> Mapping[str, datetime]:
    """When each key of an agency last signed a batch, within the longest life of a key."""
    return store_usage.last_used(session, agency, now - KEY_LIFE)


def signers(
    session: Session, agencies: Collection[str], leaves: Collection[bytes]
) -> Mapping[bytes, tuple[str, str]]:
    """(agency, kid) that signed each batch of these agencies, by its accept leaf."""
    return store_usage.signers(session, agencies, leaves)


def stopped(session: Session) -> Sequence[Any]:
    """The streams that stand still, with what was found when they stopped."""
    return store_streams.stopped(session)
