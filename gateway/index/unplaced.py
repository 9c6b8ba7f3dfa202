"""K13: a place that an agency names and nobody can find: one conflict for an agency and a name.

A list in which an old name stands a thousand times is one thing to mend, at one desk. So the name
is counted over all live records of the agency, by an index that holds only what has no kelurahan.

Source: design/domain.md 6.3 (K13).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.index import store_conflicts
from gateway.index.contradictions import Conflict
from gateway.index.store_conflicts import Fact

KIND = "K13"


@dataclass(frozen=True, slots=True)
class Places:
    """What was looked at, by `about` (`place:AGENCY:NAME`), and what of it is still in conflict."""

    abouts: frozenset[str]
    conflicts: tuple[Conflict, ...]


def look(
    session: Session,
    taken: Sequence[int],
    facts: Mapping[UUID, Sequence[Fact]],
    standing: Collection[str],
) -> Places:
    """The names without a kelurahan that these persons carry, and those that stood so far.

    Of what stood, the names of agencies whose persons stirred are looked at: what is mended or
    gone names nothing.
    """
    said = {(f.agency, name) for fs in facts.values() for f in fs if (name := _unfound(f))}
    stirred = store_conflicts.agencies_of(session, taken)
    stood = {(agency, name) for agency, name in map(_parts, standing) if agency in stirred}
    asked = said | stood
    found = store_conflicts.unplaced(session, {a for a, _ in asked}, {n for _, n in asked})
    return Places(
        frozenset(_about(agency, name) for agency, name in asked),
        tuple(
            Conflict(KIND, _about(p.agency, p.name), (), (p.first,) * 2, p.agency, worth=p.records)
            for p in found
            if (p.agency, p.name) in asked
        ),
    )


def _unfound(fact: Fact) -> str | None:
    """The name as the source wrote it, where it is no kelurahan of today."""
    if fact.record_type != "person":
        return None
    where: Mapping[str, Any] = (
        fact.values.get("address_ktp") or fact.values.get("address_domicile") or {}
    )
    return None if where.get("kelurahan") else where.get("kelurahan_raw") or None


def _about(agency: str, name: str) -> str:
    return f"place:{agency}:{name}"


def _parts(about: str) -> tuple[str, str]:
    _, agency, name = about.split(":", 2)
    return agency, name
