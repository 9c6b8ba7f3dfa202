"""Tables of the programmes: what the desk has reserved, and every statement that touches it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Row,
    Table,
    Text,
    Uuid,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from gateway.storage.base import metadata

program_gate = Table(
    "program_gate",
    metadata,
    Column("program_code", Text, primary_key=True),
)
"""One row a programme: whoever reserves of it holds it, so the second sees what the first took."""

reservation = Table(
    "reservation",
    metadata,
    Column("need_id", Uuid, primary_key=True),
    Column("program_code", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("amount_idr", BigInteger, nullable=False),
    Column("person_id", Uuid),
    Column("exclusive_key", Text),
    Column("overridden", Boolean, nullable=False),
    Column("beside", ARRAY(Text), nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("released_at", DateTime(timezone=True)),
    CheckConstraint("amount_idr >= 0", name="amount"),
    Index("ix_reservation_open", "program_code", postgresql_where=text("released_at is null")),
    Index(
        "uq_reservation_exclusive",
        "person_id",
        "exclusive_key",
        unique=True,
        postgresql_where=text("released_at is null and not overridden"),
    ),
)
"""A place and money that one need holds; what was given back stays, with when.

`beside` are the programmes that exclude it and that somebody set aside with a reason.
"""


def hold(session: Session, program_code: str) -> None:
    """Wait for the programme's row, and keep it until the transaction ends."""
    made = insert(program_gate).values(program_code=program_code)
    session.execute(made.on_conflict_do_nothing())
    query = select(program_gate).where(program_gate.c.program_code == program_code)
    session.execute(query.with_for_update())


def put(session: Session, values: Mapping[str, Any]) -> bool:
    """Reserve for a need; False where it holds something already.

    Raises:
        IntegrityError: the person holds another programme of the group.
    """
    made = insert(reservation).values(**values, released_at=None)
    again = made.on_conflict_do_update(
        index_elements=["need_id"],
        set_={name: made.excluded[name] for name in (*values, "released_at")},
        where=reservation.c.released_at.is_not(None),
    )
    with session.begin_nested():
        done = session.execute(again.returning(reservation.c.need_id)).one_or_none()
    return done is not None


def exclusive(session: Session, person_id: UUID, key: str) -> str | None:
    """The programme of a group that is reserved for a person, if any."""
    r = reservation.c
    query = select(r.program_code).where(
        r.person_id == person_id, r.exclusive_key == key, r.released_at.is_(None)
    )
    return session.scalars(query.order_by(r.made_at).limit(1)).one_or_none()


def get(session: Session, need_id: UUID) -> Row[Any] | None:
    """What a need holds now."""
    r = reservation.c
    query = select(reservation).where(r.need_id == need_id, r.released_at.is_(None))
    return session.execute(query).one_or_none()


def release(session: Session, need_id: UUID, now: datetime) -> bool:
    """Give back what a need holds; False where it holds nothing."""
    r = reservation.c
    done = session.execute(
        update(reservation)
        .where(r.need_id == need_id, r.released_at.is_(None))
        .values(released_at=now)
        .returning(r.need_id)
    )
    return done.one_or_none() is not None


def open_of(session: Session, codes: Collection[str] | None) -> Sequence[Row[UUID, str, int]]:
    """(need, programme, rupiah) of what is reserved, of all programmes or of these."""
    r = reservation.c
    query = select(r.need_id, r.program_code, r.amount_idr).where(r.released_at.is_(None))
    if codes is not None:
        query = query.where(r.program_code.in_(list(codes)))
    return session.execute(query).all()


def of_person(session: Session, person_id: UUID) -> Sequence[Row[Any]]:
    """What is reserved for a person."""
    r = reservation.c
    query = select(reservation).where(r.person_id == person_id, r.released_at.is_(None))
    return session.execute(query.order_by(r.need_id)).all()


def overridden(session: Session) -> Sequence[Row[Any]]:
    """What is reserved although other programmes exclude it."""
    r = reservation.c
    query = select(reservation).where(r.overridden, r.released_at.is_(None))
    return session.execute(query.order_by(r.made_at)).all()
