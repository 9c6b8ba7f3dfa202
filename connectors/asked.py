"""Whether a request may be answered: signed, logged about this very person, in time, and granted.

A request is proved in this order:

1. its envelope is signed by a receipt key of the gateway, and it is for this agency;
2. the question behind it stands in the log: purpose and role are its own;
3. the request stands in the log after it, and commits to the person it is about;
4. the log that proves both is the one that this connector witnesses;
5. its deadline is ahead;
6. this agency grants such questions for that purpose.

Where 1 fails nothing is answered; where another fails, the answer is a signed refusal.

Source: trust.md 2.8; 3.5 (unlogged live check).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.errors import CallCentre
from connectors.evidence import Anchors
from connectors.live import Live
from keys import checkpoint, dsse, merkle
from keys.canonical import canonical, from_moment, read_json
from keys.checkpoint import Checkpoint
from keys.commitment import committed
from keys.errors import TrustError
from schemas import inbox
from schemas.errors import SchemaError
from schemas.inbox import REQUEST_TYPE, Request

UNPROVED, LATE, NO_GRANT = "log.unproved", "deadline.passed", "grant.missing"


@dataclass(frozen=True, slots=True)
class Handed:
    """A request as it was handed over, with the entries and proofs that came along."""

    n: int
    envelope: bytes
    query: tuple[bytes, str]
    request: tuple[bytes, str]


@dataclass(frozen=True, slots=True)
class Judge:
    """What a request is held against.

    Attributes:
        consistent: raises CallCentre where a checkpoint is not of the log that we witness.
    """

    agency: str
    anchors: Anchors
    live: Live | None
    consistent: Callable[[Checkpoint], None]

    def read(self, handed: Handed) -> tuple[Request, bytes]:
        """Step 1: the request, and the SHA-256 of its payload.

        Raises:
            CallCentre: `trust.request`.
        """
        try:
            envelope = dsse.parse(handed.envelope)
            if envelope.payload_type != REQUEST_TYPE:
                raise CallCentre("trust.request", reason="it is another kind of statement.")
            envelope.verify(self.anchors.receipt_keys)
            asked = inbox.load_request(envelope.payload)
        except (TrustError, SchemaError) as err:
            raise CallCentre("trust.request", reason=f"{err}.") from err
        if (asked.aud, asked.agency) != (self.anchors.aud, self.agency):
            raise CallCentre("trust.request", reason="it is for somebody else.")
        return asked, envelope.payload_sha256

    def refusal(self, handed: Handed, asked: Request, now: datetime) -> str | None:
        """Steps 2 to 6: the code of the refusal, or None where it is to be answered.

        Raises:
            CallCentre: `trust.split`, the proofs lead to another log.
        """
        try:
            self._check_log(handed, asked)
        except TrustError:
            return UNPROVED
        if from_moment(asked.deadline) <= now:
            return LATE
        if self.live is None or asked.purpose["code"] not in self.live.purposes:
            return NO_GRANT
        return None

    def _check_log(self, handed: Handed, asked: Request) -> None:
        (question, _), (entry, _) = handed.query, handed.request
        leaf = bytes.fromhex(asked.query)
        said = read_json(question)
        wanted = {"t": "query", "purpose": asked.purpose["code"], "role": asked.role}
        if merkle.leaf_hash(question) != leaf or not _says(said, wanted):
            raise TrustError(UNPROVED, "The question behind the request is another one.")
        sealed = committed(canonical(dict(asked.subject)), bytes.fromhex(asked.salt))
        if entry != canonical(inbox.request_entry(asked, leaf, sealed)):
            raise TrustError(UNPROVED, "The log's entry is about another request.")
        first = self._place(leaf, handed.query[1])
        if first >= self._place(merkle.leaf_hash(entry), handed.request[1]):
            raise TrustError(UNPROVED, "The question does not stand before the request.")

    def _place(self, leaf: bytes, text: str) -> int:
        proof = checkpoint.parse_proof(text)
        found = checkpoint.verify(proof.note, self.anchors.log_vkey)
        merkle.verify_inclusion(leaf, proof.index, found.size, proof.path, found.root)
        self.consistent(found)
        return proof.index


def _says(entry: object, wanted: Mapping[str, str]) -> bool:
    return isinstance(entry, dict) and all(entry.get(k) == v for k, v in wanted.items())
