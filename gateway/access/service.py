"""The only door to persons: a logged question, then a logged answer, then the page.

Each act is two transactions of the caller's:

1. `ask_…`: the question stands in the tracker and in the log; commit;
2. `search`, `open_profile`, `reveal`: the answer is computed, its result entry written; commit;
then, and only then, it is shown. If the process dies in between, the log shows a question without
an answer, which counts as access.

Source: design/trust.md 4.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.access import box, tracker
from gateway.access.model import Action, Asked, Officer, Purpose, decide
from gateway.access.tracker import Asker, Shown
from gateway.errors import NotFound, Refused
from gateway.index import query as index
from gateway.index.arrivals import IndexTools
from gateway.index.query import Candidate, Comparison, PersonView, Search
from gateway.settings import Settings
from gateway.storage import ids

MOST = 10
"""Candidates shown at most."""


@dataclass(frozen=True, slots=True)
class Door:
    """What stands at the door: the index's tools, the limits and today's business date."""

    tools: IndexTools
    settings: Settings
    today: date


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a search, and the leaf of its entry in the log."""

    asked: Asked
    candidates: tuple[Candidate, ...]
    leaf: bytes


def ask(
    session: Session,
    officer: Officer,
    question: tuple[Action, Purpose, Mapping[str, str]],
    door: Door,
    now: datetime,
) -> Asked:
    """Log a question (action, purpose, terms); the caller commits before it is answered.

    Raises:
        Forbidden: the officer may not ask this for that purpose.
        TooMany: the officer's limit is reached.
    """
    action, purpose, _ = question
    role = decide(officer, action, purpose)
    tracker.check_rate(session, (officer, action), door.settings, now)
    asker = Asker(role=role.value, unit=officer.unit, officer_id=officer.id)
    return tracker.ask(session, asker, question, door.tools.vault, now)


def recall(session: Session, key: tuple[UUID, Officer, Action], door: Door, now: datetime) -> Asked:
    """A committed question of this officer (`key`: id, officer, action), to be answered now.

    Raises:
        NotFound: there is none of that action, or it is older than 15 minutes.
        Forbidden: his roles have changed since.
    """
    query_id, officer, action = key
    asked = tracker.recall(session, query_id, officer, door.tools.vault, now)
    if asked.action is not action:
        raise NotFound("query.expired", "Pencarian ini sudah kedaluwarsa. Cari lagi.")
    decide(officer, action, asked.purpose)  # his roles may have changed since he asked
    return asked


def ask_search(
    session: Session, officer: Officer, asked: tuple[str, Purpose], door: Door, now: datetime
) -> Asked:
    """Log a search; `asked` is what was typed, and why.

    Raises:
        Refused: nothing that can be searched for.
        Forbidden: the officer may not search for this purpose.
        TooMany: the officer's limit is reached.
    """
    typed, purpose = asked
    terms = box.read_box(typed, door.today)
    return ask(session, officer, (Action.SEARCH, purpose, {"typed": typed, **terms}), door, now)


def search(session: Session, officer: Officer, query_id: UUID, door: Door, now: datetime) -> Found:
    """Answer a committed search; at most ten candidates, NIK masked.

    Raises:
        NotFound: no such search of this officer, or it is older than 15 minutes.
    """
    asked = recall(session, (query_id, officer, Action.SEARCH), door, now)
    return answer_search(session, asked, door, now)


def answer_search(session: Session, asked: Asked, door: Door, now: datetime) -> Found:
    """Answer a search whose question this process has just committed."""
    found = tuple(find(session, asked.terms, door))
    leaf = tracker.answer(session, asked, _shown(found), door.tools.vault, now)
    return Found(asked, found, leaf)


def ask_profile(
    session: Session, officer: Officer, asked: tuple[UUID, Purpose], door: Door, now: datetime
) -> Asked:
    """Log that a profile is about to be opened.

    Raises:
        Forbidden: the officer may not open profiles for this purpose.
    """
    person, purpose = asked
    return ask(session, officer, (Action.PROFILE, purpose, {"person": ids.show(person)}), door, now)


