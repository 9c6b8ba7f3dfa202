"""The keyset statement: which keys speak for an agency, for what, and from when to when.

A statement is a DSSE envelope of type ``PAYLOAD_TYPE`` over canonical JSON; it is the only way the
keys of an agency change. This module reads and writes it, and says in which state a key is; who may
change what stands in ``succession``.

Source: trust.md 1.2 (kid), 1.3 (states, after NIST SP 800-57), 1.4 (statement), F1.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from keys import checkpoint
from keys.canonical import canonical, from_base64, to_base64, to_moment
from keys.errors import BadJson, BadNote, BadStatement
from keys.signers import AGENCY, PublicKey
from keys.statement import Fields

PAYLOAD_TYPE = "application/vnd.titian.keyset.v1+json"
USES = frozenset({"batch", "response", "http"})
MAX_LIFE = timedelta(days=120)
STATEMENT_LIFE = timedelta(days=365)
_FIELDS = (
    *("v", "aud", "agency", "version", "prev", "issued", "expires", "keys", "witness", "enc"),
    *("recovery", "policy", "revoked", "reason"),
)
_KEY_FIELDS = ("alg", "pub", "uses", "instance", "not_before", "not_after", "sign_until")
_INSTANCE = re.compile(r"[a-z0-9-]{1,40}")
_REASON = re.compile(r"[a-z_]{1,40}")
_POLICY = {"batch_sig": "ed25519", "min_record_salt": True}


class State(StrEnum):
    """Where a key stands in its life (NIST SP 800-57)."""

    PRE_ACTIVE = "pre_active"
    ACTIVE = "active"
    RETIRING = "retiring"
    SUSPENDED = "suspended"
    DEACTIVATED = "deactivated"
    COMPROMISED = "compromised"
    DESTROYED = "destroyed"
    """Its connector says that it has deleted the private half; what it signed stays valid."""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One signing key of an agency.

    Attributes:
        kid: the key's name, derived from the key.
        public: the key, bound to its algorithm.
        uses: some of ``USES``.
        instance: the connector that holds it; ``house`` where the centre keeps it.
        not_before: from this moment it may speak.
        not_after: from this moment it may not.
        sign_until: once a successor exists, from this moment it may not.
    """

    kid: str
    public: PublicKey
    uses: frozenset[str]
    instance: str
    not_before: datetime
    not_after: datetime
    sign_until: datetime | None = None

    @property
    def alg(self) -> str:
        """The algorithm the key is bound to."""
        return self.public.alg


@dataclass(frozen=True, slots=True)
class Recovery:
    """The offline keys that may replace all others, and how many of them it takes."""

    threshold: int
    keys: Mapping[str, PublicKey]


@dataclass(frozen=True, slots=True)
class Revocation:
    """A key that is not to be believed since a moment."""

    kid: str
    since: datetime
    reason: str
    size_at_since: int


@dataclass(frozen=True, slots=True)
class Keyset:
    """A keyset statement, read. Whether to believe it is for the rules to say.

    ``prev`` is the SHA-256 of the previous version's payload; ``enc`` is carried as it is read.
    """

    aud: str
    agency: str
    version: int
    prev: bytes | None
    issued: datetime
    expires: datetime
    keys: Mapping[str, KeyEntry]
    witness: Mapping[str, checkpoint.NoteKey]
    enc: Mapping[str, Any]
    recovery: Recovery | None
    revoked: tuple[Revocation, ...]
    reason: str

    def publics(self, use: str | None = None) -> dict[str, PublicKey]:
        """The keys by kid, all or those of one use; for ``Envelope.verify``."""
        return {
            kid: entry.public
            for kid, entry in self.keys.items()
            if use is None or use in entry.uses
        }

    def provers(self) -> dict[str, PublicKey]:
        """Every key that can sign: of the agency, of its witness, and for recovery."""
        witness = {kid: key.public for kid, key in self.witness.items()}
        recovery = self.recovery.keys if self.recovery else {}
        return {**self.publics(), **witness, **recovery}


