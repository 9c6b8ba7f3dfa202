"""One person, 360 degrees: every assertion with its source, and why the records are one person."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from gateway.errors import NotFound
from gateway.index import (
    attributes,
    finding,
    radar,
    reasons,
    sealing,
    store_links,
    store_reviews,
    store_views,
)
from gateway.index.arrivals import IndexTools
from gateway.index.model import Batch, Pairs
from gateway.index.store_links import Known
from gateway.index.store_views import Reached, Said
from gateway.index.view import Link, PersonView, Provenance, Related, Relative, mask_nik

_MOST_COMPARED = 60
"""A person of more records than this is explained by those of the first 60."""


def profile(session: Session, person_id: UUID, tools: IndexTools) -> PersonView:
    """All that the index holds of a person; an id that was merged away leads to the survivor.

    Raises:
        NotFound: `person.unknown`, there is no such person, or none of whom anybody speaks;
            `person.under_review`, all that is said of him is being verified.
    """
    person = store_views.survivor(session, person_id)
    people = (
        store_views.members_of(session, tools.vault, [person]).get(person, []) if person else []
    )
    if person is None or not people:
        raise _nobody(session, person)
    people = _by_authority(people, tools)
    rows = attributes.rows(people, tools)
    golden = attributes.golden_of(rows)
    related = _related(session, people, tools)
    known = store_links.get_known(session, tools.vault, [p.provenance.record_id for p in people])
    fresh = store_views.freshness(session)
    name, nik, card = golden.get("name_source"), golden.get("nik"), golden.get("no_kk")
    members = tuple(p.provenance for p in people)
    programs, benefits = _programs(session, related), _of_type(related, "benefit")
    return PersonView(
        person_id=person,
        name=None if name is None else str(name.value),
        nik_masked=mask_nik(None if nik is None else str(nik.value)),
        golden=golden,
        rows=rows,
        members=members,
        family=_family(session, None if card is None else str(card.value), tools),
        households=_of_type(related, "household"),
        listings=_of_type(related, "listing"),
        enrolments=_of_type(related, "enrolment"),
        benefits=benefits,
        links=_links(people, known, tools),
        notes=attributes.notes(people, tools),
        freshness={p.agency: fresh[p.agency] for p in members if p.agency in fresh},
        batches=_leaves([*members, *(r.provenance for r in related)]),
        badges=finding.badges_of(session, {person: list(known.values())}, tools).get(person, ()),
        programs=programs,
        overlaps=_overlaps(benefits, programs),
        reviews=store_reviews.of_person(session, person, [r.provenance.record_id for r in related]),
    )


def _nobody(session: Session, person: UUID | None) -> NotFound:
    if person is not None and store_reviews.of_person(session, person, ()):
        return NotFound(
            "person.under_review",
            "Semua data orang ini sedang diverifikasi dan belum ada yang terpercaya. "
            "Data tetap tersimpan; tanyakan kepada dinas asal, atau coba lagi nanti.",
        )
    return NotFound("person.unknown", "Tidak ada orang dengan tanda itu.")


def _by_authority(people: Sequence[Said], tools: IndexTools) -> list[Said]:
    """The register first, then as the profile lists agencies; of one agency the newest first."""
    place = {code: i for i, code in enumerate(tools.profile.agencies)}

    def rank(said: Said) -> tuple[bool, int, str, float, str]:
        agency = said.provenance.agency
        age = -said.provenance.as_of.timestamp()
        register = agency != tools.register
        return register, place.get(agency, len(place)), agency, age, said.source_id

    return sorted(people, key=rank)


def _related(session: Session, people: Sequence[Said], tools: IndexTools) -> list[Related]:
    """Records that speak of the person, each once, by the shortest way."""
    found = store_views.reached_from(session, tools.vault, people)
    shortest: dict[int, Reached] = {}
    for one in sorted(found, key=lambda r: ("person", "household", "enrolment").index(r.via)):
        shortest.setdefault(one.said.provenance.record_id, one)
    names = store_views.people_by_source(session, _wanted(r.said for r in shortest.values()))
    program_of = {
        r.said.source_id: r.said.values.get("program_code")
        for r in shortest.values()
        if r.said.provenance.record_type == "enrolment"
    }
    return [
        Related(
            provenance=r.said.provenance,
            via=r.via,
            role=r.role,
            values=r.said.values,
            program=r.said.values.get("program_code")
            or program_of.get(r.said.values.get("enrolment", "")),
            members=_members(r.said, names),
        )
        for r in shortest.values()
    ]


def _wanted(records: Iterable[Said]) -> list[tuple[str, str]]:
    """The people whom households name, by (agency, source id)."""
    return [(said.provenance.agency, ref) for said in records for ref, _ in _references(said)]


def _references(said: Said) -> list[tuple[str, str | None]]:
    if said.provenance.record_type != "household":
        return []
    listed = [(m["person"], m.get("relation")) for m in said.values.get("members", ())]
    head = said.values.get("head_person")
    return listed if head is None or head in dict(listed) else [(head, None), *listed]


def _members(
    said: Said, names: Mapping[tuple[str, str], tuple[UUID | None, str | None, str | None]]
) -> tuple[Relative, ...]:
    out = []
    for ref, relation in _references(said):
        person, name, born = names.get((said.provenance.agency, ref), (None, None, None))
        head = ref == said.values.get("head_person")
        out.append(Relative(person, name, born, relation, is_head=head))
    return tuple(out)


def _family(session: Session, card: str | None, tools: IndexTools) -> tuple[Relative, ...]:
    """Who stands on the family card, by the civil register."""
    if card is None:
        return ()
    number = card

    def on_card() -> list[tuple[UUID | None, str | None, str | None, str | None]]:
        blinds = sealing.blind_all(tools.vault, "no_kk", number)
        return store_views.on_card(session, tools.register, blinds)

    return tuple(
        Relative(person, name, born, relation, is_head=relation == "1")
        for person, name, born, relation in sealing.settled(tools.vault, on_card)
    )


def _of_type(related: Sequence[Related], record_type: str) -> tuple[Related, ...]:
    """Of one type, the newest first: by its own date where it has one."""
    chosen = [r for r in related if r.provenance.record_type == record_type]

    def age(one: Related) -> tuple[str, str, int]:
        own = one.values.get("date") or one.values.get("list_period") or one.values.get("start")
        return str(own or ""), one.provenance.as_of.isoformat(), one.provenance.record_id

    return tuple(sorted(chosen, key=age, reverse=True))


def _links(
    people: Sequence[Said], known: Mapping[int, Known], tools: IndexTools
) -> tuple[Link, ...]:
    """The strongest links that connect all the records; the last is the weakest of them."""
    compared = [p.provenance for p in people if p.provenance.record_id in known][:_MOST_COMPARED]
    if len(compared) < 2:
        return ()
    where = {p.record_id: i for i, p in enumerate(compared)}
    # In the order of their keys, as everywhere: so a score is the one that linked them.
    ordered = sorted(compared, key=lambda p: known[p.record_id].features.key)
    batch = Batch.of([known[p.record_id].features for p in ordered])
    left, right = (x.astype(np.int64) for x in np.triu_indices(len(ordered), 1))
    scorer = tools.scorer
    evidence = scorer.evidence(batch, Pairs(left, right))
    bits = scorer.score(evidence).tolist()
    at = {(a, b): i for i, (a, b) in enumerate(zip(left.tolist(), right.tolist(), strict=True))}
    chosen = reasons.tree(len(ordered), [(a, b, bits[i]) for (a, b), i in at.items()])
    out = []
    for number, (a, b, weight) in enumerate(chosen):
        one, other = sorted((ordered[a], ordered[b]), key=lambda p: where[p.record_id])
        why = reasons.evidence(scorer.explain(evidence, at[a, b]))
        out.append(Link(one, other, weight, why, weakest=number == len(chosen) - 1))
    return tuple(out)


def _programs(session: Session, related: Sequence[Related]) -> dict[str, dict[str, object]]:
    codes = {r.program for r in related if r.program is not None}
    return store_views.programs(session, codes) if codes else {}


def _overlaps(
    benefits: Sequence[Related], programs: Mapping[str, Mapping[str, object]]
) -> tuple[radar.Overlap, ...]:
    paid = [(b.provenance.record_id, b.agency, b.via, b.values, b.program) for b in benefits]
    return tuple(radar.overlaps(radar.aids(paid, programs)))


def _leaves(provenances: Iterable[Provenance]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(p.accepted for p in provenances if p.accepted is not None))
