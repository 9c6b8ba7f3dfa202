"""What other witnesses say they saw, held against the log that this connector sees.

A gateway that shows different logs to different agencies cannot show one of them a line of a
witness of the other: either its checkpoint is not in our log, or its signature does not hold under
ours. If it shows none, too few are heard.

Source: trust.md 3.4, 3.5 (split view); 5, row 41: to be late is a warning, not a stop.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from connectors import exhibits
from connectors.client import Client
from connectors.errors import CallCentre
from connectors.evidence import Anchors
from connectors.memory import Memory
from connectors.witness import Sighting
from keys import checkpoint, merkle
from keys.canonical import from_moment, to_moment
from keys.checkpoint import NoteKey
from keys.cosignature import Cosignature, parse_line
from keys.errors import TrustError

WITHIN = timedelta(minutes=5)
"""A witness counts that was heard so long ago; so long may they be too few."""
_FACT = "heard"
_ALONE = "alone_since"

Known = Mapping[tuple[str, bytes], NoteKey]


@dataclass(frozen=True, slots=True)
class Ear:
    """Listens to the other witnesses through the gateway."""

    client: Client
    memory: Memory
    anchors: Anchors
    evidence: Path

    def listen(self, seen: Sighting, known: Known, now: datetime) -> dict[str, datetime]:
        """When each known witness last cosigned what is in our log, by its name.

        Raises:
            CallCentre: `trust.split` where a line shows another log than ours.
            Problem: the gateway refused.
            Wait: it cannot be reached.
        """
        heard = {name: from_moment(at) for name, at in (self.memory.fact(_FACT) or {}).items()}
        for note, line in self.client.cosignatures():
            try:
                made = parse_line(line)
            except TrustError:
                continue
            key = known.get((made.name, made.hint))
            if key is None or made.time <= heard.get(made.name, made.time - WITHIN):
                continue
            if self._holds(note, made, key, seen, now):
                heard[made.name] = made.time
        self.memory.put_fact(_FACT, {name: to_moment(at) for name, at in heard.items()})
        return heard

    def alone_since(self, heard: Mapping[str, datetime], known: Known, now: datetime) -> datetime:
        """Since when fewer than half of the witnesses are heard; `now` where enough are."""
        names = {name for name, _ in known}
        near = [name for name in names if name in heard and heard[name] >= now - WITHIN]
        if 2 * len(near) > len(names) or len(names) < 2:
            self.memory.drop_fact(_ALONE)
            return now
        kept = self.memory.fact(_ALONE)
        if kept is None:
            self.memory.put_fact(_ALONE, to_moment(now))
            return now
        return from_moment(kept)

    def _holds(
        self, note: bytes, made: Cosignature, key: NoteKey, seen: Sighting, now: datetime
    ) -> bool:
        ours = seen.checkpoint
        try:
            theirs = checkpoint.verify(note, self.anchors.log_vkey)
            if theirs.size > ours.size:
                return False  # newer than what we saw: in the next round
            made.verify(theirs, key)
            path = [] if theirs.size == ours.size else self._path(theirs.size, ours.size)
            merkle.verify_consistency(theirs.size, ours.size, theirs.root, ours.root, path)
        except TrustError as err:
            kept = {"split-ours.note": seen.note, "split-theirs.note": note}
            exhibits.keep(self.evidence, now, kept)
            raise CallCentre("trust.split", witness=made.name) from err
        return True

    def _path(self, old: int, new: int) -> list[bytes]:
        return self.client.consistency(old, new)
