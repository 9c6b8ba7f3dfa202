"""What goes back to an agency about its own data: findings that stand, and what it has twice.

Nothing of another agency's data is in it, and no value of its own: lines are named by position,
and only its connector knows which row of the source that is.

Source: domain.md 5.9; 6.3 (K12); trust.md 4.4.
"""

from sqlalchemy.orm import Session

from gateway.intake import quality
from gateway.intake.quality import Standing
from gateway.stewards import store

DOUBLE = "K12"


def findings(session: Session, agency: str) -> list[Standing]:
    """Findings about the agency's lines, then its doubles, once for each pair."""
    return [*quality.standing(session, agency), *doubles(session, agency)]


def doubles(session: Session, agency: str) -> list[Standing]:
    """Pairs of the agency's own records that seem to be one person, and that nobody parted."""
    pairs = store.open_pairs(session, DOUBLE, agency)
    places = quality.places(session, {record for pair in pairs for record in pair})
    return [
        Standing(places[pair.record_a], DOUBLE, None, places[pair.record_b])
        for pair in pairs
        if pair.record_a in places and pair.record_b in places
    ]
