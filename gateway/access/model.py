"""Who looks, why, and what they may: the plain words of access. Knows no database."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NewType
from uuid import UUID

from gateway.errors import Forbidden, Refused

QueryId = NewType("QueryId", UUID)


class Role(StrEnum):
    """The fourteen roles of design/domain.md §1.1; `system` and `citizen` are actors, not roles."""

    COUNTER_OFFICER = "counter_officer"
    UPT_COORDINATOR = "upt_coordinator"
    FIELD_VERIFIER = "field_verifier"
    DATA_STEWARD = "data_steward"
    AGENCY_REVIEWER = "agency_reviewer"
    BENEFIT_OFFICER = "benefit_officer"
    AGENCY_IT = "agency_it"
    MAYOR_DELEGATE = "mayor_delegate"
    PARTNER_REVIEWER = "partner_reviewer"
    POKJA_MEMBER = "pokja_member"
    STEERING = "steering"
    KEY_ADMIN = "key_admin"
    OPERATOR = "operator"
    AUDITOR = "auditor"


WRITERS = frozenset(Role) - {Role.AUDITOR, Role.STEERING, Role.OPERATOR}
FORBIDDEN_PAIRS = (
    (Role.KEY_ADMIN, Role.OPERATOR),
    (Role.OPERATOR, Role.COUNTER_OFFICER),
    *((Role.AUDITOR, writer) for writer in sorted(WRITERS)),
)
"""Roles that one person may not hold together. Source: design/trust.md 4.2."""
FACTOR_ROLES = frozenset(
    {Role.KEY_ADMIN, Role.OPERATOR, Role.STEERING, Role.MAYOR_DELEGATE, Role.AUDITOR}
)
"""Roles that need a second factor from the second login on. Source: design/trust.md 4.8."""


class Action(StrEnum):
    """What can be asked of persons."""

    SEARCH = "search"
    PROFILE = "profile"
    REVEAL = "reveal"
    TRAIL = "trail"
    COMPARE = "compare"
    """See two persons side by side, to decide whether they are one."""
    JUDGE = "judge"
    """Decide it."""
    LIVE = "live"
    """Ask agencies at once what their own databases say."""
    CASE = "case"
    """See the person of a need that was referred to one's agency, to decide about it."""
    PROVE = "prove"
    """Take away the signed line of a record, in the clear."""
    PROVE_LOOK = "prove_look"
    """Take away who looked, what was asked and which persons were shown."""


class Purpose(StrEnum):
    """Why a person is looked up without a ticket. Source: design/domain.md §3.8."""

    NEW_COMPLAINT = "pengaduan_baru"
    SELF_CHECK = "cek_mandiri"
    DATA_REVIEW = "telaah_data"


class Duty(StrEnum):
    """What an officer has to do before anything else."""

    PASSWORD = "password"  # noqa: S105 -- the duty, not a password
    """Choose a password of his own, after a reset."""
    FACTOR = "factor"
    """Set up the second factor that his role needs."""


@dataclass(frozen=True, slots=True)
class Officer:
    """A named user who is logged in, or who proved his password to a command."""

    id: UUID
    username: str
    name: str
    unit: str
    roles: tuple[Role, ...]

    def acting_for(self, action: Action, purpose: Purpose | None = None) -> Role | None:
        """The first of his roles that may do `action`: at all, or for this purpose."""
        for role in self.roles:
            allowed = policy().get((role, action))
            if allowed is not None and (purpose is None or purpose in allowed):
                return role
        return None


@dataclass(frozen=True, slots=True)
class Asked:
    """One logged question: committed before its answer is computed."""

    id: QueryId
    action: Action
    purpose: Purpose
    role: Role
    terms: Mapping[str, str]
    leaf: bytes
    """Its entry in the log."""


@dataclass(frozen=True, slots=True)
class Look:
    """One line of the tracker: somebody looked, or asked and saw nothing."""

    query_id: UUID
    at: datetime
    officer: str
    role: str
    action: str
    purpose: str
    shown: int | None


def decide(officer: Officer, action: Action, purpose: Purpose | None) -> Role:
    """The role in which `officer` may do `action` for `purpose`: default deny.

    Raises:
        Forbidden: none of his roles may.
    """
    role = officer.acting_for(action, purpose)
    if role is not None:
        return role
    raise Forbidden(
        "access.denied",
        "Peran Anda tidak mencakup tindakan ini untuk keperluan tersebut.",
        action=action.value,
    )


def check_roles(roles: tuple[Role, ...]) -> None:
    """Refuse roles that one person may not hold together.

    Raises:
        Refused: a forbidden pair, or no role at all.
    """
    if not roles:
        raise Refused("roles.none", "Seorang petugas memerlukan sedikitnya satu peran.")
    for one, other in FORBIDDEN_PAIRS:
        if one in roles and other in roles:
            raise Refused(
                "roles.forbidden_pair",
                f"Peran {one.value} dan {other.value} tidak boleh dipegang orang yang sama.",
            )


@cache
def policy() -> Mapping[tuple[Role, Action], frozenset[Purpose]]:
    """The reviewed table `policy.csv`: (role, action) to the purposes it is allowed for."""
    path = Path(__file__).with_name("policy.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (Role(row["role"]), Action(row["action"])): frozenset(
                Purpose(p) for p in row["purposes"].split()
            )
            for row in csv.DictReader(file)
        }
