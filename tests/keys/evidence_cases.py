"""Good and bad evidence of each kind, with the exit status that ``titian-verify`` must give."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from keys import bundle, dsse, keyset
from keys.bundle import KeysetEvidence, LoggedEntry, RecordEvidence
from keys.canonical import canonical
from keys.checkpoint import Checkpoint, NoteSigner
from keys.commitment import commit
from keys.signers import Ed25519Signer
from tests.keys import city
from tests.keys.city import AGENCY, LINES, LOG, NEXT, ORIGIN, RECEIPT, RECOVERY, STRANGER, Log

NO_PINS = city.policy(agencies=None)
WITNESSED = city.policy(
    agencies=None, witnesses=[city.vkey_of(each).vkey() for each in city.WITNESSES], quorum=2
)
OTHER_LOG = NoteSigner(ORIGIN, bytes([8]) * 32)


def proof(**change: Any) -> bytes:
    """The evidence file of a good record, with parts of it or of its origin exchanged."""
    return bundle.build(exchanged(city.record(), **change))


def exchanged(evidence: RecordEvidence, **change: Any) -> RecordEvidence:
    ours = {k: v for k, v in change.items() if k in {"line", "index", "path"}}
    origin = {k: v for k, v in change.items() if k not in ours}
    return replace(evidence, origin=replace(evidence.origin, **origin), **ours)


def other_entry(**change: Any) -> LoggedEntry:
    """An accept entry with other words, logged as it should be."""
    sealed = city.batch()
    entry = bundle.accept_entry(json.loads(sealed.payload), sealed.payload_sha256, AGENCY.kid)
    log = Log()
    log.add({"t": "heartbeat"})
    log.add({"t": "heartbeat"})
    return log.proved(log.add(entry | change))


def misplaced(logged: LoggedEntry) -> LoggedEntry:
    """The entry's bytes with the proof of another place."""
    return replace(logged, proof=logged.proof.replace("index 1\n", "index 0\n"))


def two_keys(after: Sequence[bytes] = (), **options: Any) -> bytes:
    """A record signed by the second key of its agency."""
    keysets = [city.first_keyset(), city.next_keyset(**options)]
    return bundle.build(city.record(city.batch(NEXT), keysets=keysets, after=after, kid=NEXT.kid))


def lost(size_at_since: int, **options: Any) -> bytes:
    """The same, and that key is revoked later."""
    return two_keys([city.lost_keyset(size_at_since, **options)])


def accepted_before_its_keys() -> bytes:
    """The keyset came into the log only after the batch was accepted."""
    return bundle.build(city.record(keysets=(), after=[city.first_keyset()]))


def keysets_out_of_order() -> bytes:
    """The second version stands in the log before the first."""
    log = Log()
    log.add({"t": "heartbeat"})
    second = log.add(bundle.keyset_entry("dinsos", 2, city.next_keyset()))
    first = log.add(bundle.keyset_entry("dinsos", 1, city.first_keyset()))
    return bundle.build(KeysetEvidence([log.proved(first), log.proved(second)]))


def witnessed(note: Callable[[bytes], bytes]) -> bytes:
    """A good record, its checkpoints' notes exchanged."""
    good = city.record()

    def other(logged: LoggedEntry) -> LoggedEntry:
        head, gap, text = logged.proof.partition("\n\n")
        return replace(logged, proof=head + gap + note(text.encode()).decode())

    assert good.origin.accept
    keysets = [other(each) for each in good.origin.keysets]
    return bundle.build(exchanged(good, keysets=keysets, accept=other(good.origin.accept)))


def without_witnesses(note: bytes) -> bytes:
    return b"".join(line for line in note.splitlines(True) if b".witness " not in line)


def one_witness_twice(note: bytes) -> bytes:
    lines = note.splitlines(True)
    mine = [line for line in lines if b"baz.witness " in line]
    return without_witnesses(note) + mine[0] * 2


def witness_of_another(note: bytes) -> bytes:
    """The line of a witness who saw another checkpoint."""
    other = city.witnessed(Checkpoint(ORIGIN, 9, bytes(32)), city.WITNESSES[:1])
    return without_witnesses(note) + other


def frames(**change: Any) -> bytes:
    return city.batch(**change).body


