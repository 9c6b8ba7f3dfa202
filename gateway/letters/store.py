"""Tables of letters, and every statement that touches them: counters, letters, prints."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    Select,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.letters.model import Kind, Letter
from gateway.storage.base import metadata
from keys.vault import Vault

counter = Table(
    "letter_counter",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("year", SmallInteger, primary_key=True, autoincrement=False),
    Column("last", Integer, nullable=False),
)

letter = Table(
    "letter",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("running", Integer, nullable=False),
    Column("number", Text, nullable=False),
    Column("ticket_id", Uuid, nullable=False),
    Column("need_id", Uuid),
    Column("code", Text, nullable=False, unique=True),
    Column("template", Text, nullable=False),
    Column("made_on", Date, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("officer_id", Uuid),
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("kind", "year", "running"),
    Index("ix_letter_ticket_id", "ticket_id"),
)
"""`made_on` is the business date. The sealed part is what the letter was made of."""

printing = Table(
    "letter_print",
    metadata,
    Column("letter_id", Uuid, ForeignKey("letter.id"), primary_key=True),
    Column("n", SmallInteger, primary_key=True, autoincrement=False),
    Column("paper", Text, nullable=False),
    Column("copy_for", Text, nullable=False),
    Column("officer_id", Uuid),
    Column("at", DateTime(timezone=True), nullable=False),
)
"""Each time a letter left the house: `n` 0 is the original, from 1 on they are copies."""


def next_running(session: Session, kind: Kind, year: int) -> int:
    """The next number of a series, its row locked: whoever is rolled back leaves no gap."""
    made = insert(counter).values(kind=kind.value, year=year, last=1)
    query = made.on_conflict_do_update(
        index_elements=["kind", "year"], set_={"last": counter.c.last + 1}
    )
    last: int = session.execute(query.returning(counter.c.last)).scalar_one()
    return last


def add(session: Session, values: Mapping[str, Any], data: Mapping[str, Any], vault: Vault) -> None:
    """Keep a letter, what it was made of sealed."""
    row, at = values["id"], values["made_at"]
    sealed = vault.seal(_scope(at), _aad(row), orjson.dumps(dict(data)))
    session.execute(letter.insert().values(**values, sealed=sealed))


def get(session: Session, letter_id: UUID, vault: Vault, *, lock: bool = False) -> Letter | None:
    """A letter, opened."""
    if lock:
        query = select(letter.c.id).where(letter.c.id == letter_id).with_for_update()
        session.execute(query)
    row = session.execute(_letters().where(letter.c.id == letter_id)).one_or_none()
    return None if row is None else _read(row, vault)


def of_ticket(session: Session, ticket_id: UUID) -> list[Letter]:
    """The letters of a ticket, oldest first, not opened."""
    query = _letters().where(letter.c.ticket_id == ticket_id).order_by(letter.c.id)
    return [_read(row, None) for row in session.execute(query)]


def of_code(session: Session, code: str) -> Letter | None:
    """The letter that a QR names, not opened."""
    row = session.execute(_letters().where(letter.c.code == code)).one_or_none()
    return None if row is None else _read(row, None)


def add_print(session: Session, values: Mapping[str, Any]) -> None:
    session.execute(printing.insert().values(**values))


def _letters() -> Select[Any]:
    copies = (
        select(func.count()).where(printing.c.letter_id == letter.c.id).scalar_subquery()
    ).label("copies")
    return select(letter, copies)


def _read(row: Row[Any], vault: Vault | None) -> Letter:
    data: dict[str, Any] = {}
    if vault is not None:
        data = orjson.loads(vault.open(_scope(row.made_at), _aad(row.id), row.sealed))
    same = (
        *("id", "year", "running", "number", "ticket_id", "need_id", "code", "template"),
        *("made_on", "made_at", "copies"),
    )
    return Letter(kind=Kind(row.kind), data=data, **{name: getattr(row, name) for name in same})


def _scope(made_at: Any) -> str:
    return f"letter|{made_at:%Y-%m}"


def _aad(row: UUID) -> bytes:
    return b"letter|" + row.bytes
