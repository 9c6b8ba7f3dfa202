"""Contradictions inside one person: what records that are one person say against each other.

Pure. Who is told, and by when, is data of the stewards; here is only what is found.

Source: design/domain.md 6.3 (K04 to K12, K15, K16).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any
from uuid import UUID

from gateway.index.precedence import DECEASED
from gateway.index.store_conflicts import Fact
from schemas.profile import Profile

_IN = frozenset(("active", "proposed_in"))
_OUT = frozenset(("excluded", "proposed_out"))
_RUNNING = frozenset(("approved", "active"))
_HEAD, _CHILD = "1", "4"
_SAME_PAYMENT_DAYS = 3


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that does not fit, and whom it concerns.

    Attributes:
        kind: code of the table in `stewards`.
        about: names it among all of its kind, so that it is found again.
        persons: one or two, ascending.
        records: the two that contradict each other (twice the same where one stands alone).
        agency: whose word looks wrong.
        bits: how alike two persons are on average; None inside one person.
        worth: how many records hang on it.
    """

    kind: str
    about: str
    persons: tuple[UUID, ...]
    records: tuple[int, int]
    agency: str
    bits: float | None = None
    worth: int = 1


@dataclass(frozen=True, slots=True)
class Known:
    """What is needed beside the records.

    Attributes:
        numbers: for each person record with a valid NIK, what is equal for equal numbers.
        births: the birth date of person records, by (agency, source id).
        excluded_work: occupations whose holders no poverty list should hold, folded.
    """

    profile: Profile
    numbers: Mapping[int, bytes]
    births: Mapping[tuple[str, str], str | None]
    excluded_work: Sequence[str]


def of_person(person: UUID, facts: Sequence[Fact], known: Known) -> Iterator[Conflict]:
    """Every contradiction among the records of one person and those that speak of him."""
    own = [f for f in facts if f.record_type == "person"]
    if not own:
        return
    for kind, a, b in (
        *_dates(own, known),
        *_lives(own, facts, known),
        *_moves(own, facts, known),
        *_listed(own, facts, known),
        *_payments(facts),
    ):
        records = (min(a.record_id, b.record_id), max(a.record_id, b.record_id))
        about = f"{person}:{b.agency}"
        if kind == "K15":
            about = f"{records[0]}:{records[1]}"
        yield Conflict(kind, about, (person,), records, b.agency, worth=len(facts))
    yield from _repeated(person, facts)
    yield from _households(person, facts, known)


_Found = tuple[str, Fact, Fact]
"""A kind, the record that is believed, and the one that is odd."""


def _dates(own: Sequence[Fact], known: Known) -> Iterator[_Found]:
    """K04: one NIK, yet birth date or sex differ from what the first speaker says."""
    order = known.profile.precedence.get("birth_date", ())
    place = {code: i for i, code in enumerate(order)}
    ranked = sorted(own, key=lambda f: (place.get(f.agency, len(place)), f.record_id))
    told: dict[bytes, Fact] = {}
    odd: set[str] = set()
    for fact in ranked:
        number = known.numbers.get(fact.record_id)
        first = told.setdefault(number, fact) if number else fact
        if first.agency != fact.agency and fact.agency not in odd and _differ(first, fact):
            odd.add(fact.agency)
            yield "K04", first, fact


def _differ(one: Fact, other: Fact) -> bool:
    pairs = ((one.values.get(n), other.values.get(n)) for n in ("birth_date", "sex"))
    return any(
        a is not None and b is not None and a != b and not _vague(str(a), str(b)) for a, b in pairs
    )


def _vague(a: str, b: str) -> bool:
    """One says less than the other, but nothing else."""
    return a.startswith(b) or b.startswith(a) or "-01-01" in (a[4:], b[4:])


def _lives(own: Sequence[Fact], facts: Sequence[Fact], known: Known) -> Iterator[_Found]:
    """K05: registered as dead, active elsewhere. K06: reported dead, alive in the register."""
    final = known.profile.authorities.death
    dead = [f for f in own if f.values.get("vital_status") == DECEASED]
    registered = [f for f in dead if f.agency in final]
    if registered:
        yield from (("K05", registered[0], f) for f in _first_of_each(running(facts), final))
        return
    alive = [f for f in own if f.agency in final]
    if alive:
        yield from (("K06", alive[0], f) for f in _first_of_each(dead, final))


def _moves(own: Sequence[Fact], facts: Sequence[Fact], known: Known) -> Iterator[_Found]:
    """K07: moved away, still enrolled. K08: moved in, on no list and unknown to who lists."""
    speakers = known.profile.precedence.get("residency_status", ())
    moved = {f.values.get("residency_status"): f for f in own if f.agency in speakers}
    if out := moved.get("moved_out"):
        yield from (("K07", out, f) for f in _first_of_each(running(facts), speakers))
    lists = known.profile.authorities.national_lists
    if (came := moved.get("moved_in")) and not any(f.agency in lists for f in facts):
        yield "K08", came, came


