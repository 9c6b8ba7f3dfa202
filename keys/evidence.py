"""What each piece of evidence must satisfy: reads it, or raises the fact that speaks against it.

Source: trust.md 1.4 (keyset chain), 2.3 (batch payload), 3.1 (log entries); C2SP tlog-proof.
"""

import hashlib
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keys import bundle, checkpoint, cosignature, dsse, frame, keyset, merkle
from keys.canonical import canonical
from keys.commitment import committed
from keys.errors import BadFrame, BadStatement
from keys.signers import AGENCY, PublicKey
from keys.statement import Fields
from keys.succession import Standing, accept_first, accept_next

CENTRE = "gateway:"
"""How the names of the centre's keys begin."""
_FOR_WANT_OF_A_SIGNER = frozenset({"keyset.signer", "sig.unknown_key"})


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
    fields.text("stream")
    fields.integer("epoch", 1)
    fields.integer("seq", 1)
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


def check_leaves(leaves: Sequence[bytes], batch: Batch) -> None:
    if len(leaves) != batch.count or merkle.root(leaves) != batch.root:
        raise BadFrame("frame.root", "The leaf hashes are not those whose root was signed.")


def check_accept(data: bytes, envelope: dsse.Envelope, batch: Batch) -> str:
    """The key by which the log says that it accepted just this batch."""
    entry = bundle.parse_entry(data, "accept")
    kids = {signature.keyid for signature in envelope.signatures}
    if entry.get("kid") not in kids:
        raise BadStatement("entry.kid", "The log names another key than the batch.")
    expected = bundle.accept_entry(batch.payload, envelope.payload_sha256, entry["kid"])
    if not _agree(expected, {name: entry.get(name) for name in expected}):
        raise BadStatement("entry.batch", "The log accepted another batch than this.")
    return str(entry["kid"])


def check_source(data: bytes, named: Collection[str]) -> None:
    bundle.parse_entry(data, "accept")
    if merkle.leaf_hash(data).hex() not in named:
        raise BadStatement("entry.source", "No answer names this batch.")


def open_entry(opened: bundle.Opened, kind: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The entry, and the detail it commits to; None for a detail that is not there (any more)."""
    entry = bundle.parse_entry(opened.logged.entry, kind)
    if opened.detail is None or opened.salt is None:
        return entry, None
    detail = bundle.read_canonical(opened.detail)
    if entry.get("commit") != committed(opened.detail, opened.salt).hex():
        raise BadStatement("entry.commit", "The log committed to other words than these.")
    return entry, detail


def check_answer(
    asked: tuple[bytes, Mapping[str, Any]],
    entry: Mapping[str, Any],
    detail: Mapping[str, Any] | None,
) -> None:
    """The result is one of this question; what it opens shows as many persons as the log says."""
    data, query = asked
    if (entry.get("query"), entry.get("qid")) != (merkle.leaf_hash(data).hex(), query.get("qid")):
        raise BadStatement("answer.query", "The answer is one to another question.")
    batches = entry.get("batches", [])
    if not isinstance(batches, list) or not all(isinstance(each, str) for each in batches):
        raise BadStatement("answer.batches", "The answer does not name its batches by their hash.")
    if detail is None:
        return
    shown = detail.get("persons", [])
    if not isinstance(shown, list) or not _agree(len(shown), entry.get("n")):
        raise BadStatement("answer.count", "The answer shows another number of persons.")


def batches_of(entry: Mapping[str, Any]) -> frozenset[str]:
    """The leaf hashes of the batches that an answer came from, as far as it names any."""
    batches = entry.get("batches", [])
    named = batches if isinstance(batches, list) else []
    return frozenset(each for each in named if isinstance(each, str))


def check_decision(
    entry: Mapping[str, Any], detail: Mapping[str, Any], statement: bytes | None
) -> None:
    """What the entry and its detail say alike; and the statement is the one that was hashed."""
    # The log names the officer by a pseudonym, the detail by his id.
    alike = (entry.keys() & detail.keys()) - {"officer"}
    if not all(_agree(entry[name], detail[name]) for name in alike):
        raise BadStatement("decision.detail", "The detail says something else than the log.")
    said = hashlib.sha256(statement or b"").hexdigest()
    if statement is not None and said not in (entry.get("statement"), entry.get("subject")):
        raise BadStatement("decision.statement", "Another statement than this was decided on.")


def follow(
    data: bytes, chain: Sequence[Logged], agency: str | None, centre: Mapping[str, PublicKey]
) -> tuple[keyset.Keyset, bytes]:
    """The keyset in a log entry, if it may follow those before and is of the agency."""
    entry = bundle.parse_entry(data, "keyset")
    envelope = dsse.parse(canonical(entry.get("envelope")))
    statement = read_keyset(envelope, chain, centre)
    if agency is not None and statement.agency != agency:
        raise BadStatement("keyset.agency", "The keyset is one of another agency.")
    return statement, envelope.payload_sha256


def read_keyset(
    envelope: dsse.Envelope, chain: Sequence[Logged], centre: Mapping[str, PublicKey]
) -> keyset.Keyset:
    """The keyset of an envelope, if a rule (trust.md R1, R2, R4 to R6) lets it follow the chain.

    It is judged as of the moment it was issued; what only the centre knew then (suspended keys,
    the pause between rotations, persons) the log's own entry stands for.
    """
    if envelope.payload_type != keyset.PAYLOAD_TYPE:
        raise BadStatement("keyset.type", "The statement is not a keyset.")
    said = keyset.parse_statement(envelope.payload)
    if not chain:
        return accept_first(envelope, said.aud, known_keys=(), now=said.issued)
    standing = Standing(chain[-1].keyset, chain[-1].payload_sha256)
    known = {key.raw for each in chain for key in each.keyset.provers().values()}
    made = accept_next(envelope, standing, known_keys=known, centre=centre, now=said.issued)
    return made.keyset


def lacks_centre(data: bytes, code: str) -> bool:
    """Whether all that speaks against a keyset is that the centre, which signed, is not known.

    Args:
        data: the log entry of the keyset, whose envelope was read before it was refused.
        code: why it was refused.
    """
    if code not in _FOR_WANT_OF_A_SIGNER:
        return False
    entry = bundle.parse_entry(data, "keyset")
    envelope = dsse.parse(canonical(entry.get("envelope")))
    return any(each.keyid.startswith(CENTRE) for each in envelope.signatures)


def _agree(one: object, other: object) -> bool:
    """Whether two JSON values are the same; to Python alone, true and 1 are equal."""
    return canonical(one) == canonical(other)


def count_witnesses(note: bytes, witnesses: Sequence[checkpoint.NoteKey]) -> int:
    """How many of the witnesses saw the checkpoint; each once.

    Raises:
        BadSignature, BadNote: a line in the name of one of them does not hold.
    """
    parsed = checkpoint.parse_note(note)
    head = checkpoint.parse_checkpoint(parsed.text)
    seen = set()
    for line in parsed.signatures:
        for key in witnesses:
            if (line.name, line.hint) == (key.name, key.hint):
                cosignature.read(line).verify(head, key)
                seen.add(key.public.raw)
    return len(seen)
