"""What the index says of a person at the counter: a verdict, and the snapshot that is kept. Pure.

`listed`: found, alive, resident, and an active listing of any source. `ambiguous`: somebody has to
decide who it is, or whether he still lives here. `unlisted`: nobody, or nobody who is listed.

Source: design/domain.md §2.2 (C02–C04), §1.4 (F2–F4).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.index.view import Candidate, PersonView
from gateway.storage import ids

LIKELY_BITS = 12.0
"""From here on a candidate may well be the person: twelve bits are one in four thousand."""
_GONE = frozenset(("DEATH_REGISTERED", "MOVED_OUT"))


def of_person(view: PersonView, stale: Sequence[str] = ()) -> dict[str, Any]:
    """The snapshot of a person whom the officer chose.

    Args:
        view: his profile.
        stale: labels of the agencies whose silence would mislead.
    """
    listings = [_listing(each.agency, each.values) for each in view.listings]
    active = any(each["status"] == "active" for each in listings)
    doubtful = any(note.code in _GONE for note in view.notes)
    return {
        "verdict": "ambiguous" if doubtful else "listed" if active else "unlisted",
        "person": ids.show(view.person_id),
        "badges": list(view.badges),
        "listings": listings,
        "sources": {code: as_of.date().isoformat() for code, as_of in view.freshness.items()},
        "notes": [note.code for note in view.notes],
        "batches": [leaf.hex() for leaf in view.batches],
        "stale": list(stale),
    }


def of_nobody(candidates: Iterable[Candidate], stale: Sequence[str]) -> dict[str, Any]:
    """The snapshot where the officer chose none of the candidates that the index has."""
    likely = [c for c in candidates if c.score >= LIKELY_BITS]
    return {
        "verdict": "ambiguous" if likely else "unlisted",
        "candidates": [
            {"person": ids.show(c.person_id), "bits": round(c.score, 1)} for c in likely
        ],
        "stale": list(stale),
    }


def event_of(check: Mapping[str, Any]) -> str:
    """The system's move out of `registered` that a snapshot calls for."""
    return {
        "listed": "match_listed",
        "ambiguous": "match_ambiguous",
        "unlisted": "match_none",
    }[check["verdict"]]


def _listing(agency: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "agency": agency,
        "list": values.get("list_code"),
        "period": values.get("list_period"),
        "desil": values.get("desil"),
        "status": values.get("listing_status"),
    }
