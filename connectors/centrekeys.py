"""The centre's receipt keys beside the one in our ticket: learnt from the log, and all kept.

Each keyset of the centre must follow the one before by the rules. Its keys are believed once our
ticket's key is among them: who signs with that one vouches for its predecessor and successor. That
a keyset stands in the log, whoever reads the log has proved.

Source: trust.md "What wave 1 can and cannot prove", 1.4 (rule R2).
"""

from connectors.errors import CallCentre
from connectors.evidence import Anchors
from connectors.memory import Memory
from keys import dsse
from keys.canonical import from_base64, to_base64
from keys.errors import TrustError
from keys.keyset import Keyset, parse_statement
from keys.succession import Standing, accept_first, accept_next

OWNER = "gateway"
_FACT = "centre"
_INSTANCE = "receipt"


def heed(memory: Memory, anchors: Anchors, envelope: bytes) -> None:
    """Takes up a keyset of the centre that the log holds; one that is known already is passed over.

    Raises:
        CallCentre: `trust.centre_keyset` where it does not follow.
    """
    kept = [from_base64(each) for each in memory.fact(_FACT) or []]
    parsed = dsse.parse(envelope)
    if any(dsse.parse(each).payload_sha256 == parsed.payload_sha256 for each in kept):
        return
    try:
        said = _follow(parsed, kept, anchors)
    except TrustError as err:
        raise CallCentre("trust.centre_keyset", reason=str(err)) from err
    memory.put_fact(_FACT, [to_base64(each) for each in (*kept, envelope)])
    _trust(said, anchors)


def remembered(memory: Memory, anchors: Anchors) -> Anchors:
    """The anchors with all receipt keys that this memory has learnt."""
    for kept in memory.fact(_FACT) or []:
        _trust(parse_statement(dsse.parse(from_base64(kept)).payload), anchors)
    return anchors


def _follow(parsed: dsse.Envelope, kept: list[bytes], anchors: Anchors) -> Keyset:
    issued = parse_statement(parsed.payload).issued
    if not kept:
        return accept_first(parsed, anchors.aud, known_keys=(), now=issued)
    last = dsse.parse(kept[-1])
    standing = Standing(parse_statement(last.payload), last.payload_sha256)
    return accept_next(parsed, standing, known_keys=(), centre={}, now=issued).keyset


def _trust(said: Keyset, anchors: Anchors) -> None:
    keys = {kid: e.public for kid, e in said.keys.items() if e.instance == _INSTANCE}
    if not anchors.receipt_keys.items().isdisjoint(keys.items()):
        anchors.trust(keys)