def entry_of(
    agency: str,
    public: PublicKey,
    *,
    instance: str,
    not_before: datetime,
    uses: Collection[str] = USES,
) -> KeyEntry:
    """A new key of an agency, with the longest life it may have."""
    return KeyEntry(
        public.kid(agency), public, frozenset(uses), instance, not_before, not_before + MAX_LIFE
    )


def build(
    aud: str,
    agency: str,
    entries: Sequence[KeyEntry],
    *,
    issued: datetime,
    recovery: Recovery | None = None,
) -> bytes:
    """The payload of an agency's first statement, to be sealed by every key in it."""
    return encode(
        Keyset(
            aud=aud,
            agency=agency,
            version=1,
            prev=None,
            issued=issued,
            expires=issued + STATEMENT_LIFE,
            keys={entry.kid: entry for entry in entries},
            witness={},
            enc={},
            recovery=recovery,
            revoked=(),
            reason="enrol",
        )
    )


def build_again(
    before: Keyset,
    before_sha256: bytes,
    entries: Sequence[KeyEntry],
    *,
    issued: datetime,
    recovery: Recovery | None = None,
) -> bytes:
    """The payload that follows ``before`` with all keys new (rule R6); what was revoked stays."""
    return encode(
        replace(
            before,
            version=before.version + 1,
            prev=before_sha256,
            issued=issued,
            expires=issued + STATEMENT_LIFE,
            keys={entry.kid: entry for entry in entries},
            witness={},
            enc={},
            recovery=recovery,
            reason="reenrol",
        )
    )


def encode(keyset: Keyset) -> bytes:
    """The payload bytes that spell a keyset; ``parse_statement`` reads them back."""
    return canonical(
        {
            "v": 1,
            "aud": keyset.aud,
            "agency": keyset.agency,
            "version": keyset.version,
            "prev": None if keyset.prev is None else keyset.prev.hex(),
            "issued": to_moment(keyset.issued),
            "expires": to_moment(keyset.expires),
            "keys": {kid: _entry_json(entry) for kid, entry in keyset.keys.items()},
            "witness": {kid: {"vkey": key.vkey()} for kid, key in keyset.witness.items()},
            "enc": dict(keyset.enc),
            "recovery": None if keyset.recovery is None else _recovery_json(keyset.recovery),
            "policy": _POLICY,
            "revoked": [_revocation_json(each) for each in keyset.revoked],
            "reason": keyset.reason,
        }
    )


def parse_statement(payload: bytes) -> Keyset:
    """The keyset that payload bytes spell.

    Raises:
        BadStatement: a field missing, too many or wrong; or a kid that is not its key's.
        BadKey: a key that must not be used.
    """
    fields = Fields.read(payload, _FIELDS)
    if fields.integer("v") != 1 or canonical(fields.table("policy")) != canonical(_POLICY):
        raise BadStatement("keyset.version", "The keyset's format or policy is not known.")
    agency = fields.text("agency", AGENCY)
    revoked = tuple(_revocation(each) for each in fields.sequence("revoked"))
    try:
        return Keyset(
            aud=fields.text("aud"),
            agency=agency,
            version=fields.integer("version", 1),
            prev=None if fields.values["prev"] is None else fields.sha256("prev"),
            issued=fields.moment("issued"),
            expires=fields.moment("expires"),
            keys={k: _entry(agency, k, each) for k, each in fields.table("keys").items()},
            witness={k: _witness(agency, k, each) for k, each in fields.table("witness").items()},
            enc={k: _encryption(each) for k, each in fields.table("enc").items()},
            recovery=_recovery(agency, fields.values["recovery"]),
            revoked=revoked,
            reason=fields.text("reason", _REASON),
        )
    except (BadNote, BadJson) as err:
        raise BadStatement("keyset.key", "A key of the keyset cannot be read.") from err


