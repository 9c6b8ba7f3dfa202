"""What can be asked about trust: who may speak, with which key, and for what."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.errors import Forbidden, NotFound, Unauthorized
from gateway.ledger import query as ledger
from gateway.trust import (
    approvals,
    centre,
    keylife,
    standing,
    store,
    store_departures,
    store_enrolments,
    store_grants,
    store_keys,
    store_revocations,
)
from gateway.trust.model import AgencyRow, AgencyState, KeysetRow, Submitted
from gateway.trust.store_departures import Departure
from gateway.trust.store_revocations import Revocation
from keys import dsse
from keys.canonical import canonical, digest, read_json, to_base64
from keys.checkpoint import NoteKey
from keys.keyset import KeyEntry, State, may_sign, state_of
from keys.signers import PublicKey

_REFUSALS = {
    State.PRE_ACTIVE: ("key.not_yet_active", "The key is not active yet."),
    State.SUSPENDED: ("key.suspended", "The key is suspended."),
    State.DEACTIVATED: ("key.expired", "The key has run out."),
    State.COMPROMISED: ("key.compromised", "The key has been revoked."),
    State.DESTROYED: ("key.expired", "The key has run out."),
}


def speaker(session: Session, agency: str, kid: str, use: str, now: datetime) -> PublicKey:
    """The key `kid`, if it may speak for the agency now; `use` is batch, response or http.

    Raises:
        Unauthorized: unknown (`key.unknown`), for other uses (`key.use`), or in a state in which it
            may not (`key.not_yet_active`, `key.suspended`, `key.expired`, `key.compromised`). One
            that is suspended is told by which `statement` (base64), since it may read no log.
    """
    row = store.find_key(session, agency, kid)
    said = None if row is None or row.suspended_at is None else _silencing(session, kid)
    return _may_speak(row, use, now, said)


def check_publisher(
    session: Session, agency: str, kid: str, record_type: str, now: datetime
) -> None:
    """Return if the key may sign batches now and the agency may publish the type; in one look.

    Raises:
        Unauthorized: as `speaker`.
        Forbidden: no approved grant covers it (`grant.missing`).
    """
    row = store.find_publisher(session, agency, kid, record_type, now)
    _may_speak(row, "batch", now)
    if row is None or not row.granted:
        raise Forbidden("grant.missing", "The agency holds no grant for this record type.")


def basis_of(session: Session, agency: str, action: str, now: datetime) -> str:
    """The agreement under which the agency may be asked `action` now.

    Raises:
        Forbidden: no approved grant covers it (`grant.missing`).
    """
    found = store_grants.basis(session, agency, action, now)
    if found is None:
        raise Forbidden("grant.missing", "The agency holds no grant for this.")
    return found


def holders(session: Session, action: str, now: datetime) -> Sequence[str]:
    """The active agencies that hold an approved grant for `action`, by code."""
    return store_grants.holders(session, action, now)


def _silencing(session: Session, kid: str) -> str | None:
    """The statement that silenced the key, in base64."""
    leaf = store_keys.silencing(session, kid)
    if leaf is None:
        return None
    return to_base64(canonical(read_json(ledger.entry(session, leaf))["envelope"]))


def _may_speak(
    row: Row[Any] | None, use: str, now: datetime, statement: str | None = None
) -> PublicKey:
    if row is None:
        raise Unauthorized("key.unknown", "No agency has enrolled this key.")
    state = key_state(row, AgencyState(row.agency_state), now)
    if not may_sign(state):
        told = {} if statement is None or state is not State.SUSPENDED else {"statement": statement}
        raise Unauthorized(*_REFUSALS[state], **told)
    if use not in row.uses:
        raise Unauthorized("key.use", "The key is enrolled for other uses.")
    return PublicKey.parse(row.alg, row.raw)


def keyset(session: Session, agency: str) -> KeysetRow:
    """The agency's approved keyset of the highest version.

    Raises:
        NotFound: it has none.
    """
    row = store.keyset_in_force(session, agency)
    if row is None:
        raise NotFound("keyset.none", "The agency has no approved keyset.")
    return KeysetRow(agency, row.version, row.envelope, row.payload_sha256, row.leaf)


def keyset_or_none(session: Session, agency: str) -> bytes | None:
    """The envelope of the agency's keyset in force; None before its first."""
    row = store.keyset_in_force(session, agency)
    return None if row is None else bytes(row.envelope)


def keysets(session: Session, agency: str) -> list[tuple[Submitted, bytes]]:
    """The agency's keysets that count, version 1 first, each with its envelope."""
    return [
        (keylife.shown(session, row), row.envelope) for row in store_keys.versions(session, agency)
    ]


def keyset_leaves(session: Session, agency: str) -> list[bytes]:
    """The leaves of the agency's keysets that count, version 1 first; of the centre's own too."""
    if agency == centre.OWNER:
        return [row.leaf for row in centre.versions(session)]
    return [row.leaf for row in store_keys.versions(session, agency)]


