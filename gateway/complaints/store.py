"""Tables of the desk, and every statement that changes them.

Tickets stand in `complaint`: a table `ticket` there is already, by which an agency enrols its key.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from gateway.complaints import sealing
from gateway.complaints.clock import Due, Now
from gateway.complaints.model import (
    Body,
    Case,
    Channel,
    Happened,
    Need,
    NeedId,
    Ticket,
    TicketId,
)
from gateway.storage.base import metadata
from keys.vault import Vault

ticket = Table(
    "complaint",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("year", SmallInteger, nullable=False),
    Column("running", Integer, nullable=False),
    Column("number", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("since_on", Date, nullable=False),
    Column("since_at", DateTime(timezone=True), nullable=False),
    Column("due_on", Date),
    Column("due_at", DateTime(timezone=True)),
    Column("case_due", Date, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("entered_on", Date, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("channel", Text, nullable=False),
    Column("person_id", Uuid),
    Column("owner_id", Uuid),
    Column("kelurahan", Text),
    Column("emergency", Boolean, nullable=False),
    Column("restricted", Boolean, nullable=False),
    Column("historical", Boolean, nullable=False),
    Column("asked_from", Text),
    Column("master_id", Uuid),
    Column("escalated_at", DateTime(timezone=True)),
    Column("found_by", ARRAY(LargeBinary), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("year", "running"),
    Index("ix_complaint_state", "state", "due_on"),
    Index("ix_complaint_owner_id", "owner_id"),
    Index("ix_complaint_person_id", "person_id"),
    Index("ix_complaint_found_by", "found_by", postgresql_using="gin"),
)

need = Table(
    "need",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("complaint.id"), nullable=False),
    Column("n", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("since_on", Date, nullable=False),
    Column("since_at", DateTime(timezone=True), nullable=False),
    Column("due_on", Date),
    Column("due_at", DateTime(timezone=True)),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("counter", Text, nullable=False),
    Column("agency", Text),
    Column("program_code", Text),
    Column("person_id", Uuid),
    Column("queue_on", Date),
    Column("target_fy", SmallInteger),
    Column("amount_idr", BigInteger),
    Column("returned", SmallInteger, nullable=False, server_default="0"),
    Column("contact_on", Date),
    Column("escalated_at", DateTime(timezone=True)),
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("ticket_id", "n"),
    Index("ix_need_agency", "agency", "state"),
    Index("ix_need_state", "state", "due_on"),
    Index("ix_need_person_id", "person_id"),
)

ticket_event = Table(
    "complaint_event",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("complaint.id"), nullable=False),
    Column("need_id", Uuid),
    Column("move", Text),
    Column("event", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("officer_id", Uuid),
    Column("kid", Text),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("on_day", Date, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("single_handed", Boolean, nullable=False),
    Column("sampled", Boolean, nullable=False),
    Column("reviewed_by", Uuid),
    Column("reviewed_at", DateTime(timezone=True)),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_complaint_event_ticket_id", "ticket_id", "id"),
    Index(
        "ix_complaint_event_sampled",
        "id",
        postgresql_where=text("sampled and reviewed_at is null"),
    ),
)
"""`on_day` is the business date. The sealed part holds reason, data and the salt of the leaf."""

ticket_counter = Table(
    "complaint_counter",
    metadata,
    Column("year", SmallInteger, primary_key=True),
    Column("last", Integer, nullable=False),
)


def next_running(session: Session, year: int) -> int:
    """The next running number of a year: whoever is rolled back gives his back."""
    made = insert(ticket_counter).values(year=year, last=1)
    query = made.on_conflict_do_update(
        index_elements=["year"], set_={"last": ticket_counter.c.last + 1}
    )
    last: int = session.execute(query.returning(ticket_counter.c.last)).scalar_one()
    return last


def add_ticket(session: Session, values: Mapping[str, Any]) -> None:
    session.execute(ticket.insert().values(**values))


def add_needs(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    session.execute(need.insert(), list(rows))


def add_event(session: Session, values: Mapping[str, Any]) -> None:
    session.execute(ticket_event.insert().values(**values))


def set_ticket(session: Session, ticket_id: TicketId, values: Mapping[str, Any]) -> None:
    session.execute(update(ticket).where(ticket.c.id == ticket_id).values(**values))


def set_need(session: Session, need_id: NeedId, values: Mapping[str, Any]) -> None:
    session.execute(update(need).where(need.c.id == need_id).values(**values))


def get(session: Session, ticket_id: TicketId, vault: Vault, *, lock: bool = False) -> Case | None:
    """A ticket with its needs, opened; locked, so that of two who act the second waits."""
    query = select(ticket).where(ticket.c.id == ticket_id)
    row = session.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        return None
    rows = session.execute(select(need).where(need.c.ticket_id == ticket_id).order_by(need.c.n))
    return Case(read_ticket(row, vault), tuple(read_need(r, vault) for r in rows))


def lock_bodies(
    session: Session, vault: Vault, after: TicketId | None, limit: int
) -> list[tuple[TicketId, Body]]:
    """The next tickets after an id, locked, each with its body."""
    query = select(ticket.c.id, ticket.c.made_at, ticket.c.sealed).order_by(ticket.c.id)
    if after is not None:
        query = query.where(ticket.c.id > after)
    rows = session.execute(query.limit(limit).with_for_update())
    return [(TicketId(row.id), _body(row, vault)) for row in rows]


def made_at(session: Session, ticket_id: TicketId) -> datetime:
    """When the ticket's row was made: it names the data key."""
    found: datetime = session.scalars(
        select(ticket.c.made_at).where(ticket.c.id == ticket_id)
    ).one()
    return found


