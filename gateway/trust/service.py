"""What can be done about trust: create an agency, let its keys in, approve them.

The way in (trust.md 1.5): a registrar creates the agency and hands its ticket over; the connector
answers a challenge with its first keyset, signed by the keys themselves; two persons who are not
the creator each type the end of the fingerprint as it was read to them. With the second approval
the agency, its keys and the grants drawn up at its creation become active, and keyset and approvals
stand in the log, all in one transaction (`approvals`).

An agency that has lost all its keys, or has left, comes again in the same way, by a ticket that a
person asked for (`ticket_again`): its new keyset continues the chain of versions (rule R6), signed
by the centre as well, and ends every key before it.
"""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.errors import Conflict, Forbidden, NotFound, Refused, Unauthorized
from gateway.ledger.model import check
from gateway.trust import centre, store, store_enrolments, store_keys, store_requests
from gateway.trust.approvals import approve, decide, known_agency, reject
from gateway.trust.keylife import reused, submit
from gateway.trust.model import (
    CHALLENGE_LIFE,
    FIRST_APPROVER,
    AgencyDraft,
    AgencyState,
    Anchors,
    Approver,
    Gate,
    Pending,
)
from keys import dsse
from keys.dsse import Envelope
from keys.enrolment import (
    SECRET_BYTES,
    TICKET_LIFE,
    Challenge,
    Ticket,
    check_enrolment,
    ticket_key,
    ticket_of,
)
from keys.keyset import Keyset, parse_statement
from keys.signers import AGENCY
from keys.succession import Rule, accept_first
from schemas.records.registry import RECORD_TYPES

__all__ = [
    "approve",
    "challenge",
    "create_agency",
    "enrol",
    "forget_nonces",
    "new_ticket",
    "reject",
    "standing",
    "ticket_again",
]


def create_agency(session: Session, draft: AgencyDraft, anchors: Anchors, now: datetime) -> Ticket:
    """Create an agency, draw up its grants, and make out its ticket (72 hours, one use).

    Raises:
        Refused: a code that is none, no record type, or an unknown one.
        Conflict: there is an agency of that code.
    """
    if not AGENCY.fullmatch(draft.code):
        raise Refused("agency.code", "A code has 1 to 40 of the characters a-z 0-9 and -.")
    if draft.code == centre.OWNER:
        raise Refused("agency.code", "This code is the centre's own.")
    check({"t": "keyset", "agency": draft.code})  # it will have to stand in the log
    if not draft.record_types or not set(draft.record_types) <= RECORD_TYPES.keys():
        raise Refused("agency.records", f"Record types are some of {', '.join(RECORD_TYPES)}.")
    if store.lock_agency(session, draft.code) is not None:
        raise Conflict("agency.exists", "There is an agency of this code already.")
    store_enrolments.add_agency(session, draft, now)
    return _make_ticket(session, draft.code, anchors, now)


def new_ticket(session: Session, agency: str, anchors: Anchors, now: datetime) -> Ticket:
    """Make out another ticket for an agency that has no keys yet; earlier ones are void.

    Raises:
        NotFound: no such agency.
        Conflict: its keys are here already (`enrolment.begun`).
    """
    row = known_agency(session, agency)
    if row.state != AgencyState.INVITED.value:
        raise Conflict("enrolment.begun", "The agency has sent its keys; no ticket is needed.")
    store.void_tickets(session, agency, now)
    return _make_ticket(session, agency, anchors, now)


