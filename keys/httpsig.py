"""Signs and checks every connector call: the strict profile ``titian-http/1`` of RFC 9421.

Signature base, signing and checking are those of ``http-message-signatures``; this module is the
profile round it: the exact list of components per method, one label, one tag, no field twice, the
configured origin instead of the received Host, our clock, and the digest of the body as it came.
The nonce is handed out for the caller to remember; correctness never depends on it.

Source: RFC 9421 (signatures), RFC 9530 (Content-Digest), RFC 9651 (structured fields);
trust.md 2.2.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import http_sf
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    MappingKeyResolver,
)

from keys.canonical import from_base64, to_base64
from keys.errors import BadJson, BadSignature
from keys.merkle import EMPTY_ROOT
from keys.signers import PublicKey, Signer

LABEL = "titian"
TAG = "titian-http/1"
MAX_SKEW = timedelta(seconds=300)
LOG_SEEN = "titian-log-seen"
CONTENT = ("content-type", "content-digest", "content-length")
_DERIVED = ("@method", "@authority", "@target-uri")
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "GET": (*_DERIVED, LOG_SEEN),
    "PUT": (*_DERIVED, *CONTENT, LOG_SEEN),
    "POST": (*_DERIVED, *CONTENT, LOG_SEEN),
}
_PARAMETERS = frozenset({"created", "nonce", "keyid", "alg", "tag"})
_ONCE = (*CONTENT, LOG_SEEN, "signature", "signature-input")
_NONCE = re.compile(r"[A-Za-z0-9_-]{22}")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_SEEN = re.compile(r"(0|[1-9][0-9]{0,17}) ([A-Za-z0-9+/]{43}=)")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is signed and checked.

    Attributes:
        method: upper case.
        url: absolute; the checker builds it from the *configured* origin and the received path
            and query.
        headers: each name's lines; names in any case.
        body_sha256: 32 bytes over the body as it came, or None where the method carries none.
    """

    method: str
    url: str
    headers: Mapping[str, Sequence[str]]
    body_sha256: bytes | None = None


@dataclass(frozen=True, slots=True)
class LogSeen:
    """The largest log size and its root (32 bytes) that the caller has checked."""

    size: int = 0
    root: bytes = EMPTY_ROOT

    def header(self) -> str:
        """The field's text: ``size base64(root)``."""
        return f"{self.size} {to_base64(self.root)}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What a good signature says."""

    kid: str
    nonce: str
    created: datetime
    log_seen: LogSeen


NOTHING_SEEN = LogSeen()


def sign_headers(
    request: Request,
    signer: Signer,
    *,
    created: datetime,
    nonce: str,
    log_seen: LogSeen = NOTHING_SEEN,
) -> dict[str, str]:
    """The header fields to add to a request so that it speaks for the signer's key.

    ``Content-Type`` and ``Content-Length`` must stand among the request's headers where it has a
    body; ``Content-Digest`` is added here. ``nonce`` is 22 base64url characters, new each time.

    Raises:
        BadSignature: the request cannot be signed under the profile (``http.components``).
    """
    components = _components(request)
    added = {"Titian-Log-Seen": log_seen.header()}
    if request.body_sha256 is not None:
        added["Content-Digest"] = content_digest(request.body_sha256)
    lines = {name.lower(): value for name, value in added.items()}
    message = _Message(request.method, request.url, _single_fields(request.headers) | lines)
    try:
        writer = HTTPMessageSigner(signature_algorithm=_Ed25519)
        prepared = writer.prepare(
            message,
            key_id=signer.kid,
            created=created,
            nonce=nonce,
            label=LABEL,
            tag=TAG,
            covered_component_ids=components,
            use_existing_digest=request.body_sha256 is not None,
        )
        writer.apply(message, prepared, signer.sign(prepared.signature_base))
    except (HTTPMessageSignaturesException, ValueError) as err:
        raise BadSignature("http.components", "The request lacks what must be signed.") from err
    names = ("Signature-Input", "Signature")
    return added | {name: message.headers[name] for name in names}


def verify(request: Request, key_of: Callable[[str], PublicKey], *, now: datetime) -> Verified:
    """Who sent the request, if its one signature holds under the profile.

    Args:
        request: as received, with the configured origin in ``url``.
        key_of: the key of a kid; raises for one that may not speak. What it raises passes through.
        now: the checker's clock, aware.

    Raises:
        BadSignature: ``http.signature_missing``; ``http.duplicate_field``; ``http.components`` for
            any method, label, component or parameter outside the profile; ``http.clock_skew``;
            ``http.digest`` where body and Content-Digest differ; ``http.signature_invalid``.
    """
    # 1. One line each of what the profile reads.
    components = _components(request)
    fields = _single_fields(request.headers)
    if not fields.get("signature") or not fields.get("signature-input"):
        raise BadSignature("http.signature_missing", "The request is not signed.")
    # 2. One label, the exact components, the exact parameters.
    parameters = _parameters(fields, components)
    # 3. The clock, before any arithmetic of curves.
    created = _created(parameters["created"], now)
    # 4. The key that the kid names, and its signature over the base built from the request.
    kid = parameters["keyid"]
    _check_signature(_Message(request.method, request.url, fields), kid, key_of(kid))
    # 5. The body is the one whose digest was signed.
    if request.method != "GET":
        check_digest(fields["content-digest"], request.body_sha256)
    return Verified(kid, parameters["nonce"], created, parse_log_seen(fields[LOG_SEEN]))


