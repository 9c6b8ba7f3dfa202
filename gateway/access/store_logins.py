"""Tables and statements of logging in: workstations, recovery codes, resets, confirmations."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    LargeBinary,
    Row,
    Select,
    Table,
    Text,
    Uuid,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from gateway.access.store import login_session, officer
from gateway.storage.base import metadata

_MOMENT = DateTime(timezone=True)

workstation = Table(
    "workstation",
    metadata,
    Column("device", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
    Column("made_by", Uuid, ForeignKey("officer.id"), nullable=False),
    Column("made_at", _MOMENT, nullable=False),
)
"""Computers of the office, whose screen locks where others' sessions end."""

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("officer_id", Uuid, ForeignKey("officer.id"), primary_key=True),
    Column("code_hash", LargeBinary, primary_key=True),
)
"""Codes for whoever lost his phone; a used one is deleted."""

officer_reset = Table(
    "officer_reset",
    metadata,
    Column("officer_id", Uuid, ForeignKey("officer.id"), primary_key=True),
    Column("first_by", Uuid, ForeignKey("officer.id"), nullable=False),
    Column("at", _MOMENT, nullable=False),
)
"""The first of two persons wants somebody's login reset; the second one ends it."""

confirmation = Table(
    "confirmation",
    metadata,
    Column("leaf", LargeBinary, primary_key=True),
    Column("officer_id", Uuid, ForeignKey("officer.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("statement", LargeBinary, nullable=False),
    Column("at", _MOMENT, nullable=False),
)
"""Who confirmed which text; the log has its hash at `leaf`."""


def find_officer(session: Session, username: str) -> Row[Any] | None:
    """The officer of that user name (lower case), also a disabled one."""
    return session.execute(select(officer).where(officer.c.username == username)).one_or_none()


def get_officer(session: Session, officer_id: UUID) -> Row[Any]:
    """The officer of that id."""
    return session.execute(select(officer).where(officer.c.id == officer_id)).one()


def add_officer(session: Session, values: Mapping[str, Any]) -> UUID | None:
    """A new officer's id; None if the user name is taken."""
    made: UUID | None = session.scalar(
        upsert(officer).values(**values).on_conflict_do_nothing().returning(officer.c.id)
    )
    return made


def set_officer(session: Session, officer_id: UUID, **values: Any) -> None:
    """Change columns of an officer."""
    session.execute(update(officer).where(officer.c.id == officer_id).values(**values))


def count_login(session: Session, officer_id: UUID, now: datetime) -> None:
    """The officer logged in once more; the time before this one is kept, to be shown to him."""
    before = {"login_before": officer.c.last_login, "last_login": now}
    set_officer(session, officer_id, logins=officer.c.logins + 1, **before)


def use_step(session: Session, officer_id: UUID, step: int) -> bool:
    """Use up the codes until `step`; False if that one was used already."""
    done = session.execute(
        update(officer)
        .where(
            officer.c.id == officer_id,
            officer.c.totp_step.is_(None) | (officer.c.totp_step < step),
        )
        .values(totp_step=step)
        .returning(officer.c.id)
    )
    return done.one_or_none() is not None


def put_codes(session: Session, officer_id: UUID, hashes: Sequence[bytes]) -> None:
    """These are the officer's recovery codes; earlier ones are void."""
    session.execute(delete(recovery_code).where(recovery_code.c.officer_id == officer_id))
    if hashes:
        rows = [{"officer_id": officer_id, "code_hash": each} for each in hashes]
        session.execute(insert(recovery_code), rows)


def use_code(session: Session, officer_id: UUID, code_hash: bytes) -> bool:
    """Use up a recovery code; False if the officer has none such."""
    done = session.execute(
        delete(recovery_code)
        .where(recovery_code.c.officer_id == officer_id, recovery_code.c.code_hash == code_hash)
        .returning(recovery_code.c.officer_id)
    )
    return done.one_or_none() is not None


def add_session(session: Session, values: Mapping[str, Any]) -> None:
    session.execute(login_session.insert().values(**values))


_FIND: Select[Any] = (
    select(
        *(c for c in login_session.c if c.name != "made_at"),
        login_session.c.made_at.label("opened_at"),
        workstation.c.name.label("workstation"),
        *(c for c in officer.c if c.name not in {"id", "made_at"}),
    )
    .join(officer, officer.c.id == login_session.c.officer_id)
    .outerjoin(workstation, workstation.c.device == login_session.c.device)
    .where(~officer.c.disabled)
)


def find_session(session: Session, token_hash: bytes, made_after: datetime) -> Row[Any] | None:
    """A session opened after `made_after`, with its officer and the name of its workstation."""
    return session.execute(
        _FIND.where(login_session.c.token_hash == token_hash, login_session.c.made_at > made_after)
    ).one_or_none()


def sessions_of(session: Session, officer_id: UUID, made_after: datetime) -> Sequence[Row[Any]]:
    """An officer's sessions, the one used last first."""
    return session.execute(
        _FIND.where(
            login_session.c.officer_id == officer_id, login_session.c.made_at > made_after
        ).order_by(login_session.c.seen_at.desc())
    ).all()


def set_session(session: Session, session_id: UUID, **values: Any) -> None:
    """Change columns of a session."""
    session.execute(update(login_session).where(login_session.c.id == session_id).values(**values))


def count_wrong(session: Session, session_id: UUID) -> int:
    """Count one more try at a locked screen; how many there were."""
    made = update(login_session).where(login_session.c.id == session_id)
    n: int | None = session.scalar(
        made.values(wrong=login_session.c.wrong + 1).returning(login_session.c.wrong)
    )
    return n or 0


def drop_session(session: Session, token_hash: bytes) -> None:
    session.execute(delete(login_session).where(login_session.c.token_hash == token_hash))


def drop_device(session: Session, device: bytes) -> None:
    """End whatever session the device has."""
    session.execute(delete(login_session).where(login_session.c.device == device))


def drop_sessions(
    session: Session, officer_id: UUID, only: UUID | None = None, but: UUID | None = None
) -> int:
    """End all sessions of an officer, or `only` that one, or all `but` that one; how many."""
    chosen = delete(login_session).where(login_session.c.officer_id == officer_id)
    if only is not None:
        chosen = chosen.where(login_session.c.id == only)
    if but is not None:
        chosen = chosen.where(login_session.c.id != but)
    return len(session.scalars(chosen.returning(login_session.c.id)).all())


def put_workstation(session: Session, values: Mapping[str, Any]) -> None:
    """Register a computer of the office, or give it another name."""
    made = upsert(workstation).values(**values)
    session.execute(
        made.on_conflict_do_update(index_elements=["device"], set_={"name": values["name"]})
    )


def workstations(session: Session) -> Sequence[Row[Any]]:
    """All computers of the office, by name."""
    return session.execute(select(workstation).order_by(workstation.c.name)).all()


def drop_workstation(session: Session, device: bytes) -> None:
    """The computer is none of the office's any more, and its session ends."""
    drop_device(session, device)
    session.execute(delete(workstation).where(workstation.c.device == device))


def lock_reset(session: Session, officer_id: UUID) -> Row[Any] | None:
    """The reset that one person began, locked; the officer's row stands in line for it."""
    session.execute(select(officer.c.id).where(officer.c.id == officer_id).with_for_update())
    return session.execute(
        select(officer_reset).where(officer_reset.c.officer_id == officer_id)
    ).one_or_none()


def put_reset(session: Session, officer_id: UUID, first_by: UUID, at: datetime) -> None:
    drop_reset(session, officer_id)
    session.execute(insert(officer_reset).values(officer_id=officer_id, first_by=first_by, at=at))


def drop_reset(session: Session, officer_id: UUID) -> None:
    session.execute(delete(officer_reset).where(officer_reset.c.officer_id == officer_id))


def add_confirmation(session: Session, values: Mapping[str, Any]) -> None:
    session.execute(insert(confirmation).values(**values))


def confirmed_text(session: Session, leaf: bytes) -> bytes | None:
    """The statement that was confirmed by the entry of this leaf."""
    found: bytes | None = session.scalar(
        select(confirmation.c.statement).where(confirmation.c.leaf == leaf)
    )
    return found


def confirmations(session: Session, subject: str) -> Sequence[Row[Any]]:
    """What was confirmed about a subject, with the officer's `name`, oldest first."""
    return session.execute(
        select(confirmation, officer.c.name)
        .join(officer, officer.c.id == confirmation.c.officer_id)
        .where(confirmation.c.subject == subject)
        .order_by(confirmation.c.at)
    ).all()
