"""A suspended key speaks again: by the recovery key on paper, or by two persons at the centre.

Never by a key of the connector: whoever took one would wake it himself.

Source: trust.md 1.4 (rule R3).
"""

from pathlib import Path

from connectors import countersigning, silence
from connectors.client import Problem
from connectors.errors import CallCentre, FixSettings, Wait
from connectors.rotating import Hands
from connectors.speaker import signer_of
from keys.canonical import from_base64, to_base64
from keys.keyset import Recovery
from keys.suspension import Action, Suspension, seal_suspension

REASON = "not_compromised"
_FACT = "waking"
_ASLEEP = "key.suspended"


def wake(hands: Hands, kid: str, path: Path) -> None:
    """Returns once the key speaks: asks the gateway first, then uses the recovery key if any.

    Args:
        hands: the connector's keys and gateway.
        kid: a key of the keyset in this connector's file.
        path: where the statement waits for the recovery key's signature.

    Raises:
        FixSettings: `keys.unknown` where the key is not here.
        Wait: `keys.asleep` where only the centre can wake it, `recovery.unsigned`.
        CallCentre: the gateway refused.
    """
    book = hands.book()
    if kid not in book.own(hands.store):
        raise FixSettings("keys.unknown", kid=kid)
    if not speaks(hands, kid):
        recovery = book.keyset.recovery
        if recovery is None:
            fingerprint = hands.store.public(kid).fingerprint()
            raise Wait("keys.asleep", kid=kid, fingerprint=fingerprint)
        _wake_by_recovery(hands, kid, path, recovery)
    with hands.memory.change():
        hands.memory.drop_fact(_FACT)
        silence.end(hands.memory, kid)


def speaks(hands: Hands, kid: str) -> bool:
    """Whether the gateway hears this key; what it says is kept.

    Raises:
        ConnectorError: it refuses the key for another reason, or cannot be reached.
    """
    signer, before = signer_of(hands.store, kid), hands.speaker.signer
    hands.speaker.speak_as(signer)
    try:
        hands.client.keyset(1)
    except Problem as problem:
        if problem.code != _ASLEEP:
            raise problem.error() from problem
        silence.note(hands.memory, kid, hands.clock())
        return False
    finally:
        hands.speaker.speak_as(before)
    return True


def _wake_by_recovery(hands: Hands, kid: str, path: Path, recovery: Recovery) -> None:
    kept = hands.memory.fact(_FACT)
    if kept is None or kept["kid"] != kid:
        aud, agency = hands.anchors.aud, hands.client.agency
        said = Suspension(aud, agency, kid, Action.RESUME, hands.clock(), REASON)
        drawn = seal_suspension(said, [signer_of(hands.store, kid)])
        kept = {"kid": kid, "envelope": to_base64(drawn)}
        hands.memory.put_fact(_FACT, kept)
    envelope = countersigning.countersigned(from_base64(kept["envelope"]), path, recovery)
    hands.memory.put_fact(_FACT, {"kid": kid, "envelope": to_base64(envelope)})
    countersigning.put_away(path)
    try:
        hands.client.put_suspension(envelope)
    except Problem as problem:
        err = problem.error()
        if isinstance(err, CallCentre):
            hands.memory.drop_fact(_FACT)  # it is too old, or overtaken: the next is drawn up anew
        raise err from problem
