"""Who may see a ticket, and who may not even know that it is there. Pure.

The house sees its tickets; an agency sees what was referred to it; a restricted case is seen by
the coordinator, by the officer whose it is, and by the agency that has it.

Source: design/domain.md §1.1, §3.8; decisions.md (restricted cases).
"""

from gateway.access.model import Role
from gateway.complaints.lifecycle import CITIZEN, SYSTEM
from gateway.complaints.model import Actor, Case, Need

HOUSE = (Role.COUNTER_OFFICER, Role.UPT_COORDINATOR, Role.FIELD_VERIFIER, Role.DATA_STEWARD)
"""Roles of the house that work on tickets."""
AGENCY = (Role.AGENCY_REVIEWER, Role.BENEFIT_OFFICER, Role.PARTNER_REVIEWER)
_WITH_AGENCY = frozenset(
    (
        *("referred", "under_review", "returned", "awaiting_mayor", "approved", "in_delivery"),
        *("fulfilled", "next_fy", "waiting_list", "fallback_review", "declined", "unmet"),
    )
)
_WITH_MAYOR = frozenset(("awaiting_mayor", "approved", "declined"))
"""What waits for the mayor, and what was decided: so who comes second is told."""


def sees(actor: Actor, case: Case) -> bool:
    """Whether the ticket exists for this actor."""
    if SYSTEM in actor.roles or CITIZEN in actor.roles or _concerns_agency(actor, case):
        return True
    ticket = case.ticket
    own = ticket.owner_id == actor.officer_id and actor.holds(*HOUSE, Role.POKJA_MEMBER)
    if ticket.restricted:
        return actor.holds(Role.UPT_COORDINATOR) or own
    if actor.holds(Role.MAYOR_DELEGATE):
        return any(n.state in _WITH_MAYOR for n in case.needs)
    return actor.holds(*HOUSE) or own


def needs_seen(actor: Actor, case: Case) -> tuple[Need, ...]:
    """The needs that an actor sees: an agency its own, everybody else all."""
    if actor.holds(*HOUSE, Role.MAYOR_DELEGATE) or not actor.holds(*AGENCY):
        return case.needs
    return tuple(n for n in case.needs if _is_with(actor, n))


def _concerns_agency(actor: Actor, case: Case) -> bool:
    return actor.holds(*AGENCY) and any(_is_with(actor, n) for n in case.needs)


def _is_with(actor: Actor, need: Need) -> bool:
    return need.agency == actor.unit and need.state in _WITH_AGENCY
