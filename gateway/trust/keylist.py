"""Keys and their history as the administrators' pages show them.

Of a key that waits for approval the last two groups of the fingerprint are never shown: whoever
approves must have them read to him.

Source: trust.md 1.1 (periods), 1.5 (step 4), 1.6.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.trust import query, store, store_keylist, store_wishes
from gateway.trust.model import AgencyState
from keys import rotation
from keys.keyset import State, may_sign

_HIDDEN = "···· ····"


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key: `fingerprint` as a screen may show it; times are aware UTC.

    `ends_at` is when it may sign no more; `rotates_at` is when its connector replaces it; `warning`
    is the narrowest of 30, 14, 7, 3 and 1 days within which it ends and has no successor.
    """

    agency: str
    label: str
    kid: str
    fingerprint: str
    state: State
    not_before: datetime
    ends_at: datetime
    rotates_at: datetime
    revoked: datetime | None
    destroyed: datetime | None
    warning: int | None
    approved: bool


class Voice(StrEnum):
    """Whether an agency is heard: all its keys, only some of them, all silenced, or no key left."""

    HEARD = "heard"
    PARTLY = "partly"
    SILENCED = "silenced"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Expiring:
    """A key that speaks now and runs out soon: full days left, and which warning that is."""

    key: KeyLine
    days: int
    warning: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an agency; `leaf` is its entry in the log, where it has one.

    `what` is one of created, keyset, approved, rejected, active, suspend_key, resume_key, and
    ask_rotation.
    """

    at: datetime
    what: str
    who: str | None = None
    role: str | None = None
    leaf: bytes | None = None


def keys(session: Session, now: datetime, code: str | None = None) -> list[KeyLine]:
    """All keys, or those of one agency, by agency, oldest first."""
    return [_line(row, now) for row in store_keylist.keys(session, code)]


def kept_for_others(session: Session, keepers: Collection[str]) -> dict[tuple[str, str], str]:
    """(agency, kid) of each key that another of these bodies keeps for its agency, with the keeper.

    The keyset says so by the instance of the key, which is then the keeper's code (ADR 19).
    """
    rows = store_keylist.kept_by(session, tuple(keepers))
    return {(row.agency, row.kid): row.instance for row in rows}


def living(session: Session, now: datetime, code: str) -> list[KeyLine]:
    """The agency's keys that are neither revoked nor ended: what can be silenced or revoked."""
    over = {State.DEACTIVATED, State.COMPROMISED, State.DESTROYED}
    return [line for line in keys(session, now, code) if line.approved and line.state not in over]


def silent(session: Session, now: datetime, code: str) -> list[KeyLine]:
    """The agency's suspended keys: what two persons may let speak again."""
    return [line for line in keys(session, now, code) if line.state is State.SUSPENDED]


def voices(session: Session, now: datetime, code: str | None = None) -> dict[str, Voice]:
    """How each agency with an approved key is heard now, or the one of that code."""
    states: dict[str, set[State]] = {}
    for line in keys(session, now, code):
        if line.approved:
            states.setdefault(line.agency, set()).add(line.state)
    return {agency: _voice(held) for agency, held in states.items()}


def _voice(held: Collection[State]) -> Voice:
    speaks, silenced = any(map(may_sign, held)), State.SUSPENDED in held
    if speaks:
        return Voice.PARTLY if silenced else Voice.HEARD
    return Voice.SILENCED if silenced else Voice.NONE


def expiring(session: Session, now: datetime) -> list[Expiring]:
    """Keys that may speak now and run out within 30 days unreplaced, the most urgent first."""
    found = [
        Expiring(line, (line.ends_at - now).days, line.warning)
        for line in keys(session, now)
        if may_sign(line.state) and line.warning is not None
    ]
    return sorted(found, key=lambda each: each.key.ends_at)


def history(session: Session, code: str) -> list[Event]:
    """What happened to an agency and its keysets, oldest first."""
    events = [
        Event(row.created_at, "created", row.created_by)
        for row in store.find_agencies(session, code)
    ]
    approvals = store_keylist.approvals(session, code)
    events += [Event(a.at, "approved", a.officer_id, a.role, a.leaf) for a in approvals]
    for row in store_keylist.keysets(session, code):
        events.append(Event(row.received_at, "keyset"))
        if row.rejected_at is not None:
            events.append(Event(row.rejected_at, "rejected"))
        if row.leaf is not None:
            mine = [a.at for a in approvals if a.keyset_sha256 == row.payload_sha256]
            events.append(Event(max(mine, default=row.received_at), "active", leaf=row.leaf))
    events += [
        Event(s.at, f"{s.action}_key", leaf=s.leaf)
        for s in store_keylist.suspensions(session, code)
    ]
    events += [
        Event(w.at, "ask_rotation", w.officer_id, w.role, w.leaf)
        for w in store_wishes.of_agency(session, code)
    ]
    return sorted(events, key=lambda each: each.at)


def shown(fingerprint: str, *, approved: bool) -> str:
    """A fingerprint as a screen may show it: without its end, while it waits for approval."""
    return fingerprint if approved else " ".join([*fingerprint.split()[:-2], _HIDDEN])


def _line(row: Row[Any], now: datetime) -> KeyLine:
    entry = store.entry_of(row)
    return KeyLine(
        agency=row.agency,
        label=row.label,
        kid=row.kid,
        fingerprint=shown(entry.public.fingerprint(), approved=row.approved_at is not None),
        state=query.key_state(row, AgencyState(row.agency_state), now),
        not_before=entry.not_before,
        ends_at=rotation.ends_at(entry),
        rotates_at=rotation.due_at(entry),
        revoked=row.revoked,
        destroyed=row.destroyed_at,
        warning=rotation.warning(entry, now),
        approved=row.approved_at is not None,
    )
