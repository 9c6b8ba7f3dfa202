"""Finding: at most ten persons whom a number or a name may mean, scored by the engine itself.

Numbers cost three round trips, however many records they meet; so do names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.index import features, normalise, numbers, precedence, reasons, sealing, store_views
from gateway.index.arrivals import NUMBERS, IndexTools
from gateway.index.model import Batch, Pairs, PersonFeatures
from gateway.index.precedence import Claim, Rule
from gateway.index.store_links import Known
from gateway.index.store_views import Blinds, Hit
from gateway.index.view import Candidate, Evidence, Search, mask_nik

SHORTEST_NAME = 3
_BADGE_STATUSES = frozenset(("active", "proposed_in"))


def find(session: Session, search: Search, tools: IndexTools, limit: int = 10) -> list[Candidate]:
    """The persons whom the search may mean, the likeliest first.

    Raises:
        Refused: `search.empty`, nothing to search by, or a name of fewer than three letters.
    """
    wanted, hits = _look_up(session, search, tools)
    ranked = _rank(wanted, hits, tools, limit)
    if not ranked:
        return []
    members: dict[UUID, list[Known]] = {}
    for hit in hits:
        members.setdefault(hit.person_id, []).append(hit.known)
    shown = {person: members[person] for person, _ in ranked}
    names = store_views.names_of(session, [k.record_id for ks in shown.values() for k in ks])
    badges = badges_of(session, shown, tools)
    return [
        _candidate(_Shown(person, shown[person], found, badges.get(person, ())), names, tools)
        for person, found in ranked
    ]


def badges_of(
    session: Session, people: Mapping[UUID, Sequence[Known]], tools: IndexTools
) -> dict[UUID, tuple[str, ...]]:
    """The lists that hold each person or the household: `DTSEN desil 2`."""
    owner = {k.record_id: person for person, known in people.items() for k in known}
    asked = [
        (k.record_id, k.features.source, k.features.key.split("/", 1)[1])
        for known in people.values()
        for k in known
    ]
    out: dict[UUID, list[str]] = {}
    for record_id, listing in store_views.listings_of(session, asked):
        if listing.get("listing_status") in _BADGE_STATUSES:
            out.setdefault(owner[record_id], []).append(badge(listing))
    order = tools.profile.list_order
    place = {code: i for i, code in enumerate(order)}
    return {
        person: tuple(sorted(set(texts), key=lambda t: (place.get(t.split()[0], len(place)), t)))
        for person, texts in out.items()
    }


def badge(listing: Mapping[str, object]) -> str:
    desil = listing.get("desil")
    return str(listing["list_code"]) + ("" if desil is None else f" desil {desil}")


def _look_up(
    session: Session, search: Search, tools: IndexTools
) -> tuple[PersonFeatures, list[Hit]]:
    """What was typed, as the engine sees it, and all records of the persons it meets."""
    nik, no_kk = search.nik or search.number, search.no_kk or search.number
    phone = numbers.phone(search.phone) if search.phone else None
    if nik or no_kk or phone:
        wanted = PersonFeatures(key="", nik=nik, no_kk=no_kk, phone=phone)

        def by_number() -> list[Hit]:
            return store_views.by_number(session, tools.vault, _blinds(wanted, tools))

        return wanted, sealing.settled(tools.vault, by_number)
    name = normalise.name(search.name or "")
    if sum(c.isalpha() for c in search.name or "") < SHORTEST_NAME or not name.core:
        raise Refused("search.empty", "Tuliskan NIK, No. KK, telepon, atau tiga huruf nama.")
    wanted = PersonFeatures(key="", name=name.value, birth_date=search.birth_date)
    hits: dict[int, Hit] = {}
    for form in (name.core, *name.aliases):
        for hit in store_views.by_name(session, tools.vault, form, search.birth_date):
            hits[hit.known.record_id] = hit
    return wanted, list(hits.values())


def _blinds(wanted: PersonFeatures, tools: IndexTools) -> Blinds:
    def of(label: str, value: str | None) -> Sequence[bytes]:
        return sealing.blind_all(tools.vault, label, value) if value else ()

    return Blinds(
        nik=of("nik", wanted.nik), no_kk=of("no_kk", wanted.no_kk), phone=of("phone", wanted.phone)
    )


def _rank(
    wanted: PersonFeatures, hits: Sequence[Hit], tools: IndexTools, limit: int
) -> list[tuple[UUID, tuple[Evidence, ...]]]:
    """The best persons, each by the record that fits best, with that record's reasons."""
    if not hits:
        return []
    if wanted.name is None:
        return _by_number(wanted, hits, tools)[:limit]
    ordered = sorted(hits, key=lambda h: h.known.features.key)
    batch = Batch.of([wanted, *(h.known.features for h in ordered)])
    here = np.zeros(len(ordered), dtype=np.int64)
    scorer = tools.scorer
    found = scorer.evidence(batch, Pairs(here, np.arange(1, len(ordered) + 1, dtype=np.int64)))
    bits = scorer.score(found).tolist()
    best: dict[UUID, int] = {}
    for at, hit in enumerate(ordered):
        if hit.person_id not in best or bits[at] > bits[best[hit.person_id]]:
            best[hit.person_id] = at
    ranked = sorted(best.items(), key=lambda item: (-bits[item[1]], item[1]))[:limit]
    return _near(
        [
            (person, reasons.of_records(reasons.evidence(scorer.explain(found, at))))
            for person, at in ranked
        ]
    )


