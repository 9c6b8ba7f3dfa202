"""A key hands over to its successor; journalled, so that a `kill -9` anywhere changes nothing.

    generated   the new key is in the key file; the statement that both keys seal is in the journal
    submitted   the gateway has the statement; sent again, the same bytes get the same answer
    logged      the version stands in the log, proved under our ticket's key
    switched    new batches and requests are signed by the new key; the old one still may, a while
    done        a week after the old key's last day its private half is gone from the key file

The journal is a fact of the memory; each step writes it after its effect. Nothing here waits.

Source: trust.md 1.4 (rule R2), 1.6 (steps).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from connectors import keybook
from connectors.client import Client, Problem
from connectors.errors import CallCentre, ConnectorError, Wait
from connectors.evidence import Anchors
from connectors.keybook import Book
from connectors.memory import Memory
from connectors.monitor import Log
from connectors.outbox import Parcel
from connectors.sealing import sealed_again, signed_by
from connectors.speaker import Speaker, signer_now, signer_of, signing_kids
from keys import dsse, rotation
from keys.canonical import from_base64, from_moment, to_base64, to_moment
from keys.keyset import PAYLOAD_TYPE, KeyEntry, may_sign, state_of
from keys.keystore import KeyStore
from keys.rotation import Rotation, Step
from keys.succession import OVERLAP, ROTATION_PAUSE

BACKDATED = timedelta(minutes=5)
"""The new key speaks from so long ago, so that a gateway whose clock lags does not refuse it."""
_UNTOLD = "destroyed"
"""The fact that holds the kids whose end the gateway has not been told."""
KNOWN = frozenset({"key.known", "key.reused"})
"""What the gateway says of a key that stood in a keyset before: it can serve no more."""
_OVERTAKEN = frozenset({"keyset.version", *KNOWN})


@dataclass(frozen=True, slots=True)
class Hands:
    """What a rotation works with: the key file, the voice, the gateway, the memory and a clock."""

    store: KeyStore
    speaker: Speaker
    client: Client
    anchors: Anchors
    memory: Memory
    clock: Callable[[], datetime]

    def book(self) -> Book:
        """The version in force.

        Raises:
            CallCentre: `keys.silent` where no version is known.
        """
        found = keybook.load(self.memory)
        if found is None:
            raise CallCentre("keys.silent", version=0)
        return found


def take_up(hands: Hands) -> None:
    """Lets the key speak that may now; learns the keyset anew where the memory was lost.

    Raises:
        CallCentre: no key of this connector may speak, or the gateway's keyset is not proved.
        Wait: the memory was lost and the gateway cannot be reached.
    """
    book = keybook.load(hands.memory)
    learnt = None if book is not None else learn_with_any(hands, None)
    found = book or learnt
    if found is None:
        raise CallCentre("keys.silent", version=0)
    signer = signer_now(hands.store, found, hands.clock())
    if learnt is not None:
        keybook.keep(hands.memory, learnt, signer.kid)
    hands.speaker.speak_as(signer)


def tend(hands: Hands) -> Rotation | None:
    """What is due by itself: go on with a rotation, begin one, delete keys; the open rotation.

    Raises:
        ConnectorError: what stopped it; the journal goes on from there the next time.
    """
    clear_away(hands)
    if open_rotation(hands.memory) is None:
        entry, now = hands.book().speaking(hands.store, hands.clock()), hands.clock()
        if entry is None or not (rotation.is_due(entry, now) or _is_wished(hands)):
            return None
    return rotate(hands)


def _is_wished(hands: Hands) -> bool:
    """The centre has asked for a new key, and none was made within the pause between two."""
    return Log.of(hands.memory).wished and not _pauses(hands, hands.book())


def rotate(hands: Hands) -> Rotation:
    """Begins a rotation, or goes on with the one begun, as far as the gateway lets it now.

    Returns at `submitted` while the log has not taken the version up, else at `switched`.

    Raises:
        ConnectorError: what stopped it; the journal goes on from there the next time.
    """
    going = open_rotation(hands.memory) or _generate(hands)
    while (act := _NEXT.get(going.step)) is not None:
        moved = act(hands, going)
        if moved is None:
            return going
        going = moved
    return going


def clear_away(hands: Hands) -> list[str]:
    """Deletes the private halves of keys that are revoked or quiet for a week, and reports it.

    Returns their kids. Who cannot be told now is told the next time.
    """
    gone = rotation.removable(hands.book().keyset, hands.clock())
    held = set(hands.store.kids()) - {hands.speaker.kid}
    fresh = [kid for kid in gone if kid in held]
    if fresh:
        untold = hands.memory.fact(_UNTOLD) or []
        hands.memory.put_fact(_UNTOLD, sorted({*untold, *fresh}))
    for kid in fresh:
        hands.store.destroy(kid)
    for each in journal(hands.memory):
        if each.step is Step.SWITCHED and each.old in gone:
            _note(hands.memory, replace(each, step=Step.DONE))
    _report(hands)
    return fresh


def _report(hands: Hands) -> None:
    untold = hands.memory.fact(_UNTOLD) or []
    left = []
    for kid in untold:
        try:
            hands.client.report_destroyed(kid)
        except Problem as problem:
            if problem.status != 404:
                left.append(kid)
        except ConnectorError:
            left.append(kid)
    if left != untold:
        hands.memory.put_fact(_UNTOLD, left)


def revoiced(hands: Hands, parcel: Parcel) -> Parcel:
    """The batch as it waits, or signed anew where its key may no longer speak for it."""
    book, signed = hands.book(), signed_by(parcel)
    soon = hands.clock() + BACKDATED
    revoked = {each.kid for each in book.keyset.revoked}
    speak = {
        kid for kid, entry in book.keyset.keys.items() if may_sign(state_of(entry, soon, revoked))
    }
    if hands.speaker.kid in signed or signed & speak:
        return parcel
    again = sealed_again(parcel, hands.speaker)
    hands.memory.outbox.put_body(again)
    return again


def journal(memory: Memory) -> list[Rotation]:
    """Every rotation of this memory, oldest first."""
    return [_read(each) for each in memory.fact("rotations") or []]


def open_rotation(memory: Memory) -> Rotation | None:
    """The rotation that has not come to its switch, if any."""
    ended = (Step.SWITCHED, Step.DONE)
    return next((each for each in journal(memory) if each.step not in ended), None)


def learn_with_any(hands: Hands, known: Book | None) -> Book | None:
    """The newest version, where it is not known which key may ask: each is tried."""
    refused: ConnectorError | None = None
    for kid in signing_kids(hands.store):
        hands.speaker.speak_as(signer_of(hands.store, kid))
        try:
            return keybook.learn(hands.client, hands.anchors, known)
        except CallCentre as err:
            if err.code != "gateway.refused":
                raise
            refused = err
    if refused is not None:
        raise refused
    return known


def _generate(hands: Hands) -> Rotation:
    # 1. What is in force may have moved on: a recovery, or a rotation this memory has lost.
    book = keybook.learn(hands.client, hands.anchors, hands.book()) or hands.book()
    keybook.keep(hands.memory, book)
    old = signer_now(hands.store, book, hands.clock())
    hands.speaker.speak_as(old)
    _check_pause(hands, book)
    # 2. A key of a run that died before its journal is used again.
    fresh = [kid for kid in signing_kids(hands.store) if kid not in book.keyset.keys]
    new = signer_of(hands.store, (fresh or [hands.store.generate(hands.client.agency)])[0])
    # 3. The statement, sealed by both, is kept before anybody sees it.
    moment = _moment(book.keyset.keys[old.kid], hands.clock())
    payload = rotation.next_statement(book.keyset, book.payload_sha256, old.kid, new.public, moment)
    begun = Rotation(
        old=old.kid,
        new=new.kid,
        step=Step.GENERATED,
        envelope=dsse.seal(PAYLOAD_TYPE, payload, [old, new]),
        sign_until=moment + OVERLAP,
    )
    return _note(hands.memory, begun)


def _check_pause(hands: Hands, book: Book) -> None:
    """A key is not made in vain: the rule of the gateway is asked here first."""
    if _pauses(hands, book):
        raise Wait("keys.pause")


def _pauses(hands: Hands, book: Book) -> bool:
    """A key of this connector was replaced less than a day ago; its first key does not count."""
    ends = [entry.sign_until for entry in book.own(hands.store).values() if entry.sign_until]
    return bool(ends) and hands.clock() < max(ends) - OVERLAP + BACKDATED + ROTATION_PAUSE


def _submit(hands: Hands, going: Rotation) -> Rotation:
    try:
        hands.client.put_keyset(going.envelope)
    except Problem as problem:
        if problem.code == "keyset.pause":
            raise Wait("keys.pause", after=problem.retry_after) from problem
        if problem.code not in _OVERTAKEN:
            raise problem.error() from problem
        # Another version stands in this one's place: begin anew from there.
        if problem.code in KNOWN:
            hands.store.destroy(going.new)
        _forget(hands.memory, going)
        raise Wait("keys.overtaken") from problem
    return _note(hands.memory, replace(going, step=Step.SUBMITTED))


def _prove(hands: Hands, going: Rotation) -> Rotation | None:
    ours = keybook.read(going.envelope)
    before = hands.book()
    if before.payload_sha256 != ours.payload_sha256:
        logged = keybook.after(hands.client, hands.anchors, before)
        if logged is None:
            return None
        if logged.payload_sha256 != ours.payload_sha256:
            _forget(hands.memory, going)
            raise Wait("keys.overtaken")
    return _note(hands.memory, replace(going, step=Step.LOGGED))


def _switch(hands: Hands, going: Rotation) -> Rotation:
    signer = signer_of(hands.store, going.new)
    switched = replace(going, step=Step.SWITCHED)
    with hands.memory.change():
        keybook.keep(hands.memory, keybook.read(going.envelope), going.new)
        _note(hands.memory, switched)
    hands.speaker.speak_as(signer)
    return switched


_NEXT: Mapping[Step, Callable[[Hands, Rotation], Rotation | None]] = {
    Step.GENERATED: _submit,
    Step.SUBMITTED: _prove,
    Step.LOGGED: _switch,
}


def _moment(old: KeyEntry, now: datetime) -> datetime:
    """From when the new key speaks: a little ago, but not before the old one did."""
    return max(now.replace(microsecond=0) - BACKDATED, old.not_before)


def _note(memory: Memory, rotated: Rotation) -> Rotation:
    others = [each for each in journal(memory) if each.new != rotated.new]
    memory.put_fact("rotations", [_plain(each) for each in (*others, rotated)])
    return rotated


def _forget(memory: Memory, rotated: Rotation) -> None:
    others = [each for each in journal(memory) if each.new != rotated.new]
    memory.put_fact("rotations", [_plain(each) for each in others])


def _plain(rotated: Rotation) -> dict[str, str]:
    return {
        "old": rotated.old,
        "new": rotated.new,
        "step": rotated.step.value,
        "envelope": to_base64(rotated.envelope),
        "sign_until": to_moment(rotated.sign_until),
    }


def _read(plain: Mapping[str, Any]) -> Rotation:
    return Rotation(
        old=plain["old"],
        new=plain["new"],
        step=Step(plain["step"]),
        envelope=from_base64(plain["envelope"]),
        sign_until=from_moment(plain["sign_until"]),
    )
