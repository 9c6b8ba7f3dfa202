"""An agency looks at the person of a need that was referred to it: asked first, then shown.

Source: design/trust.md 4.3; domain.md §3.8 (agency reviewer: only persons referred to it).
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.access import tracker, weighing
from gateway.access.model import Action, Asked, Officer, Purpose
from gateway.access.service import Door, ask, recall
from gateway.access.tracker import Shown
from gateway.index.query import PersonView


def ask_case(session: Session, officer: Officer, need: str, door: Door, now: datetime) -> Asked:
    """Log that the person of a need (as it is shown) is about to be looked at.

    Raises:
        Forbidden: his roles may not.
        TooMany: his limit is reached.
    """
    return ask(session, officer, (Action.CASE, Purpose.DATA_REVIEW, {"need": need}), door, now)


def open_case(
    session: Session,
    officer: Officer,
    asked: tuple[UUID, str, UUID | None],
    door: Door,
    now: datetime,
) -> PersonView | None:
    """What the index holds of that person; None where it holds nothing.

    `asked` is the committed question, the need as it is shown, and the person.

    Raises:
        NotFound: no such question of this officer about this need, or it is too old.
    """
    query_id, need, person = asked
    question = recall(session, (query_id, officer, Action.CASE), door, now)
    if question.terms["need"] != need:
        raise tracker.expired()
    view = weighing.view(session, person, door.tools.vault, door.tools.profile)
    persons = () if view is None else (view.person_id,)
    batches = () if view is None else view.batches
    tracker.answer(
        session, question, Shown(persons, batches, {"fields": "case"}), door.tools.vault, now
    )
    return view
