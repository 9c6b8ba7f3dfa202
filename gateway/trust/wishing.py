"""The centre asks an agency's connector for a new key; only the agency itself can make one.

The wish is an entry of the log, which every connector reads each minute: so it reaches a connector
that cannot be called, and nobody can make it in secret. A wish that was carried out, or that comes
within a day of the last rotation, changes nothing (rule R2).

Source: trust.md 1.4 (rule R2), 1.6.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from gateway.errors import Conflict
from gateway.ledger import service as ledger
from gateway.trust import approvals, rules, store_keys, store_wishes
from gateway.trust.model import AgencyState, Approver
from gateway.trust.standing import standing_of
from keys.succession import ROTATION_PAUSE


def ask_for_rotation(session: Session, agency: str, person: Approver, now: datetime) -> bytes:
    """Write the wish into the log, with the person's decision; returns its leaf (32 bytes).

    Raises:
        NotFound: there is no such agency, or it has no keyset yet.
        Forbidden: the person's role may not (`approval.role`).
        Conflict: the agency does not publish now (`agency.inactive`), or a connector of it replaced
            its key less than a day ago (`keyset.pause`).
    """
    row = approvals.known_agency(session, agency)
    rules.check_role(person)
    standing = standing_of(session, agency)
    if row.state != AgencyState.ACTIVE:
        raise Conflict("agency.inactive", "The agency does not publish now; nothing was asked.")
    newest = max(store_keys.rotated(session, agency).values(), default=None)
    if newest is not None and now < newest + ROTATION_PAUSE:
        raise Conflict(
            "keyset.pause", "A key of it was replaced less than a day ago; nothing was asked."
        )
    about = {
        "agency": agency,
        "version": standing.keyset.version,
        "subject": standing.payload_sha256.hex(),
    }
    approvals.decide(session, "ask_rotation", about, person, now)
    entry = {"t": "wish", "agency": agency, "kind": "rotate", "version": standing.keyset.version}
    leaf = ledger.append(session, entry)
    who = {"officer_id": person.officer_id, "role": person.role}
    store_wishes.add(session, {"agency": agency, **who, "at": now, "leaf": leaf})
    return leaf
