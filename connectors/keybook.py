"""The agency's keyset as this connector believes it: version by version, each proved by the log.

What the gateway says of our keys is never taken on its word: a version counts once it follows the
one we hold by the rules, and stands in the log under the log key of our ticket.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connectors.client import Client, Problem
from connectors.errors import CallCentre, Wait
from connectors.evidence import Anchors, check_proof
from connectors.memory import Memory
from keys import dsse, merkle, rotation
from keys.bundle import keyset_entry
from keys.canonical import canonical, from_base64, to_base64
from keys.errors import TrustError
from keys.keyset import KeyEntry, Keyset, parse_statement
from keys.keystore import KeyStore
from keys.succession import Standing, accept_first, accept_next


@dataclass(frozen=True, slots=True)
class Book:
    """A version of the agency's keyset, and the envelope it came in."""

    keyset: Keyset
    payload_sha256: bytes
    envelope: bytes

    @property
    def leaf(self) -> bytes:
        """The leaf hash of its entry in the log, 32 bytes."""
        entry = keyset_entry(self.keyset.agency, self.keyset.version, self.envelope)
        return merkle.leaf_hash(canonical(entry))

    def own(self, store: KeyStore) -> dict[str, KeyEntry]:
        """The entries of the keys that this connector's key file holds."""
        held = set(store.kids())
        return {kid: entry for kid, entry in self.keyset.keys.items() if kid in held}

    def speaking(self, store: KeyStore, now: datetime) -> KeyEntry | None:
        """The key of this connector that signs new batches now, or None.

        One that nobody has succeeded goes before one that hands over.
        """
        own = self.own(store)
        last = {kid: entry for kid, entry in own.items() if entry.sign_until is None}
        instances = sorted({entry.instance for entry in own.values()})
        found = (
            rotation.speaking(replace(self.keyset, keys=keys), instance, now)
            for keys in (last, own)
            for instance in instances
        )
        return next((entry for entry in found if entry is not None), None)


def read(envelope: bytes) -> Book:
    """The book of an envelope that is ours or was checked before."""
    parsed = dsse.parse(envelope)
    return Book(parse_statement(parsed.payload), parsed.payload_sha256, envelope)


def load(memory: Memory) -> Book | None:
    """The version in force as this memory knows it; None where the memory was lost."""
    kept = memory.fact("keyset")
    return None if kept is None else read(from_base64(kept["envelope"]))


def keep(memory: Memory, book: Book, kid: str | None = None) -> None:
    """Remembers the version in force; `kid` is the key that speaks."""
    before = memory.fact("keyset") or {}
    kept = {
        "kid": kid or before.get("kid"),
        "aud": book.keyset.aud,
        "envelope": to_base64(book.envelope),
    }
    memory.put_fact("keyset", kept)


def learn(client: Client, anchors: Anchors, known: Book | None) -> Book | None:
    """The newest version that the gateway tells and the log proves; `known` where there is none.

    Raises:
        CallCentre: a version does not follow, or its proof does not hold (`trust.keyset`,
            `trust.proof`).
        Wait: the gateway cannot be reached.
    """
    while (book := after(client, anchors, known)) is not None:
        known = book
    return known


def after(client: Client, anchors: Anchors, known: Book | None) -> Book | None:
    """The version after `known`, or None while there is none in the log.

    Raises:
        CallCentre: it does not follow, or its proof does not hold.
        Wait: the gateway cannot be reached.
    """
    version = 1 if known is None else known.keyset.version + 1
    try:
        told = client.keyset(version)
    except Problem as problem:
        raise problem.error() from problem
    proof = None if told is None else told.get("proof")
    if told is None or told.get("state") != "active" or not isinstance(proof, str):
        return None
    book = _follow(told, known, client.agency, anchors)
    check_proof(proof, book.leaf, anchors)
    return book


def _follow(told: Mapping[str, Any], known: Book | None, agency: str, anchors: Anchors) -> Book:
    try:
        envelope = from_base64(str(told["envelope"]))
        parsed = dsse.parse(envelope)
        issued = parse_statement(parsed.payload).issued
        if known is None:
            keyset = accept_first(parsed, anchors.aud, known_keys=(), now=issued)
        else:
            standing = Standing(known.keyset, known.payload_sha256)
            centre = anchors.receipt_keys
            followed = accept_next(parsed, standing, known_keys=(), centre=centre, now=issued)
            keyset = followed.keyset
    except KeyError as err:
        raise Wait("gateway.answer", reason="keyset") from err
    except TrustError as err:
        raise CallCentre("trust.keyset", reason=str(err)) from err
    if keyset.agency != agency:
        raise CallCentre("trust.keyset", reason="It is the keyset of another agency.")
    return Book(keyset, parsed.payload_sha256, envelope)
