"""Judges evidence: one finding for each step, each valid, invalid, or without enough evidence.

Pure: bytes and trust anchors come in, findings come out. A step that lacks its trust anchor is
never called valid; one that fails is never called lacking.

Source: trust.md 3.7 (offline verifier), 1.2 (key lookup), 1.4 (keyset chain), 3.1 (log entries).
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ParamSpec, Self, TypeVar

from keys import bundle, checkpoint, dsse, evidence, frame, keyset, merkle
from keys.errors import BadStatement, TrustError
from keys.signers import PublicKey
from keys.statement import Fields

P = ParamSpec("P")
T = TypeVar("T")
_POLICY = frozenset({"titian_policy", "aud", "log_vkey", "receipt", "agencies"})
_RECEIPT = (
    *("v", "aud", "agency", "stream", "epoch", "seq", "payload_sha256", "root", "count"),
    *("accepted_at", "leaf", "mmd", "min_size"),
)


class Verdict(StrEnum):
    """What a step came to."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_ENOUGH = "not enough evidence"


@dataclass(frozen=True, slots=True)
class Finding:
    """One step of a check: what it looked at, how it came out, and the code of a refusal."""

    check: str
    step: str
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings on one file."""

    check: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """Invalid if any step is; else lacking if any is; else valid."""
        found = {finding.verdict for finding in self.findings}
        for verdict in (Verdict.INVALID, Verdict.NOT_ENOUGH):
            if verdict in found:
                return verdict
        return Verdict.VALID


@dataclass(frozen=True, slots=True)
class Policy:
    """The reader's trust anchors; without one, what rests on it is lacking.

    Attributes:
        aud: the gateway's name in signed statements.
        log: the log's key.
        receipt: the keys of receipts by kid.
        agencies: keys of agencies known by other ways, by agency and kid.
    """

    aud: str | None = None
    log: checkpoint.NoteKey | None = None
    receipt: Mapping[str, PublicKey] = field(default_factory=dict)
    agencies: Mapping[str, Mapping[str, PublicKey]] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The policy of a JSON file; every field but ``titian_policy`` may be left out.

        Raises:
            TrustError: a field unknown or wrong.
        """
        fields = Fields.read_some(data, _POLICY)
        if fields.values.get("titian_policy") != 1:
            raise BadStatement("policy.version", "The policy file is not one of version 1.")
        given = fields.values.keys()
        agencies = fields.table("agencies") if "agencies" in given else {}
        return cls(
            aud=fields.text("aud") if "aud" in given else None,
            log=checkpoint.parse_vkey(fields.text("log_vkey")) if "log_vkey" in given else None,
            receipt=_keys(fields.table("receipt")) if "receipt" in given else {},
            agencies={agency: _keys(Fields(agencies).table(agency)) for agency in agencies},
        )


