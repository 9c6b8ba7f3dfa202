"""Tables of access, and every statement that touches them: officers, sessions, the tracker."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from gateway.storage.base import metadata

officer = Table(
    "officer",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("username", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("password", Text, nullable=False),
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("password_due", Boolean, nullable=False, server_default=text("false")),
    Column("logins", Integer, nullable=False, server_default=text("0")),
    Column("last_login", DateTime(timezone=True)),
    Column("login_before", DateTime(timezone=True)),
    Column("totp", LargeBinary),
    Column("totp_at", DateTime(timezone=True)),
    Column("totp_step", BigInteger),
    Column("pin", Text),
)
"""`totp` is the sealed secret of his phone, which counts from `totp_at` on; `totp_step` is the last
step whose code was used. `password_due`: he must choose his own first."""

login_session = Table(
    "login_session",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("officer_id", Uuid, ForeignKey("officer.id"), nullable=False),
    Column("csrf", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("id", Uuid, nullable=False, server_default=text("uuidv7()"), unique=True),
    Column("device", LargeBinary, index=True),
    Column("locked_at", DateTime(timezone=True)),
    Column("wrong", Integer, nullable=False, server_default=text("0")),
    Column("confirmed_at", DateTime(timezone=True)),
    Index("ix_login_session_officer_id", "officer_id"),
)
"""`id` stays when the token changes; `device` is the hash of the browser's own cookie; `wrong`
counts tries at a locked screen; `confirmed_at` is when the officer last proved who he is."""

login_failure = Table(
    "login_failure",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("account", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_login_failure_account", "account", "at"),
    Index("ix_login_failure_address", "address", "at"),
)

query = Table(
    "query",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("officer_id", Uuid, ForeignKey("officer.id")),
    Column("system", Text),
    Column("role", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("detail", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_query_officer_id", "officer_id", "at"),
    Index("ix_query_at", "at"),
)
"""`detail` is the sealed question (terms and salt); `leaf` its entry in the log."""

look_rate = Table(
    "look_rate",
    metadata,
    Column("officer_id", Uuid, primary_key=True),
    Column("action", Text, primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("n", Integer, nullable=False),
)
"""How often an officer did what in which hour; its row lock puts his parallel requests in line."""

result = Table(
    "result",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("query_id", Uuid, ForeignKey("query.id"), nullable=False, index=True),
    Column("shown", Integer, nullable=False),
    Column("detail", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    # All of them, though the log's entry has room for 40.
    Column("batches", ARRAY(LargeBinary), nullable=False, server_default="{}"),
    Index("ix_result_batches", "batches", postgresql_using="gin"),
)

result_person = Table(
    "result_person",
    metadata,
    Column("result_id", Uuid, ForeignKey("result.id"), primary_key=True),
    Column("person_id", Uuid, primary_key=True),
    Index("ix_result_person_person_id", "person_id"),
)
"""Whose data were shown: what a citizen's tracker reads."""


def lock_tries(session: Session, account: str, address: str) -> None:
    """Put the tries of an account, and of an address, in line until the transaction ends."""
    for held in (f"account {account}", f"address {address}"):
        session.execute(_LOCK, {"held": held})


def failures(
    session: Session, account: str, address: str, since: datetime
) -> list[tuple[datetime, bool, bool]]:
    """Failed tries of the account or from the address: when, and which of both it was."""
    t = login_failure.c
    rows = session.execute(
        select(t.at, t.account == account, t.address == address).where(
            (t.account == account) | (t.address == address), t.at > since
        )
    )
    return [(row[0], row[1], row[2]) for row in rows]


def add_failure(session: Session, values: Mapping[str, Any]) -> None:
    session.execute(login_failure.insert().values(**values))


def drop_failure(session: Session, failure_id: UUID) -> None:
    session.execute(delete(login_failure).where(login_failure.c.id == failure_id))


def drop_old(session: Session, failures: datetime, rates: datetime, sessions: datetime) -> None:
    """Forget failures, rates and sessions that began before these times."""
    session.execute(delete(login_failure).where(login_failure.c.at < failures))
    session.execute(delete(look_rate).where(look_rate.c.hour < rates))
    session.execute(delete(login_session).where(login_session.c.made_at < sessions))


def add_query(session: Session, values: Mapping[str, Any]) -> None:
    session.execute(_ADD_QUERY, values)


def find_query(
    session: Session, query_id: UUID, officer_id: UUID, since: datetime
) -> Row[Any] | None:
    """A question of this officer, asked after `since`."""
    asked = {"id": query_id, "officer": officer_id, "since": since}
    return session.execute(_FIND_QUERY, asked).one_or_none()


def get_query(session: Session, query_id: UUID) -> Row[Any] | None:
    """A question of anybody's, however old."""
    return session.execute(select(query).where(query.c.id == query_id)).one_or_none()


def results_of(session: Session, query_id: UUID) -> Sequence[Row[Any]]:
    """The answers to a question, oldest first."""
    found = select(result).where(result.c.query_id == query_id).order_by(result.c.at, result.c.id)
    return session.execute(found).all()


def add_result(session: Session, values: Mapping[str, Any]) -> None:
    """A result and the `persons` it showed, in one round trip."""
    session.execute(_ADD_RESULT, values)


def officer_names(session: Session, officer_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of officers by their ids."""
    wanted = select(officer.c.id, officer.c.name).where(officer.c.id.in_(list(officer_ids)))
    return {row.id: row.name for row in session.execute(wanted)}


def count_look(session: Session, officer_id: UUID, action: str, hour: datetime) -> tuple[int, int]:
    """Count one more look; how many there were in this hour, and in the 24 hours up to its end."""
    asked = {
        "officer": officer_id,
        "action": action,
        "hour": hour,
        "day": hour - timedelta(days=1),
    }
    row = session.execute(_COUNT_LOOK, asked).one()
    return row[0], row[1]


def newest_queries(
    session: Session, limit: int, officer_id: UUID | None = None
) -> Sequence[Row[Any]]:
    """Questions of all or one, newest first, with the officer's `name` and how many `shown`."""
    shown = (
        select(func.max(result.c.shown)).where(result.c.query_id == query.c.id).scalar_subquery()
    )
    return session.execute(
        select(query, officer.c.name, shown.label("shown"))
        .outerjoin(officer, officer.c.id == query.c.officer_id)
        .where(true() if officer_id is None else query.c.officer_id == officer_id)
        .order_by(query.c.at.desc())
        .limit(limit)
    ).all()


_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:held, 0))")
# Built once: every look of an officer runs these.
_ADD_QUERY = query.insert()
_FIND_QUERY = select(query).where(
    query.c.id == bindparam("id"),
    query.c.officer_id == bindparam("officer"),
    query.c.at > bindparam("since"),
)
_ADD_RESULT = text(
    "with made as (insert into result (id, query_id, shown, detail, leaf, at, batches)"
    " values (:id, :query_id, :shown, :detail, :leaf, :at, cast(:batches as bytea[]))"
    " returning id)"
    " insert into result_person (result_id, person_id)"
    " select made.id, person from made, unnest(cast(:persons as uuid[])) as person"
)
_COUNT_LOOK = text(
    "with counted as (insert into look_rate as r (officer_id, action, hour, n)"
    " values (:officer, :action, :hour, 1)"
    " on conflict (officer_id, action, hour) do update set n = r.n + 1 returning n)"
    " select counted.n, counted.n + coalesce((select sum(n) from look_rate where"
    " officer_id = :officer and action = :action and hour > :day and hour < :hour), 0)"
    " from counted"
)
