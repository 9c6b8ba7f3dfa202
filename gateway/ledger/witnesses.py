"""What a witness may say: that it saw a checkpoint of ours, just now.

Source: C2SP tlog-witness, turned round (the witness calls); trust.md 3.4.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from gateway.errors import Conflict, Refused
from gateway.ledger import store, store_cosignatures
from gateway.ledger.store_cosignatures import Cosignature
from keys.checkpoint import NoteKey, parse_checkpoint, parse_note
from keys.cosignature import parse_line
from keys.errors import TrustError

SKEW = timedelta(minutes=5)
RECENT = timedelta(minutes=15)


def cosign(
    session: Session, known: Mapping[str, NoteKey], seen: tuple[int, str], now: datetime
) -> None:
    """Keep a witness's line; `seen` is the size it names and the line.

    `known`: the approved witness keys of whoever sent it, by kid.

    Raises:
        Conflict: no checkpoint of that size was signed (`log.size`, with the newest size).
        Refused: it is not of one of these keys (`log.witness`), it is no such line or does not
            hold (`log.cosignature`), or is five minutes off our clock (`log.cosignature_time`).
    """
    size, line = seen
    head = store.find_head(session, size)
    if head is None:
        newest = store.get_head(session)
        at = 0 if newest is None else newest.state.size
        raise Conflict("log.size", "No checkpoint has this size; take the newest.", size=at)
    try:
        made = parse_line(line)
        kid = next(
            (k for k, v in known.items() if (v.name, v.hint) == (made.name, made.hint)), None
        )
        if kid is None:
            raise Refused("log.witness", "The keyset in force names no such witness key.")
        made.verify(parse_checkpoint(parse_note(head.note).text), known[kid])
    except TrustError as err:
        raise Refused("log.cosignature", "The cosignature does not hold; nothing kept.") from err
    if abs(made.time - now) > SKEW:
        raise Refused("log.cosignature_time", "The cosignature is not of now; check the clock.")
    store_cosignatures.add(session, Cosignature(size, kid, made.time, line))


def heard(session: Session, now: datetime) -> list[tuple[str, str]]:
    """What each witness said last, not long ago: the signed checkpoint, and its line under it."""
    return store_cosignatures.newest(session, now - RECENT)