@dataclass(slots=True)
class _Case:
    """The findings on one file as they come."""

    policy: Policy
    check: str = "unknown"
    findings: list[Finding] = field(default_factory=list)
    heads: list[checkpoint.Checkpoint] = field(default_factory=list)

    def hold(self, step: str, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """What ``act`` returns, noted as valid; or None, noted as invalid with its code."""
        try:
            value = act(*args, **kwargs)
        except TrustError as err:
            self.note(step, Verdict.INVALID, err.code)
            return None
        self.note(step, Verdict.VALID)
        return value

    def note(self, step: str, verdict: Verdict, detail: str = "") -> None:
        finding = Finding(self.check, step, verdict, detail)
        if finding not in self.findings:
            self.findings.append(finding)

    def lack(self, step: str) -> None:
        self.note(step, Verdict.NOT_ENOUGH)


def judge(files: Sequence[bytes], policy: Policy) -> list[Report]:
    """A report for each file, in order. Checkpoints are held against each other across files."""
    cases = [_judge_one(data, policy) for data in files]
    roots: dict[tuple[str, int], set[bytes]] = {}
    for case in cases:
        for head in case.heads:
            roots.setdefault((head.origin, head.size), set()).add(head.root)
    for case in cases:
        if any(len(roots[head.origin, head.size]) > 1 for head in case.heads):
            case.note("fork", Verdict.INVALID, "log.fork")
    return [Report(case.check, tuple(case.findings)) for case in cases]


def _judge_one(data: bytes, policy: Policy) -> _Case:
    case = _Case(policy)
    if data.startswith(frame.MAGIC):
        _judge_batch(case, data)
    elif data.lstrip()[:1] == b"{":
        _judge_json(case, data)
    else:
        _judge_note(case, data)
    return case


def _judge_json(case: _Case, data: bytes) -> None:
    if b'"titian_proof"' in data:
        held = case.hold("format", bundle.parse, data)
        if isinstance(held, bundle.RecordEvidence):
            _judge_record(case, held)
        elif held is not None:
            case.check = "keyset"
            _judge_chain(case, held.keysets, None)
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


def _judge_record(case: _Case, held: bundle.RecordEvidence) -> None:
    case.check = "record"
    # 1. The envelope, and what its payload says of the batch.
    read = case.hold("envelope", evidence.read_batch, held.envelope)
    if read is None:
        return
    envelope, batch = read
    # 2. The line is in that batch.
    leaf, place = merkle.leaf_hash(held.line), (held.index, batch.count)
    case.hold("line", merkle.verify_inclusion, leaf, *place, held.path, batch.root)
    # 3. The batch is meant for this gateway.
    _judge_aud(case, batch.aud)
    # 4. The agency's keys, from the log.
    chain = _judge_chain(case, held.keysets, batch.agency)
    # 5. The log accepted just this batch.
    accepted = _judge_accept(case, held.accept, envelope, batch)
    # 6. A key that was known by then signed it, and none of its keys was lost by then.
    known = chain if accepted is None else [each for each in chain if each.index < accepted]
    if chain and not known:
        case.note("order", Verdict.INVALID, "key.unknown_then")
    keys = known[-1].keyset.publics("batch") if known else _pinned(case, batch.agency)
    kids = _judge_signature(case, envelope, keys)
    if accepted is not None:
        _judge_lost(case, chain, kids, accepted)


def _judge_batch(case: _Case, data: bytes) -> None:
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


def _judge_keyset(case: _Case, envelope: dsse.Envelope) -> None:
    case.check = "keyset"
    statement = case.hold("keyset", evidence.read_keyset, envelope, None)
    if statement is None:
        return
    _judge_aud(case, statement.aud)
    if statement.provers().keys() <= _pinned(case, statement.agency).keys():
        case.note("keyset_known", Verdict.VALID)
    else:
        case.lack("keyset_known")


def _judge_receipt(case: _Case, envelope: dsse.Envelope) -> None:
    case.check = "receipt"
    fields = case.hold("envelope", Fields.read, envelope.payload, _RECEIPT)
    if fields is None:
        return
    _judge_aud(case, fields.values["aud"])
    if case.policy.receipt:
        case.hold("receipt", envelope.verify, case.policy.receipt)
    else:
        case.lack("receipt")


def _judge_note(case: _Case, data: bytes) -> None:
    case.check = "checkpoint"
    if case.hold("format", evidence.read_head, data) is not None:
        _judge_head(case, data)


def _judge_head(case: _Case, note: bytes) -> None:
    """The log's key signed the checkpoint."""
    log = case.policy.log
    if log is None:
        case.lack("checkpoint")
        return
    head = case.hold("checkpoint", checkpoint.verify, note, log.vkey())
    if head is not None:
        case.heads.append(head)


def _judge_aud(case: _Case, aud: object) -> None:
    if case.policy.aud is None:
        case.lack("aud")
    else:
        case.note("aud", Verdict.VALID if aud == case.policy.aud else Verdict.INVALID)


def _judge_logged(case: _Case, step: str, logged: bundle.LoggedEntry) -> int | None:
    """The entry's place in the log, if its proof leads to the checkpoint that comes with it."""
    proof = case.hold(step, evidence.check_logged, logged)
    if proof is None:
        return None
    _judge_head(case, proof.note)
    return proof.index


def _judge_chain(
    case: _Case, entries: Sequence[bundle.LoggedEntry], agency: str | None
) -> list[evidence.Logged]:
    """The keysets of an agency in order, each following the one before, each in the log."""
    chain: list[evidence.Logged] = []
    if not entries:
        case.lack("keyset")
    for logged in entries:
        read = case.hold(
            "keyset", evidence.follow, logged.entry, chain[-1] if chain else None, agency
        )
        index = _judge_logged(case, "keyset_log", logged)
        if read is None or index is None:
            return []
        statement, payload_sha256 = read
        _judge_aud(case, statement.aud)
        chain.append(evidence.Logged(statement, payload_sha256, index))
    return chain


def _judge_accept(
    case: _Case, accept: bundle.LoggedEntry | None, envelope: dsse.Envelope, batch: evidence.Batch
) -> int | None:
    """Where the log says that it accepted just this batch."""
    if accept is None:
        case.lack("accept")
        return None
    if case.hold("accept", evidence.check_accept, accept.entry, envelope, batch) is None:
        return None
    return _judge_logged(case, "accept_log", accept)


def _judge_signature(
    case: _Case, envelope: dsse.Envelope, keys: Mapping[str, PublicKey]
) -> frozenset[str]:
    if not keys:
        case.lack("signature")
        return frozenset()
    return case.hold("signature", envelope.verify, keys) or frozenset()


def _judge_lost(
    case: _Case, chain: Sequence[evidence.Logged], kids: frozenset[str], accepted: int
) -> None:
    """No key of the batch was declared lost from a moment before the batch was accepted."""
    lost = any(
        revocation.kid in kids and revocation.size_at_since <= accepted
        for logged in chain
        for revocation in logged.keyset.revoked
    )
    if lost:
        case.note("lost", Verdict.INVALID, "key.compromised")


def _pinned(case: _Case, agency: str) -> Mapping[str, PublicKey]:
    return case.policy.agencies.get(agency, {})


def _keys(table: Mapping[str, Any]) -> dict[str, PublicKey]:
    keys = {}
    for kid, value in table.items():
        fields = Fields.of(value, ("alg", "pub"))
        keys[kid] = PublicKey.parse(fields.text("alg"), fields.base64("pub", 32))
        if keys[kid].kid(kid.partition(":")[0]) != kid:
            raise BadStatement("policy.kid", "A key's name does not belong to the key.")
    return keys