def _by_number(
    wanted: PersonFeatures, hits: Sequence[Hit], tools: IndexTools
) -> list[tuple[UUID, tuple[Evidence, ...]]]:
    """Persons by the strongest number that one of their records shares with what was typed."""
    best: dict[UUID, int] = {}
    for hit in sorted(hits, key=lambda h: h.known.features.key):
        for place, name in enumerate(NUMBERS):
            given = getattr(wanted, name)
            if given is not None and getattr(hit.known.features, name) == given:
                best[hit.person_id] = min(place, best.get(hit.person_id, place))
    ranked = sorted(best.items(), key=lambda item: item[1])
    return [(p, reasons.evidence(tools.same_number[NUMBERS[place]])) for p, place in ranked]


def _near(
    ranked: list[tuple[UUID, tuple[Evidence, ...]]],
) -> list[tuple[UUID, tuple[Evidence, ...]]]:
    """Without those whose name differs, where others have one that does not."""
    near = [
        r for r in ranked if not any(e.field == "name" and e.level == "different" for e in r[1])
    ]
    return near or ranked


@dataclass(frozen=True, slots=True)
class _Shown:
    """A person to be shown: the records, why they were found, and what is known beside."""

    person_id: UUID
    known: Sequence[Known]
    found: tuple[Evidence, ...]
    badges: tuple[str, ...]


def _candidate(
    shown: _Shown, names: Mapping[int, tuple[str, datetime, bytes | None]], tools: IndexTools
) -> Candidate:
    def golden(attribute: str, value: Callable[[Known], str | None]) -> str | None:
        claims = [
            Claim(k.features.source, k.features.key, names[k.record_id][1], said, said)
            for k in shown.known
            if k.record_id in names and (said := value(k)) is not None
        ]
        rule = tools.rule(attribute)
        chosen = precedence.golden(claims, Rule(rule.order))
        return None if chosen is None else str(chosen.value)

    address = golden("address_ktp", lambda k: k.features.address)
    rt, rw = address.split("|")[2:4] if address else ("", "")
    kelurahan = golden("address_ktp", lambda k: k.features.kelurahan)
    agencies = sorted({k.features.source for k in shown.known}, key=_listed(tools))
    leaves = [names[k.record_id][2] for k in shown.known if k.record_id in names]
    return Candidate(
        person_id=shown.person_id,
        name=golden("name_source", lambda k: names[k.record_id][0]),
        birth_date=golden("birth_date", lambda k: k.features.birth_date),
        sex=golden("sex", lambda k: k.features.sex),
        kelurahan=tools.place_name(kelurahan),
        rt=rt or None,
        rw=rw or None,
        nik_masked=mask_nik(golden("nik", lambda k: features.whole_nik(k.features))),
        score=sum(e.bits for e in shown.found),
        why=reasons.words(shown.found),
        evidence=shown.found,
        sources=tuple(tools.label(code) for code in agencies),
        badges=shown.badges,
        batches=tuple(dict.fromkeys(leaf for leaf in leaves if leaf is not None)),
    )


def _listed(tools: IndexTools) -> Callable[[str], tuple[int, str]]:
    """The order in which the profile lists agencies; others follow by name."""
    place = {code: i for i, code in enumerate(tools.profile.agencies)}
    return lambda code: (place.get(code, len(place)), code)
