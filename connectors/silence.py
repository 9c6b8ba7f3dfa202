"""Which of our keys the gateway has told us are suspended; a suspended key is told nothing else.

What the log says of suspensions is read only while a key may ask, so the refusal itself is kept. It
brings the statement that silenced the key: one that UPT-KAN signed, or that was made here, is no
riddle and no alarm.
"""

from collections.abc import Mapping
from datetime import datetime

from connectors import alarms
from connectors.errors import CallCentre, ConnectorError
from connectors.memory import Memory
from keys import dsse
from keys.canonical import from_base64, to_moment
from keys.errors import TrustError
from keys.signers import PublicKey
from keys.suspension import Action, parse_suspension

BY_CENTRE = "keys.suspended_centre"
BY_US = "keys.suspended_here"
_FACT = "silenced"
_MADE = "suspensions_made"
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


def made(memory: Memory, envelope: bytes) -> None:
    """This computer has made the statement, so nobody need wonder about it."""
    known = memory.fact(_MADE) or []
    memory.put_fact(_MADE, [*known, dsse.parse(envelope).payload_sha256.hex()])


def explained(
    memory: Memory, kid: str, statement: object, centre: Mapping[str, PublicKey]
) -> CallCentre | None:
    """Why the key is silent, if the statement that came with the refusal says so and holds.

    Args:
        memory: knows the statements made here.
        kid: the key that was refused.
        statement: base64 of the statement, as the gateway sent it; nothing of it is believed.
        centre: the keys by which the centre speaks.
    """
    try:
        envelope = dsse.parse(from_base64(str(statement)))
        said = parse_suspension(envelope)
        if (said.kid, said.action) != (kid, Action.SUSPEND):
            return None
        facts = {"kid": kid, "at": to_moment(said.issued), "reason": said.reason}
        if envelope.payload_sha256.hex() in (memory.fact(_MADE) or []):
            return CallCentre(BY_US, **facts)
        envelope.verify(centre)
    except TrustError:
        return None
    return CallCentre(BY_CENTRE, **facts)


def end(memory: Memory, kid: str) -> None:
    """The key was heard: it speaks."""
    alarms.drop(memory, alarms.SILENCED)
    known = of(memory)
    if kid in known:
        memory.put_fact(_FACT, {each: at for each, at in known.items() if each != kid})


def of(memory: Memory) -> Mapping[str, str]:
    """Suspended keys by kid, each with the moment since when that is known here."""
    found: Mapping[str, str] = memory.fact(_FACT) or {}
    return found
