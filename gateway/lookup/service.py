"""What can be done with inboxes: put a question in, hand it over with its proofs, take the answer.

A question is asked in two transactions of the caller's, as any look is: its entry in tracker and
log first; then `ask` writes one request for each agency, each with an entry of its own that commits
to the person it is about. A request leaves only when both entries are under a signed checkpoint.

Source: trust.md 2.8.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.errors import Conflict, NotFound, Refused, TooMany
from gateway.ledger import query as log
from gateway.ledger import service as ledger
from gateway.lookup import store
from gateway.lookup.model import (
    LATE,
    Answered,
    Delivered,
    Delivery,
    Desk,
    Question,
    Sent,
    Taken,
    scope,
)
from gateway.storage import ids
from gateway.trust import query as trust
from gateway.trust.model import LIVE_CHECK
from keys import dsse
from keys.canonical import canonical, to_moment
from keys.commitment import commit
from keys.signers import PublicKey
from keys.vault import Vault
from schemas import inbox
from schemas.inbox import ANSWERED_TYPE, REQUEST_TYPE, RESPONSE_TYPE, Response

_DAY = timedelta(days=1)


def ask(
    session: Session, question: Question, agencies: Sequence[str], desk: Desk, now: datetime
) -> list[UUID]:
    """Put the question into the inbox of each agency; the ids of the requests.

    Raises:
        Forbidden: an agency holds no grant for live checks (`grant.missing`).
        TooMany: an agency was asked as often as a day allows (`live.too_many`).
    """
    made = []
    for agency in sorted(set(agencies)):
        basis = trust.basis_of(session, agency, LIVE_CHECK, now)
        store.lock_inbox(session, agency)
        if store.count_since(session, agency, now - _DAY) >= desk.a_day:
            raise TooMany(
                "live.too_many",
                "Batas pertanyaan langsung ke instansi ini untuk hari ini sudah tercapai.",
                retry_after=3600,
            )
        made.append(_put(session, question, (agency, basis), desk, now))
    return made


def _put(
    session: Session, question: Question, to: tuple[str, str], desk: Desk, now: datetime
) -> UUID:
    (agency, basis), rid = to, ids.new()
    made = commit(question.subject)
    said = {
        "v": 1,
        "aud": desk.aud,
        "rid": ids.show(rid),
        "kind": LIVE_CHECK,
        "agency": agency,
        "issued": to_moment(now),
        "deadline": to_moment(now + desk.deadline),
        "purpose": {"code": question.purpose, "basis": basis},
        "role": question.role,
        "subject": dict(question.subject),
        "salt": made.salt.hex(),
        "query": question.leaf.hex(),
    }
    payload = canonical(said)
    entry = inbox.request_entry(inbox.load_request(payload), question.leaf, made.sha256)
    envelope = dsse.seal(REQUEST_TYPE, payload, [desk.vault.signer("receipt")])
    row = {
        "id": rid,
        "query_id": question.query_id,
        "agency": agency,
        "kind": LIVE_CHECK,
        "issued_at": now,
        "deadline": now + desk.deadline,
        "request": desk.vault.seal(scope(now), rid.bytes, envelope),
        "request_sha256": dsse.parse(envelope).payload_sha256,
        "query_leaf": question.leaf,
        "leaf": ledger.append(session, entry),
    }
    store.add(session, row)
    return rid


def deliver(session: Session, agency: str, after: int, vault: Vault, now: datetime) -> Delivered:
    """What waits for the agency above number `after`, each with its proofs, in order.

    None is handed over before its entries are proved, nor one that follows such a one.
    """
    store.see(session, agency, now)
    made: list[Delivery] = []
    for row in store.due(session, agency, after, now):
        try:
            query, request = log.logged(session, row.query_leaf), log.logged(session, row.leaf)
        except NotFound:
            return Delivered(tuple(made), pending=True)
        envelope = vault.open(scope(row.issued_at), row.id.bytes, row.request)
        made.append(Delivery(row.n, envelope, query, request))
    return Delivered(tuple(made), pending=False)


def take(session: Session, sent: Sent, vault: Vault, aud: str, now: datetime) -> Taken:
    """Take an agency's answer: the first valid one stands; the same bytes get the same receipt.

    Raises:
        NotFound: the agency was sent no such request.
        BadEnvelope, BadSignature, Unauthorized: it is not signed by a key that may answer.
        Refused: it speaks of something else (`answer.other`).
        Answered: another answer stands (`answer.second`); commit, this one is kept as evidence.
        Conflict: the deadline has long passed (`answer.late`).
    """
    row = store.lock(session, sent.agency, sent.rid)
    if row is None:
        raise NotFound("inbox.unknown", "No such request was sent to this agency.")
    envelope = dsse.parse(sent.envelope)
    if envelope.payload_type != RESPONSE_TYPE:
        raise Refused("answer.other", "This is another kind of statement than an answer.")
    (kid, *_) = sorted(envelope.verify(_answering(session, sent.agency, envelope, now)))
    said = inbox.load_response(envelope.payload)
    _check(said, row, aud)
    if row.answered_at is not None:
        return _again(session, row, (sent, envelope.payload_sha256), vault)
    if now > row.deadline + LATE:
        raise Conflict("answer.late", "The deadline of this request has passed.")
    return _keep(session, row, (sent, envelope.payload_sha256, kid, said), (vault, aud), now)


def _answering(
    session: Session, agency: str, envelope: dsse.Envelope, now: datetime
) -> dict[str, PublicKey]:
    return {
        each.keyid: trust.speaker(session, agency, each.keyid, "response", now)
        for each in envelope.signatures
    }


def _check(said: Response, row: Row[Any], aud: str) -> None:
    found = (said.aud, said.agency, said.rid, said.request_sha256)
    if found != (aud, row.agency, ids.show(row.id), row.request_sha256.hex()):
        raise Refused("answer.other", "The answer speaks of another request than this one.")


def _again(session: Session, row: Row[Any], again: tuple[Sent, bytes], vault: Vault) -> Taken:
    sent, sha256 = again
    if sha256 == row.answer_sha256:
        return Taken(row.receipt, replayed=True)
    aad = row.id.bytes + b"conflict"
    if row.conflict is None:
        sealed = vault.seal(scope(row.issued_at), aad, sent.envelope)
        store.put(session, row.id, {"conflict": sealed})
    raise Answered(
        "answer.second",
        "Another answer to this request stands.",
        answered_at=to_moment(row.answered_at),
    )


def _keep(
    session: Session,
    row: Row[Any],
    answer: tuple[Sent, bytes, str, Response],
    ours: tuple[Vault, str],
    now: datetime,
) -> Taken:
    (sent, sha256, kid, said), (vault, aud), rid = answer, ours, ids.show(row.id)
    leaf = ledger.append(
        session,
        {
            "t": "response",
            "rid": rid,
            "agency": row.agency,
            "kind": row.kind,
            "kid": kid,
            "status": said.status,
            "request": row.leaf.hex(),
            "response_sha256": sha256.hex(),
        },
    )
    statement = {
        "v": 1,
        "aud": aud,
        "agency": row.agency,
        "rid": rid,
        "response_sha256": sha256.hex(),
        "leaf": leaf.hex(),
        "at": to_moment(now),
    }
    receipt = dsse.seal(ANSWERED_TYPE, canonical(statement), [vault.signer("receipt")])
    values = {
        "status": said.status,
        "code": said.code,
        "answer": vault.seal(scope(row.issued_at), row.id.bytes, sent.envelope),
        "answer_sha256": sha256,
        "answer_leaf": leaf,
        "answered_at": now,
        "receipt": receipt,
    }
    store.put(session, row.id, values)
    return Taken(receipt, replayed=False)
