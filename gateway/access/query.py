"""What may be asked without a person in mind: counts, and who looked."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.access import store, tracker
from gateway.access.model import Action, Look, Officer, decide
from gateway.index import query as index
from gateway.index.query import Stats


def counts(session: Session) -> Stats:
    """How much the index holds; no persons."""
    return index.stats(session)


def own_looks(session: Session, officer: Officer, limit: int = 10) -> list[Look]:
    """The officer's own newest looks, so that he sees those that are not his.

    Source: design/trust.md 5, row 35.
    """
    return tracker.looks(session, limit, officer.id)


def names(session: Session, officer_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """The names of officers."""
    return store.officer_names(session, officer_ids)


def looks(session: Session, officer: Officer) -> list[Look]:
    """The newest 200 looks.

    Raises:
        Forbidden: the officer may not read the trail.
    """
    decide(officer, Action.TRAIL, None)
    return tracker.looks(session)
