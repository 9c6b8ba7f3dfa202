"""A person's attributes across agencies: who says what, what is shown, and where they disagree."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gateway.index import features, normalise, precedence
from gateway.index.arrivals import IndexTools
from gateway.index.precedence import DECEASED, Claim, Golden, Rule
from gateway.index.store_views import Said
from gateway.index.view import Cell, Note, Row
from schemas.kinds import About
from schemas.records.registry import RECORD_TYPES

HIDDEN = frozenset(("mother_name", "nik_status", "nik_raw", "birth_date_precision"))
"""Matching only (never displayed at the counter), or said by the field beside it."""

_SAME_NAME = frozenset(("name_source",))
_ADDRESSES = frozenset(("address_ktp", "address_domicile"))
_MOVED = "moved_out"


def rows(people: Sequence[Said], tools: IndexTools) -> tuple[Row, ...]:
    """Every attribute that somebody asserts, in the order of the schema."""
    made = []
    for name, field in RECORD_TYPES["person"].schema.load_fields.items():
        claims = [] if name in HIDDEN else _claims(name, people)
        if claims:
            about: About = field.about  # type: ignore[attr-defined]  # every wire field has one
            made.append(_row(name, about, claims, tools))
    return tuple(made)


def golden_of(made: Sequence[Row]) -> dict[str, Golden]:
    """What is shown for each attribute."""
    return {row.attribute: row.golden for row in made if row.golden is not None}


def notes(people: Sequence[Said], tools: IndexTools) -> tuple[Note, ...]:
    """Deaths and moves: registered by whose word is final, suspected by others."""
    out = []
    moving = tools.profile.precedence.get("residency_status", ())
    for said in people:
        agency, values = said.provenance.agency, said.values
        as_of = said.provenance.as_of
        if values.get("vital_status") == DECEASED:
            final = agency in tools.profile.authorities.death
            code = "DEATH_REGISTERED" if final else "DEATH_SUSPECTED"
            out.append(Note(code, agency, values.get("vital_date"), as_of))
        if values.get("residency_status") == _MOVED:
            code = "MOVED_OUT" if agency in moving else "MOVED_SUSPECTED"
            out.append(Note(code, agency, values.get("residency_date"), as_of))
    return tuple(sorted(out, key=lambda n: (n.code, n.agency)))


def _claims(name: str, people: Sequence[Said]) -> list[tuple[Said, Claim]]:
    return [
        (
            said,
            Claim(
                agency=said.provenance.agency,
                record=said.source_id,
                as_of=said.provenance.as_of,
                value=said.values[name],
                same=same(name, said.values),
            ),
        )
        for said in people
        if name in said.values
    ]


def same(name: str, values: Mapping[str, Any]) -> Any:
    """What two values must have in common to be no conflict."""
    value = values[name]
    if name in _SAME_NAME:
        return normalise.name(value, values.get("sex")).core
    if name in _ADDRESSES:
        return value.get("kelurahan"), features.address(value)
    if isinstance(value, (dict, list)):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return value


def _row(name: str, about: About, claims: Sequence[tuple[Said, Claim]], tools: IndexTools) -> Row:
    said = [claim for _, claim in claims]
    rule = tools.rule(name)
    if name == "vital_status":
        shown = precedence.vital(said, rule, tools.profile.authorities.death)
    elif rule.combination == precedence.UNION and not isinstance(said[0].value, list):
        shown = precedence.golden(said, Rule(rule.order))
    else:
        shown = precedence.golden(said, rule)
    cells = tuple(
        Cell(
            agency=claim.agency,
            record_id=of.provenance.record_id,
            value=claim.value,
            as_of=claim.as_of,
            conflict=precedence.is_conflict(claim, shown, said),
        )
        for of, claim in claims
    )
    conflict = any(cell.conflict for cell in cells)
    return Row(name, about.label_id, about.sensitivity.value, shown, cells, conflict)
