"""What is being typed at the counter, and what citizens filed: kept sealed until it is a ticket.

A draft outlives a lost line, a closed tab and a lost login. Sent twice, it still makes one ticket,
and its received time is when it was begun. It also carries the PIN to the receipt, once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.access.model import Role
from gateway.complaints import sealing, store_drafts
from gateway.complaints.model import Desk, TicketId
from gateway.complaints.registering import Registered, Registration, register
from gateway.complaints.visibility import HOUSE
from gateway.errors import Conflict, Forbidden, NotFound
from gateway.storage import ids

MOST = 20


@dataclass(frozen=True, slots=True)
class Draft:
    """One form that is not a ticket yet.

    Attributes:
        officer_id: whose it is; None where a citizen filed it.
        ticket_id: the ticket that it became.
        kept: `fields` as typed, `person`, `family` and `check` of whom the officer chose.
    """

    id: UUID
    officer_id: UUID | None
    ticket_id: TicketId | None
    made_at: datetime
    saved_at: datetime
    kept: Mapping[str, Any]


def begin(session: Session, kept: Mapping[str, Any], desk: Desk) -> UUID:
    """A new draft of this officer, or a filing of a citizen; returns its id."""
    draft_id, now = ids.new(), desk.now.moment
    store_drafts.add(
        session,
        {
            "id": draft_id,
            "officer_id": desk.actor.officer_id,
            "made_at": now,
            "saved_at": now,
            "sealed": sealing.seal(desk.vault, _place(draft_id, now), kept),
        },
    )
    return draft_id


def save(session: Session, draft_id: UUID, fields: Mapping[str, Any], desk: Desk) -> Draft:
    """Keep what is typed so far.

    Raises:
        NotFound: there is no such draft of this officer.
        Conflict: it is a ticket already (`draft.done`).
    """
    draft = find(session, draft_id, desk, lock=True)
    if draft.ticket_id is not None:
        raise Conflict("draft.done", "Isian ini sudah menjadi tiket.")
    kept = {**draft.kept, "fields": dict(fields)}
    values = {"saved_at": desk.now.moment, "sealed": _sealed(draft, kept, desk)}
    store_drafts.put(session, draft_id, values)
    return replace(draft, kept=kept)


def find(session: Session, draft_id: UUID, desk: Desk, *, lock: bool = False) -> Draft:
    """A draft of this officer, or a citizen's filing.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    row = store_drafts.get(session, draft_id, lock=lock)
    filing = row is not None and row.officer_id is None
    if row is None or not (filing or row.officer_id == desk.actor.officer_id):
        raise NotFound("draft.unknown", "Draf itu tidak ada. Mulai lagi dari loket.")
    if filing and not desk.actor.holds(*HOUSE):
        raise NotFound("draft.unknown", "Draf itu tidak ada. Mulai lagi dari loket.")
    return _read(row, desk)


def waiting(session: Session, desk: Desk) -> tuple[list[Draft], list[Draft]]:
    """This officer's drafts, newest first; and what citizens filed, oldest first."""
    own = [_read(r, desk) for r in store_drafts.of_officer(session, desk.actor.officer_id, MOST)]
    if not desk.actor.holds(*HOUSE):
        return own, []
    return own, [_read(r, desk) for r in store_drafts.filed(session, MOST)]


def submit(session: Session, draft: Draft, given: Registration, desk: Desk) -> Registered | None:
    """Make the draft a ticket; None where it is one already: the second of two clicks.

    Raises:
        As `registering.register`.
    """
    if find(session, draft.id, desk, lock=True).ticket_id is not None:
        return None
    made = register(session, given, desk)
    values = {
        "ticket_id": made.case.ticket.id,
        "officer_id": desk.actor.officer_id,
        "sealed": _sealed(draft, {"pin": made.pin}, desk),
    }
    store_drafts.put(session, draft.id, values)
    return made


def take_pin(session: Session, draft_id: UUID, desk: Desk) -> str | None:
    """The PIN of the ticket that a draft became, the first time that it is asked for."""
    draft = find(session, draft_id, desk, lock=True)
    pin: str | None = draft.kept.get("pin")
    if draft.ticket_id is not None and pin is not None:
        store_drafts.put(session, draft_id, {"sealed": _sealed(draft, {}, desk)})
    return pin


def drop(session: Session, draft_id: UUID, desk: Desk) -> None:
    """Throw a draft away; a citizen's filing only by the coordinator.

    Raises:
        NotFound: there is no such draft of this officer.
        Forbidden: it is a citizen's.
    """
    draft = find(session, draft_id, desk, lock=True)
    if draft.officer_id is None and not desk.actor.holds(Role.UPT_COORDINATOR):
        raise Forbidden("ticket.role", "Peran Anda tidak mencakup langkah ini.")
    store_drafts.drop(session, draft_id)


def _place(draft_id: UUID, made_at: datetime) -> tuple[str, UUID, datetime]:
    return "complaint_draft", draft_id, made_at


def _sealed(draft: Draft, kept: Mapping[str, Any], desk: Desk) -> bytes:
    return sealing.seal(desk.vault, _place(draft.id, draft.made_at), kept)


def _read(row: Any, desk: Desk) -> Draft:
    kept = sealing.opened(desk.vault, _place(row.id, row.made_at), row.sealed)
    return Draft(row.id, row.officer_id, row.ticket_id, row.made_at, row.saved_at, kept)