def open_profile(
    session: Session, officer: Officer, query_id: UUID, door: Door, now: datetime
) -> tuple[Asked, PersonView]:
    """The profile that a committed question asked for.

    Raises:
        NotFound: no such question of this officer, or no such person any more.
    """
    asked = recall(session, (query_id, officer, Action.PROFILE), door, now)
    view = _profile(session, asked, door)
    shown = Shown((view.person_id,), view.batches, {"fields": "profile"})
    tracker.answer(session, asked, shown, door.tools.vault, now)
    return asked, view


def ask_reveal(
    session: Session, officer: Officer, asked: tuple[UUID, Purpose], door: Door, now: datetime
) -> Asked:
    """Log that a NIK is about to be shown in full.

    Raises:
        Forbidden: the officer may not reveal a NIK for this purpose.
    """
    person, purpose = asked
    return ask(session, officer, (Action.REVEAL, purpose, {"person": ids.show(person)}), door, now)


def reveal(
    session: Session, officer: Officer, query_id: UUID, door: Door, now: datetime
) -> tuple[Asked, PersonView]:
    """The profile with its NIK in full; the page decides nothing, the question did.

    Raises:
        NotFound: no such question of this officer, or no such person any more.
    """
    asked = recall(session, (query_id, officer, Action.REVEAL), door, now)
    view = _profile(session, asked, door)
    shown = Shown((view.person_id,), view.batches, {"fields": "profile nik"})
    tracker.answer(session, asked, shown, door.tools.vault, now)
    return asked, view


def ask_compare(
    session: Session, officer: Officer, asked: tuple[str, Sequence[UUID]], door: Door, now: datetime
) -> Asked:
    """Log that one person, or two side by side, are about to be shown for a steward's task.

    `asked` is the task's id as it is shown, and the persons.

    Raises:
        Forbidden: the officer may not compare persons.
        TooMany: the officer's limit is reached.
    """
    task, persons = asked
    terms = {"task": task, "persons": " ".join(ids.show(p) for p in persons)}
    return ask(session, officer, (Action.COMPARE, Purpose.DATA_REVIEW, terms), door, now)


def open_compare(
    session: Session,
    officer: Officer,
    asked: tuple[UUID, tuple[int, int]],
    door: Door,
    now: datetime,
) -> tuple[Asked, Comparison]:
    """The persons that a committed question asked for; `asked` also names the records judged.

    Raises:
        NotFound: no such question of this officer, or no such person any more.
    """
    query_id, records = asked
    question = recall(session, (query_id, officer, Action.COMPARE), door, now)
    persons = [p for t in question.terms["persons"].split() if (p := ids.parse(t)) is not None]
    found = index.compare(session, persons, records, door.tools)
    shown = Shown(tuple(v.person_id for v in found.persons), found.batches, {"fields": "compare"})
    tracker.answer(session, question, shown, door.tools.vault, now)
    return question, found


def find(session: Session, terms: Mapping[str, str], door: Door) -> list[Candidate]:
    """Candidates for the terms of the box; 16 digits may be a NIK or a family card."""
    wanted = Search(
        number=terms.get("number"),
        name=terms.get("name"),
        birth_date=terms.get("birth_date"),
        phone=terms.get("phone"),
    )
    return index.find(session, wanted, door.tools, limit=MOST)


def _profile(session: Session, asked: Asked, door: Door) -> PersonView:
    person = ids.parse(asked.terms.get("person", ""))
    if person is None:
        raise Refused("person.id", "Tidak ada orang dengan tanda itu.")
    return index.profile(session, person, door.tools)


def _shown(found: tuple[Candidate, ...]) -> Shown:
    batches = tuple(dict.fromkeys(b for c in found for b in c.batches))
    return Shown(tuple(c.person_id for c in found), batches, {"fields": "candidate"})
