"""Breakers: where conflicts come in a flood, one task says so instead of a thousand, or of silence.

An agency of whose records too many carry somebody else's NIK has a broken or copied column: its
single tasks are hidden behind one, and reappear or close when the agency has mended it. An officer
who merges faster than anybody can read is stopped, and a coordinator is told.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.access.model import Officer
from gateway.errors import TooMany
from gateway.index import census, judgements
from gateway.index.verdict import Verdict
from gateway.stewards import store
from gateway.stewards.model import AGENCY_DISTRUSTED, MOST_JOINED_AN_HOUR, OFFICER_HASTY, State
from schemas.profile import Profile

FEWEST = 20
"""So many tasks of an agency are work, not a flood."""
FLOODING = ("K01",)


def watch(session: Session, agencies: Collection[str], profile: Profile, now: datetime) -> None:
    """Open or close the task that stands for a flood, for each of these agencies."""
    flooded = set()
    for kind in FLOODING:
        for agency, count in store.count_open(session, kind, agencies).items():
            if count <= FEWEST:
                continue
            live = census.live_count(session, agency, "person")
            if count > profile.thresholds.identity_conflict_share * live:
                flooded.add(agency)
                _open(session, _row(AGENCY_DISTRUSTED, f"agency:{agency}", agency, count, now))
    calm = [f"agency:{a}" for a in agencies if a not in flooded]
    over = [t.id for t in store.standing(session, (), calm) if t.kind.code == AGENCY_DISTRUSTED]
    store.close(session, over, "data", now)


def check_haste(session: Session, officer_id: UUID, now: datetime) -> None:
    """Return if the officer may decide one more merge.

    Raises:
        TooMany: he has decided as many in an hour as anybody can read; see `tell`.
    """
    since = now - timedelta(hours=1)
    made = judgements.count_since(session, officer_id, Verdict.SAME, since)
    if made >= MOST_JOINED_AN_HOUR:
        raise TooMany(
            "stewards.haste",
            f"Anda sudah menyatukan {made} pasangan dalam satu jam. Keputusan yang sudah dibuat "
            "tetap tersimpan; yang ini tidak. Koordinator diberi tahu; lanjutkan nanti.",
            retry_after=3600,
        )


def tell(session: Session, officer: Officer, now: datetime) -> None:
    """The task by which a coordinator hears of an officer who was stopped."""
    row = _row(OFFICER_HASTY, f"officer:{officer.username}", "", MOST_JOINED_AN_HOUR, now)
    _open(session, row)


def _open(session: Session, row: dict[str, object]) -> None:
    """A task that stands already keeps its state."""
    if not store.standing(session, (), [str(row["about"])]):
        store.put(session, [row])


def _row(kind: str, about: str, agency: str, worth: int, now: datetime) -> dict[str, object]:
    return {
        "kind": kind,
        "about": about,
        "person_a": None,
        "person_b": None,
        "record_a": 0,
        "record_b": 0,
        "agency": agency,
        "bits": None,
        "worth": worth,
        "state": State.OPEN.value,
        "opened_at": now,
    }
