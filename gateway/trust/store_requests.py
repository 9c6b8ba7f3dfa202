"""What is remembered of requests: nonces that count once, and how much each agency sent.

The tables are unlogged: a crash of the server empties them, and costs at most one replay of a
batch, which changes nothing.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Integer,
    Table,
    Text,
    delete,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.storage.base import metadata
from gateway.storage.quick import Quick

_MOMENT = DateTime(timezone=True)
_FORGET_AT_ONCE = 100

nonce = Table(
    "nonce",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("nonce", Text, primary_key=True),
    Column("seen_at", _MOMENT, nullable=False, index=True),
    prefixes=["UNLOGGED"],
)
rate = Table(
    "rate",
    metadata,
    Column("agency", Text, primary_key=True),
    Column("minute", _MOMENT, primary_key=True),
    Column("n", Integer, nullable=False),
    prefixes=["UNLOGGED"],
)
rate_day = Table(
    "rate_day",
    metadata,
    Column("agency", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    prefixes=["UNLOGGED"],
)


def add_nonce(session: Session, kid: str, value: str, now: datetime) -> bool:
    """Remember a nonce of a key; False if it is remembered already."""
    return _ADD_NONCE.one(session, {"kid": kid, "nonce": value, "seen_at": now}) is not None


_ADD_NONCE = Quick(
    insert(nonce).on_conflict_do_nothing().returning(nonce.c.kid), "kid", "nonce", "seen_at"
)


def forget_nonces(session: Session, before: datetime) -> None:
    """Forget some nonces seen before then, without waiting for anybody who does the same."""
    old = (
        select(nonce.c.kid, nonce.c.nonce)
        .where(nonce.c.seen_at < before)
        .limit(_FORGET_AT_ONCE)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    session.execute(delete(nonce).where(nonce.c.kid == old.c.kid, nonce.c.nonce == old.c.nonce))


def count_call(session: Session, code: str, now: datetime, size: int) -> tuple[int, int]:
    """Count one more batch of `size` bytes: batches of this minute, bytes of this day (UTC)."""
    minute = now.replace(second=0, microsecond=0)
    given = {"agency": code, "minute": minute, "day": minute.date(), "bytes": size}
    found = _COUNT_CALL.one(session, given)
    if found.n == 1:
        session.execute(delete(rate).where(rate.c.agency == code, rate.c.minute < minute))
        session.execute(
            delete(rate_day).where(rate_day.c.agency == code, rate_day.c.day < minute.date())
        )
    return found.n, found.bytes


_COUNT_CALL = Quick(
    text(
        "with m as (insert into rate (agency, minute, n) values (:agency, :minute, 1)"
        "  on conflict (agency, minute) do update set n = rate.n + 1 returning n),"
        " d as (insert into rate_day (agency, day, bytes) values (:agency, :day, :bytes)"
        "  on conflict (agency, day) do update set bytes = rate_day.bytes + excluded.bytes"
        "  returning bytes) select m.n, d.bytes from m, d"
    )
)