def altered_body() -> bytes:
    """A batch whose envelope is that of other lines of the same length."""
    others = [line.replace(b"put", b"del") for line in LINES]
    good, bad = city.batch(), city.batch(lines=others)
    return good.body[: 8 + len(city.envelope_of(good))] + bad.body[8 + len(city.envelope_of(bad)) :]


def keyset_proof(*statements: bytes) -> bytes:
    return bundle.build(KeysetEvidence(city.record(keysets=statements).origin.keysets))


def look(**change: Any) -> bytes:
    return bundle.build(replace(city.look(), **change))


def query_opened(**change: Any) -> bytes:
    """A look whose question is opened otherwise."""
    return look(query=replace(city.look().query, **change))


def result_opened(**change: Any) -> bytes:
    return look(results=[replace(city.look().results[0], **change)])


def answer_first() -> bytes:
    """A question and an answer whose places in the log are the wrong way round."""
    good, log = city.look(), Log()
    answered = log.add(json.loads(good.results[0].logged.entry))
    asked = log.add(json.loads(good.query.logged.entry))
    return look(
        query=replace(good.query, logged=log.proved(asked)),
        results=[replace(good.results[0], logged=log.proved(answered))],
        sources=(),
    )


def answered(detail: bytes | None = None, **change: Any) -> bytes:
    """A look whose answer says something else, logged as it should be."""
    good, log = city.look(), Log()
    source = log.add(json.loads(good.sources[0].entry))
    asked = log.add(json.loads(good.query.logged.entry))
    answer = log.add(json.loads(good.results[0].logged.entry) | change)
    shown = good.results[0].detail if detail is None else detail
    return look(
        query=replace(good.query, logged=log.proved(asked)),
        results=[replace(good.results[0], logged=log.proved(answer), detail=shown)],
        sources=[log.proved(source)],
    )


def nested(levels: int) -> dict[str, Any]:
    """A value that stands in so many objects."""
    return {"in": nested(levels - 1)} if levels > 1 else {"in": 1}


def decided(**change: Any) -> bytes:
    return bundle.build(city.decision(**change))


def decided_opened(**change: Any) -> bytes:
    good = city.decision()
    return bundle.build(replace(good, decision=replace(good.decision, **change)))


def whole(**change: Any) -> bytes:
    return bundle.build(replace(city.whole(), **change))


def first_said(**change: Any) -> bytes:
    """The first keyset with other words, signed as it should be."""
    value = json.loads(dsse.parse(city.first_keyset()).payload)
    return dsse.seal(keyset.PAYLOAD_TYPE, canonical(value | change), [AGENCY, RECOVERY])


def reenrolled(*signers: Ed25519Signer) -> bytes:
    """After the first keyset the agency enrols anew with each of these keys in turn."""
    statements = [city.first_keyset()]
    for number, signer in enumerate(signers, 2):
        before, now = dsse.parse(statements[-1]), city.NOW + number * timedelta(days=30)
        entry = keyset.entry_of("dinsos", signer.public, instance="conn-a", not_before=now)
        value = json.loads(keyset.build(city.AUD, "dinsos", [entry], issued=now))
        value |= {"version": number, "prev": before.payload_sha256.hex(), "reason": "reenrol"}
        sealed = dsse.seal(keyset.PAYLOAD_TYPE, canonical(value), [signer, RECEIPT])
        statements.append(sealed)
    return keyset_proof(*statements)


def note(signer: NoteSigner = LOG, size: int = 5, root: bytes = bytes(32)) -> bytes:
    return signer.sign(Checkpoint(signer.key.name, size, root))


