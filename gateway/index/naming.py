"""Naming: the groups that reconciling found get their ids, and the journal says what changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.index import persons, store_links
from gateway.index.persons import Event


@dataclass(frozen=True, slots=True)
class Cause:
    """What the journal names as the reason of a change."""

    batch_id: UUID
    model: str


@dataclass(frozen=True, slots=True)
class _Changes:
    """What becomes of persons: rows for their tables."""

    added: Sequence[tuple[int, UUID]]
    moved: Sequence[tuple[int, UUID]]
    merged: Mapping[UUID, UUID]
    entries: Sequence[tuple[Event, UUID, UUID | None, int | None]]


def name(
    session: Session, cause: Cause, groups: Sequence[Sequence[int]], bits: Mapping[int, float]
) -> dict[Event, int]:
    """Give the groups their ids, and write what changed into the journal.

    `bits` is each record's strongest link, the evidence of its entry. Returns how many entries of
    each kind were written.
    """
    before = store_links.get_persons(session, [r for g in groups for r in g])
    naming = persons.name(groups, before)
    fresh = iter(store_links.mint_persons(session, naming.ids.count(None)))
    ids = [next(fresh) if i is None else i for i in naming.ids]
    changes = _changes(groups, before, naming, ids)
    store_links.merge_persons(session, changes.merged)
    store_links.add_members(session, changes.added)
    store_links.move_members(session, changes.moved)
    store_links.add_journal(
        session,
        [
            (
                event.value,
                who,
                other,
                record,
                cause.batch_id,
                None if record is None else bits.get(record),
                cause.model,
            )
            for event, who, other, record in changes.entries
        ],
    )
    counts = dict.fromkeys(Event, 0)
    for event, *_ in changes.entries:
        counts[event] += 1
    return counts


def _changes(
    groups: Sequence[Sequence[int]],
    before: Mapping[int, UUID],
    naming: persons.Naming,
    ids: Sequence[UUID],
) -> _Changes:
    added: list[tuple[int, UUID]] = []
    moved: list[tuple[int, UUID]] = []
    entries: list[tuple[Event, UUID, UUID | None, int | None]] = []
    merged = {old: ids[number] for old, number in naming.merged.items()}
    entries += [(Event.MERGED, survivor, old, None) for old, survivor in merged.items()]
    for number, group in enumerate(groups):
        who = ids[number]
        first = group[0] if naming.ids[number] is None else None
        if first is not None:
            origin = naming.split.get(number)
            event = Event.CREATED if origin is None else Event.SPLIT
            entries.append((event, who, origin, first))
        for record in group:
            old = before.get(record)
            if old == who:
                continue
            (added if old is None else moved).append((record, who))
            if record != first and (old is None or merged.get(old) != who):
                entries.append((Event.JOINED, who, old, record))
    return _Changes(added, moved, merged, entries)
