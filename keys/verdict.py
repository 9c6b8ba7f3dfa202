"""Judges evidence: one finding for each step, each valid, invalid, or without enough evidence.

Pure: bytes and trust anchors come in, findings come out. A step that lacks its trust anchor is
never called valid; one that fails is never called lacking.

Source: trust.md 3.7 (offline verifier), 1.2 (key lookup), 1.4 (keyset chain), 3.1 (log entries).
"""

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from keys import bundle, checkpoint, dsse, evidence, frame, keyset, merkle
from keys.errors import TrustError
from keys.findings import Case, Report, Verdict
from keys.policy import Policy
from keys.signers import PublicKey
from keys.statement import Fields

_RECEIPT = (
    *("v", "aud", "agency", "stream", "epoch", "seq", "payload_sha256", "root", "count"),
    *("accepted_at", "leaf", "mmd", "min_size"),
)


def judge(files: Sequence[bytes], policy: Policy) -> list[Report]:
    """A report for each file, in order. Checkpoints are held against each other across files.

    Two of one size with different roots prove a fork. Of two sizes nothing is proved without the
    log between them; a checkpoint that was given to be compared says so.
    """
    cases = [_judge_one(data, policy) for data in files]
    roots: dict[tuple[str, int], set[bytes]] = {}
    sizes: dict[str, set[int]] = {}
    for case in cases:
        for head in case.heads:
            roots.setdefault((head.origin, head.size), set()).add(head.root)
            sizes.setdefault(head.origin, set()).add(head.size)
    for case in cases:
        if any(len(roots[head.origin, head.size]) > 1 for head in case.heads):
            case.note("fork", Verdict.INVALID, "log.fork")
        if case.check == "checkpoint" and any(len(sizes[head.origin]) > 1 for head in case.heads):
            case.lack("sizes")
    return [Report(case.check, tuple(case.findings)) for case in cases]


def _judge_one(data: bytes, policy: Policy) -> Case:
    case = Case(policy)
    if data.startswith(frame.MAGIC):
        _judge_batch(case, data)
    elif data.lstrip()[:1] == b"{":
        _judge_json(case, data)
    else:
        _judge_note(case, data)
    return case


def _judge_json(case: Case, data: bytes) -> None:
    if b'"titian_proof"' in data:
        held = case.hold("format", bundle.parse, data)
        if held is not None:
            _judge_evidence(case, held)
        return
    envelope = case.hold("format", dsse.parse, data)
    if envelope is None:
        return
    if envelope.payload_type == keyset.PAYLOAD_TYPE:
        _judge_keyset(case, envelope)
    elif envelope.payload_type == bundle.RECEIPT_TYPE:
        _judge_receipt(case, envelope)
    else:
        case.note("kind", Verdict.INVALID, "envelope.type")


def _judge_evidence(case: Case, held: bundle.Evidence) -> None:
    match held:
        case bundle.RecordEvidence():
            case.check = "record"
            _judge_record(case, held)
        case bundle.BatchEvidence():
            case.check = "batch"
            _judge_origin(case, held.origin, "leaves", partial(evidence.check_leaves, held.leaves))
        case bundle.KeysetEvidence():
            case.check = "keyset"
            _judge_chain(case, held.keysets, None)
        case bundle.QueryEvidence():
            case.check = "query"
            _judge_query(case, held)
        case _:
            case.check = "decision"
            _judge_decision(case, held)


def _judge_record(case: Case, held: bundle.RecordEvidence) -> None:
    def in_batch(batch: evidence.Batch) -> None:
        leaf = merkle.leaf_hash(held.line)
        merkle.verify_inclusion(leaf, held.index, batch.count, held.path, batch.root)

    _judge_origin(case, held.origin, "line", in_batch)


