"""A question to agencies about one person, at once: logged as any look is, before it leaves.

1. `ask_live`: the question stands in tracker and log; commit;
2. `open_live`: a request lies in the inbox of each agency, with an entry of its own; commit;
3. `look_live`, as often as the page is opened: answers that were not shown yet are logged as shown;
   commit; then they are shown.

Source: trust.md 2.8, 4.3.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.access import tracker
from gateway.access.model import Action, Asked, Officer, Purpose
from gateway.access.service import Door, ask, recall
from gateway.access.tracker import Shown
from gateway.errors import Refused
from gateway.index import query as index
from gateway.index.query import PersonView
from gateway.lookup import query as lookup
from gateway.lookup import service as lookups
from gateway.lookup.model import Desk, Question, Standing
from gateway.storage import ids
from gateway.trust import query as trust
from gateway.trust.model import LIVE_CHECK


def answering(session: Session, now: datetime) -> Sequence[str]:
    """The agencies that may be asked at once."""
    return trust.holders(session, LIVE_CHECK, now)


def ask_live(
    session: Session,
    officer: Officer,
    asked: tuple[UUID, Purpose, Sequence[str]],
    door: Door,
    now: datetime,
) -> Asked:
    """Log that agencies are about to be asked; `asked`: the person, why, which agencies.

    Raises:
        Refused: none of them may be asked (`live.nobody`).
        Forbidden: the officer may not for this purpose.
        TooMany: the officer's limit is reached.
    """
    person, purpose, agencies = asked
    allowed = sorted(set(agencies) & set(answering(session, now)))
    if not allowed:
        raise Refused("live.nobody", "Pilih sedikitnya satu instansi yang dapat ditanyai langsung.")
    terms = {"person": ids.show(person), "agencies": " ".join(allowed)}
    return ask(session, officer, (Action.LIVE, purpose, terms), door, now)


def open_live(session: Session, asked: Asked, door: Door, now: datetime) -> Sequence[str]:
    """Put a committed question into the inboxes of its agencies; which they are.

    Raises:
        Refused: nothing is known of the person by which an agency could find him.
        Forbidden, TooMany: an agency may not be asked, or not any more today.
    """
    agencies = asked.terms["agencies"].split()
    question = Question(
        query_id=asked.id,
        leaf=asked.leaf,
        purpose=asked.purpose.value,
        role=asked.role.value,
        subject=_subject(_person(session, asked, door)),
    )
    lookups.ask(session, question, agencies, _desk(door), now)
    return agencies


def look_live(
    session: Session, key: tuple[UUID, Officer], door: Door, now: datetime
) -> tuple[Asked, list[Standing]]:
    """How the question of this officer stands; what is shown for the first time is logged.

    Raises:
        NotFound: no such question of his, or it is older than 15 minutes.
    """
    query_id, officer = key
    asked = recall(session, (query_id, officer, Action.LIVE), door, now)
    fresh = lookup.fresh_answers(session, query_id, now)
    if fresh:
        person = ids.parse(asked.terms["person"])
        detail = {"fields": "live", "answers": " ".join(ids.show(rid) for rid in fresh)}
        shown = Shown((person,) if person else (), (), detail)
        tracker.answer(session, asked, shown, door.tools.vault, now)
    return asked, lookup.standing(session, query_id, door.tools.vault, now)


def _person(session: Session, asked: Asked, door: Door) -> PersonView:
    person = ids.parse(asked.terms["person"])
    if person is None:
        raise Refused("person.id", "Tidak ada orang dengan tanda itu.")
    return index.profile(session, person, door.tools)


def _subject(person: PersonView) -> dict[str, str]:
    """What an agency may look him up by."""
    golden = person.golden
    found = {
        "nik": golden.get("nik"),
        "name": golden.get("name_source"),
        "birth_date": golden.get("birth_date"),
    }
    subject = {name: str(value.value) for name, value in found.items() if value is not None}
    if not {"nik", "name"} & subject.keys():
        raise Refused("live.nobody", "Orang ini tidak mempunyai NIK maupun nama untuk ditanyakan.")
    return subject


def _desk(door: Door) -> Desk:
    settings = door.settings
    return Desk(
        vault=door.tools.vault,
        aud=settings.aud,
        deadline=timedelta(seconds=settings.live_seconds),
        a_day=settings.live_per_day,
    )
