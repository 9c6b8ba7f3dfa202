"""What can be asked of the index: find a person, open a profile, count. Read through `access`."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.index import comparing, finding, reviewing, store_views
from gateway.index import profile as profiles
from gateway.index.arrivals import IndexTools
from gateway.index.comparing import Beside, Comparison, Considered
from gateway.index.precedence import Golden
from gateway.index.view import (
    Candidate,
    Cell,
    Difference,
    Evidence,
    Link,
    Note,
    PersonView,
    Provenance,
    Related,
    Relative,
    Review,
    Row,
    Search,
    Stats,
    mask_nik,
)
from keys.vault import Vault

__all__ = [
    "Beside",
    "Candidate",
    "Cell",
    "Comparison",
    "Considered",
    "Difference",
    "Evidence",
    "Golden",
    "Link",
    "Note",
    "PersonView",
    "Provenance",
    "Related",
    "Relative",
    "Review",
    "Row",
    "Search",
    "Stats",
    "compare",
    "differences",
    "find",
    "mask_nik",
    "profile",
    "stats",
]


def find(session: Session, search: Search, tools: IndexTools, limit: int = 10) -> list[Candidate]:
    """At most `limit` persons whom the search may mean, the likeliest first; NIK masked.

    Raises:
        Refused: `search.empty`, nothing to search by, or a name of fewer than three letters.
    """
    return finding.find(session, search, tools, limit)


def profile(session: Session, person_id: UUID, tools: IndexTools) -> PersonView:
    """All that the index holds of a person; an id that was merged away leads to the survivor.

    Raises:
        NotFound: `person.unknown`, or `person.under_review` where all said of him is in quarantine.
    """
    return profiles.profile(session, person_id, tools)


def compare(
    session: Session, persons: Sequence[UUID], records: tuple[int, int], tools: IndexTools
) -> Comparison:
    """One person or two, with all that is needed to decide about them.

    Raises:
        NotFound: as for a profile.
    """
    return comparing.compare(session, persons, records, tools)


def stats(session: Session) -> Stats:
    """How much the index holds."""
    persons, auto, steward, pending = store_views.link_counts(session)
    return Stats(persons, store_views.counts(session), auto, steward, pending)


def differences(
    session: Session, persons: Sequence[UUID], leaves: Sequence[bytes], vault: Vault
) -> dict[UUID, Difference]:
    """How each person reads now, beside what the batches of these accept leaves said of him.

    It compares the person records that are his today; a record that has gone over to another
    person since is told of there.
    """
    return reviewing.differences(session, persons, leaves, vault)
