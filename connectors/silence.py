"""Which of our keys the gateway has told us are suspended; a suspended key is told nothing else.

What the log says of suspensions is read only while a key may ask, so the refusal itself is kept.
"""

from collections.abc import Mapping
from datetime import datetime

from connectors.errors import ConnectorError
from connectors.memory import Memory
from keys.canonical import to_moment

_FACT = "silenced"
_CODE = "key.suspended"


def note(memory: Memory, kid: str, now: datetime) -> None:
    """The key is suspended, as was said now; the first time is kept."""
    known = of(memory)
    if kid not in known:
        memory.put_fact(_FACT, {**known, kid: to_moment(now)})


def note_refusal(memory: Memory, kid: str, err: ConnectorError, now: datetime) -> None:
    """The same, where the gateway refused the key for that: an act, or a look at the log."""
    if _CODE in {err.facts.get("code"), err.facts.get("refusal")}:
        note(memory, kid, now)


def end(memory: Memory, kid: str) -> None:
    """The key was heard: it speaks."""
    known = of(memory)
    if kid in known:
        memory.put_fact(_FACT, {each: at for each, at in known.items() if each != kid})


def of(memory: Memory) -> Mapping[str, str]:
    """Suspended keys by kid, each with the moment since when that is known here."""
    found: Mapping[str, str] = memory.fact(_FACT) or {}
    return found