def _judge_origin(
    case: Case, origin: bundle.Origin, step: str, lines: Callable[[evidence.Batch], None]
) -> None:
    # 1. The envelope, and what its payload says of the batch.
    read = case.hold("envelope", evidence.read_batch, origin.envelope)
    if read is None:
        return
    envelope, batch = read
    # 2. What there is of its lines belongs to that batch.
    case.hold(step, lines, batch)
    # 3. The batch is meant for this gateway.
    _judge_aud(case, batch.aud)
    # 4. The agency's keys, from the log.
    chain = _judge_chain(case, origin.keysets, batch.agency)
    # 5. The log accepted just this batch.
    accepted = _judge_accept(case, origin.accept, envelope, batch)
    # 6. A key that was known by then signed it, and none of its keys was lost by then.
    known = chain if accepted is None else [each for each in chain if each.index < accepted]
    if chain and not known:
        case.note("order", Verdict.INVALID, "key.unknown_then")
    keys = known[-1].keyset.publics("batch") if known else _pinned(case, batch.agency)
    kids = _judge_signature(case, envelope, keys)
    if accepted is not None:
        _judge_lost(case, chain, kids, accepted)


def _judge_query(case: Case, held: bundle.QueryEvidence) -> None:
    # 1. The question stands in the log, in the words that were typed.
    asked = _judge_opened(case, "query", held.query)
    if asked is None:
        return
    at, query, _ = asked
    # 2. Each answer is one to it, and came after it.
    if not held.results:
        case.lack("answer")
    named: set[str] = set()
    for result in held.results:
        answered = _judge_opened(case, "result", result)
        if answered is None:
            return
        place, entry, detail = answered
        question = (held.query.logged.entry, query)
        case.hold("answer", evidence.check_answer, question, entry, detail)
        if place <= at:
            case.note("answer", Verdict.INVALID, "answer.before_query")
        named |= evidence.batches_of(entry)
    # 3. The batches that the answers came from were accepted.
    for source in held.sources:
        case.hold("source", evidence.check_source, source.entry, named)
        _judge_logged(case, "source_log", source)
        named.discard(merkle.leaf_hash(source.entry).hex())
    if named:
        case.lack("source")


def _judge_decision(case: Case, held: bundle.DecisionEvidence) -> None:
    decided = _judge_opened(case, "decision", held.decision)
    if decided is None:
        return
    _, entry, detail = decided
    case.hold("statement", evidence.check_decision, entry, detail or {}, held.statement)
    if held.statement is None:
        case.lack("statement")


def _judge_opened(
    case: Case, kind: str, opened: bundle.Opened
) -> tuple[int, dict[str, Any], dict[str, Any] | None] | None:
    """Place, entry and detail of a log entry of that kind, if it stands in the log."""
    read = case.hold(kind, evidence.open_entry, opened, kind)
    index = _judge_logged(case, "entry_log", opened.logged)
    if read is None or index is None:
        return None
    entry, detail = read
    if detail is None and "commit" in entry:
        case.lack("detail")
    return index, entry, detail


def _judge_batch(case: Case, data: bytes) -> None:
    case.check = "batch"
    stream = io.BytesIO(data)
    head = case.hold("format", frame.read_head, stream)
    read = None if head is None else case.hold("envelope", evidence.read_batch, head)
    if read is None:
        return
    envelope, batch = read
    case.hold("lines", evidence.check_lines, stream, batch)
    _judge_aud(case, batch.aud)
    _judge_signature(case, envelope, _pinned(case, batch.agency))


def _judge_keyset(case: Case, envelope: dsse.Envelope) -> None:
    case.check = "keyset"
    statement = case.hold("keyset", evidence.read_keyset, envelope, (), {})
    if statement is None:
        return
    _judge_aud(case, statement.aud)
    if statement.provers().keys() <= _pinned(case, statement.agency).keys():
        case.note("keyset_known", Verdict.VALID)
    else:
        case.lack("keyset_known")


def _judge_receipt(case: Case, envelope: dsse.Envelope) -> None:
    case.check = "receipt"
    fields = case.hold("envelope", Fields.read, envelope.payload, _RECEIPT)
    if fields is None:
        return
    _judge_aud(case, fields.values["aud"])
    if case.policy.receipt:
        case.hold("receipt", envelope.verify, case.policy.receipt)
    else:
        case.lack("receipt")


def _judge_note(case: Case, data: bytes) -> None:
    case.check = "checkpoint"
    if case.hold("format", evidence.read_head, data) is not None:
        _judge_head(case, data)


