"""Two persons approve an agency's key, and what follows: the agency, its key and grants count.

Each of the two types the end of the fingerprint as it was read to him on the phone. What they
decided stands in the log; who they are is only committed to there. With the second approval the
agency, its keys and the grants drawn up at its creation become active, in one transaction.

Source: trust.md 1.5 (steps 4 and 5), 1.8.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, update
from sqlalchemy.orm import Session

from gateway.errors import Conflict, NotFound, TooMany
from gateway.ledger import service as ledger
from gateway.ledger.commitment import commit
from gateway.trust import rules, store
from gateway.trust.model import (
    LOCK_TIME,
    TRIES,
    AgencyState,
    ApprovalState,
    Approver,
    Outcome,
)
from keys.bundle import keyset_entry
from keys.canonical import digest, to_moment


def approve(
    session: Session, agency: str, approver: Approver, last_groups: str, now: datetime
) -> ApprovalState:
    """One person's approval, by the last two groups of the fingerprint as read to him.

    A wrong answer is counted and *returned*, so that the caller commits the count; the third in a
    row closes the approval for 15 minutes.

    Raises:
        NotFound: no such agency.
        Conflict: nothing waits for approval, or this person has approved already.
        Forbidden: this person created the agency, or his role may not approve.
        TooMany: closed after three wrong answers (`approval.locked`).
    """
    row = known_agency(session, agency)
    keyset = store.current_keyset(session, agency)
    if row.state != AgencyState.PENDING.value or keyset is None:
        raise Conflict("enrolment.not_pending", "No key of this agency waits for approval.")
    given = store.find_approvals(session, agency, keyset.payload_sha256)
    rules.check_approver(approver, row.created_by, given)
    _check_lock(keyset, now)
    if not rules.is_end_of(keyset.fingerprint, last_groups):
        left = _count_wrong(session, keyset, now)
        return ApprovalState(Outcome.WRONG_GROUPS, len(given), left)
    _record(session, keyset, approver, now)
    store.set_keyset(session, keyset, wrong=0, locked_until=None)
    if not given:
        return ApprovalState(Outcome.RECORDED, 1, TRIES)
    _activate(session, keyset, now)
    return ApprovalState(Outcome.COMPLETED, len(given) + 1, TRIES)


def reject(session: Session, agency: str, approver: Approver, now: datetime) -> None:
    """Refuse a keyset whose fingerprint was not the agency's: it needs a new ticket and new keys.

    Raises:
        NotFound: no such agency.
        Conflict: nothing waits for approval.
        Forbidden: this person's role may not approve, so it may not reject either.
    """
    row = known_agency(session, agency)
    keyset = store.current_keyset(session, agency)
    if row.state != AgencyState.PENDING.value or keyset is None:
        raise Conflict("enrolment.not_pending", "No key of this agency waits for approval.")
    rules.check_role(approver)
    store.set_keyset(session, keyset, rejected_at=now)
    _decide(session, "reject_key", keyset, approver, now)
    store.set_state(session, agency, AgencyState.INVITED)


def known_agency(session: Session, code: str) -> Row[Any]:
    """The agency's row, locked until the transaction ends.

    Raises:
        NotFound: there is none of this code.
    """
    row = store.lock_agency(session, code)
    if row is None:
        raise NotFound("agency.unknown", "There is no agency of this code.")
    return row


def _check_lock(keyset: Row[Any], now: datetime) -> None:
    if keyset.locked_until is not None and now < keyset.locked_until:
        wait = int((keyset.locked_until - now).total_seconds()) + 1
        raise TooMany(
            "approval.locked",
            "Three wrong answers: the approval is closed for 15 minutes.",
            retry_after=wait,
        )


def _count_wrong(session: Session, keyset: Row[Any], now: datetime) -> int:
    wrong = int(keyset.wrong) + 1
    if wrong < TRIES:
        store.set_keyset(session, keyset, wrong=wrong)
        return TRIES - wrong
    store.set_keyset(session, keyset, wrong=0, locked_until=now + LOCK_TIME)
    return 0


def _record(session: Session, keyset: Row[Any], approver: Approver, now: datetime) -> None:
    salt, leaf = _decide(session, "approve_key", keyset, approver, now)
    session.execute(
        store.approval.insert().values(
            agency=keyset.agency,
            keyset_sha256=keyset.payload_sha256,
            officer_id=approver.officer_id,
            role=approver.role,
            at=now,
            salt=salt,
            leaf=leaf,
        )
    )


def _decide(
    session: Session, kind: str, keyset: Row[Any], approver: Approver, now: datetime
) -> tuple[bytes, bytes]:
    """Log a person's decision over a keyset; who he is is committed to, not written. Salt, leaf."""
    detail = {
        "kind": kind,
        "agency": keyset.agency,
        "keyset_sha256": keyset.payload_sha256.hex(),
        "officer": approver.officer_id,
        "role": approver.role,
        "at": to_moment(now),
    }
    made = commit(detail)
    entry = {
        "t": "decision",
        "kind": kind,
        "agency": keyset.agency,
        "version": keyset.version,
        "role": approver.role,
        "subject": keyset.payload_sha256.hex(),
        "commit": made.sha256.hex(),
    }
    return made.salt, ledger.append(session, entry)


def _activate(session: Session, keyset: Row[Any], now: datetime) -> None:
    """The keyset, its keys, the grants and the agency begin to count, and the log says so."""
    grants = store.find_grants(session, keyset.agency)
    keyset_leaf = ledger.append(
        session, keyset_entry(keyset.agency, keyset.version, keyset.envelope)
    )
    grant_leaf = ledger.append(
        session,
        {
            "t": "decision",
            "kind": "grant",
            "agency": keyset.agency,
            "version": keyset.version,
            "subject": keyset.payload_sha256.hex(),
            "statement": digest(_grants_json(grants)).hex(),
        },
    )
    store.set_keyset(session, keyset, leaf=keyset_leaf)
    session.execute(
        update(store.key)
        .where(
            store.key.c.agency == keyset.agency,
            store.key.c.keyset_sha256 == keyset.payload_sha256,
        )
        .values(approved_at=now)
    )
    session.execute(
        update(store.grant_)
        .where(store.grant_.c.agency == keyset.agency, store.grant_.c.valid_from.is_(None))
        .values(valid_from=now, leaf=grant_leaf)
    )
    session.execute(
        update(store.agency)
        .where(store.agency.c.code == keyset.agency)
        .values(state=AgencyState.ACTIVE.value, enrolled_at=now)
    )


def _grants_json(grants: Sequence[Row[Any]]) -> list[dict[str, str]]:
    return [{"action": g.action, "basis": g.basis, "record_type": g.record_type} for g in grants]
