"""Carries the outbox to the gateway: in order, idempotent, healed only from a head that is ours.

What can be wrong with a head, and what follows (trust.md 2.5):

1. equal to our last sealed batch, or to one in the outbox: what follows it is sent (again);
2. behind what we have receipts for: the gateway was restored from a backup; we send again what it
   lost, if the hash at its head is ours;
3. ahead of us, or a hash that is not ours: our state is old or lost. We go on from it only if the
   gateway's receipt and the log prove it; all rows then count as never sent, and the next reading
   is a full snapshot;
4. a hash that is not ours where we know the batch: a fork. Nothing more is sent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from connectors import alarms, exhibits
from connectors.client import Client, Problem
from connectors.errors import CallCentre, Wait
from connectors.evidence import (
    Anchors,
    check_proof,
    check_receipt,
    proved_head,
)
from connectors.memory import Head, Memory
from connectors.outbox import Parcel, Receipted
from connectors.sealing import genesis
from connectors.witness import Witness, witnessed
from keys.canonical import from_base64, from_moment, to_moment
from keys.checkpoint import Checkpoint
from keys.errors import BadJson
from keys.httpsig import LogSeen

PROMISE = timedelta(seconds=60)
TWICE_WITHIN = timedelta(days=1)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Courier:
    """One agency's outbox and its gateway."""

    client: Client
    memory: Memory
    anchors: Anchors
    clock: Callable[[], datetime]
    blocks_of: Mapping[str, tuple[str, ...]]
    witness: Witness
    sent: Callable[[str, int], None] = lambda _stream, _seq: None
    voiced: Callable[[Parcel], Parcel] = lambda parcel: parcel
    """The parcel under a key that may still speak for it."""

    def catch_up(self, stream: str) -> bool:
        """Agrees with the gateway on the head; True if the stream must begin with a full snapshot.

        Raises:
            CallCentre: `trust.fork`, `trust.head_unproved`, `gateway.suspended`.
            Wait: the gateway cannot be reached.
        """
        head = self._asked(lambda: self.client.head(stream))
        if head.get("suspended"):
            raise CallCentre("gateway.suspended", stream=stream)
        theirs = _head(head, stream, self.client.agency)
        ours = self.memory.head(stream) or genesis(self.client.agency, stream)
        known = self._hash_at(stream, theirs, ours)
        if known == theirs.hash:
            self._resend_after(stream, theirs)
            return False
        behind_or_equal = (theirs.epoch, theirs.seq) <= (ours.epoch, ours.seq)
        if known is not None and behind_or_equal and self._is_receipted(stream, theirs):
            raise CallCentre("trust.fork", stream=stream, seq=theirs.seq)
        self._adopt(stream, head)
        return True

    def send(self, stream: str) -> int:
        """Sends every batch without a receipt and keeps the receipts; how many went out."""
        sent = 0
        for sealed in self.memory.outbox.unsent(stream):
            parcel = self.voiced(sealed)
            try:
                receipt = self._asked(
                    lambda p=parcel: self.client.put_batch(p.stream, p.epoch, p.seq, p.body)  # type: ignore[misc]
                )
            except CallCentre as err:
                if err.code == "gateway.refused" and err.facts.get("code") == "stream.fork":
                    raise CallCentre("trust.fork", stream=stream, seq=parcel.seq) from err
                raise
            leaf = check_receipt(receipt, _fields(self.client.agency, parcel), self.anchors)
            self.memory.outbox.put_receipt(parcel, receipt, leaf, to_moment(self.clock()))
            sent += 1
            self.sent(stream, parcel.seq)
        return sent

    def settle(self) -> int:
        """Swaps receipts for log proofs where the log has them; how many were settled.

        Raises:
            CallCentre: a proof does not hold, the log contradicts itself, or a promise was broken.
        """
        waiting = self.memory.outbox.unsettled()
        if not waiting:
            alarms.drop(self.memory, alarms.PROMISE)
            return 0
        self.watch()
        settled, late = 0, []
        for batch in waiting:
            proof = self._asked(lambda b=batch: self.client.proof(b.leaf))  # type: ignore[misc]
            if proof is None:
                if self.clock() - from_moment(batch.received_at) > PROMISE:
                    late.append(batch)
                continue
            remember(self.memory, check_proof(proof, batch.leaf, self.anchors))
            self.memory.outbox.put_proof(batch, proof, to_moment(self.clock()))
            settled += 1
        self._say_late(late)
        return settled

    def _say_late(self, late: Sequence[Receipted]) -> None:
        """Receipts whose promise was broken are the proof of it."""
        if not late:
            alarms.drop(self.memory, alarms.PROMISE)
            return
        facts = {"batches": len(late), "seconds": int(PROMISE.total_seconds())}
        if alarms.find(self.memory, alarms.PROMISE) is None:
            receipts = {
                f"receipt-{each.stream}-{each.epoch}-{each.seq}.json": each.receipt for each in late
            }
            note = {"receipt.note": witnessed(self.memory)}
            exhibits.keep(self.witness.evidence, self.clock(), {**receipts, **note})
        alarms.put(self.memory, alarms.PROMISE, self.clock(), **facts)
        raise CallCentre(alarms.PROMISE, **facts)

    def watch(self) -> None:
        """Follows the log to its newest checkpoint, as a witness.

        Raises:
            CallCentre: the log contradicts what was seen.
            Wait: the gateway cannot be reached.
        """
        remember(self.memory, self._asked(self.witness.watch).checkpoint)

    def log_seen(self) -> LogSeen:
        """The largest log this connector has verified."""
        return log_seen(self.memory)

    def _hash_at(self, stream: str, theirs: Head, ours: Head) -> bytes | None:
        """Our own hash of the batch that is their head, or None where we do not know it."""
        if theirs.seq == 0:
            return genesis(self.client.agency, stream).hash
        if (theirs.epoch, theirs.seq) == (ours.epoch, ours.seq):
            return ours.hash
        return self.memory.outbox.payload_hash(stream, theirs.epoch, theirs.seq)

    def _is_receipted(self, stream: str, head: Head) -> bool:
        return (head.epoch, head.seq) <= self.memory.outbox.last_received(stream)

    def _resend_after(self, stream: str, theirs: Head) -> None:
        last = self.memory.outbox.last_received(stream)
        if last > (theirs.epoch, theirs.seq):
            self._say_lost(stream, theirs)
            with self.memory.change():
                self.memory.outbox.send_again(stream, theirs.epoch, theirs.seq + 1)

    def _say_lost(self, stream: str, theirs: Head) -> None:
        """The receipts of what the gateway lost prove that it had it."""
        lost = self.memory.outbox.receipts_after(stream, theirs.epoch, theirs.seq)
        kept = {f"lost-{stream}-{epoch}-{seq}.json": receipt for epoch, seq, receipt in lost}
        exhibits.keep(self.witness.evidence, self.clock(), kept)
        alarms.put(self.memory, alarms.LOST, self.clock(), stream=stream, batches=len(lost))

    def _adopt(self, stream: str, head: Mapping[str, Any]) -> None:
        # A state restored from a backup happens once. Again within a day, another connector
        # publishes under our key.
        last = self.memory.fact(f"adopted.{stream}")
        if last is not None and self.clock() - from_moment(last) < TWICE_WITHIN:
            raise CallCentre("trust.fork", stream=stream, seq=head["seq"])
        text = head.get("receipt")
        try:
            receipt = from_base64(text) if isinstance(text, str) else None
        except BadJson as err:
            raise Wait("gateway.answer", reason="receipt") from err
        leaf = proof = None
        if receipt is not None:
            claimed = {name: head[name] for name in ("epoch", "seq", "payload_sha256")}
            who = {"agency": self.client.agency, "stream": stream}
            leaf = check_receipt(receipt, {**who, **claimed}, self.anchors)
            proof = self._asked(lambda: self.client.proof(leaf))
        proved = proved_head(head, leaf, proof, stream, self.anchors)
        with self.memory.change():
            self.memory.outbox.drop_unsent(stream)
            self.memory.put_head(stream, proved)
            self.memory.put_fact(f"adopted.{stream}", to_moment(self.clock()))
            self.memory.forget_all([self.memory.block(name) for name in self.blocks_of[stream]])
            facts = {"stream": stream, "seq": head["seq"]}
            alarms.put(self.memory, alarms.ADOPTED, self.clock(), **facts)

    def _asked(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except Problem as problem:
            raise problem.error() from problem
        except Wait as err:
            if err.code != "gateway.unreachable":
                raise
            waiting = self.memory.outbox.counts()["waiting"]
            reason = err.facts.get("reason")
            raise Wait("gateway.unreachable", reason=reason, waiting=waiting) from err


def remember(memory: Memory, found: Checkpoint) -> None:
    """This connector has verified a log of that size."""
    if found.size > log_seen(memory).size:
        memory.put_fact("log_seen", {"size": found.size, "root": found.root.hex()})


def log_seen(memory: Memory) -> LogSeen:
    """The largest log that a memory has verified."""
    fact = memory.fact("log_seen")
    return LogSeen() if fact is None else LogSeen(fact["size"], bytes.fromhex(fact["root"]))


def _head(head: Mapping[str, Any], stream: str, agency: str) -> Head:
    try:
        if not int(head["seq"]):
            return genesis(agency, stream)
        return Head(int(head["epoch"]), int(head["seq"]), bytes.fromhex(head["payload_sha256"]))
    except (KeyError, TypeError, ValueError) as err:
        raise Wait("gateway.answer", reason="head") from err


def _fields(agency: str, parcel: Parcel) -> dict[str, Any]:
    return {
        "agency": agency,
        "stream": parcel.stream,
        "epoch": parcel.epoch,
        "seq": parcel.seq,
        "payload_sha256": parcel.payload_sha256.hex(),
        "root": parcel.root.hex(),
        "count": parcel.count,
    }
