"""What a person has already beside the programme that somebody is about to approve. Pure.

Payments, enrolments and the desk's own reservations of the year are weighed alike: *duplikat* where
the programmes exclude each other, *pelengkap* where one completes the other, else somebody looks.

Source: design/domain.md §5.9 (duplicate aid), §1.4 (F12, F14).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from gateway.index import radar
from gateway.index.radar import Aid, Kind
from gateway.index.view import PersonView
from gateway.programs.model import GOVERNMENT, Program

_HOLDS = frozenset(("approved", "active"))


@dataclass(frozen=True, slots=True)
class Beside:
    """One programme that a person has, and what it is to the one that is asked for."""

    agency: str
    program: str
    kind: Kind


def beside(
    program: Program, view: PersonView, reserved: Iterable[Program], today: date
) -> list[Beside]:
    """What a person has for the same need this year; `reserved` are programmes of the desk."""
    asked = _aid(program, -1, _year(today))
    held = [*_held(view), *(_aid(p, -2, _year(today)) for p in reserved if p.code != program.code)]
    found = {
        (o.a if o.b is asked else o.b).program: o
        for o in radar.overlaps([*held, asked])
        if asked in (o.a, o.b)
    }
    return [
        Beside((o.a if o.b is asked else o.b).agency, code, o.kind)
        for code, o in sorted(found.items())
    ]


def covered_by(kind: str, view: PersonView, today: date) -> str | None:
    """A government programme that meets this very need of the person this year, if any."""
    first, last = _year(today)
    for aid in _held(view):
        public = view.programs[aid.program].get("funder") in GOVERNMENT
        if public and kind in aid.needs and aid.first <= last and first <= aid.last:
            return aid.program
    return None


def _held(view: PersonView) -> Sequence[Aid]:
    paid = [(b.provenance.record_id, b.agency, b.via, b.values, b.program) for b in view.benefits]
    enrolled = []
    for each in view.enrolments:
        program = view.programs.get(each.program or "")
        span = None if program is None else _span(each.values, program)
        if program is not None and span is not None and each.values.get("status") in _HOLDS:
            published = Program.read(each.agency, program)
            enrolled.append(_aid(published, each.provenance.record_id, span))
    return [*radar.aids(paid, view.programs), *enrolled]


def _aid(program: Program, number: int, span: tuple[date, date]) -> Aid:
    return Aid(
        number,
        program.agency,
        program.code,
        "person",
        *span,
        program.need_kinds,
        program.exclusive_group,
        program.complements,
    )


def _span(said: Mapping[str, Any], program: Mapping[str, Any]) -> tuple[date, date] | None:
    """From when to when somebody is enrolled; the programme's year where nothing is said."""
    first, last = _year(date(program["fiscal_year"], 1, 1))
    start, end = said.get("start"), said.get("end")
    span = (
        date.fromisoformat(start) if start else first,
        date.fromisoformat(end) if end else last,
    )
    return span if span[0] <= span[1] else None


def _year(day: date) -> tuple[date, date]:
    return date(day.year, 1, 1), date(day.year, 12, 31)