def ticket_again(
    session: Session, agency: str, person: Approver, anchors: Anchors, now: datetime
) -> Ticket:
    """A ticket for an agency that lost its keys or has left; its grants are drawn up anew.

    Nothing changes before two others approve what comes under it. Earlier tickets are void.

    Raises:
        NotFound: no such agency.
        Forbidden: this person is no key_admin (`approval.role`).
        Conflict: it never had keys (`reenrol.first`), or new ones wait already (`reenrol.begun`).
    """
    known_agency(session, agency)
    if person.role != FIRST_APPROVER:
        raise Forbidden("approval.role", "A ticket to enrol anew is made by a key_admin.")
    row = store.keyset_in_force(session, agency)
    if row is None:
        raise Conflict("reenrol.first", "The agency never had keys; make an ordinary ticket.")
    waits = store.pending_keyset(session, agency)
    if waits is not None and waits.rule == Rule.REENROL:
        raise Conflict("reenrol.begun", "New keys of this agency wait; approve or reject them.")
    about = {"agency": agency, "version": row.version, "subject": row.payload_sha256.hex()}
    decide(session, "ticket_again", about, person, now)
    store.void_tickets(session, agency, now)
    store_enrolments.draw_up_again(session, agency, now)
    return _make_ticket(session, agency, anchors, now, made_by=person.officer_id)


def challenge(session: Session, agency: str, ticket_id: str, now: datetime) -> str:
    """A fresh nonce for the holder of a ticket, good for ten minutes; an earlier one is void.

    Raises:
        Unauthorized: no such ticket, or it has run out or is void.
        Conflict: it has been used (`ticket.used`).
    """
    row = _open_ticket(session, agency, ticket_id, now)
    if row.used_at is not None:
        raise Conflict("ticket.used", "The ticket has been used.")
    nonce = secrets.token_urlsafe(24)
    store_enrolments.set_ticket(session, ticket_id, nonce=nonce, nonce_expires=now + CHALLENGE_LIFE)
    return nonce


def enrol(
    session: Session, agency: str, sent: tuple[bytes, bytes], gate: Gate, now: datetime
) -> Pending:
    """Take a keyset under a ticket; its keys wait for two approvals.

    `sent` is the keyset's envelope and that of the proof which answers the challenge. Sending the
    same keyset again under the same ticket changes nothing, so a lost answer costs nothing.

    Raises:
        Unauthorized: no such ticket, or it has run out or is void; or no open challenge.
        Conflict: the ticket has been used for other keys (`ticket.used`), or a key of the keyset
            was enrolled before, here or anywhere (`key.reused`); or as `keylife.submit`.
        Refused: the keyset is another agency's, or not of the form that is taken (`keyset.form`).
        TrustError: keyset or proof break a rule, or a signature does not hold.
    """
    envelope, proof = (dsse.parse(each) for each in sent)
    # 1. The ticket, held until the end.
    row = _open_ticket(session, agency, ticket_of(proof), now)
    keyset, sha256 = parse_statement(envelope.payload), envelope.payload_sha256
    _check_form(keyset, agency)
    if row.used_at is not None:
        if row.keyset_sha256 != sha256:
            raise Conflict("ticket.used", "The ticket has been used.")
        return _pending(session, agency, sha256)
    # 2. The proof: it answers our newest challenge and was made with the ticket's secret.
    if row.nonce is None or row.nonce_expires <= now:
        raise Unauthorized("enrol.challenge", "There is no open challenge; ask for one.")
    check_enrolment(proof, Challenge(gate.aud, row.id, row.nonce, row.secret_key), keyset, sha256)
    # 3. The keyset, by rule R1 or R6; it is kept, and the ticket is used up.
    if store.keyset_in_force(session, agency) is None:
        _take_first(session, keyset, sent[0], gate.aud, now)
    else:
        _take_next(session, keyset, envelope, gate, now)
    used = {"used_at": now, "nonce": None, "keyset_sha256": sha256}
    store_enrolments.set_ticket(session, row.id, **used)
    return _pending(session, agency, sha256)


def standing(session: Session, agency: str, ticket_id: str, now: datetime) -> Pending:
    """How the enrolment under a ticket stands, for the connector that sent it.

    Raises:
        NotFound: no keys came under this ticket.
    """
    row = store.lock_ticket(session, agency, ticket_id)
    if row is None or row.used_at is None or row.used_at > now:
        raise NotFound("enrolment.unknown", "No keys came under this ticket.")
    return _pending(session, agency, row.keyset_sha256)


