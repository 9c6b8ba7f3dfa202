"""Who may change the keys of an agency, and what: the rules R1 to R6 of keyset statements.

``accept_first`` judges the first statement of an agency, ``accept_next`` the one that follows the
keyset in force. Which rule a statement falls under is found from what it changes, never from what
it says of itself; then it must be signed as that rule asks, and may change nothing else. What only
the centre can know (approvals by persons, the log's size at a moment, the wait before a change of
recovery keys) is named in the answer and left to the caller.

Source: trust.md 1.4 (rules R1, R2, R4 to R6); TUF 1.0 §5.3 (root updates), whose rules these are.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from keys.dsse import Envelope
from keys.errors import BadKey, BadSignature, BadStatement
from keys.forgetting import ROOM, forgettable, revoked_beside
from keys.keyset import (
    MAX_LIFE,
    PAYLOAD_TYPE,
    STATEMENT_LIFE,
    KeyEntry,
    Keyset,
    State,
    may_sign,
    parse_statement,
    state_of,
)
from keys.signers import PublicKey

OVERLAP = timedelta(days=14)
ROTATION_PAUSE = timedelta(hours=24)
RECOVERY_WAIT = timedelta(hours=72)
FRESH = timedelta(days=30)
"""A statement is handed in within this time; a recovery key may be far away."""
_SKEW = timedelta(minutes=5)


class Rule(StrEnum):
    """Under which rule a statement changes a keyset."""

    ENROL = "enrol"
    ROTATE = "rotate"
    REVOKE = "revoke"
    AMEND = "amend"
    LEAVE = "leave"
    REENROL = "reenrol"


@dataclass(frozen=True, slots=True)
class Standing:
    """The keyset in force, and what the log knows of it.

    Attributes:
        keyset: the newest version that counts.
        payload_sha256: SHA-256 of its payload bytes.
        suspended: kids that are suspended now.
        rotated: by instance, when its last rotation was accepted.
    """

    keyset: Keyset
    payload_sha256: bytes
    suspended: frozenset[str] = frozenset()
    rotated: Mapping[str, datetime] = field(default_factory=dict)

    def state(self, kid: str, now: datetime) -> State:
        """The state of a signing key that is in the keyset."""
        revoked = [each.kid for each in self.keyset.revoked]
        return state_of(self.keyset.keys[kid], now, revoked, self.suspended)


@dataclass(frozen=True, slots=True)
class Succession:
    """A statement that may follow, once so many persons have approved it.

    Attributes:
        rule: what it does.
        keyset: the new version.
        persons: how many persons must approve it: 0, 1 (beside the recovery key) or 2.
        wait: how long it must stand open to objection before it counts.
        added: the kids of new signing keys.
    """

    rule: Rule
    keyset: Keyset
    persons: int
    wait: timedelta = timedelta(0)
    added: frozenset[str] = frozenset()


def accept_first(
    envelope: Envelope, aud: str, *, known_keys: Collection[bytes], now: datetime
) -> Keyset:
    """The keyset of an agency's first statement, if rule R1 holds.

    Args:
        envelope: the signed statement.
        aud: our own name; a statement meant for another gateway is refused.
        known_keys: the raw bytes of every key that is or was in any keyset.
        now: our clock, aware.

    Raises:
        BadStatement: another type (``keyset.type``); not ours (``keyset.aud``); not a first version
            (``keyset.version``); run out, not yet issued or a key with too long a life
            (``keyset.time``); no key, or one key twice (``keyset.key``).
        BadKey: a key that must not be used, or is known already (``key.known``).
        BadSignature: a key of the statement has not signed it, or its signature is wrong.
    """
    keyset = _read(envelope, aud)
    if keyset.version != 1 or keyset.prev is not None or keyset.revoked:
        raise BadStatement("keyset.version", "The first keyset has version 1 and no previous one.")
    _check_times(keyset, keyset.keys.values(), now)
    provers = _distinct(keyset)
    _check_unknown(provers.values(), known_keys)
    if envelope.verify(provers) != provers.keys():
        raise BadStatement("keyset.possession", "A key of the keyset has not signed it.")
    return keyset


def accept_next(
    envelope: Envelope,
    standing: Standing,
    *,
    known_keys: Collection[bytes],
    centre: Mapping[str, PublicKey],
    now: datetime,
) -> Succession:
    """What the statement makes of the keyset in force, if one of the rules R2 and R4 to R6 holds.

    Args:
        envelope: the signed statement.
        standing: what it follows.
        known_keys: the raw bytes of every key that is or was in any keyset.
        centre: keys of the centre, which signs for two persons where the agency cannot.
        now: our clock, aware.

    Raises:
        BadStatement: another type (``keyset.type``), audience (``keyset.aud``) or agency
            (``keyset.agency``); not the next version, or not of this one (``keyset.version``);
            times that cannot be (``keyset.time``); a key named twice (``keyset.key``); a new key
            that has not signed (``keyset.possession``); or a change that no rule allows
            (``keyset.change``), too early (``keyset.pause``), or with no room left for the
            recovery key's holder (``keyset.full``).
        BadKey: a key that must not be used, or is known already (``key.known``).
        BadSignature: a signature is wrong, those who signed may not do this (``keyset.signer``), or
            new recovery keys do not reach their own threshold (``keyset.threshold``).
    """
    # 1. For us, of this agency, the very next version.
    old, new = standing.keyset, _read(envelope, standing.keyset.aud)
    if new.agency != old.agency:
        raise BadStatement("keyset.agency", "The keyset is that of another agency.")
    if (new.version, new.prev) != (old.version + 1, standing.payload_sha256):
        raise BadStatement("keyset.version", "The keyset does not follow the one in force.")
    # 2. New keys: sound, nobody's before, each with its own signature.
    provers, before = _distinct(new), old.provers()
    fresh = {kid: key for kid, key in provers.items() if kid not in before}
    added = frozenset(new.keys.keys() - old.keys.keys())
    _check_times(new, [new.keys[kid] for kid in added], now)
    _check_begin(new, [new.keys[kid] for kid in added])
    _check_unknown(
        [*fresh.values(), *(provers[kid] for kid in added & before.keys())],
        {*known_keys, *(key.raw for key in before.values())},
    )
    signed = envelope.verify({**centre, **before, **provers})
    if not fresh.keys() <= signed:
        raise BadStatement("keyset.possession", "A key of the keyset has not signed it.")
    # 3. The rule, by what changes.
    return _judge(_Change(standing, new, signed, added, frozenset(centre), now))


@dataclass(frozen=True, slots=True)
class _Change:
    standing: Standing
    new: Keyset
    signed: frozenset[str]
    added: frozenset[str]
    centre: frozenset[str]
    now: datetime

    @property
    def old(self) -> Keyset:
        return self.standing.keyset

    def by_recovery(self) -> bool:
        """As many of the recovery keys in force signed as it takes."""
        held = self.old.recovery
        return held is not None and len(self.signed & held.keys.keys()) >= held.threshold

    def by_centre(self) -> bool:
        return not self.signed.isdisjoint(self.centre)

    def active(self) -> dict[str, KeyEntry]:
        """The keys in force that signed this and may speak now."""
        signed = {kid: e for kid, e in self.old.keys.items() if kid in self.signed}
        return {k: e for k, e in signed.items() if may_sign(self.standing.state(k, self.now))}

    def persons(self) -> int:
        """One beside the recovery key, else two whom the centre signs for.

        Raises:
            BadSignature: neither signed.
        """
        if self.by_recovery():
            return 1
        if self.by_centre():
            return 2
        raise BadSignature("keyset.signer", "Those who signed the keyset may not do this.")


def _judge(change: _Change) -> Succession:
    old, new = change.old, change.new
    if new.reason == Rule.REENROL:
        return _reenrol(change)
    if new.revoked != old.revoked:
        return _revoke(change)
    if (new.witness, new.enc, new.recovery) != (old.witness, old.enc, old.recovery):
        return _amend(change)
    if change.added:
        return _rotate(change)
    return _leave(change)


def _rotate(change: _Change) -> Succession:
    """R2: one key more, of the same instance, which the key in force hands over to."""
    if len(change.added) != 1:
        raise _not_allowed()
    entry = change.new.keys[next(iter(change.added))]
    same = {
        k: e
        for k, e in change.active().items()
        if e.instance == entry.instance and e.sign_until is None
    }
    if not same:
        raise BadSignature("keyset.signer", "A key in force of the same connector must sign.")
    retired = _retired(change)
    if not retired or not retired <= same.keys():
        raise _not_allowed()
    if not all(entry.uses <= same[kid].uses for kid in retired):
        raise BadStatement("keyset.change", "The new key may not have more uses than the old one.")
    if len(change.new.keys) > ROOM:
        raise BadStatement("keyset.full", f"A rotation leaves {ROOM} keys in a keyset at most.")
    last = change.standing.rotated.get(entry.instance)
    if last is not None and change.now < last + ROTATION_PAUSE:
        raise BadStatement("keyset.pause", "A connector rotates its key once in 24 hours at most.")
    return Succession(Rule.ROTATE, change.new, 0, added=change.added)


def _revoke(change: _Change) -> Succession:
    """R4: a key is not believed since a moment; with the recovery key, new ones take its place."""
    old, new = change.old, change.new
    more = revoked_beside(old, new)
    named = [each.kid for each in new.revoked]
    if (
        not more
        or len(set(named)) != len(named)
        or not {each.kid for each in more} <= old.keys.keys()
        or any(each.since > change.now for each in more)
        or (new.witness, new.enc, new.recovery) != (old.witness, old.enc, old.recovery)
        or _retired(change)
    ):
        raise _not_allowed()
    persons = change.persons()
    if change.added and not change.by_recovery():
        raise BadSignature("keyset.signer", "New keys beside a revocation need the recovery key.")
    return Succession(Rule.REVOKE, new, persons, added=change.added)


def _amend(change: _Change) -> Succession:
    """R5: other recovery, witness or encryption keys; those of recovery wait for objections.

    The first recovery key is named as the agency enrolled: by a key in force and two persons.
    """
    old, new = change.old, change.new
    if change.added or _retired(change):
        raise _not_allowed()
    if new.recovery == old.recovery:
        return Succession(Rule.AMEND, new, change.persons())
    first = old.recovery is None and (new.witness, new.enc) == (old.witness, old.enc)
    persons = 2 if first and change.active() else change.persons()
    # As in TUF, nobody locks himself out: the new keys can do what it will take them to do.
    recovery = new.recovery
    if recovery is not None and len(change.signed & recovery.keys.keys()) < recovery.threshold:
        raise BadSignature("keyset.threshold", "Too few of the new recovery keys have signed.")
    return Succession(Rule.AMEND, new, persons, RECOVERY_WAIT)


def _leave(change: _Change) -> Succession:
    """The agency leaves: each of its keys stops speaking."""
    stopped = all(
        entry.sign_until is not None and entry.sign_until <= change.now + _SKEW
        for entry in change.new.keys.values()
    )
    if not _retired(change) or not stopped:
        raise _not_allowed()
    persons = 1 if change.active() else change.persons()
    return Succession(Rule.LEAVE, change.new, persons)


def _reenrol(change: _Change) -> Succession:
    """R6: everything anew, by keys that are all new; what was revoked stays so.

    Whoever carries it: the recovery key or, for a ticket it gave, the centre must have signed, or
    anybody could bring a statement that waits and keeps others from being heard.
    """
    old, new = change.old, change.new
    change.persons()
    kept = new.keys.keys() & old.keys.keys()
    if not change.added or kept or new.revoked[: len(old.revoked)] != old.revoked:
        raise _not_allowed()
    return Succession(Rule.REENROL, new, 2, added=change.added)


def _retired(change: _Change) -> frozenset[str]:
    """The keys in force that get an earlier end, and nothing but that.

    Raises:
        BadStatement: a key vanished that may not, or something else of it changed
            (``keyset.change``).
    """
    retired = set()
    forgotten = forgettable(change.old, change.new.issued)
    for kid, entry in change.old.keys.items():
        new = change.new.keys.get(kid)
        if new is None and kid in forgotten:
            continue
        if new is None:
            raise _not_allowed()
        if new == entry:
            continue
        sooner = new.sign_until is not None and (
            entry.sign_until is None or new.sign_until < entry.sign_until
        )
        if (
            not sooner
            or replace(new, sign_until=entry.sign_until) != entry
            or new.sign_until is None
            or new.sign_until > change.now + OVERLAP + _SKEW
        ):
            raise _not_allowed()
        retired.add(kid)
    return frozenset(retired)


def _read(envelope: Envelope, aud: str) -> Keyset:
    if envelope.payload_type != PAYLOAD_TYPE:
        raise BadStatement("keyset.type", "The statement is not a keyset.")
    keyset = parse_statement(envelope.payload)
    if keyset.aud != aud:
        raise BadStatement("keyset.aud", "The keyset is meant for another gateway.")
    return keyset


def _distinct(keyset: Keyset) -> dict[str, PublicKey]:
    """All keys of the keyset by kid.

    Raises:
        BadStatement: there is none that signs, or one stands in two places (``keyset.key``).
    """
    provers = keyset.provers()
    named = len(keyset.keys) + len(keyset.witness)
    named += len(keyset.recovery.keys) if keyset.recovery else 0
    if not keyset.keys or len({key.raw for key in provers.values()}) != named:
        raise BadStatement("keyset.key", "A keyset names at least one key, and each once.")
    return provers


def _check_unknown(keys: Collection[PublicKey], known: Collection[bytes]) -> None:
    if not {key.raw for key in keys}.isdisjoint(known):
        raise BadKey("key.known", "A key of the keyset has been used before; make a new one.")


def _check_times(keyset: Keyset, entries: Collection[KeyEntry], now: datetime) -> None:
    if not keyset.issued - _SKEW <= now < keyset.expires:
        raise BadStatement("keyset.time", "The keyset is not yet issued or has run out.")
    if now - keyset.issued > FRESH or keyset.expires - keyset.issued > STATEMENT_LIFE:
        raise BadStatement("keyset.time", "The keyset is too old, or lasts too long.")
    if any(
        not timedelta(0) < entry.not_after - entry.not_before <= MAX_LIFE or entry.not_after <= now
        for entry in entries
    ):
        raise BadStatement("keyset.time", "A key of the keyset lives too long or not at all.")


def _check_begin(keyset: Keyset, added: Collection[KeyEntry]) -> None:
    """A key that comes later begins about now: none sleeps for a year, none is back-dated."""
    if any(not -_SKEW <= entry.not_before - keyset.issued <= OVERLAP for entry in added):
        raise BadStatement("keyset.time", "A new key begins when its statement is made.")


def _not_allowed() -> BadStatement:
    return BadStatement("keyset.change", "No rule allows this change of the keyset.")
