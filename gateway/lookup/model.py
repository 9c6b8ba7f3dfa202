"""What is asked of agencies and what they answer: the plain words of lookup. Knows no database.

Source: trust.md 2.8.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from gateway.errors import Conflict
from keys.bundle import LoggedEntry
from keys.vault import Vault

ANSWERS = "answers"
"""The topic of those who wait for any answer."""
CONNECTED = timedelta(seconds=75)
"""A connector that asked for its inbox so long ago at most counts as connected."""
LATE = timedelta(seconds=30)
"""An answer is taken so long after its deadline: what was asked in time may arrive late."""


def topic(agency: str) -> str:
    """The topic of those who wait for something in an agency's inbox."""
    return f"inbox:{agency}"


@dataclass(frozen=True, slots=True)
class Desk:
    """What a question to agencies needs besides the session."""

    vault: Vault
    aud: str
    deadline: timedelta
    """How long an agency has to answer."""
    a_day: int
    """Requests that one agency gets in 24 hours at most."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one person, to some agencies; it is in the tracker and the log already.

    Attributes:
        query_id: whose entry in the log has the leaf hash `leaf`.
        subject: some of `nik`, `name`, `birth_date`.
    """

    query_id: UUID
    leaf: bytes
    purpose: str
    role: str
    subject: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as it leaves for an agency, with the log's proofs; `n` is its place there."""

    n: int
    envelope: bytes
    query: LoggedEntry
    request: LoggedEntry


@dataclass(frozen=True, slots=True)
class Delivered:
    """What waits for an agency; `pending` more are not under a checkpoint yet."""

    deliveries: tuple[Delivery, ...]
    pending: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer as it came: from which agency, to which request, in its envelope."""

    agency: str
    rid: UUID
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """Our receipt for an answer; `replayed` where it was given before."""

    receipt: bytes
    replayed: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """One request as the officer who asked sees it.

    Attributes:
        status: ok, not_found, refused or error; `waiting` before the deadline, `silent` after it.
        rows: what the agency showed, each from name to value.
        heard_at: when its connector last asked for its inbox.
        leaf: of the answer's entry in the log.
    """

    rid: UUID
    agency: str
    status: str
    code: str | None
    rows: Sequence[Mapping[str, str]]
    answered_at: datetime | None
    heard_at: datetime | None
    connected: bool
    leaf: bytes | None

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come."""
        return self.status == "waiting"


class Answered(Conflict):
    """Another answer to the same request stands already; the caller must commit, it is evidence."""


def scope(at: datetime) -> str:
    """The vault's scope: a month each, so that one key never seals too many values."""
    return f"inbox|{at.astimezone(UTC):%Y-%m}"
