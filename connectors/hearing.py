"""What other witnesses say they saw, held against the log that this connector sees.

A gateway that shows different logs to different agencies cannot show one of them a line of a
witness of the other: either its checkpoint is not in our log, or its signature does not hold under
ours. If it shows none, too few are heard.

Source: trust.md 3.4, 3.5 (split view); 5, row 41: to be late is a warning, not a stop.
"""

from collections.abc import Callable, Mapping
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

WITHIN = timedelta(minutes=3)
"""So long ago, at most, more than half of the witnesses cosigned what we see."""
_FACT = "heard"
_BEGAN = "heard_since"

Known = Mapping[tuple[str, bytes], NoteKey]


@dataclass(frozen=True, slots=True)
class Ear:
    """Listens to the other witnesses through the gateway."""

    client: Client
    memory: Memory
    anchors: Anchors
    evidence: Path
    clock: Callable[[], datetime]

    def listen(self, seen: Sighting, known: Known) -> dict[str, datetime]:
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
            if self._holds((note, line), made, key, seen):
                heard[made.name] = made.time
        self.memory.put_fact(_FACT, {name: to_moment(at) for name, at in heard.items()})
        return heard

    def confirmed(self, heard: Mapping[str, datetime], known: Known, now: datetime) -> datetime:
        """When more than half of the witnesses had cosigned what we see; at first, `now`."""
        names = {name for name, _ in known}
        began = from_moment(self.memory.fact(_BEGAN) or to_moment(now))
        self.memory.put_fact(_BEGAN, to_moment(began))
        times = sorted((heard[name] for name in names if name in heard), reverse=True)
        majority = len(names) // 2 + 1
        if len(names) < 2:
            return now  # nobody but ourselves to ask
        return max(began, times[majority - 1]) if len(times) >= majority else began

    def _holds(
        self, told: tuple[bytes, str], made: Cosignature, key: NoteKey, seen: Sighting
    ) -> bool:
        (note, line), ours = told, seen.checkpoint
        try:
            theirs = checkpoint.verify(note, self.anchors.log_vkey)
            if theirs.size > ours.size:
                return False  # newer than what we saw: in the next round
            made.verify(theirs, key)
            path = [] if theirs.size == ours.size else self._path(theirs.size, ours.size)
            merkle.verify_consistency(theirs.size, ours.size, theirs.root, ours.root, path)
        except TrustError as err:
            cosigned = note + f"{line}\n".encode()
            kept = {"split-ours.note": seen.note, "split-theirs.note": cosigned}
            exhibits.keep(self.evidence, self.clock(), kept)
            raise CallCentre("trust.split", witness=made.name) from err
        return True

    def _path(self, old: int, new: int) -> list[bytes]:
        return self.client.consistency(old, new)
