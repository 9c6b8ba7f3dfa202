"""The table of openings: the detail and salt behind a commitment, until they are erased."""

from sqlalchemy import Column, LargeBinary, Table, select
from sqlalchemy.orm import Session

from gateway.storage.base import metadata

log_opening = Table(
    "log_opening",
    metadata,
    Column("leaf", LargeBinary, primary_key=True),
    # Canonical JSON, as it was hashed.
    Column("words", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
)


def add(session: Session, leaf: bytes, detail: bytes, salt: bytes) -> None:
    """Keep what opens the commitment of this leaf's entry."""
    values = {"leaf": leaf, "words": detail, "salt": salt}
    session.execute(log_opening.insert().values(**values))


def find(session: Session, leaf: bytes) -> tuple[bytes, bytes] | None:
    """Detail and salt; None where there is no commitment, or it was erased."""
    row = session.execute(select(log_opening).where(log_opening.c.leaf == leaf)).one_or_none()
    return None if row is None else (row.words, row.salt)
