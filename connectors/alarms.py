"""What an officer must see to, kept where `status` finds it until it is over.

Some alarms tell how things are now and pass by themselves; a contradiction stands until a person
has looked and closes it (`titian-connector alarms --close`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.errors import CallCentre, FixSettings, sentence
from connectors.memory import Memory
from keys.canonical import to_moment

CLOCK = "trust.clock"
STALE = "trust.log_stale"
ALONE = "trust.unwitnessed"
PROMISE = "trust.promise"
ADOPTED = "trust.adopted"
FOREIGN = "trust.foreign_keyset"
FOREIGN_OPEN = "trust.foreign_keyset_open"
LOST = "trust.lost"
SILENCED = "trust.silenced"
SAID = frozenset({CLOCK, STALE, ALONE, LOST, ADOPTED})
"""Those that stop nothing, so that they must be said beside the work."""
_EXIT = {CLOCK: FixSettings.exit_code, ALONE: 0, ADOPTED: 0}
_FACT = "alarms"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is not as it should be; `since` is when this connector first saw it."""

    code: str
    since: str
    facts: Mapping[str, Any]

    @property
    def exit_code(self) -> int:
        """What `status` ends with: 0 for a mere warning."""
        return _EXIT.get(self.code, CallCentre.exit_code)

    def sentence(self, lang: str) -> str:
        """What happened, what was kept, what to do."""
        return sentence(self.code, lang, {"since": self.since, **self.facts})

    def figures(self) -> dict[str, Any]:
        """The same for JSON, but for the statement, which lies in a file."""
        told = {name: value for name, value in self.facts.items() if name != "envelope"}
        return {"code": self.code, "since": self.since, **told}


def put(memory: Memory, code: str, now: datetime, **facts: object) -> Alarm:
    """The alarm is on; one that is on already keeps its beginning."""
    kept = _kept(memory)
    since = kept[code]["since"] if code in kept else to_moment(now)
    memory.put_fact(_FACT, {**kept, code: {"since": since, "facts": facts}})
    return Alarm(code, since, facts)


def drop(memory: Memory, code: str) -> bool:
    """The alarm is over; False where it was not on."""
    kept = _kept(memory)
    if code not in kept:
        return False
    memory.put_fact(_FACT, {name: value for name, value in kept.items() if name != code})
    return True


def find(memory: Memory, code: str) -> Alarm | None:
    """The alarm of a code, if it is on."""
    return next((alarm for alarm in standing(memory) if alarm.code == code), None)


def standing(memory: Memory) -> list[Alarm]:
    """All that are on, the oldest first."""
    found = [Alarm(code, kept["since"], kept["facts"]) for code, kept in _kept(memory).items()]
    return sorted(found, key=lambda alarm: (alarm.since, alarm.code))


def _kept(memory: Memory) -> dict[str, Any]:
    kept: dict[str, Any] = memory.fact(_FACT) or {}
    return kept
