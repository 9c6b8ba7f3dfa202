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
class _Named:
    """What the groups were and what they are called now.

    Attributes:
        bears: the person of each record so far, `own` the one before all merges.
        woken: ids that had been merged away and name a group again.
    """

    groups: Sequence[Sequence[int]]
    bears: Mapping[int, UUID]
    own: Mapping[int, UUID]
    naming: persons.Naming
    ids: Sequence[UUID]
    woken: frozenset[UUID]


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

    A person who was merged into another and parts from him again has his own id back.

    `bits` is each record's strongest link, the evidence of its entry. Returns how many entries of
    each kind were written.
    """
    borne = store_links.get_persons(session, [r for g in groups for r in g])
    bears = {r: b.person for r, b in borne.items()}
    own = {r: b.own for r, b in borne.items()}
    naming = persons.name(groups, own)
    fresh = iter(store_links.mint_persons(session, naming.ids.count(None)))
    ids = [next(fresh) if i is None else i for i in naming.ids]
    woken = frozenset(i for i in naming.ids if i is not None) - frozenset(bears.values())
    named = _Named(groups, bears, own, naming, ids, woken)
    changes = _changes(named)
    if woken:
        store_links.wake_persons(session, sorted(woken))
    store_links.merge_persons(session, changes.merged)
    store_links.add_members(session, changes.added)
    store_links.move_members(session, changes.moved)
    _keep_former(session, named)
    _tell(session, cause, changes, bits)
    counts = dict.fromkeys(Event, 0)
    for event, *_ in changes.entries:
        counts[event] += 1
    return counts


def _tell(session: Session, cause: Cause, changes: _Changes, bits: Mapping[int, float]) -> None:
    rows = [
        (
            *(event.value, who, other, record, cause.batch_id),
            *(None if record is None else bits.get(record), cause.model),
        )
        for event, who, other, record in changes.entries
    ]
    store_links.add_journal(session, rows)


def _keep_former(session: Session, named: _Named) -> None:
    """Records of merged persons remember whose they were; those that moved on do not."""
    kept, not_now = {}, []
    for number, group in enumerate(named.groups):
        for record in group:
            own = named.own.get(record)
            if own is None or own == named.ids[number]:
                continue
            if named.naming.merged.get(own) == number:
                kept[record] = own
            elif own != named.bears[record]:
                not_now.append(record)
    if kept or not_now:
        store_links.keep_former(session, kept, not_now)


def _changes(named: _Named) -> _Changes:
    added: list[tuple[int, UUID]] = []
    moved: list[tuple[int, UUID]] = []
    entries: list[tuple[Event, UUID, UUID | None, int | None]] = []
    merged = _merged(named)
    entries += [(Event.MERGED, survivor, old, None) for old, survivor in merged.items()]
    for number, group in enumerate(named.groups):
        who = named.ids[number]
        is_new = named.naming.ids[number] is None
        first = group[0] if is_new or who in named.woken else None
        if first is not None:
            origin = named.naming.split.get(number) if is_new else named.bears[_of(named, who)]
            event = Event.CREATED if origin is None else Event.SPLIT
            entries.append((event, who, origin, first))
        for record in group:
            old = named.bears.get(record)
            if old == who:
                continue
            (added if old is None else moved).append((record, who))
            if record != first and (old is None or merged.get(old) != who):
                entries.append((Event.JOINED, who, old, record))
    return _Changes(added, moved, merged, entries)


def _of(named: _Named, person: UUID) -> int:
    """A record whose own person this is."""
    return next(record for record, own in named.own.items() if own == person)


def _merged(named: _Named) -> dict[UUID, UUID]:
    """Ids that end, and who takes each over; those who had ended so before are left out."""
    merged = {}
    for old, number in named.naming.merged.items():
        survivor = named.ids[number]
        if any(named.bears[r] != survivor for r, own in named.own.items() if own == old):
            merged[old] = survivor
    return merged
