"""What the gateway says is believed only here: receipts by its key, places by its checkpoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.errors import CallCentre
from connectors.memory import Head
from keys import checkpoint, dsse, merkle
from keys.canonical import read_json
from keys.checkpoint import Checkpoint
from keys.errors import TrustError
from keys.httpsig import LogSeen
from keys.signers import PublicKey

RECEIPT_TYPE = "application/vnd.titian.receipt.v1+json"


@dataclass(frozen=True, slots=True)
class Anchors:
    """What the ticket handed over: who the gateway is, its log's key and its receipt keys.

    The receipt keys grow while the connector works, as it learns of successors (`trust`).
    """

    aud: str
    log_vkey: str
    receipt_keys: dict[str, PublicKey]

    def trust(self, more: Mapping[str, PublicKey]) -> None:
        """Receipts by these keys are believed as well, from now on and by all who hold this."""
        self.receipt_keys.update(more)


def check_receipt(receipt: bytes, expected: Mapping[str, Any], anchors: Anchors) -> bytes:
    """The leaf hash that a receipt promises, if it is signed and speaks of the batch expected.

    `expected` are the fields that must be equal: agency, stream, epoch, seq, payload_sha256 and,
    where we have the batch itself, root and count.

    Raises:
        CallCentre: `trust.receipt`.
    """
    try:
        envelope = dsse.parse(receipt)
        if envelope.payload_type != RECEIPT_TYPE:
            raise CallCentre("trust.receipt", reason="it is another kind of statement.")
        envelope.verify(anchors.receipt_keys)
        payload = read_json(envelope.payload)
    except TrustError as err:
        raise CallCentre("trust.receipt", reason=str(err)) from err
    wanted = {**expected, "aud": anchors.aud}
    wrong = sorted(name for name in wanted if payload.get(name) != wanted[name])
    if wrong:
        raise CallCentre("trust.receipt", reason=f"it says something else on {', '.join(wrong)}.")
    try:
        leaf = bytes.fromhex(str(payload["leaf"]))
    except (KeyError, ValueError) as err:
        raise CallCentre("trust.receipt", reason="it names no leaf.") from err
    return leaf


def check_proof(text: str, leaf: bytes, anchors: Anchors) -> Checkpoint:
    """The checkpoint that a log proof leads to, signed by the log's key.

    Raises:
        CallCentre: `trust.proof`.
    """
    try:
        proof = checkpoint.parse_proof(text)
        found = checkpoint.verify(proof.note, anchors.log_vkey)
        merkle.verify_inclusion(leaf, proof.index, found.size, proof.path, found.root)
    except TrustError as err:
        raise CallCentre("trust.proof", reason=str(err)) from err
    return found


def check_checkpoint(note: bytes, seen: LogSeen, anchors: Anchors) -> Checkpoint:
    """A checkpoint signed by the log that does not contradict the largest one seen.

    Raises:
        CallCentre: `trust.proof` for a bad note, `trust.log_shrank` for a smaller log or another
            root at the same size.
    """
    try:
        found = checkpoint.verify(note, anchors.log_vkey)
    except TrustError as err:
        raise CallCentre("trust.proof", reason=str(err)) from err
    same = found.size == seen.size and seen.size > 0
    if found.size < seen.size or (same and found.root != seen.root):
        raise CallCentre("trust.log_shrank", seen=seen.size, size=found.size)
    return found


def proved_head(
    head: Mapping[str, Any], leaf: bytes | None, proof: str | None, stream: str, anchors: Anchors
) -> Head:
    """The head that a gateway claims, if its own receipt (of that leaf) stands in the log.

    Raises:
        CallCentre: `trust.head_unproved`, or the proof does not hold.
    """
    seq = int(head["seq"])
    if leaf is None or proof is None:
        raise CallCentre("trust.head_unproved", stream=stream, seq=seq)
    check_proof(proof, leaf, anchors)
    return Head(int(head["epoch"]), seq, bytes.fromhex(str(head["payload_sha256"])))