def content_digest(body_sha256: bytes) -> str:
    """The value of Content-Digest: one member, ``sha-256``."""
    return f"sha-256=:{to_base64(body_sha256)}:"


def check_digest(value: str, body_sha256: bytes | None) -> None:
    """Return if the field holds exactly this digest.

    Raises:
        BadSignature: it does not, or there is no body (``http.digest``).
    """
    if not _DIGEST.fullmatch(value) or body_sha256 is None or value != content_digest(body_sha256):
        raise BadSignature("http.digest", "The body is not the one whose digest was signed.")


def parse_log_seen(text: str) -> LogSeen:
    """The size and root of a Titian-Log-Seen field.

    Raises:
        BadSignature: another spelling (``http.components``).
    """
    match = _SEEN.fullmatch(text)
    try:
        root = from_base64(match[2]) if match else b""
    except BadJson:
        root = b""
    if not match or not root:
        raise BadSignature("http.components", "Titian-Log-Seen is not a size and a root.")
    return LogSeen(int(match[1]), root)


@dataclass(slots=True)
class _Message:
    """What the library reads of a request."""

    method: str
    url: str
    headers: dict[str, str]


class _Ed25519(HTTPSignatureAlgorithm):
    """Checks through our own keys, so that only sound ones are ever used."""

    algorithm_id = "ed25519"

    def __init__(self, public_key: PublicKey) -> None:
        self._public = public_key

    def verify(self, signature: bytes, message: bytes) -> None:
        self._public.verify(signature, message)


class _Verifier(HTTPMessageVerifier):
    """The library's checker without its own clock: the profile judges the time."""

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """Judged by ``_created``."""


def _components(request: Request) -> tuple[str, ...]:
    components = COMPONENTS.get(request.method)
    if components is None:
        raise BadSignature("http.components", "The method is not one of the profile.")
    if request.method == "GET" and (
        request.body_sha256 is not None
        or any(name.lower() in {"content-digest", "content-type"} for name in request.headers)
    ):
        raise BadSignature("http.components", "A GET carries no body.")
    return components


def _single_fields(headers: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The fields that the profile reads, by lower-case name, each with its only line."""
    found: dict[str, str] = {}
    for name, lines in headers.items():
        lower = name.lower()
        if lower not in _ONCE:
            continue
        if lower in found or isinstance(lines, str) or len(lines) != 1:
            raise BadSignature("http.duplicate_field", f"The field {lower} must stand once.")
        found[lower] = lines[0].strip(" \t")
    return found


def _parameters(fields: Mapping[str, str], components: Sequence[str]) -> dict[str, Any]:
    """The signature's parameters, if label, components and parameters are those of the profile."""
    try:
        labels: Any = http_sf.parse(
            fields["signature-input"].encode("ascii"),
            tltype="dictionary",
            on_duplicate_key=_refuse_duplicate,
        )
    except ValueError as err:
        raise BadSignature("http.components", "Signature-Input cannot be read.") from err
    if not isinstance(labels, dict) or list(labels) != [LABEL]:
        raise BadSignature("http.components", "The request must have one signature, titian.")
    covered, parameters = labels[LABEL]
    exact: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in components]
    # A token equals the string of its letters, but is not how the profile spells a component.
    if covered != exact or any(type(item) is not str for item, _ in covered):
        raise BadSignature("http.components", "The signature does not cover what it must.")
    _check_parameters(parameters)
    return dict(parameters)


def _check_parameters(parameters: Mapping[str, Any]) -> None:
    texts = ("nonce", "keyid", "alg", "tag")
    if (
        parameters.keys() != _PARAMETERS
        or type(parameters["created"]) is not int
        or any(type(parameters[name]) is not str for name in texts)
        or parameters["alg"] != _Ed25519.algorithm_id
        or parameters["tag"] != TAG
        or not _NONCE.fullmatch(parameters["nonce"])
    ):
        raise BadSignature("http.components", "The signature's parameters break the profile.")


def _created(seconds: int, now: datetime) -> datetime:
    skew = now.timestamp() - seconds
    if abs(skew) > MAX_SKEW.total_seconds():
        raise BadSignature(
            "http.clock_skew", "The request's time is more than five minutes away from ours."
        )
    return datetime.fromtimestamp(seconds, now.tzinfo)


def _check_signature(message: _Message, kid: str, key: PublicKey) -> None:
    keys: Any = {kid: key}  # the library hands it to _Ed25519 as it is
    checker = _Verifier(
        signature_algorithm=_Ed25519,
        key_resolver=MappingKeyResolver(public_keys=keys, private_keys={}),
    )
    try:
        checker.verify(message, max_age=None, expect_tag=TAG, expect_label=LABEL)
    except HTTPMessageSignaturesException as err:
        raise BadSignature(
            "http.signature_invalid", "The request's signature does not hold."
        ) from err


def _refuse_duplicate(key: str, context: str) -> None:
    raise ValueError(f"{key} twice in a {context}")
