"""A move that is about to be made: what its guards and effects look at."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from gateway.complaints.lifecycle import Move
from gateway.complaints.model import Act, Case, Desk, Need


@dataclass(frozen=True, slots=True)
class Moving:
    """A move that is about to be made, with all that a guard may look at."""

    session: Session
    case: Case
    need: Need | None
    move: Move
    act: Act
    desk: Desk

    @property
    def days(self) -> int:
        """Calendar days that the target has stood where it stands."""
        standing = self.case.ticket if self.need is None else self.need
        return (self.desk.now.today - standing.since.today).days