def forget_nonces(session: Session, before: datetime) -> None:
    """Forget the nonces of requests made before a time; older ones are refused by their clock."""
    store_requests.forget_nonces(session, before)


def _make_ticket(
    session: Session, agency: str, anchors: Anchors, now: datetime, made_by: str | None = None
) -> Ticket:
    secret = secrets.token_bytes(SECRET_BYTES)
    ticket = Ticket(
        gateway=anchors.gateway_url,
        aud=anchors.aud,
        log_origin=anchors.log_origin,
        log_vkey=anchors.log_vkey,
        receipt_kid=anchors.receipt_kid,
        receipt=anchors.receipt_key,
        ticket_id=secrets.token_urlsafe(16),
        secret=secret,
        agency=agency,
        expires=(now + TICKET_LIFE).replace(microsecond=0),
    )
    store_enrolments.add_ticket(session, ticket, ticket_key(secret), made_by)
    return ticket


def _open_ticket(session: Session, agency: str, ticket_id: str, now: datetime) -> Row[Any]:
    row = store.lock_ticket(session, agency, ticket_id)
    if row is None or row.void is not None:
        raise Unauthorized("ticket.unknown", "There is no such ticket.")
    if row.used_at is None and row.expires <= now:
        raise Unauthorized("ticket.expired", "The ticket has run out; ask for a new one.")
    return row


def _check_form(keyset: Keyset, agency: str) -> None:
    if keyset.agency != agency:
        raise Refused("keyset.agency", "The keyset is that of another agency.")
    if len(keyset.keys) != 1 or len(keyset.witness) > 1:
        # The fingerprint of the one signing key is what two persons compare; it has signed the
        # statement, and with it the witness and recovery keys.
        raise Refused("keyset.form", "The first keyset names one signing key, one witness at most.")


def _take_first(session: Session, keyset: Keyset, envelope: bytes, aud: str, now: datetime) -> None:
    known = store.known_raws(session, [key.raw for key in keyset.provers().values()])
    if known:
        raise reused()
    accept_first(dsse.parse(envelope), aud, known_keys=known, now=now)
    _keep_keyset(session, keyset, envelope, now)
    store.set_state(session, keyset.agency, AgencyState.PENDING)


def _take_next(
    session: Session, keyset: Keyset, envelope: Envelope, gate: Gate, now: datetime
) -> None:
    """The centre made the ticket, so it signs beside the new keys; two persons still decide."""
    if keyset.reason != Rule.REENROL:
        raise Refused("keyset.form", "The agency has had keys; its keyset must follow on them.")
    signer = gate.signer
    both = dsse.add_signature(envelope, signer)
    submit(session, keyset.agency, both, {signer.kid: signer.public}, now)


def _keep_keyset(session: Session, keyset: Keyset, envelope: bytes, now: datetime) -> None:
    (entry,) = keyset.keys.values()
    sha256 = dsse.parse(envelope).payload_sha256
    store_keys.add_keyset(
        session,
        {
            "agency": keyset.agency,
            "payload_sha256": sha256,
            "version": keyset.version,
            "envelope": envelope,
            "fingerprint": entry.public.fingerprint(),
            "received_at": now,
        },
    )
    raws = [key.raw for key in keyset.provers().values()]
    if not store.add_known(session, keyset.agency, sha256, raws):
        raise reused()
    store.add_key(session, keyset.agency, sha256, entry)


def _pending(session: Session, agency: str, keyset_sha256: bytes) -> Pending:
    row = store_keys.get_keyset(session, agency, keyset_sha256)
    (found,) = store.find_agencies(session, agency)
    approvals = store.find_approvals(session, agency, row.payload_sha256)
    state = AgencyState(found.state) if row.leaf is not None else AgencyState.PENDING
    return Pending(
        agency=agency,
        state=state if row.rejected_at is None else AgencyState.INVITED,
        fingerprint=row.fingerprint,
        keyset_sha256=row.payload_sha256,
        approvals=len(approvals),
        leaf=row.leaf,
        envelope=row.envelope,
    )
