"""Tickets, needs, what happened to them, and who acts: the plain words. Knows no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NewType, Self
from uuid import UUID

from gateway.access.model import Officer, Role
from gateway.complaints.clock import Due, Now
from gateway.complaints.lifecycle import CITIZEN, SYSTEM, Kind
from keys.vault import Vault
from schemas.profile import Profile

TicketId = NewType("TicketId", UUID)
NeedId = NewType("NeedId", UUID)


class Channel(StrEnum):
    """How a complaint came. Source: design/domain.md §2.9."""

    COUNTER = "loket"
    PHONE = "telepon"
    WHATSAPP = "wa"
    PORTAL = "portal"
    FIELD = "lapangan"
    POKJA = "titipan_pokja"
    LAPOR = "lapor"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a move: an officer, the system, a citizen, or an agency by its signed answer.

    Attributes:
        unit: the agency or house for which he acts; empty for system and citizen.
        kid: the key that signed, where a connector answered.
    """

    roles: tuple[str, ...]
    unit: str = ""
    officer_id: UUID | None = None
    kid: str | None = None

    @classmethod
    def of(cls, officer: Officer) -> Self:
        """A named user."""
        return cls(tuple(r.value for r in officer.roles), officer.unit, officer.id)

    @classmethod
    def agency(cls, code: str, kid: str, role: Role = Role.AGENCY_REVIEWER) -> Self:
        """An agency whose connector answered under a key of its own."""
        return cls((role.value,), code, None, kid)

    def holds(self, *roles: Role) -> bool:
        """Whether he has one of these roles."""
        return any(role.value in self.roles for role in roles)


SYSTEM_ACTOR = Actor((SYSTEM,))
CITIZEN_ACTOR = Actor((CITIZEN,))


@dataclass(frozen=True, slots=True)
class Desk:
    """Who acts, with what, and when by both clocks."""

    actor: Actor
    vault: Vault
    profile: Profile
    now: Now

    def by(self, actor: Actor) -> "Desk":
        """The same desk with somebody else at it."""
        return Desk(actor, self.vault, self.profile, self.now)


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody wants to happen.

    Attributes:
        reason: in his own words; sealed, and committed to in the log.
        data: what the move asks for, as JSON values; sealed with the reason.
        single_handed: nobody else is on duty, so he decides what he prepared himself.
    """

    event: str
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    single_handed: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """What of a ticket is sealed: whom it is about, how to reach him, what he said.

    Attributes:
        person: name, nik, birth_date, kelurahan, rt, rw, address, no_id_reason; what is known.
        behalf: name and relation of who speaks for him; empty if he does himself.
        check: the verification as it stood when it was made; never changed afterwards.
        pin: salt and hash in hexadecimal.
    """

    person: Mapping[str, str]
    phone: str = ""
    behalf: Mapping[str, str] = field(default_factory=dict)
    narrative: str = ""
    check: Mapping[str, Any] = field(default_factory=dict)
    pin: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One complaint.

    Attributes:
        received_on: when the person came; `entered_on` when it was written down. Deadlines run
            from the second, and where they differ the ticket is *data lama*.
        person_id: the person of the index, where he was found.
        owner_id: the officer whose ticket it is.
        asked_from: the state that asked for information, while that is awaited.
        due: of the current state; `case_due` of the whole case.
        body: opened; None where it was not asked for.
    """

    id: TicketId
    number: str
    state: str
    since: Now
    due: Due
    case_due: date
    received_on: date
    entered_on: date
    channel: Channel
    person_id: UUID | None
    owner_id: UUID | None
    kelurahan: str | None
    emergency: bool
    restricted: bool
    historical: bool
    asked_from: str | None
    master_id: TicketId | None
    escalated_at: datetime | None
    body: Body | None = None

    @property
    def is_late_entry(self) -> bool:
        """*Data lama*: written down later than it was received."""
        return self.received_on < self.entered_on


@dataclass(frozen=True, slots=True)
class Need:
    """One thing asked for, with one chain of referrals.

    Attributes:
        n: its place on the ticket, from 1.
        subject: name, birth_date, relation of whom it is for; empty where the complainant is.
        queue_on: since when it waits; kept over fiscal years.
        contact_on: when a waiting person is to be contacted next.
        counter: the desk that has it.
    """

    id: NeedId
    ticket_id: TicketId
    n: int
    kind: str
    state: str
    since: Now
    due: Due
    counter: str
    agency: str | None
    program_code: str | None
    person_id: UUID | None
    queue_on: date | None
    target_fy: int | None
    amount_idr: int | None
    returned: int
    contact_on: date | None
    escalated_at: datetime | None
    subject: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of a ticket's history.

    Attributes:
        event: of a move, or `note`, `escalate`, `remind`, `extend`, `emergency`, `recompute`,
            `pass_on`, `assign`, `contact`, which move nothing.
        source, target: the states; equal where nothing moved.
        leaf: its place in the log (32 bytes).
        reason, data: opened; empty where not asked for.
    """

    id: UUID
    ticket_id: TicketId
    need_id: NeedId | None
    move: str | None
    event: str
    source: str
    target: str
    role: str
    officer_id: UUID | None
    at: datetime
    on: date
    leaf: bytes
    single_handed: bool
    sampled: bool
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """A ticket with its needs, as they stand under one lock."""

    ticket: Ticket
    needs: tuple[Need, ...]

    def need(self, need_id: NeedId) -> Need | None:
        """One of its needs."""
        return next((n for n in self.needs if n.id == need_id), None)

    def state_of(self, need_id: NeedId | None) -> str:
        """Where the ticket stands, or one of its needs."""
        found = None if need_id is None else self.need(need_id)
        return self.ticket.state if found is None else found.state


def kind_of(need_id: NeedId | None) -> Kind:
    """Whose machine a target moves on."""
    return Kind.COMPLAINT if need_id is None else Kind.NEED
