"""What intake speaks of: a batch that arrives, what it becomes, and what was said about it.

Pure values. A batch is a document: it is accepted whole or not at all. What its records become is
decided one by one when a worker applies it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import BinaryIO
from uuid import UUID

from gateway.errors import Conflict
from gateway.index.arrivals import IndexTools
from gateway.settings import Settings
from keys.signers import PublicKey
from keys.vault import Vault
from schemas.batch import BatchPayload
from schemas.profile import Profile


class State(StrEnum):
    """What has become of a batch."""

    ACCEPTED = "accepted"
    APPLIED = "applied"
    APPLIED_PARTIAL = "applied_partial"
    HELD = "held"
    PARKED = "parked"
    QUARANTINED = "quarantined"


class Hold(StrEnum):
    """Why a batch was held: nothing of it stands in the index."""

    MAX_REJECT = "max_reject"
    MASS_DELETE = "mass_delete"
    SNAPSHOT = "snapshot_incomplete"


class SnapshotState(StrEnum):
    """How far a snapshot has come."""

    OPEN = "open"
    ENDED = "ended"
    HELD = "held"
    DONE = "done"
    SUPERSEDED = "superseded"


class Forked(Conflict):
    """Two signed histories of one stream. Both are kept: whoever catches this commits.

    The evidence and the suspension of the stream stand in the session when this is raised; rolling
    back would forget them.
    """


@dataclass(frozen=True, slots=True)
class IntakeTools:
    """What intake needs beside the session."""

    vault: Vault
    settings: Settings
    profile: Profile
    index: IndexTools


@dataclass(frozen=True, slots=True)
class PutBatch:
    """A batch as it came in: where it was put, and its bytes (seekable, at their beginning)."""

    agency: str
    stream: str
    epoch: int
    seq: int
    body: BinaryIO
    caller: tuple[str, PublicKey] | None = None
    """The key that signed the request: asked for once, and checked again under the lock."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The receipt (a DSSE envelope), and whether it had been given before."""

    receipt: bytes
    replayed: bool


@dataclass(frozen=True, slots=True)
class Head:
    """The last batch accepted in a stream; `seq` 0 where there is none yet."""

    epoch: int
    seq: int
    payload_sha256: bytes
    leaf: bytes | None
    suspended: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the re-evaluation after a revocation has come.

    Attributes:
        batches: in quarantine on its account.
        records: whose live version had to be found anew, and `done` those for which that is done.
        links_left: records whose links still wait for a worker.
        finished: when the last live version stood; links may follow.
    """

    revocation: int
    agency: str
    batches: int
    records: int
    done: int
    links_left: int
    started: datetime
    finished: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the sealed lines of a batch lie: the vault's scope, and what binds each line."""

    agency: str
    stream: str
    epoch: int
    seq: int
    kind_and_month: str

    @property
    def scope(self) -> str:
        """One agency, record type and month."""
        return f"batch_line|{self.agency}|{self.kind_and_month}"

    def aad(self, i: int) -> bytes:
        """What binds line `i` to its place."""
        return f"batch_line|{self.agency}|{self.stream}|{self.epoch}|{self.seq}|{i}".encode()


@dataclass(frozen=True, slots=True)
class Batch:
    """A stored batch, without its lines and envelopes."""

    id: UUID
    agency: str
    stream: str
    epoch: int
    seq: int
    record_type: str
    schema: str
    kind: str
    payload_sha256: bytes
    count: int
    as_of: datetime
    accepted_at: datetime
    max_reject: float
    kid: str
    state: State
    hold: Hold | None
    snapshot: str | None
    confirms: bytes | None
    leaf: bytes

    @property
    def version(self) -> int:
        """The `_v` of every record that this batch seals."""
        return self.epoch * 2**32 + self.seq

    @property
    def place(self) -> "Place":
        """Where its lines lie."""
        when = f"{self.accepted_at.astimezone(UTC):%Y-%m}"
        return Place(self.agency, self.stream, self.epoch, self.seq, f"{self.record_type}|{when}")

    @staticmethod
    def place_of(payload: BatchPayload, now: datetime) -> "Place":
        """Where the lines of a batch that is being accepted will lie."""
        when = f"{payload.record_type}|{now.astimezone(UTC):%Y-%m}"
        return Place(payload.agency, payload.stream.value, payload.epoch, payload.seq, when)


@dataclass(frozen=True, slots=True)
class Disposition:
    """What was found about record `i` of a batch: a code and a field, never a value."""

    i: int
    code: str
    level: str
    field: str | None = None

    def show(self) -> Mapping[str, str | int | None]:
        return {"code": self.code, "field": self.field, "i": self.i, "level": self.level}


@dataclass(slots=True)
class Tally:
    """How many records of a batch went which way, and what was found about them."""

    applied: int = 0
    unchanged: int = 0
    superseded: int = 0
    rejected: int = 0
    tombstoned: int = 0
    dispositions: list[Disposition] = field(default_factory=list)

    def reject(self, i: int, code: str, where: str | None) -> None:
        self.rejected += 1
        self.dispositions.append(Disposition(i, code, "E", where))

    def clear(self) -> None:
        """Nothing was applied after all; what was found stands."""
        self.applied = self.unchanged = self.superseded = self.tombstoned = 0
