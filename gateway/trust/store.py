"""Tables of trust: agencies, tickets, keysets, keys, approvals, grants, and short-lived counts."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.storage.base import metadata
from gateway.storage.quick import Quick
from gateway.trust.model import PUBLISH, AgencyState, Approval
from keys.keyset import KeyEntry
from keys.signers import PublicKey

_MOMENT = DateTime(timezone=True)
_COUNTS = text("leaf is not null")
_STATES = ", ".join(f"'{state.value}'" for state in AgencyState)

agency = Table(
    "agency",
    metadata,
    Column("code", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("enrolled_at", _MOMENT),
    CheckConstraint(f"state in ({_STATES})", name="state"),
    CheckConstraint("code ~ '^[a-z0-9-]{1,40}$'", name="code"),
)
ticket = Table(
    "ticket",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agency", Text, ForeignKey(agency.c.code), nullable=False, index=True),
    # Derived from the secret by SHA-256; the secret itself is on the ticket alone.
    Column("secret_key", LargeBinary, nullable=False),
    Column("expires", _MOMENT, nullable=False),
    Column("used_at", _MOMENT),
    Column("void", _MOMENT),
    # The newest challenge; an older one is answered in vain.
    Column("nonce", Text),
    Column("nonce_expires", _MOMENT),
    # Of a ticket to enrol anew: who made it, and so may not approve what comes under it.
    Column("made_by", Text),
    Column("keyset_sha256", LargeBinary),
)
keyset = Table(
    "keyset",
    metadata,
    Column("agency", Text, ForeignKey(agency.c.code), primary_key=True),
    Column("payload_sha256", LargeBinary, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("received_at", _MOMENT, nullable=False),
    # Under which rule it changes the keys, and how many persons must approve that.
    Column("rule", Text, nullable=False, server_default="enrol"),
    Column("persons", Integer, nullable=False, server_default="2"),
    # Approved, but open to objection until then.
    Column("counts_from", _MOMENT),
    Column("rejected_at", _MOMENT),
    Column("wrong", Integer, nullable=False, server_default="0"),
    Column("locked_until", _MOMENT),
    Column("leaf", LargeBinary),
    CheckConstraint("leaf is null or rejected_at is null", name="fate"),
    Index("uq_keyset_version", "agency", "version", unique=True, postgresql_where=_COUNTS),
)
key = Table(
    "key",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("agency", Text, ForeignKey(agency.c.code), nullable=False, index=True),
    Column("keyset_sha256", LargeBinary, nullable=False),
    Column("alg", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("uses", ARRAY(Text), nullable=False),
    Column("instance", Text, nullable=False),
    Column("not_before", _MOMENT, nullable=False),
    Column("not_after", _MOMENT, nullable=False),
    Column("sign_until", _MOMENT),
    Column("approved_at", _MOMENT),
    Column("suspended_at", _MOMENT),
    Column("revoked_at", _MOMENT),
    # Its connector said that the private half is gone.
    Column("destroyed_at", _MOMENT),
    # A key that was enrolled anywhere, ever, is never taken again.
    UniqueConstraint("raw"),
    # What else may not happen to a key stands in the trigger `key_edges` (migration 0009).
    CheckConstraint(
        "approved_at is not null"
        " or (suspended_at is null and revoked_at is null and destroyed_at is null)",
        name="approved",
    ),
    CheckConstraint(
        "destroyed_at is null or revoked_at is not null"
        " or destroyed_at >= least(sign_until, not_after)",
        name="destroyed",
    ),
)
approval = Table(
    "approval",
    metadata,
    Column("agency", Text, ForeignKey(agency.c.code), primary_key=True),
    Column("keyset_sha256", LargeBinary, primary_key=True),
    Column("officer_id", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("at", _MOMENT, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)
grant_ = Table(
    "grant_",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("agency", Text, ForeignKey(agency.c.code), nullable=False),
    Column("record_type", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("drawn_up_at", _MOMENT, nullable=False),
    Column("valid_from", _MOMENT),
    Column("valid_until", _MOMENT),
    Column("leaf", LargeBinary),
    # One that has ended stays as it was; the next one is a row of its own.
    Index(
        "uq_grant_open",
        *("agency", "record_type", "action"),
        unique=True,
        postgresql_where=text("valid_until is null"),
    ),
)
known_key = Table(
    "known_key",
    metadata,
    # Of a signing, witness or recovery key: whatever was in a keyset once is never taken again.
    Column("raw", LargeBinary, primary_key=True),
    Column("agency", Text, ForeignKey(agency.c.code), nullable=False),
    Column("keyset_sha256", LargeBinary, nullable=False),
)


def lock_agency(session: Session, code: str) -> Row[Any] | None:
    """The agency's row, locked until the transaction ends."""
    return session.execute(
        select(agency).where(agency.c.code == code).with_for_update()
    ).one_or_none()


def set_state(session: Session, code: str, state: AgencyState) -> None:
    """Say how far an agency has come."""
    session.execute(update(agency).where(agency.c.code == code).values(state=state.value))


def lock_ticket(session: Session, code: str, ticket_id: str) -> Row[Any] | None:
    """The agency's ticket of that id, locked until the transaction ends."""
    return session.execute(
        select(ticket).where(ticket.c.id == ticket_id, ticket.c.agency == code).with_for_update()
    ).one_or_none()


def void_tickets(session: Session, code: str, now: datetime) -> None:
    """No open ticket of the agency is good any more."""
    session.execute(
        update(ticket)
        .where(ticket.c.agency == code, ticket.c.used_at.is_(None), ticket.c.void.is_(None))
        .values(void=now)
    )


