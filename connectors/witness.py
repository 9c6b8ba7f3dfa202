"""Follows the gateway's log and says so: whoever rewrites it must contradict what was cosigned.

A checkpoint counts only if it extends the last one that this connector kept. It is kept on the disk
*before* it is cosigned, so that no crash can make this witness vouch for two histories. What
contradicts is written to `fork-evidence/` as the two signed notes, for anybody to judge, and
nothing more is sent.

Source: trust.md 3.4, 3.5; C2SP tlog-witness, with the roles turned round: the witness calls.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connectors import alarms, exhibits
from connectors.client import Client, Problem
from connectors.clocks import apart
from connectors.errors import CallCentre
from connectors.evidence import Anchors, check_checkpoint
from connectors.memory import Memory
from keys import merkle
from keys.checkpoint import Checkpoint, verify, witness_key
from keys.cosignature import cosign
from keys.errors import BadJson, BadProof, TrustError
from keys.httpsig import LogSeen
from keys.signers import Signer

_FACT = "witnessed"
_JOINED = "witnessed.common"
_LATE = {"log.size", "log.witness"}
"""Refusals that are nobody's lie, like those of a key that may not speak: a newer checkpoint came
meanwhile, or our witness key is not known."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A checkpoint that holds, the note that says it, and what the gateway's clock said then."""

    checkpoint: Checkpoint
    note: bytes
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Witness:
    """One connector as a witness; without a key of its own (`signer`) it watches only."""

    client: Client
    memory: Memory
    anchors: Anchors
    signer: Signer | None
    clock: Callable[[], datetime]
    evidence: Path

    def watch(self) -> Sighting:
        """The newest checkpoint, which extends all that was seen; cosigned where it is new.

        It is not cosigned by a clock that does not agree with the gateway's.

        Raises:
            CallCentre: `trust.proof` for a bad note, `trust.log_shrank` for a smaller log or
                another root of one size, `trust.log_rewritten` for one that does not extend the
                last one kept.
            Problem: the gateway refused, or cannot be reached.
        """
        shown = self.client.checkpoint()
        note = shown.note
        kept = self.memory.fact(_FACT) or {"size": 0, "root": "", "note": ""}
        seen = LogSeen(kept["size"], bytes.fromhex(kept["root"]))
        try:
            found = check_checkpoint(note, seen, self.anchors)
            if found.size > seen.size > 0:
                self._check_extends(seen, found)
        except CallCentre as err:
            if err.code != "trust.proof":
                both = {"before.note": kept["note"].encode("utf-8"), "now.note": note}
                exhibits.keep(self.evidence, self.clock(), both)
                alarms.put(self.memory, err.code, self.clock(), **err.facts)
            raise
        if found.size > seen.size:
            text = note.decode("utf-8")
            self.memory.put_fact(
                _FACT, {"size": found.size, "root": found.root.hex(), "note": text}
            )
            if apart(self.clock(), [shown.at]) is None:
                self._cosign(found)
                self._join(found)
        return Sighting(found, note, shown.at)

    def _join(self, newest: Checkpoint) -> None:
        """Cosigns the checkpoint that all witnesses are shown in this minute as well.

        What each finds newest differs while the log grows; under this one their lines meet.
        """
        note = None if self.signer is None else self.client.common_checkpoint()
        if note is None:
            return
        try:
            common = verify(note, self.anchors.log_vkey)
        except TrustError as err:
            raise CallCentre("trust.proof", reason=str(err)) from err
        if not int(self.memory.fact(_JOINED) or 0) < common.size < newest.size:
            return
        self._check_extends(LogSeen(common.size, common.root), newest)
        self.memory.put_fact(_JOINED, common.size)
        self._cosign(common)

    def _check_extends(self, seen: LogSeen, found: Checkpoint) -> None:
        try:
            path = self.client.consistency(seen.size, found.size)
            merkle.verify_consistency(seen.size, found.size, seen.root, found.root, path)
        except (BadProof, BadJson) as err:
            raise CallCentre("trust.log_rewritten", seen=seen.size, size=found.size) from err

    def _cosign(self, found: Checkpoint) -> None:
        if self.signer is None:
            return
        key = witness_key(self.client.agency, self.signer.public)
        try:
            self.client.put_cosignature(found.size, cosign(found, key, self.signer, self.clock()))
        except Problem as problem:
            if problem.code not in _LATE and not problem.code.startswith("key."):
                raise


def witnessed(memory: Memory) -> bytes:
    """The signed note of the newest checkpoint that was kept; empty before the first."""
    kept = memory.fact(_FACT)
    return b"" if kept is None else str(kept["note"]).encode("utf-8")
