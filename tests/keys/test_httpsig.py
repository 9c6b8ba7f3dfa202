"""The profile titian-http/1: what it signs verifies, and every departure from it is refused."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import http_sf
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
    algorithms,
)

from keys import httpsig
from keys.errors import BadKey, BadSignature
from keys.httpsig import LogSeen, Request
from keys.signers import Ed25519Signer, PublicKey
from tests.shared import shared

NOW = datetime(2026, 11, 24, 2, 0, 30, tzinfo=UTC)
SIGNER = Ed25519Signer.from_seed("dinsos", bytes([1]) * 32)
OTHER = Ed25519Signer.from_seed("dinsos", bytes([2]) * 32)
NONCE = "A" * 22
BODY = b"TTB1 and so on"
URL = "https://gw.example.go.id/v1/agencies/dinsos/streams/target/batches/1/7"
HEADERS = {
    "Content-Type": ["application/vnd.titian.batch.v1"],
    "Content-Length": [str(len(BODY))],
    "X-Other": ["one", "two"],
}
SEEN = LogSeen(5, bytes(range(32)))
PUT = Request("PUT", URL, HEADERS, hashlib.sha256(BODY).digest())
GET = Request("GET", URL + "?after=3&wait=25", {"Accept": ["application/json"]})


def key_of(kid: str) -> PublicKey:
    return {SIGNER.kid: SIGNER.public, OTHER.kid: OTHER.public}[kid]


def signed(request: Request, **change: Any) -> Request:
    options = {"created": NOW, "nonce": NONCE, "log_seen": SEEN} | change
    added = httpsig.sign_headers(request, SIGNER, **options)
    return replace(request, headers={**request.headers, **{k: [v] for k, v in added.items()}})


def with_headers(request: Request, **lines: Sequence[str] | None) -> Request:
    """The request with header lines replaced; None takes the field away."""
    headers = {k.lower(): v for k, v in request.headers.items()}
    for name, value in lines.items():
        key = name.replace("_", "-")
        if value is None:
            headers.pop(key)
        else:
            headers[key] = value
    return replace(request, headers=headers)


def code_of(request: Request, now: datetime = NOW) -> str:
    with pytest.raises(BadSignature) as refused:
        httpsig.verify(request, key_of, now=now)
    return refused.value.code


def header(request: Request, name: str) -> str:
    return {k.lower(): v for k, v in request.headers.items()}[name][0]


@pytest.mark.parametrize("request_", [PUT, replace(PUT, method="POST"), GET])
def test_what_is_signed_verifies(request_: Request) -> None:
    verified = httpsig.verify(signed(request_), key_of, now=NOW)
    assert verified == httpsig.Verified(SIGNER.kid, NONCE, NOW.replace(microsecond=0), SEEN)


def test_the_base_is_that_of_the_library() -> None:
    request = signed(PUT)
    match = re.fullmatch(r"titian=:(.*):", header(request, "signature"))
    base = "\n".join(
        [
            '"@method": PUT',
            '"@authority": gw.example.go.id',
            f'"@target-uri": {URL}',
            '"content-type": application/vnd.titian.batch.v1',
            f'"content-digest": {header(request, "content-digest")}',
            f'"content-length": {len(BODY)}',
            f'"titian-log-seen": {SEEN.header()}',
            f'"@signature-params": {header(request, "signature-input").removeprefix("titian=")}',
        ]
    )
    assert match
    SIGNER.public.verify(base64.b64decode(match[1]), base.encode())


def test_a_connector_that_saw_no_log_says_so() -> None:
    request = signed(GET, log_seen=httpsig.NOTHING_SEEN)
    assert header(request, "titian-log-seen").startswith("0 47DEQpj8HBSa+/TImW+5JCeuQeRk")
    assert httpsig.verify(request, key_of, now=NOW).log_seen == LogSeen()


ALTERED: dict[str, Callable[[Request], Request]] = {
    "method": lambda r: replace(r, method="POST"),
    "authority": lambda r: replace(r, url=r.url.replace("gw.", "other.")),
    "scheme": lambda r: replace(r, url=r.url.replace("https:", "http:")),
    "path": lambda r: replace(r, url=r.url.replace("/1/7", "/1/8")),
    "query": lambda r: replace(r, url=r.url + "?x=1"),
    "content-type": lambda r: with_headers(r, content_type=["text/plain"]),
    "content-length": lambda r: with_headers(r, content_length=["1"]),
    "content-digest": lambda r: with_headers(r, content_digest=[httpsig.content_digest(bytes(32))]),
    "log-seen": lambda r: with_headers(r, titian_log_seen=[LogSeen(6, SEEN.root).header()]),
    "created": lambda r: _input(r, lambda t: re.sub(r"created=\d+", "created=1795485629", t)),
    "nonce": lambda r: _input(r, lambda t: t.replace(NONCE, "B" * 22)),
    "keyid": lambda r: _input(r, lambda t: t.replace(SIGNER.kid, OTHER.kid)),
    "signature": lambda r: with_headers(r, signature=[f"titian=:{'A' * 86}==:"]),
    "short signature": lambda r: with_headers(r, signature=["titian=:QUJD:"]),
    "signature no bytes": lambda r: with_headers(r, signature=["titian=1"]),
    "signature label": lambda r: with_headers(
        r, signature=[header(r, "signature").replace("titian=", "other=")]
    ),
}


def _input(request: Request, change: Callable[[str], str]) -> Request:
    return with_headers(request, signature_input=[change(header(request, "signature-input"))])


@pytest.mark.parametrize("name", ALTERED)
def test_each_altered_component_is_refused(name: str) -> None:
    assert code_of(ALTERED[name](signed(PUT))) == "http.signature_invalid"


@pytest.mark.parametrize(
    "name", ["content_type", "content_digest", "content_length", "titian_log_seen"]
)
def test_each_component_taken_away_or_doubled_is_refused(name: str) -> None:
    request = signed(PUT)
    value = header(request, name.replace("_", "-"))
    assert code_of(with_headers(request, **{name: None})) == "http.signature_invalid"
    assert code_of(with_headers(request, **{name: []})) == "http.duplicate_field"
    assert code_of(with_headers(request, **{name: [value, value]})) == "http.duplicate_field"
    twice = replace(request, headers={**request.headers, name.replace("_", "-"): [value]})
    assert code_of(twice) == "http.duplicate_field"


@pytest.mark.parametrize("name", ["signature", "signature_input"])
def test_a_request_without_signature_is_refused(name: str) -> None:
    request = signed(PUT)
    value = header(request, name.replace("_", "-"))
    assert code_of(with_headers(request, **{name: None})) == "http.signature_missing"
    assert code_of(with_headers(request, **{name: [""]})) == "http.signature_missing"
    assert code_of(with_headers(request, **{name: [value, value]})) == "http.duplicate_field"


PROFILE: dict[str, Callable[[str], str]] = {
    "component left out": lambda t: t.replace('"content-digest" ', ""),
    "component too many": lambda t: t.replace('"@method"', '"@method" "x-other"'),
    "component twice": lambda t: t.replace('"@method"', '"@method" "@method"'),
    "other order": lambda t: t.replace('"@method" "@authority"', '"@authority" "@method"'),
    "component with parameter": lambda t: t.replace('"content-type"', '"content-type";sf'),
    "other label": lambda t: t.replace("titian=", "pyhms="),
    "two labels": lambda t: t + ", " + t.replace("titian=", "second="),
    "label twice": lambda t: t + ", " + t,
    "no list": lambda _: "titian=1",
    "not a dictionary": lambda _: '("@method")',
    "not ascii": lambda t: t.replace("dinsos", "dinsós"),
    "tag missing": lambda t: t.replace(';tag="titian-http/1"', ""),
    "other tag": lambda t: t.replace("titian-http/1", "titian-http/2"),
    "tag as token": lambda t: t.replace('"titian-http/1"', "titian-http/1"),
    "alg missing": lambda t: t.replace(';alg="ed25519"', ""),
    "other alg": lambda t: t.replace("ed25519", "hmac-sha256"),
    "keyid missing": lambda t: re.sub(r';keyid="[^"]*"', "", t),
    "nonce missing": lambda t: re.sub(r';nonce="[^"]*"', "", t),
    "short nonce": lambda t: t.replace(NONCE, NONCE[1:]),
    "created missing": lambda t: re.sub(r";created=\d+", "", t),
    "created as text": lambda t: re.sub(r"created=(\d+)", r'created="\1"', t),
    "created as decimal": lambda t: re.sub(r"created=(\d+)", r"created=\1.0", t),
    "expires added": lambda t: t + ";expires=1795488150",
    "unknown parameter": lambda t: t + ";x=1",
}


@pytest.mark.parametrize("name", PROFILE)
def test_each_departure_from_the_profile_is_refused(name: str) -> None:
    assert code_of(_input(signed(PUT), PROFILE[name])) == "http.components"


def _listed(name: str) -> str:
    return f'"{name}"'


MUTATIONS: dict[str, Callable[[str, str], str]] = {
    "removed": lambda text, name: re.sub(rf" ?{re.escape(_listed(name))}", "", text, count=1),
    "duplicated": lambda text, name: text.replace(
        _listed(name), f"{_listed(name)} {_listed(name)}"
    ),
    "in capitals": lambda text, name: text.replace(_listed(name), _listed(name.upper())),
    "of the response": lambda text, name: text.replace(_listed(name), f"{_listed(name)};req"),
    "as bytes": lambda text, name: text.replace(_listed(name), f"{_listed(name)};bs"),
    "of a trailer": lambda text, name: text.replace(_listed(name), f"{_listed(name)};tr"),
    "exchanged": lambda text, name: text.replace(_listed(name), '"date"'),
    "as a token": lambda text, name: text.replace(_listed(name), name.strip("@")),
}
COVERED = [
    (method, name) for method, components in httpsig.COMPONENTS.items() for name in components
]


def altered(request: Request, name: str) -> Request:
    """The request whose covered component says something else, as a proxy on the way might."""
    match name:
        case "@method":
            return replace(request, method="POST" if request.method == "PUT" else "PUT")
        case "@authority":
            return replace(request, url=request.url.replace("gw.", "gw2."))
        case "@target-uri":
            return replace(request, url=request.url + "0")
        case "content-digest":
            return with_headers(request, content_digest=[httpsig.content_digest(bytes(32))])
        case "titian-log-seen":
            return with_headers(request, titian_log_seen=[LogSeen(4, SEEN.root).header()])
        case "content-length":
            return with_headers(request, content_length=[str(len(BODY) + 1)])
        case _:
            return with_headers(request, content_type=["application/json"])


@pytest.mark.parametrize(("method", "name"), COVERED, ids=str)
def test_profile_mutations(method: str, name: str) -> None:
    """Each covered component: altered in the request; missing, double or changed in the list."""
    request = signed(GET if method == "GET" else replace(PUT, method=method))
    httpsig.verify(request, key_of, now=NOW)
    assert code_of(altered(request, name)) in {"http.signature_invalid", "http.components"}
    for mutation in MUTATIONS.values():
        changed = _input(request, lambda text, change=mutation: change(text, name))
        assert header(changed, "signature-input") != header(request, "signature-input")
        assert code_of(changed) == "http.components"


@pytest.mark.parametrize("method", ["DELETE", "put", "PATCH", ""])
def test_other_methods_are_refused(method: str) -> None:
    assert code_of(replace(signed(PUT), method=method)) == "http.components"
    with pytest.raises(BadSignature):
        signed(replace(PUT, method=method))


def test_a_get_carries_no_body() -> None:
    for request in (
        replace(signed(GET), body_sha256=bytes(32)),
        with_headers(signed(GET), content_digest=["x"]),
        with_headers(signed(GET), content_type=["text/plain"]),
    ):
        assert code_of(request) == "http.components"


def test_a_get_signature_is_not_one_of_a_put() -> None:
    request = signed(GET)
    assert code_of(replace(request, method="PUT", body_sha256=bytes(32))) == "http.components"


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_clock_within_five_minutes_is_taken(seconds: int) -> None:
    httpsig.verify(signed(GET), key_of, now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_a_clock_further_away_is_refused(seconds: int) -> None:
    assert code_of(signed(GET), NOW + timedelta(seconds=seconds)) == "http.clock_skew"


def test_another_body_is_refused() -> None:
    assert code_of(replace(signed(PUT), body_sha256=bytes(32))) == "http.digest"
    assert code_of(replace(signed(PUT), body_sha256=None)) == "http.digest"


def test_what_the_key_lookup_says_passes_through() -> None:
    def stranger(kid: str) -> PublicKey:
        raise BadKey("key.suspended", "The key is suspended.")

    with pytest.raises(BadKey):
        httpsig.verify(signed(GET), stranger, now=NOW)


def test_another_key_under_the_name_is_refused() -> None:
    with pytest.raises(BadSignature) as refused:
        httpsig.verify(signed(GET), lambda _: OTHER.public, now=NOW)
    assert refused.value.code == "http.signature_invalid"


def test_a_request_that_lacks_a_component_is_not_signed() -> None:
    with pytest.raises(BadSignature) as refused:
        signed(with_headers(PUT, content_type=None))
    assert refused.value.code == "http.components"


@pytest.mark.parametrize(
    "text", ["", "5", "05 " + "A" * 43 + "=", "5 " + "A" * 44, "5 " + "/" * 43 + "=", "-1 x"]
)
def test_another_spelling_of_log_seen_is_refused(text: str) -> None:
    with pytest.raises(BadSignature):
        httpsig.parse_log_seen(text)


def test_published_digests_are_those_of_rfc_9530() -> None:
    digests = json.loads(shared("data/vectors/rfc9530/digests.json").read_text())
    for vector in digests["vectors"]:
        body = bytes.fromhex(vector["content_hex"])
        httpsig.check_digest(f"sha-256=:{vector['sha256']}:", hashlib.sha256(body).digest())
        with pytest.raises(BadSignature):
            httpsig.check_digest(f"sha-512=:{vector['sha512']}:", hashlib.sha256(body).digest())
    for wrong in digests["must_reject"]:
        with pytest.raises(BadSignature):
            httpsig.check_digest(wrong, bytes(32))


# The library under the profile: RFC 9421 Appendix B and the structured-field suite.


@dataclass
class _Message:
    headers: dict[str, str]
    method: str = "POST"
    url: str = "https://example.com/foo?param=Value&Pet=dog"


@dataclass
class _Response:
    headers: dict[str, str]
    status_code: int
    request: _Message


class _Undated(HTTPMessageVerifier):
    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """The samples are of 2021."""


ALGORITHMS = {
    "rsa-pss-sha512": algorithms.RSA_PSS_SHA512,
    "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
    "hmac-sha256": algorithms.HMAC_SHA256,
    "ed25519": algorithms.ED25519,
}


def _appendix() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared("data/vectors/rfc9421/appendix-b.json").read_text())
    return found


def _fields(text: str) -> dict[str, str]:
    lines = text.split("\n\n", maxsplit=1)[0].split("\n")[1:]
    return dict(line.split(": ", 1) for line in lines)


def _key(key: Mapping[str, Any], private: bool) -> Any:
    if "secret_b64" in key:
        return base64.b64decode(key["secret_b64"])
    public_pem, private_pem = (part.encode() for part in key["pem"].split("\n\n"))
    if private:
        return load_pem_private_key(private_pem, None)
    return load_pem_public_key(public_pem)


def test_rfc_9421_appendix_b_holds_in_the_library() -> None:
    appendix = _appendix()
    request = _Message(_fields(appendix["request"]))
    for case in appendix["cases"]:
        key = appendix["keys"][case["keyid"]]
        signature = {"Signature-Input": case["signature_input"], "Signature": case["signature"]}
        if case["target"] == "request":
            message: Any = _Message({**request.headers, **signature})
        else:
            headers = _fields(appendix["response"])
            # the draft prints another digest than the one its base signs
            match = re.search(r'"content-digest": (.*)', case["signature_base"])
            if match:
                headers["Content-Digest"] = match[1]
            message = _Response({**headers, **signature}, 200, request)
        resolver = MappingKeyResolver(
            public_keys={case["keyid"]: _key(key, private=False)}, private_keys={}
        )
        verifier = _Undated(signature_algorithm=ALGORITHMS[case["alg"]], key_resolver=resolver)
        tag = re.search(r'tag="([^"]*)"', case["signature_input"])
        assert verifier.verify(message, max_age=None, expect_tag=tag[1] if tag else None)


def test_the_ed25519_case_of_appendix_b_is_signed_to_the_same_bytes() -> None:
    appendix = _appendix()
    case = next(c for c in appendix["cases"] if c["alg"] == "ed25519")
    inner = http_sf.parse(case["signature_input"].encode(), tltype="dictionary")
    covered, params = inner[case["label"]]
    message = _Message(_fields(appendix["request"]))
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519)
    prepared = signer.prepare(
        message,
        key_id=params["keyid"],
        created=datetime.fromtimestamp(params["created"], UTC),
        include_alg=False,
        label=case["label"],
        covered_component_ids=[name for name, _ in covered],
        use_existing_digest=True,
    )
    assert prepared.signature_base.decode() == case["signature_base"]
    jwk = appendix["keys"][case["keyid"]]["jwk"]
    ours = Ed25519Signer.from_seed("test", base64.urlsafe_b64decode(jwk["d"] + "="))
    sig = base64.b64encode(ours.sign(prepared.signature_base)).decode()
    assert case["signature"] == f"{case['label']}=:{sig}:"


def test_appendix_b_requests_are_outside_the_profile() -> None:
    appendix = _appendix()
    for case in appendix["cases"]:
        headers = {k: [v] for k, v in _fields(appendix["request"]).items()}
        headers |= {"Signature-Input": [case["signature_input"]], "Signature": [case["signature"]]}
        request = Request("POST", "https://example.com/foo?param=Value&Pet=dog", headers, bytes(32))
        assert code_of(request) == "http.components"


STRUCTURED = ("binary", "boolean", "dictionary", "item", "list", "listlist", "number")
STRUCTURED += ("param-dict", "param-list", "param-listlist", "string", "token", "examples", "date")


@pytest.mark.parametrize("name", STRUCTURED)
def test_the_structured_field_suite_holds_in_the_library(name: str) -> None:
    for case in json.loads(shared(f"data/vectors/structured-fields/{name}.json").read_text()):
        raw = ", ".join(case["raw"]).encode()
        try:
            parsed = http_sf.parse(raw, tltype=case["header_type"])
        except Exception:  # noqa: BLE001 -- any refusal is a refusal
            assert case.get("must_fail") or case.get("can_fail"), case["name"]
            continue
        assert not case.get("must_fail"), case["name"]
        canonical = case.get("canonical", case["raw"])
        if canonical:
            assert http_sf.ser(parsed) == canonical[0], case["name"]