def current_keyset(session: Session, code: str) -> Row[Any] | None:
    """The agency's newest keyset that was not rejected, approved or not."""
    return _newest(session, code, keyset.c.rejected_at.is_(None))


def keyset_in_force(session: Session, code: str) -> Row[Any] | None:
    """The agency's newest keyset that counts."""
    return _newest(session, code, keyset.c.leaf.is_not(None))


def pending_keyset(session: Session, code: str) -> Row[Any] | None:
    """The agency's keyset that waits for approvals, or for its time."""
    return _newest(session, code, keyset.c.leaf.is_(None), keyset.c.rejected_at.is_(None))


def _newest(session: Session, code: str, *which: ColumnElement[bool]) -> Row[Any] | None:
    return session.execute(
        select(keyset)
        .where(keyset.c.agency == code, *which)
        .order_by(keyset.c.version.desc(), keyset.c.received_at.desc())
        .limit(1)
    ).one_or_none()


def set_keyset(session: Session, row: Row[Any], **values: Any) -> None:
    """Change columns of a keyset."""
    session.execute(
        update(keyset)
        .where(keyset.c.agency == row.agency, keyset.c.payload_sha256 == row.payload_sha256)
        .values(**values)
    )


def known_raws(session: Session, raws: Collection[bytes]) -> set[bytes]:
    """Those of the raw keys that stood in a keyset before, anywhere."""
    return set(session.scalars(select(known_key.c.raw).where(known_key.c.raw.in_(list(raws)))))


def add_known(session: Session, code: str, keyset_sha256: bytes, raws: Collection[bytes]) -> bool:
    """Remember raw keys for ever; False if one of them was known, perhaps since a moment ago."""
    rows = [{"raw": raw, "agency": code, "keyset_sha256": keyset_sha256} for raw in raws]
    done = session.scalars(
        insert(known_key).on_conflict_do_nothing().returning(known_key.c.raw), rows
    )
    return len(done.all()) == len(rows)


def add_key(session: Session, code: str, keyset_sha256: bytes, entry: KeyEntry) -> None:
    """Keep a signing key of a keyset, which `add_known` has found to be new."""
    session.execute(
        insert(key).values(
            kid=entry.kid,
            agency=code,
            keyset_sha256=keyset_sha256,
            alg=entry.alg,
            raw=entry.public.raw,
            uses=sorted(entry.uses),
            instance=entry.instance,
            not_before=entry.not_before,
            not_after=entry.not_after,
            sign_until=entry.sign_until,
        )
    )


# Built once: every request of a connector asks this.
_FIND_KEY = (
    select(key, agency.c.state.label("agency_state"))
    .join(agency, agency.c.code == key.c.agency)
    .where(key.c.agency == bindparam("code"), key.c.kid == bindparam("kid"))
)


def find_key(session: Session, code: str, kid: str) -> Row[Any] | None:
    """The key with its agency's state as `agency_state`."""
    return session.execute(_FIND_KEY, {"code": code, "kid": kid}).one_or_none()


_FIND_PUBLISHER = Quick(
    _FIND_KEY.add_columns(
        select(grant_.c.id)
        .where(
            grant_.c.agency == key.c.agency,
            grant_.c.record_type == bindparam("record_type"),
            grant_.c.action == PUBLISH,
            grant_.c.valid_from <= bindparam("now"),
            or_(grant_.c.valid_until.is_(None), grant_.c.valid_until > bindparam("now")),
        )
        .exists()
        .label("granted")
    )
)


def find_publisher(session: Session, code: str, kid: str, record_type: str, now: datetime) -> Any:
    """As `find_key`, with `granted`: an approved grant lets the agency publish that type now."""
    asked = {"code": code, "kid": kid, "record_type": record_type, "now": now}
    return _FIND_PUBLISHER.one(session, asked)


def entry_of(row: Row[Any]) -> KeyEntry:
    """A row of `key` as the pure rules read it."""
    return KeyEntry(
        kid=row.kid,
        public=PublicKey.parse(row.alg, row.raw),
        uses=frozenset(row.uses),
        instance=row.instance,
        not_before=row.not_before,
        not_after=row.not_after,
        sign_until=row.sign_until,
    )


def find_approvals(session: Session, code: str, keyset_sha256: bytes) -> tuple[Approval, ...]:
    """The approvals of a keyset, oldest first."""
    rows = session.execute(
        select(approval.c.officer_id, approval.c.role, approval.c.at)
        .where(approval.c.agency == code, approval.c.keyset_sha256 == keyset_sha256)
        .order_by(approval.c.at, approval.c.officer_id)
    )
    return tuple(Approval(row.officer_id, row.role, row.at) for row in rows)


def find_grants(session: Session, code: str) -> Sequence[Row[Any]]:
    """The agency's grants, drawn up or approved, that have not ended, by record type."""
    return session.execute(
        select(grant_)
        .where(grant_.c.agency == code, grant_.c.valid_until.is_(None))
        .order_by(grant_.c.record_type, grant_.c.action)
    ).all()


def find_agencies(session: Session, code: str | None = None) -> Sequence[Row[Any]]:
    """All agencies, or one, each with what it may publish, by code."""
    grants = (
        select(func.array_agg(grant_.c.record_type))
        .where(
            grant_.c.agency == agency.c.code,
            grant_.c.action == PUBLISH,
            grant_.c.valid_until.is_(None),
        )
        .scalar_subquery()
    )
    query = select(agency, grants.label("record_types")).order_by(agency.c.code)
    return session.execute(query if code is None else query.where(agency.c.code == code)).all()
