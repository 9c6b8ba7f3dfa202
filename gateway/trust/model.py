"""Who may speak for what, and how he is let in: the plain words of trust. Knows no database.

Source: trust.md 1.3 to 1.5 and 4.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.errors import Forbidden
from keys.httpsig import LogSeen
from keys.signers import PublicKey, Signer

CHALLENGE_LIFE = timedelta(minutes=10)
NONCE_MEMORY = timedelta(minutes=10)
LOCK_TIME = timedelta(minutes=15)
TRIES = 3
PUBLISH = "publish"
"""The action of a grant that lets an agency send records."""
LIVE_CHECK = "live_check"
"""The action of a grant that lets it be asked about a person at once."""

FIRST_APPROVER = "key_admin"
SECOND_APPROVERS = frozenset({"mayor_delegate", "steering", "upt_coordinator", "key_admin"})
"""Roles whose bearer may approve; the second person may sit outside IT."""


class AgencyState(StrEnum):
    """How far an agency has come."""

    INVITED = "invited"
    """It has a ticket and no keys."""
    PENDING = "pending"
    """Its keys are here; persons have to approve them."""
    ACTIVE = "active"
    """It may speak."""
    SUSPENDED = "suspended"
    """None of its keys may speak."""
    LEFT = "left"
    """It has left: its keys have ended, and what it said stays provable."""


class Fate(StrEnum):
    """What becomes of an agency's assertions when it leaves."""

    KEEP = "keep"
    """They stay, by law."""
    WITHDRAW = "withdraw"
    """None of them counts any more; all stay provable."""

    @property
    def statement(self) -> str:
        """The reason that its statement of leaving gives."""
        return f"leave_{self.value}"

    @classmethod
    def of(cls, reason: str) -> "Fate":
        """What a statement with this reason asks for; without a word of it, they stay."""
        return cls.WITHDRAW if reason == cls.WITHDRAW.statement else cls.KEEP


class Outcome(StrEnum):
    """What an attempt to approve came to."""

    RECORDED = "recorded"
    """The first approval stands; another person has to follow."""
    COMPLETED = "completed"
    """The second approval stands: the agency is active."""
    WRONG_GROUPS = "wrong_groups"
    """What was typed is not the end of the fingerprint. The caller must commit the count."""


@dataclass(frozen=True, slots=True)
class AgencyDraft:
    """What a registrar writes down when he creates an agency.

    Attributes:
        code: `[a-z0-9-]{1,40}`.
        label: how pages name it.
        record_types: what it may publish once its key is approved.
        basis: the agreement that allows it, as a code.
        by: the officer who creates it; he may not approve it.
        live: whether it may be asked about a person at once.
    """

    code: str
    label: str
    record_types: tuple[str, ...]
    basis: str
    by: str
    live: bool = False


@dataclass(frozen=True, slots=True)
class Anchors:
    """What a ticket tells an agency to trust: our address, name, log and receipt key."""

    gateway_url: str
    aud: str
    log_origin: str
    log_vkey: str
    receipt_kid: str
    receipt_key: PublicKey


@dataclass(frozen=True, slots=True)
class Gate:
    """Where keysets come in: our name, and the key that signs for persons of the centre."""

    aud: str
    signer: Signer


@dataclass(frozen=True, slots=True)
class Approver:
    """The person who approves, already authenticated, and the role he acts in."""

    officer_id: str
    role: str


@dataclass(frozen=True, slots=True)
class Pending:
    """An enrolment as it stands: whose keys, and the fingerprint that is read on the phone.

    Attributes:
        state: of the agency; `pending` while the keyset waits, `invited` once it was rejected.
        leaf: of the keyset's entry in the log, once it is approved.
        envelope: the keyset as it stands there; the centre may have signed it too.
    """

    agency: str
    state: AgencyState
    fingerprint: str
    keyset_sha256: bytes
    approvals: int
    leaf: bytes | None
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Submitted:
    """A statement about an agency's keys as it stands.

    Attributes:
        rule: one of `keys.succession.Rule`.
        fingerprint: of the one new key, or of the statement; its end is what persons type.
        needed: how many persons must approve it; `approvals` of them have.
        counts_from: where it is approved but open to objection, when that ends.
        leaf: of its log entry (32 bytes), once it counts.
        repeated: the same bytes were handed in before.
    """

    agency: str
    version: int
    rule: str
    payload_sha256: bytes
    fingerprint: str
    needed: int
    approvals: int
    counts_from: datetime | None
    leaf: bytes | None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Loss:
    """A key that may have been in other hands: since when at the earliest, as the agency says.

    `reason` is a code of a-z and _, such as `key_compromise`.
    """

    agency: str
    kid: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ApprovalState:
    """What an attempt to approve came to, and where the enrolment stands now."""

    outcome: Outcome
    approvals: int
    tries_left: int


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's approval of a keyset."""

    officer_id: str
    role: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """An agency as a page or a command shows it; the fingerprint is None before keys came."""

    code: str
    label: str
    state: AgencyState
    created_by: str
    created_at: datetime
    record_types: tuple[str, ...]
    fingerprint: str | None
    approvals: tuple[Approval, ...]
    enrolled_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeysetRow:
    """A keyset statement that was approved: the envelope as it came, and its leaf in the log."""

    agency: str
    version: int
    envelope: bytes
    payload_sha256: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it reached us. `path_and_query` begins with `/`; names in any case."""

    method: str
    path_and_query: str
    headers: Mapping[str, Sequence[str]]
    body_sha256: bytes | None


@dataclass(frozen=True, slots=True)
class Caller:
    """The agency that signed a request, the key it used, and the log it has verified."""

    agency: str
    kid: str
    log_seen: LogSeen
    key: PublicKey
    """The key `kid`, as it was when the request was checked."""

    def must_be(self, agency: str) -> None:
        """Return if the caller is this agency.

        Raises:
            Forbidden: it is another one.
        """
        if agency != self.agency:
            raise Forbidden("agency.foreign", "An agency may speak for itself only.")
