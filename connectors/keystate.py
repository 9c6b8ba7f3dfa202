"""What can be said of the agency's keys without opening them: state, days left, what is due."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.keybook import Book
from keys import rotation
from keys.canonical import to_moment
from keys.keyset import KeyEntry, state_of
from keys.keystore import KeyStore


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key of the keyset, as the officer sees it; `days_left` may be negative."""

    entry: KeyEntry
    state: str
    is_here: bool
    speaks: bool
    days_left: int
    next_rotation: datetime | None

    def figures(self) -> dict[str, Any]:
        """The same for JSON; a key's public half only."""
        due = self.next_rotation
        return {
            "kid": self.entry.kid,
            "fingerprint": self.entry.public.fingerprint(),
            "state": self.state,
            "instance": self.entry.instance,
            "here": self.is_here,
            "speaks": self.speaks,
            "from": to_moment(self.entry.not_before),
            "until": to_moment(rotation.ends_at(self.entry)),
            "days_left": self.days_left,
            "next_rotation": None if due is None else to_moment(due),
        }


def key_lines(
    book: Book, store: KeyStore, now: datetime, silenced: Collection[str] = ()
) -> list[KeyLine]:
    """The keys of the version in force: the one that speaks, then the newest."""
    keyset, own = book.keyset, book.own(store)
    speaks = book.speaking(store, now)
    revoked = {each.kid for each in keyset.revoked}
    ordered = sorted(
        keyset.keys.values(), key=lambda e: (e == speaks, e.not_before, e.kid), reverse=True
    )
    return [
        KeyLine(
            entry=entry,
            state=state_of(entry, now, revoked, silenced).value,
            is_here=entry.kid in own,
            speaks=entry == speaks,
            days_left=(rotation.ends_at(entry) - now).days,
            next_rotation=None if entry.sign_until else rotation.due_at(entry),
        )
        for entry in ordered
    ]


def warnings_of(
    book: Book, store: KeyStore, now: datetime, silenced: Collection[str] = ()
) -> dict[str, Mapping[str, object]]:
    """What an officer should see to: a text of the screen and its particulars."""
    found: dict[str, Mapping[str, object]] = {}
    entry = book.speaking(store, now)
    if entry is None:
        found["warn.silent"] = {}
    elif entry.kid in silenced:
        found["warn.suspended"] = {"kid": entry.kid}
    elif rotation.warning(entry, now) is not None:
        found["warn.ends"] = {"days": (rotation.ends_at(entry) - now).days}
    if book.keyset.recovery is None:
        found["warn.recovery"] = {}
    return found
