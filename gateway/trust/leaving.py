"""An agency leaves: its keys and grants end, and what it said is kept by law or withdrawn.

What becomes of its assertions stands in the statement itself, which two persons approve and the log
holds; workers carry it out. Nothing is lost by it: every batch stays provable, and an agency that
comes again by a ticket attests what it stands by, or publishes anew.

Source: trust.md 1.4; NIST SP 800-57 Part 1 §8.4 (what becomes of keys at the end).
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from gateway.errors import Conflict
from gateway.ledger.model import check
from gateway.trust import approvals, keylife, store_departures
from gateway.trust.model import Approver, Fate, Submitted
from gateway.trust.standing import standing_of
from keys import dsse
from keys.keyset import PAYLOAD_TYPE, STATEMENT_LIFE, KeyEntry, Keyset, encode
from keys.signers import Signer


@dataclass(frozen=True, slots=True)
class Parting:
    """Which agency leaves, what becomes of what it said, and why, as a code of a-z and _."""

    agency: str
    fate: Fate
    reason: str


def compose(session: Session, parting: Parting, now: datetime) -> Keyset:
    """The statement by which every key of the agency ends now.

    Raises:
        NotFound: the agency has no keyset (`keyset.none`).
        Conflict: it has left (`agency.left`).
    """
    standing = standing_of(session, parting.agency)
    old = standing.keyset
    if all(_has_ended(entry, now) for entry in old.keys.values()):
        raise Conflict("agency.left", "The agency has left; all of its keys have ended.")
    return replace(
        old,
        version=old.version + 1,
        prev=standing.payload_sha256,
        issued=now,
        expires=now + STATEMENT_LIFE,
        keys={
            kid: entry if _has_ended(entry, now) else replace(entry, sign_until=now)
            for kid, entry in old.keys.items()
        },
        reason=parting.fate.statement,
    )


def leave(
    session: Session, parting: Parting, person: Approver, signer: Signer, now: datetime
) -> Submitted:
    """The centre states for two persons that the agency leaves; `person` is the first of them.

    Raises:
        Forbidden: his role may not (`approval.role`).
        NotFound: no such agency, or it has no keys.
        Refused: the reason is no code (`log.value`).
        Conflict: it has left (`agency.left`), or another statement waits (`keyset.pending`).
    """
    check({"t": "decision", "kind": parting.reason})  # it is a code, and nobody's words
    approvals.known_agency(session, parting.agency)
    data = dsse.seal(PAYLOAD_TYPE, encode(compose(session, parting, now)), [signer])
    made = keylife.submit(session, parting.agency, data, {signer.kid: signer.public}, now)
    row = keylife.kept(session, parting.agency, made.payload_sha256)
    approvals.record_first(session, row, person, now)
    store_departures.draw_up(
        session,
        {
            "agency": parting.agency,
            "keyset_sha256": made.payload_sha256,
            "fate": parting.fate.value,
            "reason": parting.reason,
        },
    )
    return keylife.shown(session, row)


def _has_ended(entry: KeyEntry, now: datetime) -> bool:
    return entry.sign_until is not None and entry.sign_until <= now
