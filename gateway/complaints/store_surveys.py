"""The table of survey sheets, and every statement that touches it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Row,
    Table,
    Text,
    Uuid,
    select,
    update,
)
from sqlalchemy.orm import Session

from gateway.complaints import sealing, store
from gateway.complaints.model import Case, TicketId
from gateway.storage.base import metadata
from keys.vault import Vault

sheet = Table(
    "survey_sheet",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("complaint.id"), nullable=False),
    Column("officer_id", Uuid, nullable=False),
    Column("rule_set", Text, nullable=False),
    Column("on_paper", Boolean, nullable=False),
    Column("visited_on", Date, nullable=False),
    Column("entered_on", Date, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("leaf", LargeBinary),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_survey_sheet_ticket_id", "ticket_id", "made_at"),
)
"""The id is made where the sheet is filled in, so that sending twice is once. `leaf` is that of the
batch by which it entered the index."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One filled-in survey, opened.

    Attributes:
        visited_on: when the house was visited; `entered_on` when it was written into the system.
        answers: yes or no by question of the rule set.
        pmks: categories that were evidenced.
        notes: respondent, witness, remarks, recommendation, as they were typed.
        leaf: of the batch of the unit's own records, once it was accepted.
    """

    id: UUID
    ticket_id: TicketId
    officer_id: UUID
    rule_set: str
    on_paper: bool
    visited_on: date
    entered_on: date
    made_at: datetime
    leaf: bytes | None
    answers: Mapping[str, bool]
    pmks: tuple[str, ...]
    notes: Mapping[str, str]


def add(session: Session, values: Mapping[str, Any]) -> None:
    session.execute(sheet.insert().values(**values))


def ticket_of(session: Session, sheet_id: UUID) -> TicketId | None:
    """The ticket of a sheet that was kept already, or None."""
    found: UUID | None = session.scalar(select(sheet.c.ticket_id).where(sheet.c.id == sheet_id))
    return None if found is None else TicketId(found)


def last(session: Session, ticket_id: TicketId, vault: Vault) -> Sheet | None:
    """The newest sheet of a ticket."""
    query = select(sheet).where(sheet.c.ticket_id == ticket_id)
    row = session.execute(
        query.order_by(sheet.c.made_at.desc(), sheet.c.id.desc()).limit(1)
    ).one_or_none()
    return None if row is None else _read(row, vault)


def enter(session: Session, sheet_id: UUID, leaf: bytes) -> None:
    """The sheet's records stand in the index."""
    session.execute(update(sheet).where(sheet.c.id == sheet_id).values(leaf=leaf))


def waiting(session: Session, states: Sequence[str], vault: Vault) -> list[Case]:
    """Tickets that stand in these states and are not restricted, opened, oldest first."""
    t = store.ticket.c
    query = select(t.id).where(t.state.in_(list(states)), t.restricted.is_(False))
    rows = session.scalars(query.order_by(t.emergency.desc(), t.id).limit(_MOST))
    found = (store.get(session, TicketId(each), vault) for each in rows)
    return [case for case in found if case is not None]


_MOST = 300


def _read(row: Row[Any], vault: Vault) -> Sheet:
    kept = sealing.opened(vault, ("survey_sheet", row.id, row.made_at), row.sealed)
    return Sheet(
        id=row.id,
        ticket_id=TicketId(row.ticket_id),
        officer_id=row.officer_id,
        rule_set=row.rule_set,
        on_paper=row.on_paper,
        visited_on=row.visited_on,
        entered_on=row.entered_on,
        made_at=row.made_at,
        leaf=row.leaf,
        answers=kept["answers"],
        pmks=tuple(kept["pmks"]),
        notes=kept["notes"],
    )
