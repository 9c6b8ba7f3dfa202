"""Seals and opens signed statements: DSSE envelopes, read strictly.

The pre-authentication encoding fixes type and length of what is signed, and the bytes are signed
as they are, so there is no header to argue with and nothing to canonicalise. ``keyid`` is a hint:
the caller hands in the keys that may speak, found by the agency named in the signed payload.

Source: DSSE protocol v1 (secure-systems-lab/dsse ``protocol.md``); trust.md 1.2 and 2.1.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keys.canonical import from_base64, read_json, to_base64
from keys.errors import BadEnvelope, BadJson, BadSignature
from keys.signers import PublicKey, Signer

MAX_BYTES = 1 << 20
MAX_SIGNATURES = 16
_ENVELOPE = frozenset({"payloadType", "payload", "signatures"})
_SIGNATURE = frozenset({"keyid", "sig"})


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature and the name of the key that is said to have made it."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A parsed envelope. Its payload is only bytes until ``verify`` has returned."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    @property
    def payload_sha256(self) -> bytes:
        """SHA-256 of the payload bytes: how other statements name this one."""
        return hashlib.sha256(self.payload).digest()

    def verify(self, keys: Mapping[str, PublicKey]) -> frozenset[str]:
        """The kids whose signature holds; each counts once.

        Signatures of kids that are not in ``keys`` are passed over.

        Raises:
            BadSignature: a signature of a known kid is wrong (``sig.invalid``), or no signature is
                by a known kid (``sig.unknown_key``).
        """
        signed = pae(self.payload_type, self.payload)
        held = set()
        for signature in self.signatures:
            key = keys.get(signature.keyid)
            if key is not None:
                key.verify(signature.sig, signed)
                held.add(signature.keyid)
        if not held:
            raise BadSignature("sig.unknown_key", "No signature is by a key that may speak here.")
        return frozenset(held)


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: ``DSSEv1 len(type) type len(payload) payload``."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload_type: str, payload: bytes, signers: Sequence[Signer]) -> bytes:
    """The compact JSON envelope of a payload, signed by each signer in turn."""
    signed = pae(payload_type, payload)
    return _spell(payload_type, payload, [Signature(s.kid, s.sign(signed)) for s in signers])


def add_signature(envelope: Envelope, signer: Signer) -> bytes:
    """The compact JSON envelope with the signer's signature after those it has."""
    own = Signature(signer.kid, signer.sign(pae(envelope.payload_type, envelope.payload)))
    others = [each for each in envelope.signatures if each.keyid != signer.kid]
    return _spell(envelope.payload_type, envelope.payload, [*others, own])


def parse(data: bytes, *, limit: int = MAX_BYTES) -> Envelope:
    """The envelope that the bytes spell; nothing in it is believed yet.

    Raises:
        BadEnvelope: not strict JSON, a field too many or too few, a wrong type, a spelling of
            base64 other than the standard one, or no or too many signatures.
    """
    try:
        value = _exact(read_json(data, limit=limit), _ENVELOPE)
        entries = value["signatures"]
        if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_SIGNATURES:
            raise BadEnvelope("envelope.signatures", "The envelope needs 1 to 16 signatures.")
        signatures = [_exact(entry, _SIGNATURE) for entry in entries]
        return Envelope(
            payload_type=_text(value["payloadType"]),
            payload=from_base64(_text(value["payload"])),
            signatures=tuple(
                Signature(_text(entry["keyid"]), from_base64(_text(entry["sig"])))
                for entry in signatures
            ),
        )
    except BadJson as err:
        raise BadEnvelope("envelope.json", "The envelope is not strict JSON and base64.") from err


def _spell(payload_type: str, payload: bytes, signatures: Sequence[Signature]) -> bytes:
    envelope = {
        "payloadType": payload_type,
        "payload": to_base64(payload),
        "signatures": [{"keyid": s.keyid, "sig": to_base64(s.sig)} for s in signatures],
    }
    return json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def _exact(value: Any, names: frozenset[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != names:
        raise BadEnvelope("envelope.fields", "The envelope has not exactly the fields of DSSE.")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise BadEnvelope("envelope.fields", "A field of the envelope is not a text.")
    return value
