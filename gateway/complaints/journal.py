"""The history of tickets: each line a row and a leaf of the log, made in one transaction.

The log holds a salted commitment and nothing personal; the row keeps, sealed, what opens it.

Source: design/trust.md 3.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.complaints import sealing, store
from gateway.complaints.model import Desk, NeedId, Ticket
from gateway.ledger import service as ledger
from gateway.storage import ids
from keys.canonical import to_moment
from keys.commitment import commit


@dataclass(frozen=True, slots=True)
class Line:
    """What is written down; `move` is the id of an arrow, None where nothing moved."""

    event: str
    source: str
    target: str
    role: str
    move: str | None = None
    need_id: NeedId | None = None
    reason: str = ""
    data: Mapping[str, Any] | None = None
    single_handed: bool = False
    sample: int = 0
    """Per cent of such lines that somebody looks at later; drawn by the line's random id."""


def write(session: Session, ticket: Ticket, line: Line, desk: Desk) -> UUID:
    """Add a line to the history and a leaf to the log; returns the line's id."""
    event_id, actor = ids.new(), desk.actor
    made = commit(
        detail := {
            "event": ids.show(event_id),
            "ticket": ticket.number,
            "need": "" if line.need_id is None else ids.show(line.need_id),
            "from": line.source,
            "to": line.target,
            "reason": line.reason,
            "data": dict(line.data or {}),
            "officer": "" if actor.officer_id is None else str(actor.officer_id),
            "at": to_moment(desk.now.moment),
        }
    )
    entry = {"t": "decision", "kind": f"desk.{line.move or line.event}", "role": line.role}
    if actor.officer_id is not None:
        label = f"officer/{desk.now.moment.year}"
        entry["officer"] = desk.vault.hmac(label, [actor.officer_id.bytes])[0].hex()
    if actor.unit:
        entry["agency"] = actor.unit
    leaf = ledger.append(session, {**entry, "commit": made.sha256.hex()})
    kept = {"detail": detail, "salt": made.salt.hex()}
    place = ("complaint_event", event_id, desk.now.moment)
    store.add_event(
        session,
        {
            "id": event_id,
            "ticket_id": ticket.id,
            "need_id": line.need_id,
            "move": line.move,
            "event": line.event,
            "source": line.source,
            "target": line.target,
            "role": line.role,
            "unit": actor.unit,
            "officer_id": actor.officer_id,
            "kid": actor.kid,
            "at": desk.now.moment,
            "on_day": desk.now.today,
            "leaf": leaf,
            "single_handed": line.single_handed,
            "sampled": event_id.int % 100 < line.sample,
            "sealed": sealing.seal(desk.vault, place, kept),
        },
    )
    return event_id
