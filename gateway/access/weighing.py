"""A person's view for a rule to judge: nobody sees it, and the decision it serves is in the log."""

from functools import cache
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.errors import NotFound
from gateway.index import modelfile
from gateway.index import query as index
from gateway.index.arrivals import IndexTools
from gateway.index.query import PersonView
from keys.vault import Vault
from schemas.profile import Profile


def view(
    session: Session, person: UUID | None, vault: Vault, profile: Profile
) -> PersonView | None:
    """What the index holds of a person; None where it holds nothing that is trusted."""
    if person is None:
        return None
    try:
        return index.profile(session, person, _tools(vault, profile))
    except NotFound:
        return None


@cache
def _tools(vault: Vault, profile: Profile) -> IndexTools:
    return IndexTools(vault=vault, profile=profile, model=modelfile.load())
