"""Tables of access: officers, their sessions, and the tracker of who asked what, and why."""

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

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
)

login_session = Table(
    "login_session",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("officer_id", Uuid, ForeignKey("officer.id"), nullable=False),
    Column("csrf", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Index("ix_login_session_officer_id", "officer_id"),
)

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
)

result_person = Table(
    "result_person",
    metadata,
    Column("result_id", Uuid, ForeignKey("result.id"), primary_key=True),
    Column("person_id", Uuid, primary_key=True),
    Index("ix_result_person_person_id", "person_id"),
)
"""Whose data were shown: what a citizen's tracker reads."""
