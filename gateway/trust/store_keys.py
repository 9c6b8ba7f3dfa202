"""What is written about keysets and keys as they live: versions, ends, suspensions, revocations."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    LargeBinary,
    Row,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from gateway.storage.base import metadata
from gateway.trust.store import agency, approval, grant_, key, keyset
from keys.keyset import Keyset

suspension = Table(
    "suspension",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("agency", Text, ForeignKey(agency.c.code), nullable=False, index=True),
    Column("kid", Text, ForeignKey(key.c.kid), nullable=False),
    Column("action", Text, nullable=False),
    Column("payload_sha256", LargeBinary, nullable=False),
    Column("issued", DateTime(timezone=True), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    UniqueConstraint("agency", "payload_sha256"),
)

resumption = Table(
    "resumption",
    metadata,
    Column("kid", Text, ForeignKey(key.c.kid), primary_key=True),
    Column("officer_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
"""The first of two persons wants a key to speak again; the second one carries it out."""


def add_keyset(session: Session, row: Mapping[str, Any]) -> None:
    """Keep a statement, which does not count yet."""
    session.execute(insert(keyset).values(**row))


def find_keyset(session: Session, code: str, payload_sha256: bytes) -> Row[Any] | None:
    """The agency's keyset with that payload."""
    return session.execute(
        select(keyset).where(keyset.c.agency == code, keyset.c.payload_sha256 == payload_sha256)
    ).one_or_none()


def get_keyset(session: Session, code: str, payload_sha256: bytes) -> Row[Any]:
    """The same of one that is there, since a ticket names it."""
    return session.execute(
        select(keyset).where(keyset.c.agency == code, keyset.c.payload_sha256 == payload_sha256)
    ).one()


def versions(session: Session, code: str) -> Sequence[Row[Any]]:
    """The agency's keysets that count, version 1 first."""
    return session.execute(
        select(keyset)
        .where(keyset.c.agency == code, keyset.c.leaf.is_not(None))
        .order_by(keyset.c.version)
    ).all()


def waiting(session: Session, now: datetime) -> Sequence[Row[Any]]:
    """Keysets that were approved and whose time to be objected to is over."""
    return session.execute(
        select(keyset).where(
            keyset.c.counts_from <= now, keyset.c.leaf.is_(None), keyset.c.rejected_at.is_(None)
        )
    ).all()


def rotated(session: Session, code: str) -> dict[str, datetime]:
    """By instance, when its last rotation was accepted."""
    rows = session.execute(
        select(key.c.instance, func.max(keyset.c.received_at))
        .join(
            keyset,
            (keyset.c.agency == key.c.agency) & (keyset.c.payload_sha256 == key.c.keyset_sha256),
        )
        .where(key.c.agency == code, keyset.c.rule == "rotate", keyset.c.leaf.is_not(None))
        .group_by(key.c.instance)
    )
    return {row[0]: row[1] for row in rows}


def suspended(session: Session, code: str) -> frozenset[str]:
    """The agency's keys that are suspended now."""
    return frozenset(
        session.scalars(
            select(key.c.kid).where(key.c.agency == code, key.c.suspended_at.is_not(None))
        )
    )


def activate(session: Session, row: Row[Any], read: Keyset, now: datetime) -> None:
    """The keys of a keyset that counts now: new ones may speak, others end or are not believed.

    An end is never put off: one that came sooner by another way stays.
    """
    session.execute(
        update(key)
        .where(key.c.agency == row.agency, key.c.keyset_sha256 == row.payload_sha256)
        .values(approved_at=now)
    )
    for kid, entry in read.keys.items():
        if entry.sign_until is not None:
            later = key.c.sign_until.is_(None) | (key.c.sign_until > entry.sign_until)
            session.execute(
                update(key).where(key.c.kid == kid, later).values(sign_until=entry.sign_until)
            )
    lost = [each.kid for each in read.revoked]
    session.execute(
        update(key).where(key.c.kid.in_(lost), key.c.revoked_at.is_(None)).values(revoked_at=now)
    )


def end_others(session: Session, code: str, kids: Collection[str], now: datetime) -> None:
    """Every key of the agency but these stops speaking."""
    session.execute(
        update(key)
        .where(
            key.c.agency == code,
            key.c.kid.not_in(list(kids)),
            key.c.sign_until.is_(None) | (key.c.sign_until > now),
        )
        .values(sign_until=now)
    )


def start_grants(session: Session, code: str, leaf: bytes, now: datetime) -> None:
    """The grants that were drawn up count from now on."""
    session.execute(
        update(grant_)
        .where(grant_.c.agency == code, grant_.c.valid_from.is_(None))
        .values(valid_from=now, leaf=leaf)
    )


def end_grants(session: Session, code: str, now: datetime) -> None:
    """The agency's grants end."""
    session.execute(
        update(grant_)
        .where(
            grant_.c.agency == code, grant_.c.valid_until.is_(None) | (grant_.c.valid_until > now)
        )
        .values(valid_until=now)
    )


def set_agency(session: Session, code: str, **values: Any) -> None:
    """Change columns of an agency."""
    session.execute(update(agency).where(agency.c.code == code).values(**values))


def add_approval(session: Session, row: Mapping[str, Any]) -> None:
    """Keep a person's approval."""
    session.execute(insert(approval).values(**row))


def find_suspension(session: Session, code: str, payload_sha256: bytes) -> Row[Any] | None:
    """The suspension or resumption that was said in that statement."""
    return session.execute(
        select(suspension).where(
            suspension.c.agency == code, suspension.c.payload_sha256 == payload_sha256
        )
    ).one_or_none()


def last_said(session: Session, kid: str) -> datetime | None:
    """When the last statement that counts about this key was issued."""
    found: datetime | None = session.scalar(
        select(func.max(suspension.c.issued)).where(suspension.c.kid == kid)
    )
    return found


def silencing(session: Session, kid: str) -> bytes | None:
    """The leaf of the newest statement that silenced this key."""
    found: bytes | None = session.scalar(
        select(suspension.c.leaf)
        .where(suspension.c.kid == kid, suspension.c.action == "suspend")
        .order_by(suspension.c.issued.desc(), suspension.c.id.desc())
        .limit(1)
    )
    return found


def add_suspension(session: Session, row: Mapping[str, Any]) -> None:
    """Keep the statement about a key."""
    session.execute(insert(suspension).values(**row))


def suspend(session: Session, kid: str, now: datetime | None) -> None:
    """The key is silent from now on; with None it may speak again."""
    session.execute(update(key).where(key.c.kid == kid).values(suspended_at=now))


def destroy(session: Session, kid: str, now: datetime) -> None:
    """Its private half is gone; said again, the first time counts."""
    session.execute(
        update(key).where(key.c.kid == kid, key.c.destroyed_at.is_(None)).values(destroyed_at=now)
    )


def put_resumption(session: Session, row: Mapping[str, Any]) -> None:
    """One person wants the key to speak again; an earlier wish is forgotten."""
    drop_resumption(session, row["kid"])
    session.execute(insert(resumption).values(**row))


def find_resumption(session: Session, kid: str, since: datetime) -> Row[Any] | None:
    """Who wants the key to speak again, if that was said since it fell silent and `since`."""
    return session.execute(
        select(resumption)
        .join(key, key.c.kid == resumption.c.kid)
        .where(
            resumption.c.kid == kid,
            resumption.c.at >= since,
            resumption.c.at >= key.c.suspended_at,
        )
    ).one_or_none()


def drop_resumption(session: Session, kid: str) -> None:
    session.execute(delete(resumption).where(resumption.c.kid == kid))
