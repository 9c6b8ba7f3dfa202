"""The daily digest of an agency: counts and due days as plain text, and nothing of any person.

Source: issue 5 (agency desk); trust.md 4.9.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy.orm import Session

from gateway.complaints import store_inbox
from gateway.complaints.inbox import TO_DELIVER, TO_REVIEW, WAITING
from gateway.complaints.lifecycle import Kind, lifecycle
from schemas.profile import Profile

_MONTHS = (
    "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember"
).split()


@dataclass(frozen=True, slots=True)
class Digest:
    """One agency's text of one day."""

    agency: str
    text: str


def of_day(session: Session, profile: Profile, today: date) -> list[Digest]:
    """The digest of each agency for which something waits."""
    states = lifecycle()[Kind.NEED].states
    due = store_inbox.due_until(session, today)
    by_agency: dict[str, list[str]] = {}
    for row in store_inbox.counts(session):
        if row.state not in (*TO_REVIEW, *TO_DELIVER, *WAITING):
            continue
        line = f"- {states[row.state].label['id']}: {row.n}"
        late = due.get((row.agency, row.state), 0)
        if row.due is not None:
            line += f", tenggat terdekat {_day(row.due)}"
        if late:
            line += f", {late} sudah jatuh tempo"
        by_agency.setdefault(row.agency, []).append(line)
    return [Digest(code, _text(profile, code, lines, today)) for code, lines in by_agency.items()]


def drop(folder: Path, digests: Sequence[Digest], today: date) -> int:
    """Lay each text into the folder, once a day; how many are new.

    A file is whole or not there: whoever takes it up never sees half of one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = 0
    for each in digests:
        path = folder / f"{today.isoformat()}-{each.agency}.txt"
        if not path.exists():
            part = path.with_suffix(".part")
            part.write_text(each.text, encoding="utf-8")
            part.replace(path)
            made += 1
    return made


def _text(profile: Profile, agency: str, lines: list[str], today: date) -> str:
    found = profile.agencies.get(agency)
    name = agency if found is None else found.name
    head = [
        f"Kepada: {name}",
        f"Perihal: Rujukan {profile.unit.name} yang menunggu, {_day(today)}",
        "",
    ]
    tail = [
        "",
        "Buka Meja instansi di Titian untuk memutuskan. Surat ini tidak memuat data pribadi.",
    ]
    return "\n".join([*head, *lines, *tail]) + "\n"


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
