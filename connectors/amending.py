"""An enrolled agency names a first recovery key, or puts another in the place of its own (rule R5).

The statement is made here, signed by the key in force and by the recovery key on paper, sent, and
approved by two persons; where it replaces one, the old paper signs as well, and one person does. It
counts three days later, and any key in force may object until then.

Source: trust.md 1.4 (rule R5), 1.5 step 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from connectors import countersigning, keybook, rotating
from connectors.client import Problem
from connectors.errors import CallCentre, FixSettings
from connectors.rotating import Hands
from connectors.speaker import signer_now
from keys import dsse
from keys.canonical import from_base64, to_base64
from keys.keyset import PAYLOAD_TYPE, STATEMENT_LIFE, Recovery, encode
from keys.signers import PublicKey, fingerprint_of

_FACT = "amending"


@dataclass(frozen=True, slots=True)
class Amendment:
    """A statement at the gateway; its own fingerprint is what is read out on the phone."""

    version: int
    fingerprint: str
    state: str


def name_recovery(hands: Hands, key: PublicKey, path: Path) -> Amendment:
    """Sends the statement that names a first recovery key, once that key has signed it.

    Raises:
        FixSettings: `recovery.exists` where the agency has one.
        Wait: `recovery.unsigned`.
        CallCentre: the gateway refused; the statement is forgotten.
    """
    return _hand_in(hands, key, path, "recovery")


def replace_recovery(hands: Hands, key: PublicKey, path: Path) -> Amendment:
    """The same for another recovery key, once the old paper and the new one have signed it.

    Raises:
        FixSettings: `recovery.none` where there is nothing to replace, `recovery.same` where it is
            the recovery key already.
        Wait: `recovery.unsigned_both`.
        CallCentre: the gateway refused; the statement is forgotten.
    """
    return _hand_in(hands, key, path, countersigning.REPLACED)


def _hand_in(hands: Hands, key: PublicKey, path: Path, reason: str) -> Amendment:
    kept, kid = hands.memory.fact(_FACT), key.kid(hands.client.agency)
    if kept is None or kept["recovery"] != kid:
        kept = {"recovery": kid, "envelope": to_base64(_drawn_up(hands, key, reason))}
        hands.memory.put_fact(_FACT, kept)
    old = hands.book().keyset.recovery
    others = [] if old is None else [old]
    envelope = countersigning.countersigned(from_base64(kept["envelope"]), path, *others)
    hands.memory.put_fact(_FACT, {**kept, "envelope": to_base64(envelope)})
    countersigning.put_away(path)
    try:
        told = hands.client.put_keyset(envelope)
    except Problem as problem:
        err = problem.error()
        if isinstance(err, CallCentre):
            hands.memory.drop_fact(_FACT)
        raise err from problem
    sha256 = dsse.parse(envelope).payload_sha256
    return Amendment(int(told["version"]), fingerprint_of(sha256), str(told["state"]))


def follow(hands: Hands) -> None:
    """Takes the version up once it counts and stands in the log.

    Raises:
        ConnectorError: what the gateway tells does not hold, or it cannot be reached.
    """
    kept: Mapping[str, Any] | None = hands.memory.fact(_FACT)
    if kept is None:
        return
    book = keybook.learn(hands.client, hands.anchors, hands.book()) or hands.book()
    with hands.memory.change():
        keybook.keep(hands.memory, book)
        if countersigning.is_named(book.keyset, kept["recovery"]):
            hands.memory.drop_fact(_FACT)


def awaited(hands: Hands) -> frozenset[str]:
    """The recovery key that we are about to name: ours, though no file holds it."""
    kept = hands.memory.fact(_FACT)
    return frozenset() if kept is None else frozenset({kept["recovery"]})


def _drawn_up(hands: Hands, key: PublicKey, reason: str) -> bytes:
    book = keybook.learn(hands.client, hands.anchors, hands.book()) or hands.book()
    keybook.keep(hands.memory, book)
    kid, old = key.kid(hands.client.agency), book.keyset.recovery
    if reason != countersigning.REPLACED and old is not None:
        raise FixSettings("recovery.exists")
    if reason == countersigning.REPLACED and old is None:
        raise FixSettings("recovery.none")
    if countersigning.is_named(book.keyset, kid):
        raise FixSettings("recovery.same")
    if rotating.open_rotation(hands.memory) is not None:
        raise FixSettings("recovery.rotating")
    now = hands.clock()
    said = replace(
        book.keyset,
        version=book.keyset.version + 1,
        prev=book.payload_sha256,
        issued=now,
        expires=now + STATEMENT_LIFE,
        recovery=Recovery(1, {kid: key}),
        reason=reason,
    )
    return dsse.seal(PAYLOAD_TYPE, encode(said), [signer_now(hands.store, book, now)])
