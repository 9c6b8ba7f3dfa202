"""What can be done to batches: accept one as a document, let a stopped stream go on, apply.

Accepting is all or nothing and changes nothing in the index; a worker applies (`applying`).
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.errors import Conflict, NotFound, TooMany
from gateway.intake import chain, reading, snapshots, store
from gateway.intake.applying import apply, set_aside
from gateway.intake.chain import Fork
from gateway.intake.model import Accepted, Batch, Forked, Head, IntakeTools, PutBatch, State
from gateway.intake.reading import Opened
from gateway.intake.refusals import refusal
from gateway.jobs import Job
from gateway.ledger import query as log
from gateway.ledger import service as ledger
from gateway.storage import outbox
from gateway.trust import query as trust
from keys import dsse
from keys.canonical import canonical, to_moment
from keys.errors import TrustError
from schemas.batch import BatchKind
from schemas.errors import SchemaError
from schemas.receipt import MMD_SECONDS, RECEIPT_TYPE

__all__ = ["accept", "apply", "resume", "set_aside"]

_RATE_SECONDS = 60
_log = logging.getLogger(__name__)


def accept(session: Session, request: PutBatch, tools: IntakeTools, now: datetime) -> Accepted:
    """Accept a batch, or answer a repeated one with the receipt it was given before.

    1. (The caller has checked the HTTP signature, the digest and the size.)
    2. Frame, envelope, place and audience.
    3. The agency's key, and the signature; the payload is parsed only after it holds.
    4. The grant, and the rate.
    5. The body against the signed length, count and root.
    6. The stream's head is locked: replay, fork, gap, or the next batch. Then batch, sealed lines,
       log entry, receipt and promise are written together.
    7. The caller commits, and only then answers.

    Raises:
        GatewayError: a refusal with its code; nothing was stored.
        Forked: two histories of the stream; the caller commits the evidence and passes it on.
    """
    try:
        opened = _open(session, request, tools, now)
        _check_leave(session, opened, tools, now)
        leaves = reading.read_leaves(request.body, opened, tools.settings)
    except (TrustError, SchemaError) as err:
        raise refusal(err) from err
    payload = opened.payload
    first = chain.genesis(payload.agency, payload.stream)
    head, restart = store.lock_head(session, first, payload.agency, payload.stream)
    given = _given_before(session, opened, head, now)
    if given is not None:
        return Accepted(given, replayed=True)
    at = (payload.epoch, payload.seq)
    may_restart = restart and payload.kind is BatchKind.SNAPSHOT_BEGIN
    fork = chain.follows(head, at, bytes.fromhex(payload.prev), restart=may_restart)
    if fork is not None:
        raise _forked(session, opened, fork, _envelope_of(session, opened, head), now)
    # A revocation locks the heads of its agency: so the key either still holds here, or the
    # revocation sees this batch.
    trust.speaker(session, payload.agency, opened.kid, "batch", now)
    _check_confirms(session, opened)
    snapshots.follow(session, payload)
    return Accepted(_store(session, opened, _Contents(request, leaves, tools), now), replayed=False)