def state_of(
    entry: KeyEntry,
    now: datetime,
    revoked: Collection[str] = (),
    suspended: Collection[str] = (),
) -> State:
    """The state of a key at a moment, given the kids revoked and suspended by then."""
    if entry.kid in revoked:
        return State.COMPROMISED
    if now >= entry.not_after or (entry.sign_until is not None and now >= entry.sign_until):
        return State.DEACTIVATED
    if entry.kid in suspended:
        return State.SUSPENDED
    if now < entry.not_before:
        return State.PRE_ACTIVE
    return State.ACTIVE if entry.sign_until is None else State.RETIRING


def may_sign(state: State) -> bool:
    """Whether a key in this state may sign something new."""
    return state in {State.ACTIVE, State.RETIRING}


def _entry(agency: str, kid: str, value: Any) -> KeyEntry:
    fields = Fields.of(value, _KEY_FIELDS)
    uses = fields.sequence("uses")
    if not uses or sorted(map(str, uses)) != sorted(USES.intersection(map(str, uses))):
        raise BadStatement("keyset.uses", "A key's uses are some of batch, response, http.")
    return KeyEntry(
        kid=kid,
        public=_named(agency, kid, PublicKey.parse(fields.text("alg"), fields.base64("pub", 32))),
        uses=frozenset(uses),
        instance=fields.text("instance", _INSTANCE),
        not_before=fields.moment("not_before"),
        not_after=fields.moment("not_after"),
        sign_until=fields.moment_or_none("sign_until"),
    )


def _witness(agency: str, kid: str, value: Any) -> checkpoint.NoteKey:
    vkey = Fields.of(value, ("vkey",)).text("vkey")
    key = checkpoint.parse_vkey(vkey, kind=checkpoint.TYPE_COSIGNATURE)
    _named(agency, kid, key.public)
    return key


def _encryption(value: Any) -> Mapping[str, Any]:
    fields = Fields.of(value, ("alg", "pub", "not_after"))
    fields.base64("pub", 32)
    fields.moment("not_after")
    if fields.text("alg") != "hpke-x25519":
        raise BadStatement("keyset.key", "An encryption key's algorithm is not known.")
    return fields.values


def _recovery(agency: str, value: Any) -> Recovery | None:
    if value is None:
        return None
    fields = Fields.of(value, ("threshold", "kids", "pubs"))
    pubs = Fields(fields.table("pubs"))
    keys = {
        kid: _named(agency, kid, PublicKey.parse("ed25519", from_base64(pubs.text(kid))))
        for kid in pubs.values
    }
    threshold = fields.integer("threshold", 1)
    if fields.sequence("kids") != list(keys) or threshold > len(keys):
        raise BadStatement("keyset.recovery", "The recovery keys and their threshold disagree.")
    return Recovery(threshold, keys)


def _revocation(value: Any) -> Revocation:
    fields = Fields.of(value, ("kid", "since", "reason", "size_at_since"))
    return Revocation(
        fields.text("kid"),
        fields.moment("since"),
        fields.text("reason", _REASON),
        fields.integer("size_at_since"),
    )


def _named(agency: str, kid: str, key: PublicKey) -> PublicKey:
    if kid != key.kid(agency):
        raise BadStatement("keyset.kid", "A key's name does not belong to the key.")
    return key


def _entry_json(entry: KeyEntry) -> dict[str, Any]:
    return {
        "alg": entry.alg,
        "pub": to_base64(entry.public.raw),
        "uses": sorted(entry.uses),
        "instance": entry.instance,
        "not_before": to_moment(entry.not_before),
        "not_after": to_moment(entry.not_after),
        "sign_until": None if entry.sign_until is None else to_moment(entry.sign_until),
    }


def _revocation_json(revoked: Revocation) -> dict[str, Any]:
    return {
        "kid": revoked.kid,
        "since": to_moment(revoked.since),
        "reason": revoked.reason,
        "size_at_since": revoked.size_at_since,
    }


def _recovery_json(recovery: Recovery) -> dict[str, Any]:
    kids = sorted(recovery.keys)
    return {
        "threshold": recovery.threshold,
        "kids": kids,
        "pubs": {kid: to_base64(recovery.keys[kid].raw) for kid in kids},
    }
