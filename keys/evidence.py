"""What each piece of evidence must satisfy: reads it, or raises the fact that speaks against it.

Source: trust.md 1.4 (keyset chain), 2.3 (batch payload), 3.1 (log entries); C2SP tlog-proof.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keys import bundle, checkpoint, dsse, frame, keyset, merkle
from keys.canonical import canonical
from keys.errors import BadFrame, BadSignature, BadStatement
from keys.signers import AGENCY
from keys.statement import Fields


@dataclass(frozen=True, slots=True)
class Batch:
    """What evidence needs of a batch's payload; the rest is for the schemas to judge."""

    aud: str
    agency: str
    count: int
    size: int
    root: bytes
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Logged:
    """A keyset, the hash of its payload, and its place in the log."""

    keyset: keyset.Keyset
    payload_sha256: bytes
    index: int


def read_batch(data: bytes) -> tuple[dsse.Envelope, Batch]:
    envelope = dsse.parse(data)
    if envelope.payload_type != frame.BATCH_TYPE:
        raise BadStatement("envelope.type", "The envelope is not that of a batch.")
    fields = Fields.read_with(envelope.payload, bundle.ACCEPT_FIELDS | {"aud", "bytes"})
    return envelope, Batch(
        aud=fields.text("aud"),
        agency=fields.text("agency", AGENCY),
        count=fields.integer("count"),
        size=fields.integer("bytes"),
        root=fields.sha256("root"),
        payload=fields.values,
    )


def check_lines(stream: io.BytesIO, batch: Batch) -> None:
    body = frame.lines_and_root(stream, count=batch.count, size=batch.size)
    if body.root != batch.root:
        raise BadFrame("frame.root", "The lines are not those whose root was signed.")


def read_head(data: bytes) -> checkpoint.Checkpoint:
    return checkpoint.parse_checkpoint(checkpoint.parse_note(data).text)


def check_logged(logged: bundle.LoggedEntry) -> checkpoint.LogProof:
    proof = checkpoint.parse_proof(logged.proof)
    head = read_head(proof.note)
    leaf = merkle.leaf_hash(logged.entry)
    merkle.verify_inclusion(leaf, proof.index, head.size, proof.path, head.root)
    return proof


def check_accept(data: bytes, envelope: dsse.Envelope, batch: Batch) -> bool:
    entry = bundle.parse_entry(data, "accept")
    kids = {signature.keyid for signature in envelope.signatures}
    if entry.get("kid") not in kids:
        raise BadStatement("entry.kid", "The log names another key than the batch.")
    expected = bundle.accept_entry(batch.payload, envelope.payload_sha256, entry["kid"])
    if not expected.items() <= entry.items():
        raise BadStatement("entry.batch", "The log accepted another batch than this.")
    return True


def follow(data: bytes, before: Logged | None, agency: str | None) -> tuple[keyset.Keyset, bytes]:
    """The keyset in a log entry, if it follows the one before and is of the agency."""
    entry = bundle.parse_entry(data, "keyset")
    envelope = dsse.parse(canonical(entry.get("envelope")))
    statement = read_keyset(envelope, before)
    if agency is not None and statement.agency != agency:
        raise BadStatement("keyset.agency", "The keyset is one of another agency.")
    return statement, envelope.payload_sha256


def read_keyset(envelope: dsse.Envelope, before: Logged | None) -> keyset.Keyset:
    """The keyset of an envelope: signed by its new keys, and by one the version before knew."""
    if envelope.payload_type != keyset.PAYLOAD_TYPE:
        raise BadStatement("keyset.type", "The statement is not a keyset.")
    statement = keyset.parse_statement(envelope.payload)
    old = {} if before is None else before.keyset.provers()
    held = envelope.verify({**old, **statement.provers()})
    if not held >= statement.provers().keys() - old.keys():
        raise BadSignature("keyset.possession", "A key of the keyset has not signed it.")
    if before is None:
        if statement.version != 1 or statement.prev is not None:
            raise BadStatement("keyset.version", "The first keyset has version 1.")
        return statement
    follows = (statement.agency, statement.version, statement.prev) == (
        before.keyset.agency,
        before.keyset.version + 1,
        before.payload_sha256,
    )
    if not follows or held.isdisjoint(old):
        raise BadStatement("keyset.version", "The keyset does not follow the one before.")
    return statement
