"""A key is suspended in seconds, by one alone; it is resumed with more care (rule R3).

A suspension is a signed statement of its own and not a keyset version: it changes nothing but the
state of one key, costs nothing if it was a mistake, and must not wait for anybody. Where a person
of the centre decides, the centre's key signs for him and the log holds his decision.

Source: trust.md 1.3, 1.4 (rule R3).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from keys.canonical import canonical, to_moment
from keys.dsse import Envelope, seal
from keys.errors import BadSignature, BadStatement
from keys.keyset import may_sign, state_of
from keys.signers import AGENCY, PublicKey, Signer
from keys.statement import Fields
from keys.succession import Standing

PAYLOAD_TYPE = "application/vnd.titian.suspension.v1+json"
_FIELDS = ("v", "aud", "agency", "kid", "action", "issued", "reason")
_REASON = re.compile(r"[a-z_]{1,40}")
_FRESH = timedelta(hours=72)
_SKEW = timedelta(minutes=5)


class Action(StrEnum):
    """What a statement does to a key."""

    SUSPEND = "suspend"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Suspension:
    """A statement about one key; `issued` orders statements about the same key."""

    aud: str
    agency: str
    kid: str
    action: Action
    issued: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A statement that may count, once so many persons (0, 1 or 2) have decided it."""

    said: Suspension
    persons: int


def seal_suspension(said: Suspension, signers: Sequence[Signer]) -> bytes:
    """The signed statement."""
    payload = {
        "v": 1,
        "aud": said.aud,
        "agency": said.agency,
        "kid": said.kid,
        "action": said.action.value,
        "issued": to_moment(said.issued),
        "reason": said.reason,
    }
    return seal(PAYLOAD_TYPE, canonical(payload), signers)


def parse_suspension(envelope: Envelope) -> Suspension:
    """What the envelope says; nothing is believed yet.

    Raises:
        BadStatement: not a suspension, or a field is wrong.
    """
    if envelope.payload_type != PAYLOAD_TYPE:
        raise BadStatement("suspension.type", "The statement is not a suspension.")
    fields = Fields.read(envelope.payload, _FIELDS)
    action = fields.text("action")
    if fields.integer("v") != 1 or action not in set(Action):
        raise BadStatement("suspension.version", "The suspension's version is not known.")
    return Suspension(
        aud=fields.text("aud"),
        agency=fields.text("agency", AGENCY),
        kid=fields.text("kid"),
        action=Action(action),
        issued=fields.moment("issued"),
        reason=fields.text("reason", _REASON),
    )


def judge(
    envelope: Envelope, standing: Standing, centre: Mapping[str, PublicKey], now: datetime
) -> Judged:
    """The statement, if those who signed it may say it of a key of the keyset in force.

    Suspending: any key of the agency that may speak (also the key itself), a recovery key, or one
    person. Resuming: the recovery key, or two persons; never a key of the connector.

    Raises:
        BadStatement: another gateway's or agency's, an unknown key (``suspension.key``), or issued
            in the future or more than three days ago (``suspension.time``).
        BadSignature: a signature is wrong, or the signer may not say this (``suspension.signer``).
    """
    said, keyset = parse_suspension(envelope), standing.keyset
    if (said.aud, said.agency) != (keyset.aud, keyset.agency) or said.kid not in keyset.keys:
        raise BadStatement("suspension.key", "The suspension is about a key that is not here.")
    if not now - _FRESH <= said.issued <= now + _SKEW:
        raise BadStatement("suspension.time", "The suspension is too old or not yet issued.")
    recovery = keyset.recovery.keys if keyset.recovery else {}
    signed = envelope.verify({**centre, **keyset.publics(), **recovery})
    revoked = {each.kid for each in keyset.revoked}
    speaking = {
        kid
        for kid in signed & keyset.keys.keys()
        if may_sign(state_of(keyset.keys[kid], now, revoked, standing.suspended))
    }
    by_recovery = keyset.recovery is not None and (
        len(signed & recovery.keys()) >= keyset.recovery.threshold
    )
    by_centre = not signed.isdisjoint(centre)
    if by_recovery or (said.action is Action.SUSPEND and speaking):
        return Judged(said, 0)
    if not by_centre:
        raise BadSignature("suspension.signer", "Those who signed may not say this of the key.")
    return Judged(said, 1 if said.action is Action.SUSPEND else 2)