def statement(session: Session, agency: str, sha256: bytes) -> bytes | None:
    """The bytes with that SHA-256 that persons decided on about an agency; None where unknown.

    A keyset's payload, that of a suspension, or the grants that count, as they were hashed.
    """
    own = centre.versions(session) if agency == centre.OWNER else []
    envelopes = [each.envelope for each in own if each.payload_sha256 == sha256]
    row = store_keys.find_keyset(session, agency, sha256)
    if row is not None:
        envelopes.append(row.envelope)
    if envelopes:
        return dsse.parse(envelopes[0]).payload
    said = store_keys.find_suspension(session, agency, sha256)
    if said is not None:
        entry = read_json(ledger.entry(session, said.leaf))
        return dsse.parse(canonical(entry["envelope"])).payload
    grants = approvals.grants_json(store.find_grants(session, agency))
    return canonical(grants) if digest(grants) == sha256 else None


def keyset_version(session: Session, agency: str, version: int) -> tuple[Submitted, bytes]:
    """The keyset of that version which counts, or waits.

    Raises:
        NotFound: there is none (`keyset.none`).
    """
    rows = [*store_keys.versions(session, agency), store.pending_keyset(session, agency)]
    for row in rows:
        if row is not None and row.version == version:
            return keylife.shown(session, row), row.envelope
    raise NotFound("keyset.none", "The agency has no keyset of this version.")


def keyset_entries(session: Session, agency: str) -> Mapping[str, KeyEntry]:
    """The signing keys of the agency's keyset in force, by kid; none before the first."""
    row = store.keyset_in_force(session, agency)
    return {} if row is None else standing.read(row).keys


def keyset_witnesses(session: Session, agency: str) -> Mapping[str, NoteKey]:
    """The witness keys of the agency's keyset in force, by kid."""
    row = store.keyset_in_force(session, agency)
    return {} if row is None else standing.read(row).witness


def approvers(session: Session, agency: str, payload_sha256: bytes) -> tuple[str, ...]:
    """Who has approved that statement."""
    return tuple(a.officer_id for a in store.find_approvals(session, agency, payload_sha256))


def maker(session: Session, agency: str, payload_sha256: bytes) -> str | None:
    """Who made the ticket to enrol anew under which that statement came, if it came so."""
    return store_enrolments.maker_of(session, agency, payload_sha256)


def pending(session: Session, agency: str) -> Submitted | None:
    """The statement about the agency's keys that waits for persons or its time."""
    row = store.pending_keyset(session, agency)
    return None if row is None else keylife.shown(session, row)


def agencies(session: Session) -> list[AgencyRow]:
    """All agencies, by code."""
    return [_shown(session, row) for row in store.find_agencies(session)]


def agency(session: Session, code: str) -> AgencyRow:
    """One agency.

    Raises:
        NotFound: there is none of this code.
    """
    rows = store.find_agencies(session, code)
    if not rows:
        raise NotFound("agency.unknown", "There is no agency of this code.")
    return _shown(session, rows[0])


def revocation(session: Session, number: int) -> Revocation:
    """The revocation of that id.

    Raises:
        NotFound: there is none.
    """
    found = store_revocations.find(session, number)
    if found is None:
        raise NotFound("revocation.unknown", "There is no such revocation.")
    return found


def revocations(session: Session, agency: str) -> list[Revocation]:
    """An agency's revocations, oldest first."""
    return store_revocations.of_agency(session, agency)


def departure(session: Session, number: int) -> Departure:
    """The departure of that id.

    Raises:
        NotFound: there is none that counts.
    """
    found = store_departures.find(session, number)
    if found is None:
        raise NotFound("departure.unknown", "There is no such departure.")
    return found


def departures(session: Session, agency: str) -> list[Departure]:
    """An agency's departures, oldest first."""
    return store_departures.of_agency(session, agency)


def withdrawn_keys(session: Session, agency: str) -> dict[str, Departure]:
    """The agency's keys whose every batch was withdrawn when it left, with that departure."""
    return store_departures.withdrawn(session, agency)


def key_state(row: Row[Any], agency_state: AgencyState, now: datetime) -> State:
    """The state of a row of `key` now, in an agency of that state.

    One that was reported destroyed may still be revoked: a copy may have been taken before.
    """
    if row.destroyed_at is not None and row.revoked_at is None:
        return State.DESTROYED
    if agency_state is AgencyState.SUSPENDED:
        return State.SUSPENDED
    if agency_state is AgencyState.LEFT:
        return State.DEACTIVATED
    if agency_state is not AgencyState.ACTIVE or row.approved_at is None:
        return State.PRE_ACTIVE
    revoked = () if row.revoked_at is None else (row.kid,)
    suspended = () if row.suspended_at is None else (row.kid,)
    return state_of(store.entry_of(row), now, revoked, suspended)


def _shown(session: Session, row: Row[Any]) -> AgencyRow:
    # What waits shows its fingerprint nowhere but to those who compare it.
    current = store.keyset_in_force(session, row.code) or store.current_keyset(session, row.code)
    # A rotation needs nobody: who let the agency in is told by its first keyset.
    first = next(iter(store_keys.versions(session, row.code)), current)
    return AgencyRow(
        code=row.code,
        label=row.label,
        state=AgencyState(row.state),
        created_by=row.created_by,
        created_at=row.created_at,
        record_types=tuple(sorted(row.record_types or ())),
        fingerprint=None if current is None else current.fingerprint,
        approvals=(
            () if first is None else store.find_approvals(session, row.code, first.payload_sha256)
        ),
        enrolled_at=row.enrolled_at,
    )
