"""What can be done to batches: accept one as a document, let a stopped stream go on, apply.

Accepting is all or nothing and changes nothing in the index; a worker applies (`applying`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.errors import Conflict, NotFound, Refused
from gateway.intake import chain, reading, snapshots, store, store_reevaluation
from gateway.intake.applying import apply, count_of, rehearse, set_aside
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
from keys.bundle import accept_entry
from keys.canonical import canonical, to_moment
from keys.errors import TrustError
from keys.signers import PublicKey
from schemas.batch import BatchKind, BatchPayload
from schemas.errors import SchemaError
from schemas.receipt import MMD_SECONDS, RECEIPT_TYPE

__all__ = ["accept", "apply", "count_of", "rehearse", "resume", "set_aside"]

_FEW = 8


def accept(session: Session, request: PutBatch, tools: IntakeTools, now: datetime) -> Accepted:
    """Accept a batch, or answer a repeated one with the receipt it was given before.

    1. (The caller has checked the HTTP signature, the digest, the size and the rate.)
    2. Frame, envelope, place and audience.
    3. The agency's key, and the signature; the payload is parsed only after it holds.
    4. The body against the signed length, count and root.
    5. The stream's head is locked: replay, fork, gap, or the next batch.
    6. The key once more, and the grant; then batch, sealed lines, log entry, receipt and promise
       are written together.
    7. The caller commits, and only then answers.

    Raises:
        GatewayError: a refusal with its code; nothing was stored.
        Forked: two histories of the stream; the caller commits the evidence and passes it on.
    """
    try:
        opened = _open(session, request, tools, now)
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
    if may_restart and payload.epoch != head.epoch:
        head = _restarted(session, head, payload)
    fork = chain.follows(head, at, bytes.fromhex(payload.prev), restart=may_restart)
    if fork is not None:
        raise _forked(session, opened, fork, _envelope_of(session, opened, head), now)
    # A revocation locks the heads of its agency: so the key either still holds here, or the
    # revocation sees this batch.
    trust.check_publisher(session, payload.agency, opened.kid, payload.record_type, now)
    _check_confirms(session, opened)
    named = _attested(session, payload)
    snapshots.follow(session, payload)
    contents = _Contents(request, leaves, tools, named)
    return Accepted(_store(session, opened, contents, now), replayed=False)


@dataclass(frozen=True, slots=True)
class _Contents:
    """What is stored of a batch: its bytes once more, the leaf of each line, whom it attests."""

    request: PutBatch
    leaves: Sequence[bytes]
    tools: IntakeTools
    attests: Sequence[UUID] = ()


def resume(session: Session, agency: str, stream: str, *, restart: bool) -> None:
    """Let a stopped stream go on, after a person has looked; `restart` allows a new epoch.

    Raises:
        NotFound: there is no such stream.
    """
    if store.head(session, agency, stream) is None:
        raise NotFound("stream.unknown", "There is no such stream.")
    store.set_suspended(session, agency, stream, None, restart=restart)


def _open(session: Session, request: PutBatch, tools: IntakeTools, now: datetime) -> Opened:
    def speaker(kid: str) -> PublicKey:
        if request.caller is not None and request.caller[0] == kid:
            return request.caller[1]
        return trust.speaker(session, request.agency, kid, "batch", now)

    return reading.open_batch(request, tools.settings, speaker)


def _given_before(session: Session, opened: Opened, head: Head, now: datetime) -> bytes | None:
    """The receipt that this very batch was given before; another of its number is a fork."""
    payload = opened.payload
    if (payload.epoch, payload.seq) > (head.epoch, head.seq):
        return None
    before = store.stored(session, (payload.agency, payload.stream, payload.epoch, payload.seq))
    if before is None:
        raise Conflict("stream.epoch", "This epoch is over. Ask for the head, and go on from it.")
    if before.payload_sha256 == opened.payload_sha256:
        return before.receipt
    raise _forked(session, opened, Fork.CONTENT, before.envelope, now)


def _envelope_of(session: Session, opened: Opened, head: Head) -> bytes | None:
    payload = opened.payload
    last = store.stored(session, (payload.agency, payload.stream, head.epoch, head.seq))
    return None if last is None else last.envelope


def _forked(
    session: Session, opened: Opened, fork: Fork, ours: bytes | None, now: datetime
) -> Forked:
    """Keep both histories, stop the stream, and say so."""
    payload = opened.payload
    store.add_fork(
        session,
        {
            "agency": payload.agency,
            "stream": payload.stream,
            "epoch": payload.epoch,
            "seq": payload.seq,
            "kind": fork.value,
            "found_at": now,
            "ours": ours,
            "theirs": opened.envelope,
            "theirs_sha256": opened.payload_sha256,
        },
    )
    store.set_suspended(session, payload.agency, payload.stream, "fork")
    return Forked(
        "stream.fork",
        "Two different histories of this stream were signed; both are kept, and the stream is "
        "stopped. Was the connector restored from a backup, or its key copied? Call the "
        "gateway's key administrator.",
        kind=fork.value,
    )


def _check_confirms(session: Session, opened: Opened) -> None:
    payload = opened.payload
    if payload.kind is not BatchKind.CONFIRM or payload.confirms is None:
        return
    named = bytes.fromhex(payload.confirms)
    if store.find_held(session, payload.agency, payload.stream, named) is None:
        raise Refused(
            "confirm.unknown", "No held batch has that hash. Look up which batch waits for it."
        )


def _restarted(session: Session, head: Head, payload: BatchPayload) -> Head:
    """What a new epoch follows on: the last batch that is still believed, or the genesis."""
    first = chain.genesis(payload.agency, payload.stream)
    trusted = store_reevaluation.last_trusted(session, payload.agency, payload.stream)
    return replace(head, payload_sha256=trusted or first.payload_sha256)


def _attested(session: Session, payload: BatchPayload) -> list[UUID]:
    """The batches that an `attest` names.

    Raises:
        Refused: a batch of that number and hash was never accepted (`attest.unknown`), or is not
            in quarantine (`attest.not_quarantined`).
    """
    found = []
    for said in payload.attests:
        place = (payload.agency, payload.stream.value, said.epoch, said.seq)
        named = store_reevaluation.find_named(session, place, bytes.fromhex(said.payload_sha256))
        if named is None:
            raise Refused(
                "attest.unknown",
                f"No batch {said.epoch}/{said.seq} of that hash was accepted. Nothing was "
                "attested: compare with your receipts, and name only batches that are yours.",
            )
        if named[1] is not State.QUARANTINED:
            raise Refused(
                "attest.not_quarantined",
                f"Batch {said.epoch}/{said.seq} is not in quarantine. Nothing was attested: "
                "leave it out.",
            )
        found.append(named[0])
    return list(dict.fromkeys(found))


def _store(session: Session, opened: Opened, contents: _Contents, now: datetime) -> bytes:
    """Step 6: batch, lines, log entry, receipt and promise; returns the receipt."""
    payload, tools = opened.payload, contents.tools
    named = {name: getattr(payload, name) for name in ("agency", "epoch", "seq", "root", "count")}
    named["stream"] = payload.stream.value
    leaf = ledger.append(session, accept_entry(named, opened.payload_sha256, opened.kid))
    statement = {
        **named,
        "v": 1,
        "aud": tools.settings.aud,
        "payload_sha256": opened.payload_sha256.hex(),
        "accepted_at": to_moment(now),
        "leaf": leaf.hex(),
        "mmd": MMD_SECONDS,
        "min_size": log.state(session).size,
    }
    receipt = dsse.seal(RECEIPT_TYPE, canonical(statement), [tools.vault.signer("receipt")])
    values = _row(opened, now) | {"leaf": leaf, "receipt": receipt}
    few = list(_lines(opened, contents, now)) if payload.count <= _FEW else []
    batch_id = store.add_batch(session, values, few)
    store_reevaluation.add_attestations(session, batch_id, contents.attests)
    if payload.count > _FEW:
        rows = ((batch_id, *line) for line in _lines(opened, contents, now))
        store.copy_lines(session, rows)
    outbox.promise(session, Job.APPLY, {"batch": str(batch_id)})
    return receipt


def _row(opened: Opened, now: datetime) -> dict[str, object]:
    payload = opened.payload
    same = ("agency", "epoch", "seq", "record_type", "schema", "count", "max_reject")
    return {name: getattr(payload, name) for name in same} | {
        "stream": payload.stream.value,
        "kind": payload.kind.value,
        "payload_sha256": opened.payload_sha256,
        "root": bytes.fromhex(payload.root),
        "as_of": payload.as_of_time,
        "accepted_at": now,
        "kid": opened.kid,
        "snapshot": None if payload.snapshot is None else payload.snapshot.id,
        "confirms": None if payload.confirms is None else bytes.fromhex(payload.confirms),
        "envelope": opened.envelope,
        "state": State.ACCEPTED.value,
    }


def _lines(
    opened: Opened, contents: _Contents, now: datetime
) -> Iterator[tuple[int, bytes, bytes]]:
    """Each line sealed on its own: i, leaf, ciphertext; as a stream, so that memory stays flat."""
    place = Batch.place_of(opened.payload, now)
    vault, leaves, start = contents.tools.vault, contents.leaves, 0
    for chunk in reading.read_chunks(contents.request.body, opened, contents.tools.settings):
        numbers = range(start, start + len(chunk))
        sealed = vault.seal_many(place.scope, [place.aad(i) for i in numbers], chunk)
        yield from zip(numbers, leaves[start : start + len(chunk)], sealed, strict=True)
        start += len(chunk)
