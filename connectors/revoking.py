"""A stolen key is revoked by the recovery key, and a new one takes its place (rule R4).

The statement is made here, signed offline by the words on paper, sent, and approved by one person
at the centre. Until then the memory holds it; after that the new key speaks by itself.

Source: trust.md 1.4 (rule R4), 1.6 (emergency).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors import keybook, rotating
from connectors.client import Problem
from connectors.countersigning import countersigned, put_away
from connectors.errors import CallCentre, FixSettings
from connectors.keybook import Book
from connectors.monitor import Log
from connectors.rotating import Hands
from connectors.speaker import signer_now, signer_of, signing_kids
from keys import dsse
from keys.canonical import from_base64, to_base64
from keys.forgetting import carried
from keys.keyset import PAYLOAD_TYPE, STATEMENT_LIFE, Revocation, encode, entry_of
from keys.signers import PublicKey

_FACT = "revoking"


@dataclass(frozen=True, slots=True)
class Sent:
    """A revocation at the gateway: the new key, and `pending` or `active`."""

    new: PublicKey
    kid: str
    state: str


def revoke(hands: Hands, lost: str, since: datetime, path: Path) -> Sent:
    """Writes the statement to `path` for the recovery key, or sends it once that has signed.

    Args:
        hands: the connector's keys and gateway.
        lost: the kid that is not to be believed.
        since: from when on; the gateway says what the log held then.
        path: where the statement waits for its signature.

    Raises:
        Wait: `recovery.unsigned`.
        FixSettings: `recovery.none`, `keys.unknown`, `keys.revoked_already`.
        CallCentre: the gateway refused; the statement is forgotten.
    """
    kept = hands.memory.fact(_FACT)
    if kept is not None and kept["lost"] == lost and _counts_already(hands):
        return Sent(hands.store.public(kept["new"]), kept["new"], "active")
    if kept is None or kept["lost"] != lost:
        kept = _drawn_up(hands, (lost,), since)
        hands.memory.put_fact(_FACT, kept)
    envelope = countersigned(from_base64(kept["envelope"]), path)
    hands.memory.put_fact(_FACT, {**kept, "envelope": to_base64(envelope)})
    put_away(path)
    try:
        told = hands.client.put_keyset(envelope)
    except Problem as problem:
        if problem.code == "revocation.incomplete":
            # It brought in other keys since; the statement must name them and be signed anew.
            others = str(problem.details.get("kids", "")).split()
            again = _drawn_up(hands, (lost, *others), since)
            hands.memory.put_fact(_FACT, again)
            countersigned(from_base64(again["envelope"]), path)
        if problem.code in rotating.KNOWN:
            hands.store.destroy(kept["new"])
        err = problem.error()
        if isinstance(err, CallCentre):
            hands.memory.drop_fact(_FACT)
        raise err from problem
    return Sent(hands.store.public(kept["new"]), kept["new"], str(told.get("state")))


def follow(hands: Hands) -> bool:
    """Takes the new key up once the revocation that was sent counts and stands in the log.

    True where it has just done so.

    Raises:
        ConnectorError: what the gateway tells does not hold, or it cannot be reached.
    """
    kept: Mapping[str, Any] | None = hands.memory.fact(_FACT)
    if kept is None:
        return False
    before = hands.book()
    book = rotating.learn_with_any(hands, before) or before
    if kept["lost"] in {each.kid for each in book.keyset.revoked}:
        signer = signer_now(hands.store, book, hands.clock())
        with hands.memory.change():
            keybook.keep(hands.memory, book, signer.kid)
            hands.memory.drop_fact(_FACT)
        return True
    return False


def _counts_already(hands: Hands) -> bool:
    """The command is run again after the approval; a silent key is told nothing of it."""
    before = hands.speaker.signer
    try:
        return follow(hands)
    except CallCentre as err:
        if err.code != "gateway.refused":
            raise
        return False
    finally:
        hands.speaker.speak_as(before)


def _drawn_up(hands: Hands, lost: Sequence[str], since: datetime) -> dict[str, str]:
    book = _newest(hands)
    if book.keyset.recovery is None:
        raise FixSettings("recovery.none")
    if lost[0] in {each.kid for each in book.keyset.revoked}:
        raise FixSettings("keys.revoked_already", kid=lost[0])
    unknown = [kid for kid in lost if kid not in book.keyset.keys]
    if unknown:
        raise FixSettings("keys.unknown", kid=unknown[0])
    try:
        size = hands.client.cosigned_size(since)
    except Problem as problem:
        raise problem.error() from problem
    fresh = [kid for kid in signing_kids(hands.store) if kid not in book.keyset.keys]
    new = signer_of(hands.store, (fresh or [hands.store.generate(hands.client.agency)])[0])
    revoked = [Revocation(kid, since, "key_compromise", size) for kid in lost]
    payload = _statement(book, revoked, new.public, hands.clock())
    envelope = dsse.seal(PAYLOAD_TYPE, payload, [new])
    return {"lost": lost[0], "new": new.kid, "envelope": to_base64(envelope)}


def _newest(hands: Hands) -> Book:
    """The newest version, since a thief may have rotated; a suspended key knows it by the log."""
    known = hands.book()
    try:
        return rotating.learn_with_any(hands, known) or known
    except CallCentre as err:
        if err.code != "gateway.refused":
            raise
        logged = Log.of(hands.memory).own
        book = known if logged is None else keybook.read(logged)
        return book if book.keyset.version > known.keyset.version else known


def _statement(book: Book, lost: Sequence[Revocation], new: PublicKey, now: datetime) -> bytes:
    old = book.keyset
    leaving = old.keys[lost[0].kid]
    coming = entry_of(old.agency, new, instance=leaving.instance, not_before=now, uses=leaving.uses)
    return encode(
        replace(
            old,
            version=old.version + 1,
            prev=book.payload_sha256,
            issued=now,
            expires=now + STATEMENT_LIFE,
            keys={**old.keys, coming.kid: coming},
            revoked=(*carried(old), *lost),
            reason="revoke",
        )
    )
