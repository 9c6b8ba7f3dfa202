"""A keyset of our agency that this connector did not make: said, kept, and silenced at once.

Ours is what the memory believed when it began to read the log, and from then on each version that
adds no key but those in our key file. Another connector of the agency looks after its own keys.
What is not ours was made with a key that is in other hands: its new keys are suspended, then the
keys that signed it, by whichever key here may still speak (rule R3).

Source: trust.md 1.4 (rule R3), 3.5 (swapped key).
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from connectors import alarms, amending, exhibits, keybook
from connectors.client import Problem
from connectors.errors import CallCentre, ConnectorError
from connectors.keybook import Book
from connectors.monitor import Found, follows
from connectors.rotating import Hands
from connectors.speaker import signer_of
from connectors.witness import witnessed
from keys import dsse
from keys.canonical import from_base64, to_base64
from keys.errors import TrustError
from keys.keyset import may_sign, state_of
from keys.signers import Signer
from keys.suspension import Action, Suspension, seal_suspension

REASON = "unknown_keyset"
_BASE = "monitor_base"


@dataclass(frozen=True, slots=True)
class Guard:
    """What watches over the keys of one agency."""

    hands: Hands
    evidence: Path

    def begin(self) -> None:
        """Remembers the version believed before the log is read for the first time."""
        if self.hands.memory.fact(_BASE) is None:
            book = self.hands.book()
            base = {"version": book.keyset.version, "sha256": book.payload_sha256.hex()}
            with self.hands.memory.change():
                self.hands.memory.put_fact(_BASE, base)
                self._raise(Found(-1, book, None), self._speaking_strangers(book))

    def judge(self, found: Found) -> None:
        """Raises the alarm where a keyset is not ours; called within the reading's transaction."""
        base, book = self.hands.memory.fact(_BASE), found.book
        version, sha256 = book.keyset.version, book.payload_sha256.hex()
        if not follows(book, found.before):
            self._raise(found, _strangers(book, None, self._held()))
        elif version > base["version"] or (version == base["version"] and sha256 != base["sha256"]):
            self._raise(found, _strangers(book, found.before, self._held()))

    def defend(self) -> None:
        """Suspends what is not ours as far as a key here still can, and says so.

        Raises:
            CallCentre: `trust.foreign_keyset` once all is suspended, `trust.foreign_keyset_open`
                while something is not; until the keys in question are revoked.
        """
        memory = self.hands.memory
        alarm = alarms.find(memory, alarms.FOREIGN) or alarms.find(memory, alarms.FOREIGN_OPEN)
        if alarm is None:
            return
        kids = alarm.facts["kids"]
        if set(kids) <= {each.kid for each in self.hands.book().keyset.revoked}:
            alarms.drop(memory, alarm.code)
            return
        book = keybook.read(from_base64(alarm.facts["envelope"]))
        silenced = list(alarm.facts["silenced"])
        for kid in kids:
            if kid not in silenced and self._suspend(kid, book, silenced):
                silenced.append(kid)
                alarms.put(memory, alarm.code, self.hands.clock(), **_facts(alarm, silenced))
        if len(silenced) == len(kids) and alarm.code == alarms.FOREIGN_OPEN:
            alarms.drop(memory, alarms.FOREIGN_OPEN)
            alarms.put(memory, alarms.FOREIGN, self.hands.clock(), **_facts(alarm, silenced))
        code = alarms.FOREIGN if len(silenced) == len(kids) else alarms.FOREIGN_OPEN
        raise CallCentre(code, **_facts(alarm, silenced))

    def _suspend(self, kid: str, book: Book, silenced: Collection[str]) -> bool:
        signer = self._able(book, silenced)
        if signer is None:
            return False
        aud, agency = self.hands.anchors.aud, self.hands.client.agency
        said = Suspension(aud, agency, kid, Action.SUSPEND, self.hands.clock(), REASON)
        try:
            self.hands.client.put_suspension(seal_suspension(said, [signer]))
        except (Problem, ConnectorError):
            return False
        return True

    def _able(self, book: Book, silenced: Collection[str]) -> Signer | None:
        """A key in our file that may speak under the keyset that is not ours, or under our own."""
        own = {**self.hands.book().own(self.hands.store), **book.own(self.hands.store)}
        now = self.hands.clock()
        able = [e.kid for e in own.values() if e.kid not in silenced and may_sign(state_of(e, now))]
        return signer_of(self.hands.store, able[0]) if able else None

    def _held(self) -> frozenset[str]:
        """The keys in our file, and a recovery key on paper that we are about to name."""
        return frozenset(self.hands.store.kids()) | amending.awaited(self.hands)

    def _speaking_strangers(self, book: Book) -> list[str]:
        """Keys of our own connector that may speak, and that we do not hold."""
        held, now = self._held(), self.hands.clock()
        revoked = {each.kid for each in book.keyset.revoked}
        ours = {entry.instance for entry in book.own(self.hands.store).values()}
        return [
            kid
            for kid, entry in book.keyset.keys.items()
            if kid not in held
            and entry.instance in ours
            and may_sign(state_of(entry, now, revoked))
        ]

    def _raise(self, found: Found, strangers: Collection[str]) -> None:
        if not strangers:
            return
        book, memory, now = found.book, self.hands.memory, self.hands.clock()
        before = alarms.find(memory, alarms.FOREIGN) or alarms.find(memory, alarms.FOREIGN_OPEN)
        facts = {} if before is None else before.facts
        kids = [kid for kid in strangers if kid in book.keyset.keys]
        known = dict.fromkeys([*facts.get("kids", ()), *kids, *self._used(book)])
        alarms.drop(memory, alarms.FOREIGN)
        alarms.put(
            memory,
            alarms.FOREIGN_OPEN,
            now,
            version=book.keyset.version,
            index=found.index,
            kids=list(known),
            silenced=list(facts.get("silenced", ())),
            envelope=to_base64(book.envelope),
        )
        name = f"keyset-{book.keyset.version}"
        kept = {f"{name}.json": book.envelope, f"{name}.note": witnessed(memory)}
        exhibits.keep(self.evidence, now, kept)

    def _used(self, book: Book) -> list[str]:
        """Our own keys that signed it: whoever made it has them too."""
        store = self.hands.store
        mine = {kid: store.public(kid) for kid in store.kids() if kid in book.keyset.keys}
        try:
            return sorted(dsse.parse(book.envelope).verify(mine))
        except TrustError:
            return []


def _facts(alarm: alarms.Alarm, silenced: Collection[str]) -> dict[str, object]:
    return {**alarm.facts, "silenced": list(silenced)}


def _strangers(book: Book, before: Book | None, held: Collection[str]) -> list[str]:
    """The keys that a version adds and we do not hold, but for those of our other connectors."""
    known = {} if before is None else before.keyset.keys
    others = {e.instance for e in known.values()} - {known[k].instance for k in known if k in held}
    added = book.keyset.provers().keys() - (
        set() if before is None else before.keyset.provers().keys()
    )
    entries = book.keyset.keys
    return sorted(
        kid
        for kid in added
        if kid not in held and not (kid in entries and entries[kid].instance in others)
    )
