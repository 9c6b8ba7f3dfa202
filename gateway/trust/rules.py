"""The rules of approval: who may approve, and whether what he typed is what he was told.

Source: trust.md 1.5 (step 4) and 1.4 (rule R1).
"""

import hmac
from collections.abc import Sequence

from gateway.errors import Conflict, Forbidden
from gateway.trust.model import FIRST_APPROVER, SECOND_APPROVERS, Approval, Approver

_GROUPS = 2
_GROUP = 4


def check_approver(approver: Approver, created_by: str, given: Sequence[Approval]) -> None:
    """Return if this person may give the next approval.

    Raises:
        Forbidden: he created the agency or made its ticket to enrol anew (`approval.own`), or his
            role may not (`approval.role`).
        Conflict: he has approved already (`approval.same_person`).
    """
    who = _person(approver.officer_id)
    if who == _person(created_by):
        raise Forbidden(
            "approval.own", "Whoever created the agency or made its ticket may not approve its key."
        )
    if any(who == _person(earlier.officer_id) for earlier in given):
        raise Conflict("approval.same_person", "This person has approved; another one must follow.")
    if not given and approver.role != FIRST_APPROVER:
        raise Forbidden("approval.role", "The first approval is that of a key_admin.")
    check_role(approver)


def acting_role(roles: Sequence[str], given: int) -> str:
    """The first of a person's roles in which he may give the next approval, after `given` others.

    Raises:
        Forbidden: in none of them (`approval.role`).
    """
    may = SECOND_APPROVERS if given else {FIRST_APPROVER}
    found = next((role for role in roles if role in may), None)
    if found is None:
        wanted = " or ".join(sorted(may))
        raise Forbidden("approval.role", f"This approval is that of a {wanted}.")
    return found


def check_role(approver: Approver) -> None:
    """Return if persons of this role may approve keys at all.

    Raises:
        Forbidden: they may not (`approval.role`).
    """
    if approver.role not in SECOND_APPROVERS:
        raise Forbidden("approval.role", "This role may not approve keys.")


def is_end_of(fingerprint: str, typed: str) -> bool:
    """Whether `typed` is the last two groups of the fingerprint; case and spaces do not matter."""
    wanted = "".join(fingerprint.split())[-_GROUPS * _GROUP :]
    given = "".join(char for char in typed if not char.isspace() and char != "-").lower()
    return hmac.compare_digest(wanted.encode("ascii"), given.encode("utf-8"))


def _person(officer_id: str) -> str:
    return officer_id.strip().casefold()
