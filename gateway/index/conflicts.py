"""Conflicts: what does not fit, looked for anew wherever something stirred.

What is found is a pure function of the live records, the judgements and the model; so a conflict
whose cause has gone is simply not found again. The work is bounded by what stirred: each person is
compared with a few others (`doubles`), and a common name or a copied number costs no more.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.index import (
    contradictions,
    doubles,
    judgements,
    radar,
    store_conflicts,
    store_links,
    store_views,
    unplaced,
)
from gateway.index.arrivals import IndexTools
from gateway.index.contradictions import Conflict
from gateway.index.precedence import DECEASED
from gateway.index.store_conflicts import Fact
from gateway.index.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Examined:
    """What was looked at, and all conflicts in it.

    Attributes:
        entries: how many entries of the list; fewer than asked for: nothing is left.
        taken: the records of these entries.
        persons: those looked at, under all their ids: no other conflict stands about them …
        passed: … but those with pairs that were too many to be compared.
        abouts: what else was looked at, by the conflict's `about`.
        decided: what was judged of a conflict, by kind and `about`.
    """

    entries: int
    taken: Sequence[int]
    persons: frozenset[UUID]
    passed: frozenset[tuple[UUID, UUID]]
    abouts: frozenset[str]
    conflicts: tuple[Conflict, ...]
    decided: dict[tuple[str, str], Verdict]


@dataclass(frozen=True, slots=True)
class Watch:
    """What the stewards add to the question.

    Attributes:
        excluded_work: occupations whose holders no poverty list should hold.
        programs: programmes (`program:CODE:AGENCY`) that stood in conflict so far: looked at again
            whenever any payment, enrolment or programme stirred, for what is gone names nothing.
        places: places without a kelurahan (`place:AGENCY:NAME`) that stood so far: looked at again
            whenever a person of that agency stirred.
    """

    excluded_work: Sequence[str] = ()
    programs: Sequence[str] = ()
    places: Sequence[str] = ()


def examine(session: Session, tools: IndexTools, limit: int, watch: Watch) -> Examined:
    """Take at most `limit` entries of what stirred off the list and say what does not fit there.

    The caller writes what is found, and commits.
    """
    entries, taken = store_conflicts.take(session, limit)
    if not taken:
        return Examined(0, (), frozenset(), frozenset(), frozenset(), (), {})
    persons = store_conflicts.concerned(session, taken)
    store_conflicts.take_all_of(session, persons)
    facts: dict[UUID, list[Fact]] = defaultdict(list)
    for fact in store_conflicts.facts(session, persons):
        facts[fact.person_id].append(fact)
    met = doubles.meet(store_conflicts.across(session, persons, tools.band.low))
    two = {p for pair in met.compared for p in pair}
    everybody = store_conflicts.members(session, persons | two)
    members: dict[UUID, list[int]] = defaultdict(list)
    for one in everybody:
        members[one.person_id].append(one.record_id)
    known = store_links.get_known(session, tools.vault, {r for p in two for r in members[p]})
    found = doubles.conflicts(met, members, known, tools)
    beside = contradictions.Known(
        profile=tools.profile,
        numbers={m.record_id: m.nik for m in everybody if m.nik is not None},
        births=_births(session, facts),
        excluded_work=[w.casefold() for w in watch.excluded_work],
    )
    for person in sorted(persons):
        found += contradictions.of_person(person, facts.get(person, ()), beside)
    found += _aid(session, facts)
    again = watch.programs if store_conflicts.any_aid(session, taken) else ()
    codes = store_conflicts.programs_of(session, taken) | {a.split(":")[1] for a in again}
    deliveries = store_conflicts.deliveries(session, codes)
    found += _deliveries(deliveries)
    places = unplaced.look(session, taken, facts, watch.places)
    found += places.conflicts
    conflicts = tuple({(c.kind, c.about): c for c in found}.values())
    return Examined(
        entries=entries,
        taken=taken,
        persons=persons | store_conflicts.aliases(session, persons),
        passed=met.passed,
        abouts=frozenset(
            _homes(taken, facts)
            | _payments(facts)
            | {_program(d.agency, d.code) for d in deliveries}
        )
        | frozenset(again)
        | places.abouts,
        conflicts=conflicts,
        decided=_decided(session, conflicts, members, tools),
    )


def takes_two(session: Session, persons: Sequence[UUID]) -> bool:
    """Whether joining these persons is never one officer's affair.

    It is not where each is registered under a number of his own, nor where a dead one's name would
    get a running benefit. Source: design/domain.md 2.7; decisions.md "Registered NIK".
    """
    if store_conflicts.count_registered(session, persons) > 1:
        return True
    facts = store_conflicts.facts(session, persons)
    dead = any(f.values.get("vital_status") == DECEASED for f in facts if f.record_type == "person")
    return dead and bool(contradictions.running(facts))


def _births(session: Session, facts: dict[UUID, list[Fact]]) -> dict[tuple[str, str], str | None]:
    """Birth dates of all members of the households."""
    wanted = {
        (f.agency, ref)
        for fs in facts.values()
        for f in fs
        if f.record_type == "household"
        for ref in [
            f.values.get("head_person"),
            *(m["person"] for m in f.values.get("members", ())),
        ]
        if ref is not None
    }
    if not wanted:
        return {}
    return {k: born for k, (_, _, born) in store_views.people_by_source(session, wanted).items()}


def _aid(session: Session, facts: Mapping[UUID, Sequence[Fact]]) -> list[Conflict]:
    """D01 and D02: programmes that exclude each other, or agencies meeting one need, paid."""
    paid = {
        person: [(f.record_id, f.agency, f.via, f.values, _code_of(f, said)) for f in mine]
        for person, said in facts.items()
        if len(mine := [f for f in said if f.record_type == "benefit"]) > 1
    }
    codes = {p[-1] for payments in paid.values() for p in payments if p[-1] is not None}
    programs = store_views.programs(session, codes) if codes else {}
    out = []
    for person, payments in paid.items():
        for one in radar.overlaps(radar.aids(payments, programs)):
            is_double = one.kind is radar.Kind.DUPLICATE
            if one.kind is radar.Kind.COMPLEMENT or (
                one.a.agency == one.b.agency and not is_double
            ):
                continue
            alone = "household" not in (one.a.via, one.b.via)
            records = (one.a.record_id, one.b.record_id)
            out.append(
                Conflict(
                    "D01" if is_double else "D02",
                    f"aid:{records[0]}:{records[1]}",
                    (person,) if alone else (),
                    records,
                    one.b.agency,
                    worth=2,
                )
            )
    return out


def _homes(taken: Sequence[int], facts: Mapping[UUID, Sequence[Fact]]) -> frozenset[str]:
    """How households are named: what stirred may have been one, and those of these persons."""
    known = {f.record_id for fs in facts.values() for f in fs if f.record_type == "household"}
    return frozenset(f"household:{record}" for record in known.union(taken))


def _payments(facts: Mapping[UUID, Sequence[Fact]]) -> frozenset[str]:
    """How pairs of payments to these persons and their households are named."""
    out: set[str] = set()
    for said in facts.values():
        paid = sorted({f.record_id for f in said if f.record_type == "benefit"})
        out |= {f"aid:{a}:{b}" for a, b in combinations(paid, 2)}
    return frozenset(out)


def _code_of(benefit: Fact, said: Sequence[Fact]) -> str | None:
    """The programme of a payment: its own word, or that of its enrolment."""
    own = benefit.values.get("program_code")
    if own is not None or "enrolment" not in benefit.values:
        return own
    of = benefit.values["enrolment"]
    return next(
        (
            f.values.get("program_code")
            for f in said
            if (f.record_type, f.agency, f.source_id) == ("enrolment", benefit.agency, of)
        ),
        None,
    )


def _program(agency: str, code: str) -> str:
    return f"program:{code}:{agency}"


def _deliveries(found: Sequence[store_conflicts.Delivery]) -> list[Conflict]:
    """K14: paid from a programme that nobody published, after its end, or beyond its quota."""
    return [
        Conflict("K14", _program(d.agency, d.code), (), (d.record_id,) * 2, d.agency, worth=d.paid)
        for d in found
        if not d.is_known or d.is_late or (d.quota is not None and d.enrolled > d.quota)
    ]


def _decided(
    session: Session,
    conflicts: Sequence[Conflict],
    members: dict[UUID, list[int]],
    tools: IndexTools,
) -> dict[tuple[str, str], Verdict]:
    """What binds of what was judged before: about the same records, or the same two persons."""
    records = {r for c in conflicts for r in c.records}
    records |= {r for c in conflicts if len(c.persons) == 2 for p in c.persons for r in members[p]}
    rows = judgements.binding(session, sorted(records), tools.vault)
    person_of = {r: p for p, rs in members.items() for r in rs}
    on_persons: dict[tuple[UUID, UUID], Verdict] = {}
    on_records: dict[tuple[str, int, int], Verdict] = {}
    for row in rows:
        verdict = Verdict(row.verdict)
        on_records[row.kind, row.a, row.b] = verdict
        one, other = person_of.get(row.a), person_of.get(row.b)
        if one is not None and other is not None and one != other:
            on_persons[min(one, other), max(one, other)] = verdict
    decided = {}
    for c in conflicts:
        if len(c.persons) == 2:
            verdict_ = on_persons.get((c.persons[0], c.persons[1]))
        else:
            verdict_ = on_records.get((c.kind, *c.records))
        if verdict_ is not None:
            decided[c.kind, c.about] = verdict_
    return decided
