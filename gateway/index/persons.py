"""Which id a group of records keeps: ids are history, and a pure function of it.

A person is an id; the records that bear it change. Where groups merge, the older id survives;
where one splits, it stays with most of its records, and the rest is somebody new.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Event(StrEnum):
    """What the journal tells of a person."""

    CREATED = "created"
    JOINED = "joined"
    MERGED = "merged"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Naming:
    """Who the groups are.

    Attributes:
        ids: for each group the id that it keeps, None for a new person.
        merged: ids that end, and the number of the group that took each over.
        split: for each new person that comes out of another, its group and that other's id.
    """

    ids: Sequence[UUID | None]
    merged: Mapping[UUID, int]
    split: Mapping[int, UUID]


def name(groups: Sequence[Sequence[int]], before: Mapping[int, UUID]) -> Naming:
    """Give each group of records (in the order of their keys) an id out of those it had before.

    `before` says which id a record bore; ids are time-ordered, so the smallest is the oldest.
    The oldest id chooses first: the group that holds most of its records, or else the first.
    """
    held: dict[UUID, Counter[int]] = {}
    for number, group in enumerate(groups):
        for record in group:
            if record in before:
                held.setdefault(before[record], Counter())[number] += 1
    ids: list[UUID | None] = [None] * len(groups)
    merged: dict[UUID, int] = {}
    for person in sorted(held):
        ranked = sorted(held[person], key=lambda g, p=person: (-held[p][g], groups[g][0]))  # type: ignore[misc]
        free = [g for g in ranked if ids[g] is None]
        if free:
            ids[free[0]] = person
        else:
            merged[person] = ranked[0]
    split = {}
    for number, group in enumerate(groups):
        olds = [before[r] for r in group if r in before]
        if ids[number] is None and olds:
            split[number] = min(olds)
    return Naming(ids, merged, split)
