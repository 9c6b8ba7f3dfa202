"""What can be done with letters: issue one, print it, print a sheet that is not kept.

A letter is issued in the transaction of the decision that it tells of: number, data and decision
stand or fall together. It is kept as what it was made of, sealed, with the version of its template;
so the hundredth copy says what the original said, whatever the city's profile says by then.

Source: design/domain.md §5.6.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.errors import NotFound
from gateway.letters import numbers, press, store
from gateway.letters.model import Copy, Kind, Letter, Office, Paper
from gateway.storage import ids
from schemas.profile import Profile

_CODE_BYTES = 10


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter that is about to be issued; `data` in plain JSON values, without number and day."""

    kind: Kind
    ticket_id: UUID
    need_id: UUID | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """How a letter is to be printed; `origin` is the address of this gateway."""

    paper: Paper
    copy: Copy
    origin: str


def issue(session: Session, draft: Draft, day: str, office: Office) -> Letter:
    """Number and keep a letter; the caller commits.

    Args:
        session: of the deciding transaction: until it ends, others wait for the next number.
        draft: what it is made of.
        day: the date as it is printed.
        office: who issues it.
    """
    year, letter_id = office.today.year, ids.new()
    running = store.next_running(session, draft.kind, year)
    patterns = office.profile.letterhead.numbers
    number = numbers.printed(patterns, draft.kind.value, running, office.today)
    values = {
        "id": letter_id,
        "kind": draft.kind.value,
        "year": year,
        "running": running,
        "number": number,
        "ticket_id": draft.ticket_id,
        "need_id": draft.need_id,
        "code": base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower(),
        "template": press.newest()[draft.kind],
        "made_on": office.today,
        "made_at": office.now,
        "officer_id": office.officer_id,
    }
    data = {**draft.data, "house": house(office.profile), "number": number, "made_on": day}
    store.add(session, values, data, office.vault)
    return _known(store.get(session, letter_id, office.vault))


def print_letter(session: Session, letter_id: UUID, wish: Wish, office: Office) -> bytes:
    """The PDF of a letter; every print after the first is marked as a copy. The caller commits.

    Raises:
        NotFound: there is no such letter (`letter.unknown`).
        Unavailable: its template was altered (`letter.template`).
    """
    found = _known(store.get(session, letter_id, office.vault, lock=True))
    marks = {
        "paper": wish.paper.value,
        "copy": found.copies,
        "for": wish.copy.value,
        "link": f"{wish.origin}/s/{found.code}",
    }
    made = press.typeset(found.template, found.data, marks, found.made_at)
    printed = {
        "letter_id": found.id,
        "n": found.copies,
        "paper": wish.paper.value,
        "copy_for": wish.copy.value,
        "officer_id": office.officer_id,
        "at": office.now,
    }
    store.add_print(session, printed)
    return made


def sheet(kind: Kind, data: Mapping[str, Any], marks: Mapping[str, Any], office: Office) -> bytes:
    """The PDF of a print-out that is not kept: receipt, survey form, hand-over."""
    framed = {**data, "house": house(office.profile)}
    return press.typeset(press.newest()[kind], framed, marks, office.now)


def house(profile: Profile) -> dict[str, Any]:
    """What of the city's profile stands on every print."""
    head = profile.letterhead
    return {
        "lines": list(head.lines),
        "unit": profile.unit.name,
        "address": head.address,
        "place": head.place,
        "legal_basis": list(head.legal_basis),
        "signatory": head.signatory,
    }


def _known(found: Letter | None) -> Letter:
    if found is None:
        raise NotFound("letter.unknown", "Surat itu tidak ada. Kembali ke tiketnya.")
    return found
