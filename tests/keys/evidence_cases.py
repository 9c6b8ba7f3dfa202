"""Good and bad evidence of each kind, with the exit status that ``titian-verify`` must give."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from keys import bundle, dsse
from keys.bundle import KeysetEvidence, LoggedEntry
from keys.checkpoint import Checkpoint, NoteSigner
from tests.keys import city
from tests.keys.city import AGENCY, LINES, LOG, NEXT, ORIGIN, STRANGER, Log

NO_PINS = city.policy(agencies=None)
OTHER_LOG = NoteSigner(ORIGIN, bytes([8]) * 32)


def proof(**change: Any) -> bytes:
    """The evidence file of a good record, with parts exchanged."""
    return bundle.build_record(replace(city.record(), **change))


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


def two_keys(**options: Any) -> bytes:
    """A record signed by the second key of its agency."""
    keysets = [city.first_keyset(), city.next_keyset(**options)]
    sealed = city.batch(NEXT)
    return bundle.build_record(city.record(sealed, keysets=keysets, kid=NEXT.kid))


def accepted_before_its_keys() -> bytes:
    """The keyset came into the log only after the batch was accepted."""
    sealed, log = city.batch(), Log()
    entry = bundle.accept_entry(json.loads(sealed.payload), sealed.payload_sha256, AGENCY.kid)
    accepted = log.add(entry)
    known = log.add(bundle.keyset_entry("dinsos", 1, city.first_keyset()))
    evidence = city.record(sealed)
    return bundle.build_record(
        replace(evidence, keysets=[log.proved(known)], accept=log.proved(accepted))
    )


def lost(size_at_since: int) -> dict[str, Any]:
    revocation = {
        "kid": NEXT.kid,
        "since": "2026-11-24T02:00:00Z",
        "reason": "key_compromise",
        "size_at_since": size_at_since,
    }
    return {"revoked": [revocation]}


def frames(**change: Any) -> bytes:
    return city.batch(**change).body


def altered_body() -> bytes:
    """A batch whose envelope is that of other lines of the same length."""
    others = [line.replace(b"put", b"del") for line in LINES]
    good, bad = city.batch(), city.batch(lines=others)
    return good.body[: 8 + len(city.envelope_of(good))] + bad.body[8 + len(city.envelope_of(bad)) :]


def keyset_proof(*statements: bytes) -> bytes:
    evidence = city.record(keysets=statements)
    return bundle.build_keyset(KeysetEvidence(evidence.keysets))


def note(signer: NoteSigner = LOG, size: int = 5, root: bytes = bytes(32)) -> bytes:
    return signer.sign(Checkpoint(signer.key.name, size, root))


Case = tuple[Callable[[], bytes], bytes | None, int]
CASES: dict[str, Case] = {
    # records
    "valid-record": (proof, NO_PINS, 0),
    "valid-record-second-key": (two_keys, NO_PINS, 0),
    "valid-record-key-lost-later": (lambda: two_keys(**lost(4)), NO_PINS, 0),
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
        lambda: bundle.build_record(city.record(city.batch(STRANGER), kid=STRANGER.kid)),
        NO_PINS,
        1,
    ),
    "other-gateway": (proof, city.policy(aud="other.example"), 1),
    "other-log-key": (proof, city.policy(log_vkey=OTHER_LOG.vkey), 1),
    "key-lost-before": (lambda: two_keys(**lost(3)), NO_PINS, 1),
    "keyset-not-signed-by-itself": (
        lambda: bundle.build_record(city.record(keysets=[city.first_keyset(signers=[STRANGER])])),
        NO_PINS,
        1,
    ),
    "keyset-of-the-new-key-alone": (lambda: two_keys(signers=[NEXT]), NO_PINS, 1),
    "keyset-without-the-new-key": (lambda: two_keys(signers=[AGENCY]), NO_PINS, 1),
    "keyset-skips-a-version": (lambda: two_keys(version=3), NO_PINS, 1),
    "keyset-after-another": (lambda: two_keys(prev="00" * 32), NO_PINS, 1),
    "keyset-begins-late": (
        lambda: bundle.build_record(
            city.record(keysets=[city.next_keyset()]),
        ),
        NO_PINS,
        1,
    ),
    "keyset-not-in-log": (
        lambda: proof(keysets=[misplaced(city.record().keysets[0])]),
        NO_PINS,
        1,
    ),
    "keyset-of-another-agency": (
        lambda: bundle.build_record(city.record(city.batch(agency="bpjs"))),
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
        lambda: proof(accept=LoggedEntry(b'{"t": "accept"}', city.record().keysets[0].proof)),
        NO_PINS,
        1,
    ),
    "accept-not-json": (
        lambda: proof(accept=LoggedEntry(b"{", city.record().keysets[0].proof)),
        NO_PINS,
        1,
    ),
    "accept-not-in-log": (
        lambda: proof(accept=replace(other_entry(), proof=city.record().keysets[0].proof)),
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
    "valid-keyset-pinned": (city.first_keyset, city.policy(), 0),
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
    # what is none of Titian's
    "empty": (lambda: b"", city.policy(), 1),
    "noise": (lambda: bytes(range(256)), city.policy(), 1),
    "other-json": (lambda: b'{"hello": 1}', city.policy(), 1),
    "other-statement": (lambda: dsse.seal("text/plain", b"x", [AGENCY]), city.policy(), 1),
    "proof-list": (lambda: b'{"titian_proof": [', city.policy(), 1),
}
