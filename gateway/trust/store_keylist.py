"""What the administrators' pages read of keys, keysets and approvals."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from gateway.trust.store import agency, approval, key, keyset
from gateway.trust.store_keys import suspension
from gateway.trust.store_revocations import revocation


def keys(session: Session, code: str | None = None) -> Sequence[Row[Any]]:
    """All keys, or those of one agency, oldest first.

    Each has its agency's `label` and `agency_state`, and `revoked`: since when, where it is.
    """
    chosen = (
        select(
            key,
            agency.c.label,
            agency.c.state.label("agency_state"),
            revocation.c.since.label("revoked"),
        )
        .join(agency, agency.c.code == key.c.agency)
        .outerjoin(revocation, revocation.c.kid == key.c.kid)
        .order_by(key.c.agency, key.c.not_before, key.c.kid)
    )
    return session.execute(chosen if code is None else chosen.where(key.c.agency == code)).all()


def kept_by(session: Session, keepers: Sequence[str]) -> Sequence[Any]:
    """(agency, kid, instance) of the keys whose instance names one of these, not their own."""
    return session.execute(
        select(key.c.agency, key.c.kid, key.c.instance).where(
            key.c.instance.in_(keepers), key.c.instance != key.c.agency
        )
    ).all()


def keysets(session: Session, code: str) -> Sequence[Row[Any]]:
    """All keysets of an agency, also rejected ones, oldest first."""
    return session.execute(
        select(keyset).where(keyset.c.agency == code).order_by(keyset.c.received_at)
    ).all()


def approvals(session: Session, code: str) -> Sequence[Row[Any]]:
    """All approvals of an agency's keysets, oldest first."""
    return session.execute(
        select(approval).where(approval.c.agency == code).order_by(approval.c.at)
    ).all()


def suspensions(session: Session, code: str) -> Sequence[Row[Any]]:
    """All suspensions and resumptions of an agency's keys, oldest first."""
    return session.execute(
        select(suspension).where(suspension.c.agency == code).order_by(suspension.c.at)
    ).all()