def ticket_of(session: Session, need_id: NeedId) -> TicketId | None:
    """The ticket of a need."""
    found: UUID | None = session.scalar(select(need.c.ticket_id).where(need.c.id == need_id))
    return None if found is None else TicketId(found)


def id_of(session: Session, number: str) -> TicketId | None:
    """The ticket of a printed number."""
    found: UUID | None = session.scalar(select(ticket.c.id).where(ticket.c.number == number))
    return None if found is None else TicketId(found)


def history(session: Session, ticket_id: TicketId, vault: Vault) -> list[Happened]:
    """What happened to a ticket and its needs, oldest first, opened."""
    query = select(ticket_event).where(ticket_event.c.ticket_id == ticket_id)
    return [read_event(row, vault) for row in session.execute(query.order_by(ticket_event.c.id))]


def event_row(session: Session, event_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    query = select(ticket_event).where(ticket_event.c.id == event_id)
    return session.execute(query.with_for_update() if lock else query).one_or_none()


def set_event(session: Session, event_id: UUID, values: Mapping[str, Any]) -> None:
    session.execute(update(ticket_event).where(ticket_event.c.id == event_id).values(**values))


def read_ticket(row: Row[Any], vault: Vault | None) -> Ticket:
    """A ticket of a row; its body is opened where a vault is given."""
    return Ticket(
        id=TicketId(row.id),
        number=row.number,
        state=row.state,
        since=Now(row.since_on, row.since_at),
        due=Due(row.due_on, row.due_at),
        case_due=row.case_due,
        received_on=row.received_on,
        entered_on=row.entered_on,
        channel=Channel(row.channel),
        person_id=row.person_id,
        owner_id=row.owner_id,
        kelurahan=row.kelurahan,
        emergency=row.emergency,
        restricted=row.restricted,
        historical=row.historical,
        asked_from=row.asked_from,
        master_id=row.master_id,
        escalated_at=row.escalated_at,
        body=None if vault is None else _body(row, vault),
    )


def read_need(row: Row[Any], vault: Vault) -> Need:
    """A need of a row, opened."""
    return Need(
        id=NeedId(row.id),
        ticket_id=TicketId(row.ticket_id),
        n=row.n,
        kind=row.kind,
        state=row.state,
        since=Now(row.since_on, row.since_at),
        due=Due(row.due_on, row.due_at),
        counter=row.counter,
        agency=row.agency,
        program_code=row.program_code,
        person_id=row.person_id,
        queue_on=row.queue_on,
        target_fy=row.target_fy,
        amount_idr=row.amount_idr,
        returned=row.returned,
        contact_on=row.contact_on,
        escalated_at=row.escalated_at,
        subject=sealing.opened(vault, ("need", row.id, row.made_at), row.sealed),
    )


def read_event(row: Row[Any], vault: Vault) -> Happened:
    """A line of history of a row, opened."""
    kept = sealing.opened(vault, ("complaint_event", row.id, row.at), row.sealed)
    return Happened(
        id=row.id,
        ticket_id=TicketId(row.ticket_id),
        need_id=None if row.need_id is None else NeedId(row.need_id),
        move=row.move,
        event=row.event,
        source=row.source,
        target=row.target,
        role=row.role,
        officer_id=row.officer_id,
        at=row.at,
        on=row.on_day,
        leaf=row.leaf,
        single_handed=row.single_handed,
        sampled=row.sampled,
        reason=kept["detail"].get("reason", ""),
        data=kept["detail"].get("data", {}),
    )


def _body(row: Any, vault: Vault) -> Body:
    found = sealing.opened(vault, ("complaint", row.id, row.made_at), row.sealed)
    return sealing.body_of(found)
