"""Duplicate aid: payments of two programmes for one need in one period, and what they are.

Pure. *Duplikat*: the programmes exclude each other; *pelengkap*: one is meant to complete the
other; everything else a person must look at.

Source: design/domain.md 5.9 (duplicate aid), 3.3 (exclusive_group, complements).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import combinations
from typing import Any


class Kind(StrEnum):
    """What two payments are to each other."""

    DUPLICATE = "duplicate"
    COMPLEMENT = "complement"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Aid:
    """One payment, with what its programme is published to be.

    Attributes:
        via: how it reaches the person: `person`, `household` or `enrolment`.
        first: the first day of the period that it is for, `last` the last.
    """

    record_id: int
    agency: str
    program: str
    via: str
    first: date
    last: date
    needs: frozenset[str]
    group: str | None
    complements: frozenset[str]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two payments for one need in one period, the earlier record first."""

    a: Aid
    b: Aid
    kind: Kind


_Payment = tuple[int, str, str, Mapping[str, Any], str | None]
"""Record, agency, via, the benefit's fields, and its programme's code."""


def aids(payments: Iterable[_Payment], programs: Mapping[str, Mapping[str, Any]]) -> list[Aid]:
    """The payments of published programmes that were not taken back, each once."""
    made: dict[int, Aid] = {}
    for record_id, agency, via, values, code in payments:
        program = programs.get(code or "")
        if code is None or program is None or values.get("reversed_by"):
            continue
        first, last = period(values)
        made[record_id] = Aid(
            record_id,
            agency,
            code,
            via,
            first,
            last,
            frozenset(program.get("need_kinds") or ()),
            program.get("exclusive_group"),
            frozenset(program.get("complements") or ()),
        )
    return sorted(made.values(), key=lambda a: a.record_id)


def overlaps(given: Sequence[Aid]) -> list[Overlap]:
    """All pairs of two programmes that meet one need (or exclude each other) in one period."""
    found = []
    for one, other in combinations(given, 2):
        same_group = one.group is not None and one.group == other.group
        if one.program == other.program or not (same_group or one.needs & other.needs):
            continue
        if one.last < other.first or other.last < one.first:
            continue
        found.append(Overlap(one, other, _kind(one, other, same_group=same_group)))
    return found


def _kind(one: Aid, other: Aid, *, same_group: bool) -> Kind:
    if same_group:
        return Kind.DUPLICATE
    if other.program in one.complements or one.program in other.complements:
        return Kind.COMPLEMENT
    return Kind.REVIEW


def period(values: Mapping[str, Any]) -> tuple[date, date]:
    """First and last day that a payment is for: `2025`, `2025-S1`, `2025-T3`, `2025-05`, its month.

    S is half a year, T a quarter.
    """
    said = str(values.get("period") or str(values["date"])[:7])
    year, _, part = said.partition("-")
    months = {"S": 6, "T": 3}.get(part[:1], 1)
    if not part:
        return date(int(year), 1, 1), date(int(year), 12, 31)
    at = int(part[1:]) if part[0] in "ST" else int(part)
    start = (at - 1) * months + 1
    end = start + months
    after = date(int(year) + end // 13, (end - 1) % 12 + 1, 1)
    return date(int(year), start, 1), after - timedelta(days=1)
