"""The golden view: which of several claims is shown, and why. Nothing is overwritten by it.

The city profile says for each attribute which agency speaks first and how values combine; here is
only what those words mean. Pure.

Source: domain.md 6.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

FIRST, NEWEST, UNION = "first", "newest", "union"
DECEASED = "deceased"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one record says of an attribute.

    Attributes:
        record: the record's own stable name; the last tie goes by it.
        same: what two claims must have in common to be no conflict.
    """

    agency: str
    record: str
    as_of: datetime
    value: Any
    same: Any


@dataclass(frozen=True, slots=True)
class Golden:
    """The value shown.

    Attributes:
        agency: who says so (of a union: who spoke first).
        conflict: some other claim differs from it.
        instead_of: the agency that should speak first and was passed over, its word being stale.
    """

    value: Any
    agency: str
    as_of: datetime
    conflict: bool = False
    instead_of: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How claims on one attribute become one value.

    Attributes:
        order: agencies, first speaker first; those not named follow, the newest first.
        combination: `first`, `newest` or `union`.
        oldest: older claims are stale: shown only if there is no other.
    """

    order: Sequence[str] = ()
    combination: str = FIRST
    oldest: datetime | None = None


def golden(claims: Sequence[Claim], rule: Rule) -> Golden | None:
    """The value shown for an attribute, None where nobody says anything."""
    if not claims:
        return None
    ranked = sorted(claims, key=lambda c: _rank(c, rule))
    fresh = [c for c in ranked if rule.oldest is None or c.as_of >= rule.oldest] or ranked
    chosen = fresh[0]
    if rule.combination == UNION:
        return Golden(_union(fresh), chosen.agency, chosen.as_of)
    passed = ranked[0].agency if ranked[0] is not chosen else None
    differs = rule.combination == FIRST and any(c.same != chosen.same for c in claims)
    return Golden(chosen.value, chosen.agency, chosen.as_of, differs, passed)


def vital(claims: Sequence[Claim], rule: Rule, final: Sequence[str]) -> Golden | None:
    """The vital status shown: a death is shown only on the word of those whose word is `final`."""
    deaths = [c for c in claims if c.value == DECEASED and c.agency in final]
    if deaths:
        shown = golden(deaths, rule)
        others = any(c.value != DECEASED for c in claims)
        return shown and Golden(shown.value, shown.agency, shown.as_of, others)
    return golden([c for c in claims if c.value != DECEASED], rule)


def is_conflict(claim: Claim, shown: Golden | None, claims: Sequence[Claim]) -> bool:
    """Whether a claim contradicts the value shown, where values contradict at all."""
    if shown is None or not shown.conflict:
        return False
    chosen = next((c for c in claims if c.agency == shown.agency and c.value == shown.value), None)
    return chosen is not None and claim.same != chosen.same


def order_of(precedence: Mapping[str, Sequence[str]], attribute: str, house: str) -> list[str]:
    """The agencies that the profile names for an attribute.

    `survey` and `ticket` are what the house unit itself was told; `newest` is the rest.
    """
    named = precedence.get(attribute, ())
    return [house if n in ("survey", "ticket") else n for n in named if n != NEWEST]


def _rank(claim: Claim, rule: Rule) -> tuple[float, ...] | tuple[Any, ...]:
    order = list(rule.order)
    place = order.index(claim.agency) if claim.agency in order else len(order)
    age = -claim.as_of.timestamp()
    if rule.combination == NEWEST:
        return (age, place, claim.agency, claim.record)
    return (place, age, claim.agency, claim.record)


def _union(claims: Sequence[Claim]) -> list[Any]:
    """All list entries, each once, those of the first speaker first."""
    out: list[Any] = []
    for claim in claims:
        out += [v for v in claim.value if v not in out]
    return out