def _listed(own: Sequence[Fact], facts: Sequence[Fact], known: Known) -> Iterator[_Found]:
    """K11: in at one source, out at another. K16: should not be in."""
    lists = [f for f in facts if f.record_type == "listing"]
    inside = [f for f in lists if f.values.get("listing_status") in _IN]
    outside = [f for f in lists if f.values.get("listing_status") in _OUT]
    for one in inside:
        for other in outside:
            if one.agency != other.agency:
                yield "K11", other, one
                break
    work = next((f for f in own if _is_excluded(f, known.excluded_work)), None)
    if work is not None and inside:
        yield "K16", work, inside[0]


def _is_excluded(fact: Fact, excluded: Sequence[str]) -> bool:
    said = str(fact.values.get("occupation") or "").casefold()
    return any(word in said for word in excluded)


def _payments(facts: Iterable[Fact]) -> Iterator[_Found]:
    """K15: two agencies report what may be one payment, the payer's and the deliverer's."""
    paid = [
        f for f in facts if f.record_type == "benefit" and f.values.get("amount_idr") is not None
    ]
    by_amount: dict[Any, list[Fact]] = defaultdict(list)
    for fact in paid:
        by_amount[fact.values["amount_idr"]].append(fact)
    for same in by_amount.values():
        for one, other in combinations(same, 2):
            if one.agency != other.agency and _days_between(one, other) <= _SAME_PAYMENT_DAYS:
                yield "K15", one, other


def _days_between(one: Fact, other: Fact) -> int:
    days = [date.fromisoformat(str(f.values["date"])) for f in (one, other)]
    return abs((days[0] - days[1]).days)


def _repeated(person: UUID, facts: Sequence[Fact]) -> Iterator[Conflict]:
    """K12: one source holds the person twice, on the same list or on none."""
    by_agency: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.record_type == "person":
            by_agency[fact.agency].append(fact)
    for agency, several in by_agency.items():
        if len(several) < 2:
            continue
        lists = _lists_of([f for f in facts if f.agency == agency])
        twice: dict[object, list[Fact]] = defaultdict(list)
        for fact in several:
            for place in lists.get(fact.source_id) or [None]:
                twice[place].append(fact)
        pair = next((found for found in twice.values() if len(found) > 1), None)
        if pair is not None:
            records = (pair[0].record_id, pair[1].record_id)
            about = f"{person}:{agency}"
            yield Conflict("K12", about, (person,), records, agency, worth=len(several))


def _lists_of(facts: Sequence[Fact]) -> dict[str, set[tuple[object, object]]]:
    """The lists that hold each person record of an agency, itself or by its household."""
    homes: dict[str, list[str]] = {
        f.source_id: [m["person"] for m in f.values.get("members", ())]
        for f in facts
        if f.record_type == "household"
    }
    held: dict[str, set[tuple[object, object]]] = defaultdict(set)
    for fact in facts:
        if fact.record_type != "listing":
            continue
        place = (fact.values.get("list_code"), fact.values.get("list_period"))
        named = fact.values.get("person")
        for ref in homes.get(fact.values.get("household", ""), [named] if named else []):
            held[ref].add(place)
    return held


def _households(person: UUID, facts: Sequence[Fact], known: Known) -> Iterator[Conflict]:
    """K09: in two households of one unit. K10: two heads, or a child older than the head."""
    homes: dict[tuple[str, str], dict[int, Fact]] = defaultdict(dict)
    for fact in facts:
        if fact.record_type == "household":
            homes[fact.agency, str(fact.values.get("basis"))][fact.record_id] = fact
    for (agency, basis), found in homes.items():
        if len(found) > 1:
            first, second = sorted(found)[:2]
            about = f"{person}:{agency}:{basis}"
            yield Conflict("K09", about, (person,), (first, second), agency, worth=len(found))
        for record_id, fact in found.items():
            if _is_odd(fact, known):
                size = len(fact.values.get("members", ()))
                about = f"household:{record_id}"
                yield Conflict("K10", about, (), (record_id, record_id), agency, worth=size)


def _is_odd(fact: Fact, known: Known) -> bool:
    members = fact.values.get("members", ())
    heads = [m["person"] for m in members if m.get("relation") == _HEAD]
    if len(heads) > 1:
        return True
    head = heads[0] if heads else fact.values.get("head_person")
    born = known.births.get((fact.agency, str(head)))
    children = [
        known.births.get((fact.agency, m["person"])) for m in members if m.get("relation") == _CHILD
    ]
    return born is not None and any(c is not None and c[:4] < born[:4] for c in children)


def running(facts: Iterable[Fact]) -> list[Fact]:
    """Listings that stand and enrolments that run."""
    return [
        f
        for f in facts
        if (f.record_type == "listing" and f.values.get("listing_status") in _IN)
        or (f.record_type == "enrolment" and f.values.get("status") in _RUNNING)
    ]


def _first_of_each(facts: Iterable[Fact], without: Sequence[str]) -> list[Fact]:
    """One record of each agency that is not among the speakers."""
    return list({f.agency: f for f in facts if f.agency not in without}.values())
