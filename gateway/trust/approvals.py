"""Persons approve what changes an agency's keys, and what follows from it.

Each types the end of the fingerprint as it was read to him on the phone. What they decided stands
in the log; who they are is only committed to there. With the last approval the statement counts;
with the first statement of an agency, so do the agency and the grants drawn up at its creation.

Source: trust.md 1.5 (steps 4 and 5), 1.8.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.errors import Conflict, NotFound, TooMany
from gateway.ledger import service as ledger
from gateway.trust import rules, store, store_enrolments, store_keys
from gateway.trust.model import (
    LOCK_TIME,
    TRIES,
    AgencyState,
    ApprovalState,
    Approver,
    Outcome,
)
from gateway.trust.standing import changes_recovery, count
from keys.canonical import digest, to_moment
from keys.succession import RECOVERY_WAIT, Rule

_BY_TICKET = frozenset({Rule.ENROL.value, Rule.REENROL.value})


def approve(
    session: Session, agency: str, approver: Approver, last_groups: str, now: datetime
) -> ApprovalState:
    """One person's approval, by the last two groups of the fingerprint as read to him.

    The fingerprint is that of the one new key, or else of the statement itself. A wrong answer is
    counted and *returned*, so that the caller commits the count; the third in a row closes the
    approval for 15 minutes.

    Raises:
        NotFound: no such agency.
        Conflict: nothing waits for approval, or this person has approved already.
        Forbidden: this person created the agency or made the ticket to enrol anew, or his role
            may not approve.
        TooMany: closed after three wrong answers (`approval.locked`).
    """
    row = known_agency(session, agency)
    keyset = _waiting(session, agency)
    given = store.find_approvals(session, agency, keyset.payload_sha256)
    created_by = row.created_by if keyset.rule == Rule.ENROL else maker_of(session, keyset)
    rules.check_approver(approver, created_by, given)
    _check_lock(keyset, now)
    if not rules.is_end_of(keyset.fingerprint, last_groups):
        left = _count_wrong(session, keyset, now)
        return ApprovalState(Outcome.WRONG_GROUPS, len(given), left)
    _record(session, keyset, approver, now)
    store.set_keyset(session, keyset, wrong=0, locked_until=None)
    if len(given) + 1 < keyset.persons:
        return ApprovalState(Outcome.RECORDED, len(given) + 1, TRIES)
    _complete(session, keyset, now)
    return ApprovalState(Outcome.COMPLETED, len(given) + 1, TRIES)


def maker_of(session: Session, keyset: Row[Any]) -> str:
    """Who made the ticket to enrol anew under which a statement came; nobody for all others."""
    return store_enrolments.maker_of(session, keyset.agency, keyset.payload_sha256) or ""


def record_first(session: Session, keyset: Row[Any], approver: Approver, now: datetime) -> None:
    """The approval of the person who drew a statement up at the centre, by his own hand.

    Raises:
        Forbidden: his role may not (`approval.role`).
    """
    rules.check_approver(approver, "", ())
    _record(session, keyset, approver, now)


def reject(session: Session, agency: str, approver: Approver, now: datetime) -> None:
    """Refuse a statement whose fingerprint was not the agency's; a first one needs a new ticket.

    Raises:
        NotFound: no such agency.
        Conflict: nothing waits for approval.
        Forbidden: this person's role may not approve, so it may not reject either.
    """
    known_agency(session, agency)
    keyset = _pending(session, agency)
    rules.check_role(approver)
    store.set_keyset(session, keyset, rejected_at=now)
    decide(session, "reject_key", _about(keyset), approver, now)
    if keyset.rule == Rule.ENROL:
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


def decide(
    session: Session, kind: str, about: Mapping[str, Any], approver: Approver, now: datetime
) -> bytes:
    """Log a person's decision; who he is is committed to, not written. Its leaf (32 bytes).

    `about`: `agency`, `version`, and `subject`, the hash of what he decided on; `reason` if any.
    """
    detail = {
        **about,
        "kind": kind,
        "officer": approver.officer_id,
        "role": approver.role,
        "at": to_moment(now),
    }
    entry = {
        "t": "decision",
        "kind": kind,
        "agency": about["agency"],
        "version": about["version"],
        "role": approver.role,
        "subject": about["subject"],
    }
    return ledger.append_committed(session, entry, detail)


def _waiting(session: Session, agency: str) -> Row[Any]:
    """The statement that waits for persons."""
    keyset = _pending(session, agency)
    if keyset.counts_from is not None:
        raise _nothing_waits()
    return keyset


def _pending(session: Session, agency: str) -> Row[Any]:
    """The statement that waits for persons, or approved for its time."""
    keyset = store.pending_keyset(session, agency)
    if keyset is None:
        raise _nothing_waits()
    return keyset


def _nothing_waits() -> Conflict:
    return Conflict("enrolment.not_pending", "No key of this agency waits for approval.")


def _about(keyset: Row[Any]) -> dict[str, Any]:
    return {
        "agency": keyset.agency,
        "version": keyset.version,
        "subject": keyset.payload_sha256.hex(),
    }


def _record(session: Session, keyset: Row[Any], approver: Approver, now: datetime) -> None:
    leaf = decide(session, "approve_key", _about(keyset), approver, now)
    store_keys.add_approval(
        session,
        {
            "agency": keyset.agency,
            "keyset_sha256": keyset.payload_sha256,
            "officer_id": approver.officer_id,
            "role": approver.role,
            "at": now,
            "leaf": leaf,
        },
    )


def _complete(session: Session, keyset: Row[Any], now: datetime) -> None:
    """Enough persons approved: the statement counts, or waits for objections."""
    if keyset.rule == Rule.AMEND and changes_recovery(session, keyset):
        store.set_keyset(session, keyset, counts_from=now + RECOVERY_WAIT)
        return
    count(session, keyset, now)
    if keyset.rule in _BY_TICKET:
        _let_in(session, keyset, now)


def _let_in(session: Session, keyset: Row[Any], now: datetime) -> None:
    """The agency and the grants drawn up for it begin to count, and the log says so."""
    grants = store.find_grants(session, keyset.agency)
    leaf = ledger.append(
        session,
        {
            "t": "decision",
            "kind": "grant",
            **_about(keyset),
            "statement": digest(grants_json(grants)).hex(),
        },
    )
    store_keys.start_grants(session, keyset.agency, leaf, now)
    store_keys.set_agency(session, keyset.agency, state=AgencyState.ACTIVE.value, enrolled_at=now)


def grants_json(grants: Sequence[Row[Any]]) -> list[dict[str, str]]:
    """The grants as the log's entry hashes them."""
    return [{"action": g.action, "basis": g.basis, "record_type": g.record_type} for g in grants]