def _judge_head(case: Case, note: bytes) -> None:
    """The log's key signed the checkpoint."""
    log = case.policy.log
    if log is None:
        case.lack("checkpoint")
        return
    head = case.hold("checkpoint", checkpoint.verify, note, log.vkey())
    if head is None:
        return
    case.heads.append(head)
    if case.policy.quorum:
        _judge_witnesses(case, note)


def _judge_witnesses(case: Case, note: bytes) -> None:
    """Enough of the reader's witnesses saw the checkpoint."""
    try:
        seen = evidence.count_witnesses(note, case.policy.witnesses)
    except TrustError as err:
        case.note("witnesses", Verdict.INVALID, err.code)
        return
    enough = seen >= case.policy.quorum
    case.note("witnesses", Verdict.VALID if enough else Verdict.NOT_ENOUGH)


def _judge_aud(case: Case, aud: object) -> None:
    if case.policy.aud is None:
        case.lack("aud")
    else:
        case.note("aud", Verdict.VALID if aud == case.policy.aud else Verdict.INVALID)


def _judge_logged(case: Case, step: str, logged: bundle.LoggedEntry) -> int | None:
    """The entry's place in the log, if its proof leads to the checkpoint that comes with it."""
    proof = case.hold(step, evidence.check_logged, logged)
    if proof is None:
        return None
    _judge_head(case, proof.note)
    return proof.index


def _judge_chain(
    case: Case, entries: Sequence[bundle.LoggedEntry], agency: str | None
) -> list[evidence.Logged]:
    """The keysets of an agency in order, each following the one before, each in the log."""
    chain: list[evidence.Logged] = []
    if not entries:
        case.lack("keyset")
    for logged in entries:
        read = _judge_next(case, logged, chain, agency)
        index = _judge_logged(case, "keyset_log", logged)
        if read is None or index is None:
            return []
        if chain and index <= chain[-1].index:
            case.note("keyset_log", Verdict.INVALID, "keyset.order")
        statement, payload_sha256 = read
        _judge_aud(case, statement.aud)
        chain.append(evidence.Logged(statement, payload_sha256, index))
    return chain


def _judge_next(
    case: Case, logged: bundle.LoggedEntry, chain: Sequence[evidence.Logged], agency: str | None
) -> tuple[keyset.Keyset, bytes] | None:
    """The next keyset; lacking, not invalid, where the centre signed and its key is not known."""
    centre = case.policy.receipt
    try:
        read = evidence.follow(logged.entry, chain, agency, centre)
    except TrustError as err:
        unknown = bool(chain) and not centre and evidence.lacks_centre(logged.entry, err.code)
        verdict = Verdict.NOT_ENOUGH if unknown else Verdict.INVALID
        case.note("keyset", verdict, "keyset.centre" if unknown else err.code)
        return None
    case.note("keyset", Verdict.VALID)
    return read


def _judge_accept(
    case: Case, accept: bundle.LoggedEntry | None, envelope: dsse.Envelope, batch: evidence.Batch
) -> int | None:
    """Where the log says that it accepted just this batch."""
    if accept is None:
        case.lack("accept")
        return None
    if case.hold("accept", evidence.check_accept, accept.entry, envelope, batch) is None:
        return None
    return _judge_logged(case, "accept_log", accept)


def _judge_signature(
    case: Case, envelope: dsse.Envelope, keys: Mapping[str, PublicKey]
) -> frozenset[str]:
    if not keys:
        case.lack("signature")
        return frozenset()
    return case.hold("signature", envelope.verify, keys) or frozenset()


def _judge_lost(
    case: Case, chain: Sequence[evidence.Logged], kids: frozenset[str], accepted: int
) -> None:
    """No key of the batch was declared lost from a moment before the batch was accepted."""
    lost = any(
        revocation.kid in kids and revocation.size_at_since <= accepted
        for logged in chain
        for revocation in logged.keyset.revoked
    )
    if lost:
        case.note("lost", Verdict.INVALID, "key.compromised")


def _pinned(case: Case, agency: str) -> Mapping[str, PublicKey]:
    return case.policy.agencies.get(agency, {})
