"""After a revocation or a return, the agency vouches for its own batches in quarantine.

Ours is what this memory sealed, by number and hash. The rest is a thief's, or of a memory that was
lost: it stays where it is, and what it should have said is published anew.

Source: trust.md 1.6 (way out b).
"""

from dataclasses import dataclass

from connectors.client import Client, Problem
from connectors.config import Publish
from connectors.courier import Courier
from connectors.memory import Memory
from connectors.runner import Job
from connectors.sealing import Sealer
from schemas.batch import MAX_ATTESTED


@dataclass(frozen=True, slots=True)
class Quarantine:
    """What waits of a stream: batches of ours, as an `attest` names them, and how many are not."""

    stream: str
    ours: tuple[dict[str, object], ...]
    others: int


def look(client: Client, memory: Memory, stream: str) -> Quarantine:
    """What is in quarantine, compared with what this memory sealed.

    Raises:
        ConnectorError: the gateway refused, or cannot be reached.
    """
    try:
        told = client.recovery(stream)["quarantined"]
    except Problem as problem:
        raise problem.error() from problem
    ours = []
    for batch in told:
        known = memory.outbox.payload_hash(stream, int(batch["epoch"]), int(batch["seq"]))
        if known is not None and known.hex() == batch["payload_sha256"]:
            ours.append({name: batch[name] for name in ("epoch", "seq", "payload_sha256")})
    return Quarantine(stream, tuple(ours), len(told) - len(ours))


def attest(job: Job, courier: Courier, block: Publish, found: Quarantine) -> int:
    """Seals and sends what vouches for our batches; how many it names.

    Raises:
        ConnectorError: the gateway refused, or cannot be reached: it waits in the outbox.
    """
    assert job.voice is not None  # noqa: S101 -- a job that publishes
    courier.catch_up(found.stream)
    courier.send(found.stream)
    with job.memory.change():
        sealer = Sealer(job.memory, job.voice, block, job.clock(), full=False)
        for start in range(0, len(found.ours), MAX_ATTESTED):
            sealer.attest(found.ours[start : start + MAX_ATTESTED])
    courier.send(found.stream)
    return len(found.ours)
