"""A key falls silent at once, by the agency's own word or one person's; and may speak again.

Source: trust.md 1.3, 1.4 (rule R3), 1.6.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from gateway.errors import Conflict, Forbidden, NotFound
from gateway.ledger import service as ledger
from gateway.trust import approvals, rules, store_keys
from gateway.trust.model import Approver
from gateway.trust.standing import standing_of
from keys import dsse
from keys.bundle import suspension_entry
from keys.lifecycle import MAY, Act, may
from keys.signers import PublicKey, Signer
from keys.suspension import Action, Suspension, judge, parse_suspension, seal_suspension

_PATIENCE = timedelta(days=3)
_PERSONS = {Action.SUSPEND: 1, Action.RESUME: 2}


@dataclass(frozen=True, slots=True)
class Silence:
    """A key's state after a statement about it."""

    kid: str
    action: Action
    repeated: bool = False


def take(
    session: Session, agency: str, data: bytes, centre: Mapping[str, PublicKey], now: datetime
) -> Silence:
    """An agency's own statement about one of its keys; the same bytes again change nothing.

    Raises:
        NotFound: no such agency, or it has no keyset.
        Conflict: a newer statement about this key counts already (`suspension.old`), or the key
            has ended or does not speak yet (`suspension.over`).
        Forbidden: it needs persons of the centre (`suspension.persons`).
        TrustError: it is not for us, or who signed it may not say it.
    """
    approvals.known_agency(session, agency)
    envelope = dsse.parse(data)
    said = parse_suspension(envelope)
    if store_keys.find_suspension(session, agency, envelope.payload_sha256) is not None:
        return Silence(said.kid, said.action, repeated=True)
    judged = judge(envelope, standing_of(session, agency), centre, now)
    if judged.persons:
        raise Forbidden("suspension.persons", "Persons of the centre decide this; ask them.")
    last = store_keys.last_said(session, said.kid)
    late = last is not None and (
        said.issued < last or (said.issued == last and said.action is Action.RESUME)
    )
    if late:
        raise Conflict("suspension.old", "A newer statement about this key counts already.")
    _check_edge(session, said, now)
    return _keep(session, said, data, now)


def decide(
    session: Session, said: Suspension, persons: Sequence[Approver], signer: Signer, now: datetime
) -> Silence:
    """Persons of the centre decide: one suspends, two let a key speak again; the centre signs.

    Raises:
        NotFound: no such agency or key (`key.unknown`).
        Forbidden: a role may not, or there are too few persons (`approval.persons`).
        Conflict: one person twice (`approval.same_person`), nothing would change
            (`suspension.none`), or the key has ended or does not speak yet (`suspension.over`).
    """
    approvals.known_agency(session, said.agency)
    if said.kid not in standing_of(session, said.agency).keyset.keys:
        raise NotFound("key.unknown", "The agency has no such key.")
    if len(persons) < _PERSONS[said.action]:
        raise Forbidden("approval.persons", "Two persons must decide that a key speaks again.")
    if len({person.officer_id.strip().casefold() for person in persons}) < len(persons):
        raise Conflict("approval.same_person", "This person has approved; another one must follow.")
    if not _check_edge(session, said, now):
        raise Conflict("suspension.none", "The key is in that state already.")
    data = seal_suspension(said, [signer])
    about = {
        "agency": said.agency,
        "version": standing_of(session, said.agency).keyset.version,
        "subject": dsse.parse(data).payload_sha256.hex(),
    }
    for person in persons:
        rules.check_role(person)
        approvals.decide(session, f"{said.action.value}_key", about, person, now)
    return _keep(session, said, data, now)


def agree_to_resume(
    session: Session, said: Suspension, person: Approver, signer: Signer, now: datetime
) -> Silence | None:
    """One of the two persons who let a key speak again, each at his own screen.

    None for the first: nothing has changed yet, and he waits three days at most for the second.

    Raises:
        Conflict: this person was the first already (`approval.same_person`), or the key is not
            silent (`suspension.none`).
        NotFound, Forbidden: as `decide`.
    """
    approvals.known_agency(session, said.agency)
    rules.check_role(person)
    if not _check_edge(session, said, now):
        raise Conflict("suspension.none", "The key is in that state already.")
    first = store_keys.find_resumption(session, said.kid, now - _PATIENCE)
    if first is None:
        row = {"kid": said.kid, "officer_id": person.officer_id, "role": person.role, "at": now}
        store_keys.put_resumption(session, row)
        return None
    store_keys.drop_resumption(session, said.kid)
    both = (Approver(first.officer_id, first.role), person)
    return decide(session, said, both, signer, now)


def first_of_two(session: Session, kids: Collection[str], now: datetime) -> dict[str, str]:
    """Which of these silent keys one person wants to speak again, and who; a second must follow."""
    found = {kid: store_keys.find_resumption(session, kid, now - _PATIENCE) for kid in kids}
    return {kid: row.officer_id for kid, row in found.items() if row is not None}


def _check_edge(session: Session, said: Suspension, now: datetime) -> bool:
    """Whether the statement changes the key's state; False where it is in that state already.

    Raises:
        Conflict: no such edge leads from its state (`suspension.over`).
    """
    state = standing_of(session, said.agency).state(said.kid, now)
    if may(Act(said.action.value), state):
        return True
    if state not in MAY[Act.SUSPEND] | MAY[Act.RESUME]:
        raise Conflict(
            "suspension.over", "The key has ended, was revoked, or does not speak yet; it stays so."
        )
    return False


def _keep(session: Session, said: Suspension, data: bytes, now: datetime) -> Silence:
    leaf = ledger.append(session, suspension_entry(said.agency, data))
    store_keys.add_suspension(
        session,
        {
            "agency": said.agency,
            "kid": said.kid,
            "action": said.action.value,
            "payload_sha256": dsse.parse(data).payload_sha256,
            "issued": said.issued,
            "at": now,
            "leaf": leaf,
        },
    )
    store_keys.suspend(session, said.kid, now if said.action is Action.SUSPEND else None)
    return Silence(said.kid, said.action)
