"""What a citizen may know of his ticket, by number and PIN: one of six words and the next step.

A ticket that is not there, a wrong PIN and a number with a wrong digit answer alike; after five
tries in 15 minutes, of one number or from one address, no further one is taken.

Source: design/domain.md §5.7.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from gateway.complaints import numbers, store, store_drafts
from gateway.complaints.lifecycle import Clock, Kind, lifecycle
from gateway.complaints.model import Case, Desk
from gateway.errors import NotFound, TooMany

TRIES, WINDOW = 5, timedelta(minutes=15)
KEPT = timedelta(days=30)
"""Tries are forgotten after this. Source: design/domain.md §6.5."""
STAGES = ("received", "checked", "surveyed", "referred", "waiting", "done")
IN_PROGRESS = "in_progress"
"""All that is said of a restricted case that is not closed."""
_NOBODY = "0" * 32, "0" * 64


@dataclass(frozen=True, slots=True)
class Stage:
    """The word for a ticket, since when it stands there, and whether the office waits for him."""

    word: str
    since: date
    asks: bool


def count_try(session: Session, typed: str, address: str, desk: Desk) -> None:
    """Count one more try; the caller commits before the answer is worked out.

    Raises:
        TooMany: the number or the address had five in 15 minutes.
    """
    keys = _keys(desk, typed, address)
    now = desk.now.moment
    if store_drafts.most_tries(session, keys, now - WINDOW) >= TRIES:
        raise TooMany(
            "track.too_many",
            "Terlalu banyak percobaan. Tunggu 15 menit, atau datang ke loket.",
            retry_after=int(WINDOW.total_seconds()),
        )
    store_drafts.add_try(session, keys, now)
    store_drafts.forget_tries(session, now - KEPT)


def track(session: Session, typed: str, pin: str, desk: Desk) -> tuple[Case, Stage]:
    """Where a ticket stands.

    Raises:
        NotFound: no such ticket, or not this PIN (`track.unknown`).
    """
    number = numbers.read(typed)
    ticket_id = None if number is None else store.id_of(session, number)
    case = None if ticket_id is None else store.get(session, ticket_id, desk.vault)
    body = None if case is None else case.ticket.body
    salt, kept = (body.pin["salt"], body.pin["hash"]) if body else _NOBODY
    holds = numbers.pin_holds(pin, bytes.fromhex(salt), bytes.fromhex(kept))
    if case is None or not holds:
        raise NotFound("track.unknown", "Nomor tiket dan PIN tidak cocok. Periksa tanda terima.")
    return case, stage(case)


def stage(case: Case) -> Stage:
    """The citizen's word for a case; in service, that of the need that has come least far."""
    ticket = case.ticket
    state = lifecycle()[Kind.COMPLAINT].states[ticket.state]
    asks = state.clock is Clock.PAUSED
    if state.closed:
        return Stage("done", ticket.since.today, asks)
    if ticket.restricted:
        return Stage(IN_PROGRESS, ticket.entered_on, asks)
    if state.clock is not Clock.NEEDS:
        return Stage(state.public or STAGES[0], ticket.since.today, asks)
    machine = lifecycle()[Kind.NEED]
    live = [n for n in case.needs if not machine.states[n.state].closed]
    found = [(machine.states[n.state].public or STAGES[0], n.since.today) for n in live]
    word, since = min(
        found, key=lambda f: STAGES.index(f[0]), default=("referred", ticket.since.today)
    )
    return Stage(word, since, asks)


def _keys(desk: Desk, typed: str, address: str) -> list[bytes]:
    number = numbers.read(typed) or typed.strip().upper()[:40]
    return desk.vault.hmac("track", [b"ticket|" + number.encode(), b"address|" + address.encode()])
