"""The plan of a rotation: when a key is due, what is signed, and which step comes next.

Pure, so that the connector which drives it and the gateway which watches it read the same plan. A
key is due at two thirds of its time, some days sooner or later by a number drawn from its own name,
so that not all agencies rotate in one night and no two runs disagree about the day.

Source: trust.md 1.1 (periods), 1.4 (rule R2), 1.6 (steps).
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from keys.forgetting import forgettable
from keys.keyset import (
    STATEMENT_LIFE,
    KeyEntry,
    Keyset,
    encode,
    entry_of,
    may_sign,
    state_of,
)
from keys.signers import PublicKey
from keys.succession import OVERLAP

PERIOD = timedelta(days=90)
"""How long a key is meant to sign; `keyset.MAX_LIFE` is the hard stop."""
DUE = timedelta(days=60)
JITTER = timedelta(days=3)
DESTROY_AFTER = timedelta(days=7)
"""The old private key is deleted so long after its `sign_until`."""
WARN_DAYS = (30, 14, 7, 3, 1)


class Step(StrEnum):
    """How far a rotation has come; each step may be repeated after a crash."""

    GENERATED = "generated"
    SUBMITTED = "submitted"
    LOGGED = "logged"
    SWITCHED = "switched"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Rotation:
    """One rotation as the journal holds it; `envelope` is what was (or will be) submitted."""

    old: str
    new: str
    step: Step
    envelope: bytes
    sign_until: datetime


def due_at(entry: KeyEntry) -> datetime:
    """When the key's successor should be made: day 60, give or take three days."""
    drawn = int.from_bytes(hashlib.sha256(entry.kid.encode()).digest()[:4], "big") / 2**32
    return entry.not_before + DUE + JITTER * (2 * drawn - 1)


def is_due(entry: KeyEntry, now: datetime) -> bool:
    """Whether the key should be rotated now: due, and no successor was named yet."""
    return entry.sign_until is None and now >= due_at(entry)


def next_statement(
    current: Keyset, current_sha256: bytes, old: str, new: PublicKey, now: datetime
) -> bytes:
    """The payload of the version in which `old` hands over to `new`; both keys seal it.

    Keys that the version may leave out are left out.

    Raises:
        KeyError: `old` is not in the keyset.
    """
    leaving = current.keys[old]
    coming = entry_of(
        current.agency, new, instance=leaving.instance, not_before=now, uses=leaving.uses
    )
    forgotten = forgettable(current, now)
    keys = {
        **{kid: entry for kid, entry in current.keys.items() if kid not in forgotten},
        old: replace(leaving, sign_until=min(now + OVERLAP, leaving.not_after)),
        coming.kid: coming,
    }
    return encode(
        replace(
            current,
            version=current.version + 1,
            prev=current_sha256,
            issued=now,
            expires=now + STATEMENT_LIFE,
            keys=keys,
            reason="scheduled",
        )
    )


def speaking(
    keyset: Keyset, instance: str, now: datetime, suspended: Collection[str] = ()
) -> KeyEntry | None:
    """The key with which an instance signs new batches now: of those that may, the newest."""
    revoked = {each.kid for each in keyset.revoked}
    may = [
        entry
        for entry in keyset.keys.values()
        if entry.instance == instance and may_sign(state_of(entry, now, revoked, suspended))
    ]
    return max(may, key=lambda entry: (entry.not_before, entry.kid), default=None)


def ends_at(entry: KeyEntry) -> datetime:
    """When the key stops speaking, as things stand."""
    return entry.not_after if entry.sign_until is None else min(entry.not_after, entry.sign_until)


def warning(entry: KeyEntry, now: datetime) -> int | None:
    """The narrowest of 30, 14, 7, 3 and 1 days within which the key stops speaking, or None.

    None as well once it has stopped, and where its successor speaks already.
    """
    left = ends_at(entry) - now
    if entry.sign_until is not None or left <= timedelta(0):
        return None
    return min((days for days in WARN_DAYS if left <= timedelta(days=days)), default=None)


def removable(keyset: Keyset, now: datetime) -> list[str]:
    """Kids whose private halves may be deleted: revoked, or handed over and quiet for a week."""
    revoked = {each.kid for each in keyset.revoked}
    return sorted(
        kid
        for kid, entry in keyset.keys.items()
        if kid in revoked
        or (entry.sign_until is not None and now >= entry.sign_until + DESTROY_AFTER)
    )
