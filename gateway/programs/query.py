"""What can be asked of programmes: the catalogue, and how much is left; no person's data."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.errors import NotFound
from gateway.index import catalogue as published
from gateway.programs import store
from gateway.programs.model import Program, Truth, When
from gateway.storage import ids

_ORDER = {when: n for n, when in enumerate(When)}


@dataclass(frozen=True, slots=True)
class Wish:
    """Which programmes are looked for; an empty field asks for nothing."""

    need_kind: str = ""
    bidang: str = ""
    funder: str = ""
    level: str = ""
    agency: str = ""
    when: str = ""

    def fits(self, truth: Truth, today: date) -> bool:
        """Whether a programme is what is looked for, on this day."""
        p = truth.program
        return (
            (not self.need_kind or self.need_kind in p.need_kinds)
            and self.bidang in ("", p.bidang)
            and self.funder in ("", p.funder)
            and self.level in ("", p.level)
            and self.agency in ("", p.agency)
            and self.when in ("", truth.when(today))
        )


def catalogue(session: Session, wish: Wish, today: date) -> list[Truth]:
    """Programmes that are no drafts, the running ones first, then by name."""
    found = [
        truth
        for truth in truths(session, None)
        if truth.program.status != "draft" or truth.program.is_later(today)
        if wish.fits(truth, today)
    ]
    return sorted(found, key=lambda t: (_ORDER[t.when(today)], t.program.name, t.program.code))


def truth_of(session: Session, code: str) -> Truth:
    """How much is left of one programme.

    Raises:
        NotFound: nobody publishes it (`program.unknown`).
    """
    found = truths(session, [code])
    if not found:
        raise NotFound("program.unknown", "Program itu tidak diterbitkan instansi mana pun.")
    return found[0]


def truths(session: Session, codes: Collection[str] | None) -> list[Truth]:
    """How much is left of all published programmes, or of these."""
    programs = [Program.read(p.agency, p.values) for p in published.programs(session, codes)]
    held = store.open_of(session, codes)
    shown = {row.need_id: ids.show(row.need_id) for row in held}
    answered = published.answered(session, shown.values()) if shown else frozenset()
    places: dict[str, list[int]] = defaultdict(list)
    matched: dict[str, int] = defaultdict(int)
    for row in held:
        if shown[row.need_id] in answered:
            matched[row.program_code] += 1
        else:
            places[row.program_code].append(row.amount_idr)
    return [Truth(p, len(places[p.code]), sum(places[p.code]), matched[p.code]) for p in programs]


def reserved_for(session: Session, person_id: UUID) -> list[Program]:
    """The programmes of which the desk has reserved something for a person."""
    codes = {row.program_code for row in store.of_person(session, person_id)}
    return [truth.program for truth in truths(session, codes)] if codes else []


@dataclass(frozen=True, slots=True)
class Touching:
    """What one agency has promised beside a programme of another; rupiah, no person."""

    agency: str
    program: str
    own: str
    amount_idr: int


def touching(session: Session, agency: str) -> list[Touching]:
    """What others have promised to persons who have an excluding programme of this agency.

    So both agencies see it before money moves. Source: design/domain.md §7, scenario 21.
    """
    rows = store.overridden(session)
    codes = {code for row in rows for code in row.beside}
    own = {
        p.values["program_code"] for p in published.programs(session, codes) if p.agency == agency
    }
    return [
        Touching(row.agency, row.program_code, code, row.amount_idr)
        for row in rows
        for code in row.beside
        if code in own and row.agency != agency
    ]