Case = tuple[Callable[[], bytes], bytes | None, int]
CASES: dict[str, Case] = {
    # records
    "valid-record": (proof, NO_PINS, 0),
    "valid-record-second-key": (two_keys, NO_PINS, 0),
    "valid-record-key-lost-later": (lambda: lost(4), NO_PINS, 0),
    "valid-record-revoked-by-the-centre": (lambda: lost(4, signers=[RECEIPT]), NO_PINS, 0),
    "record-revoked-by-an-unknown-centre": (
        lambda: lost(4, signers=[RECEIPT]),
        city.policy(agencies=None, receipt=None),
        2,
    ),
    "record-revoked-by-a-stranger": (lambda: lost(4, signers=[STRANGER]), NO_PINS, 1),
    "record-revoked-by-the-key-itself": (lambda: lost(4, signers=[NEXT]), NO_PINS, 1),
    "valid-record-seen-by-witnesses": (proof, WITNESSED, 0),
    "record-seen-by-one-witness": (
        lambda: witnessed(lambda n: b"".join(one_witness_twice(n).splitlines(True)[:-1])),
        WITNESSED,
        2,
    ),
    "record-seen-by-no-witness": (lambda: witnessed(without_witnesses), WITNESSED, 2),
    "record-seen-twice-by-one-witness": (lambda: witnessed(one_witness_twice), WITNESSED, 2),
    "record-witness-of-another-checkpoint": (lambda: witnessed(witness_of_another), WITNESSED, 1),
    "record-witness-line-damaged": (
        lambda: witnessed(lambda n: without_witnesses(n) + one_witness_twice(n)[-40:]),
        WITNESSED,
        1,
    ),
    "record-pinned-key-without-history": (lambda: proof(keysets=()), city.policy(), 2),
    "record-without-policy": (proof, None, 2),
    "record-without-log-key": (proof, city.policy(log_vkey=None), 2),
    "record-without-keyset": (lambda: proof(keysets=()), NO_PINS, 2),
    "record-without-acceptance": (lambda: proof(accept=None), NO_PINS, 2),
    "record-accepted-before-its-keys": (accepted_before_its_keys, NO_PINS, 1),
    "altered-line": (lambda: proof(line=LINES[1]), NO_PINS, 1),
    "altered-line-without-policy": (lambda: proof(line=LINES[1]), None, 1),
    "altered-path": (lambda: proof(path=[bytes(32)] * 3), NO_PINS, 1),
    "short-path": (lambda: proof(path=[]), NO_PINS, 1),
    "wrong-index": (lambda: proof(index=1), NO_PINS, 1),
    "wrong-key": (
        lambda: bundle.build(city.record(city.batch(STRANGER), kid=STRANGER.kid)),
        NO_PINS,
        1,
    ),
    "other-gateway": (proof, city.policy(aud="other.example"), 1),
    "other-log-key": (proof, city.policy(log_vkey=OTHER_LOG.vkey), 1),
    "key-lost-before": (lambda: lost(3), NO_PINS, 1),
    "keyset-not-signed-by-itself": (
        lambda: bundle.build(city.record(keysets=[city.first_keyset(signers=[STRANGER])])),
        NO_PINS,
        1,
    ),
    "keyset-of-the-new-key-alone": (lambda: two_keys(signers=[NEXT]), NO_PINS, 1),
    "keyset-without-the-new-key": (lambda: two_keys(signers=[AGENCY]), NO_PINS, 1),
    "keyset-without-recovery-signature": (
        lambda: proof(
            keysets=city.record(keysets=[city.first_keyset(signers=[AGENCY])]).origin.keysets
        ),
        NO_PINS,
        1,
    ),
    "keyset-with-more-than-a-rotation-may": (lambda: two_keys(recovery=None), NO_PINS, 1),
    "keyset-that-drops-the-old-key": (
        lambda: two_keys(keys=json.loads(dsse.parse(city.first_keyset()).payload)["keys"]),
        NO_PINS,
        1,
    ),
    "keyset-issued-before-its-key": (
        lambda: two_keys(issued="2026-11-25T02:00:00Z"),
        NO_PINS,
        1,
    ),
    "keyset-skips-a-version": (lambda: two_keys(version=3), NO_PINS, 1),
    "keyset-after-another": (lambda: two_keys(prev="00" * 32), NO_PINS, 1),
    "keyset-begins-late": (
        lambda: bundle.build(city.record(keysets=[city.next_keyset()])),
        NO_PINS,
        1,
    ),
    "keyset-not-in-log": (
        lambda: proof(keysets=[misplaced(city.record().origin.keysets[0])]),
        NO_PINS,
        1,
    ),
    "keyset-of-another-agency": (
        lambda: bundle.build(city.record(city.batch(agency="bpjs"))),
        NO_PINS,
        1,
    ),
    "keyset-entry-of-another-kind": (
        lambda: proof(keysets=[other_entry(t="heartbeat")]),
        NO_PINS,
        1,
    ),
    "keyset-entry-without-envelope": (
        lambda: proof(keysets=[other_entry(t="keyset")]),
        NO_PINS,
        1,
    ),
    "keyset-entry-of-a-batch": (
        lambda: proof(keysets=[other_entry(t="keyset", envelope=json.loads(city.receipt()))]),
        NO_PINS,
        1,
    ),
    "accept-of-another-batch": (lambda: proof(accept=other_entry(seq=2)), NO_PINS, 1),
    "accept-of-another-payload": (
        lambda: proof(accept=other_entry(payload_sha256="00" * 32)),
        NO_PINS,
        1,
    ),
    "accept-of-another-key": (lambda: proof(accept=other_entry(kid="x")), NO_PINS, 1),
    "accept-of-no-key": (lambda: proof(accept=other_entry(kid=7)), NO_PINS, 1),
    "accept-not-canonical": (
        lambda: proof(
            accept=LoggedEntry(b'{"t": "accept"}', city.record().origin.keysets[0].proof)
        ),
        NO_PINS,
        1,
    ),
    "accept-not-json": (
        lambda: proof(accept=LoggedEntry(b"{", city.record().origin.keysets[0].proof)),
        NO_PINS,
        1,
    ),
    "accept-not-in-log": (
        lambda: proof(accept=replace(other_entry(), proof=city.record().origin.keysets[0].proof)),
        NO_PINS,
        1,
    ),
    "accept-proof-damaged": (
        lambda: proof(accept=replace(other_entry(), proof="")),
        NO_PINS,
        1,
    ),
    "envelope-damaged": (lambda: proof(envelope=b"{}"), NO_PINS, 1),
    "envelope-of-another-kind": (lambda: proof(envelope=city.receipt()), NO_PINS, 1),
    "payload-lacks-a-field": (
        lambda: proof(
            envelope=dsse.seal("application/vnd.titian.batch.v1+json", b'{"aud":"x"}', [AGENCY])
        ),
        NO_PINS,
        1,
    ),
    "proof-cut": (lambda: proof()[:-50], NO_PINS, 1),
    "proof-of-a-later-version": (
        lambda: proof().replace(b'"titian_proof": 1', b'"titian_proof": 2'),
        NO_PINS,
        1,
    ),
    "proof-of-an-unknown-kind": (lambda: proof().replace(b'"record"', b'"story"'), NO_PINS, 1),
    "proof-with-a-wrong-field": (
        lambda: proof().replace(b'"index": 2', b'"index": "2"'),
        NO_PINS,
        1,
    ),
    # batches without their lines
    "valid-batch-proof": (whole, NO_PINS, 0),
    "valid-batch-proof-of-nothing": (
        lambda: bundle.build(city.whole(city.batch(lines=[]))),
        NO_PINS,
        0,
    ),
    "batch-proof-without-policy": (whole, None, 2),
    "batch-proof-without-log-key": (whole, city.policy(log_vkey=None), 2),
    "batch-proof-lacks-a-leaf": (lambda: whole(leaves=city.batch().leaves[:-1]), NO_PINS, 1),
    "batch-proof-swaps-leaves": (lambda: whole(leaves=city.batch().leaves[::-1]), NO_PINS, 1),
    "batch-proof-adds-a-leaf": (
        lambda: whole(leaves=[*city.batch().leaves, bytes(32)]),
        NO_PINS,
        1,
    ),
    "batch-proof-other-gateway": (whole, city.policy(aud="other.example"), 1),
    "batch-proof-without-acceptance": (
        lambda: whole(origin=replace(city.whole().origin, accept=None)),
        NO_PINS,
        2,
    ),
    "batch-proof-wrong-key": (
        lambda: bundle.build(city.whole(city.batch(STRANGER), kid=STRANGER.kid)),
        NO_PINS,
        1,
    ),
    # questions and answers
    "valid-query": (look, NO_PINS, 0),
    "query-without-policy": (look, None, 2),
    "query-other-log-key": (look, city.policy(log_vkey=OTHER_LOG.vkey), 1),
    "query-without-answer": (lambda: look(results=(), sources=()), NO_PINS, 2),
    "query-without-sources": (lambda: look(sources=()), NO_PINS, 2),
    "query-question-erased": (lambda: query_opened(detail=None, salt=None), NO_PINS, 2),
    "query-answer-erased": (lambda: result_opened(detail=None, salt=None), NO_PINS, 2),
    "query-other-question": (
        lambda: query_opened(detail=canonical({"terms": {"typed": "Budi 1990"}})),
        NO_PINS,
        1,
    ),
    "query-other-salt": (lambda: query_opened(salt=bytes(32)), NO_PINS, 1),
    "query-detail-not-canonical": (lambda: query_opened(detail=b'{"terms": {}}'), NO_PINS, 1),
    "query-detail-no-object": (lambda: query_opened(detail=b"[]"), NO_PINS, 1),
    "query-other-answer": (
        lambda: result_opened(detail=canonical({"persons": [], "fields": "candidate"})),
        NO_PINS,
        1,
    ),
    "query-answer-to-another-question": (
        lambda: look(query=city.look(asked={"terms": {"typed": "x"}}).query),
        NO_PINS,
        1,
    ),
    "query-shows-more-than-logged": (
        lambda: bundle.build(city.look(shown={"persons": ["p" * 26, "r" * 26]})),
        NO_PINS,
        1,
    ),
    "query-shows-no-list": (lambda: bundle.build(city.look(shown={"persons": 1})), NO_PINS, 1),
    "query-answered-before-asked": (answer_first, NO_PINS, 1),
    "query-foreign-source": (lambda: look(sources=[other_entry(seq=9)]), NO_PINS, 1),
    "query-source-of-another-kind": (
        lambda: look(sources=[city.look().query.logged]),
        NO_PINS,
        1,
    ),
    "query-result-in-place-of-query": (
        lambda: look(query=city.look().results[0]),
        NO_PINS,
        1,
    ),
    "query-not-in-log": (
        lambda: query_opened(
            logged=replace(city.look().query.logged, proof=city.look().sources[0].proof)
        ),
        NO_PINS,
        1,
    ),
    # decisions
    "valid-decision": (decided, NO_PINS, 0),
    "valid-decision-by-subject": (
        lambda: decided(subject=city.decision_sha256(), statement=None),
        NO_PINS,
        0,
    ),
    "decision-without-policy": (decided, None, 2),
    "decision-without-statement": (
        lambda: bundle.build(replace(city.decision(), statement=None)),
        NO_PINS,
        2,
    ),
    "decision-detail-erased": (lambda: decided_opened(detail=None, salt=None), NO_PINS, 2),
    "decision-other-statement": (
        lambda: bundle.build(replace(city.decision(), statement=b"{}")),
        NO_PINS,
        1,
    ),
    "decision-other-role": (lambda: decided(role="operator"), NO_PINS, 1),
    "decision-other-salt": (lambda: decided_opened(salt=bytes(32)), NO_PINS, 1),
    "decision-of-another-kind": (lambda: decided(t="query"), NO_PINS, 1),
    # batches
    "valid-batch": (frames, city.policy(), 0),
    "valid-empty-batch": (lambda: frames(lines=[]), city.policy(), 0),
    "batch-without-policy": (frames, None, 2),
    "batch-of-unknown-agency": (frames, NO_PINS, 2),
    "batch-altered": (altered_body, city.policy(), 1),
    "batch-cut": (lambda: frames()[:-3], city.policy(), 1),
    "batch-cut-in-its-head": (lambda: frames()[:20], city.policy(), 1),
    "batch-with-tail": (lambda: frames() + b"x", city.policy(), 1),
    "batch-wrong-key": (lambda: frames(signer=STRANGER), city.policy(), 1),
    "batch-other-gateway": (lambda: frames(aud="other.example"), city.policy(), 1),
    # keysets
    "valid-keyset-pinned": (
        city.first_keyset,
        city.policy(agencies={"dinsos": city.key_json(AGENCY) | city.key_json(RECOVERY)}),
        0,
    ),
    "keyset-unknown": (city.first_keyset, NO_PINS, 2),
    "keyset-without-policy": (city.first_keyset, None, 2),
    "keyset-foreign-signature": (
        lambda: city.first_keyset(signers=[STRANGER]),
        city.policy(),
        1,
    ),
    "keyset-other-gateway": (lambda: city.first_keyset("other.example"), city.policy(), 1),
    "valid-keyset-history": (
        lambda: keyset_proof(city.first_keyset(), city.next_keyset()),
        NO_PINS,
        0,
    ),
    "valid-keyset-history-revoked": (
        lambda: keyset_proof(city.first_keyset(), city.next_keyset(), city.lost_keyset(2)),
        NO_PINS,
        0,
    ),
    "keyset-history-out-of-order": (keysets_out_of_order, NO_PINS, 1),
    "keyset-history-empty": (keyset_proof, NO_PINS, 2),
    "keyset-history-broken": (
        lambda: keyset_proof(city.first_keyset(), city.first_keyset()),
        NO_PINS,
        1,
    ),
    # receipts
    "valid-receipt": (city.receipt, city.policy(), 0),
    "receipt-without-policy": (city.receipt, None, 2),
    "receipt-foreign-key": (lambda: city.receipt(STRANGER), city.policy(), 1),
    "receipt-other-gateway": (lambda: city.receipt(aud="x"), city.policy(), 1),
    "receipt-lacks-a-field": (
        lambda: dsse.seal(bundle.RECEIPT_TYPE, b"{}", [city.RECEIPT]),
        city.policy(),
        1,
    ),
    # checkpoints
    "valid-checkpoint": (note, city.policy(), 0),
    "checkpoint-without-policy": (note, None, 2),
    "checkpoint-foreign-key": (lambda: note(OTHER_LOG), city.policy(), 1),
    "checkpoint-altered": (lambda: note().replace(b"\n5\n", b"\n6\n"), city.policy(), 1),
    # where two readers could differ
    "accept-says-true-for-one": (lambda: proof(accept=other_entry(seq=True)), NO_PINS, 1),
    "batch-says-true-for-one": (lambda: frames(epoch=True), city.policy(), 1),
    "keyset-says-one-for-true": (
        lambda: two_keys(policy={"batch_sig": "ed25519", "min_record_salt": 1}),
        NO_PINS,
        1,
    ),
    "query-answer-says-true-for-one": (lambda: answered(n=True), NO_PINS, 1),
    "query-answer-names-no-list": (lambda: answered(batches=5), NO_PINS, 1),
    "query-answer-names-null": (lambda: answered(batches=None), NO_PINS, 1),
    "query-answer-names-numbers": (lambda: answered(batches=[5]), NO_PINS, 1),
    "query-answer-shows-nothing-of-one": (
        lambda: answered(b"{}", commit=commit({}, bytes([2]) * 32).sha256.hex()),
        NO_PINS,
        1,
    ),
    "valid-query-of-many-levels": (
        lambda: bundle.build(city.look(asked=nested(64))),
        NO_PINS,
        0,
    ),
    "query-of-too-many-levels": (lambda: bundle.build(city.look(asked=nested(65))), NO_PINS, 1),
    "keyset-of-the-first-year": (
        lambda: first_said(issued="0001-01-01T00:00:00Z"),
        city.policy(),
        1,
    ),
    "keyset-of-the-last-year": (
        lambda: two_keys(issued="9999-12-31T23:59:59Z"),
        NO_PINS,
        1,
    ),
    "keyset-of-a-day-that-is-none": (
        lambda: first_said(issued="2026-02-30T00:00:00Z"),
        city.policy(),
        1,
    ),
    "valid-keyset-enrolled-anew": (lambda: reenrolled(NEXT, STRANGER), NO_PINS, 0),
    "keyset-takes-an-old-key-again": (lambda: reenrolled(NEXT, AGENCY), NO_PINS, 1),
    "keyset-by-an-unknown-centre": (
        lambda: reenrolled(NEXT),
        city.policy(agencies=None, receipt=None),
        2,
    ),
    "keyset-by-an-unknown-centre-that-does-not-follow": (
        lambda: lost(4, signers=[RECEIPT], prev="00" * 32),
        city.policy(agencies=None, receipt=None),
        1,
    ),
    # what is none of Titian's
    "empty": (lambda: b"", city.policy(), 1),
    "noise": (lambda: bytes(range(256)), city.policy(), 1),
    "other-json": (lambda: b'{"hello": 1}', city.policy(), 1),
    "other-statement": (lambda: dsse.seal("text/plain", b"x", [AGENCY]), city.policy(), 1),
    "proof-list": (lambda: b'{"titian_proof": [', city.policy(), 1),
}
