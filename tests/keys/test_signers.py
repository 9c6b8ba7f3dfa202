"""Public keys that must not be used are refused at the only entrance there is."""

import hashlib
import json
import pickle
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import BadKey, BadSignature
from keys.signers import Ed25519Signer, PublicKey, fingerprint_of
from tests.shared import shared

SEED = bytes(range(32))


def _low_order() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        shared("data/vectors/own/ed25519-low-order-keys.json").read_text()
    )
    return found


def test_every_low_order_encoding_is_refused() -> None:
    for text in _low_order()["encodings"]:
        with pytest.raises(BadKey) as refused:
            PublicKey.parse("ed25519", bytes.fromhex(text))
        assert refused.value.code in {"key.low_order", "key.not_canonical"}


def test_the_constant_forgery_holds_in_the_library_and_not_here() -> None:
    forgery = _low_order()["constant_forgery"]
    raw, sig = bytes.fromhex(forgery["public_key"]), bytes.fromhex(forgery["signature"])
    Ed25519PublicKey.from_public_bytes(raw).verify(sig, b"any message at all")
    with pytest.raises(BadKey):
        PublicKey.parse("ed25519", raw)


def test_non_canonical_keys_are_refused() -> None:
    for extra in range(19):
        raw = (2**255 - 19 + extra).to_bytes(32, "little")
        with pytest.raises(BadKey) as refused:
            PublicKey("ed25519", raw)
        assert refused.value.code == "key.not_canonical"


def test_a_key_off_the_curve_is_refused() -> None:
    with pytest.raises(BadKey) as refused:
        PublicKey("ed25519", (2).to_bytes(32, "little"))
    assert refused.value.code == "key.not_on_curve"


def test_cctv_no_signature_under_a_low_order_or_non_canonical_key_is_accepted() -> None:
    cases = json.loads(shared("data/vectors/cctv/ed25519vectors.json").read_text())
    flagged = {"low_order_A", "non_canonical_A"}
    refused = 0
    for case in cases:
        try:
            key = PublicKey.parse("ed25519", bytes.fromhex(case["key"]))
        except BadKey:
            refused += 1
            continue
        assert not flagged & set(case["flags"] or [])
        assert _holds(key, case["sig"], case["msg"].encode()) == _library_holds(case)
    assert refused > 100


def _library_holds(case: dict[str, Any]) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(case["key"])).verify(
            bytes.fromhex(case["sig"]), case["msg"].encode()
        )
    except Exception:  # noqa: BLE001 -- any refusal is a refusal
        return False
    return True


def _holds(key: PublicKey, sig: str, message: bytes) -> bool:
    try:
        key.verify(bytes.fromhex(sig), message)
    except BadSignature:
        return False
    return True


def test_wycheproof_ed25519_agrees_case_by_case() -> None:
    groups = json.loads(shared("data/vectors/wycheproof/ed25519_test.json").read_text())
    count = 0
    for group in groups["testGroups"]:
        key = PublicKey.parse("ed25519", bytes.fromhex(group["publicKey"]["pk"]))
        for case in group["tests"]:
            holds = _holds(key, case["sig"], bytes.fromhex(case["msg"]))
            assert holds == (case["result"] == "valid"), case["tcId"]
            count += 1
    assert count == 151


@pytest.mark.parametrize(
    ("alg", "size"),
    [("rsa", 32), ("ml-dsa-65", 32), ("ed25519+ml-dsa-65", 32), ("ed25519", 31), ("ed25519", 33)],
)
def test_other_algorithms_and_sizes_are_refused(alg: str, size: int) -> None:
    with pytest.raises(BadKey):
        PublicKey.parse(alg, bytes(size))


def _is_on_curve(raw: bytes) -> bool:
    """Whether x can be recovered from y, by the steps of RFC 8032 §5.1.3."""
    p = 2**255 - 19
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    d = -121665 * pow(121666, p - 2, p)
    u, v = (y * y - 1) % p, (d * y * y + 1) % p
    x = u * pow(v, 3, p) * pow(u * pow(v, 7, p), (p - 5) // 8, p) % p
    return v * x * x % p in {u, p - u}


@given(st.integers(0, 2**255 - 20), st.sampled_from([0, 1]))
def test_a_key_is_a_point_of_the_curve_or_refused(y: int, sign: int) -> None:
    raw = (y | sign << 255).to_bytes(32, "little")
    code = ""
    try:
        PublicKey("ed25519", raw)
    except BadKey as err:
        code = err.code
    assert code in {"", "key.low_order", "key.not_on_curve"}
    assert (code != "key.not_on_curve") == _is_on_curve(raw)


def test_every_key_that_is_made_is_sound() -> None:
    for number in range(100):
        signer = Ed25519Signer.from_seed("dinsos", number.to_bytes(32, "big"))
        signer.public.verify(signer.sign(b"said"), b"said")


def test_a_fingerprint_of_a_statement_is_read_like_that_of_a_key() -> None:
    key = Ed25519Signer.from_seed("dinsos", SEED).public
    hashed = hashlib.sha256(b"ed25519\0" + key.raw).digest()
    assert fingerprint_of(hashed) == key.fingerprint()
    assert len(fingerprint_of(hashed).replace(" ", "")) == 32


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_seed_has_32_bytes(size: int) -> None:
    with pytest.raises(BadKey) as refused:
        Ed25519Signer.from_seed("dinsos", bytes(size))
    assert refused.value.code == "key.size"


@pytest.mark.parametrize(("alg", "size", "code"), [
    ("ed25518", 32, "key.alg"), ("ed25520", 32, "key.alg"), ("Ed25519", 32, "key.alg"),
    ("ed25519", 0, "key.size"), ("ed25519", 31, "key.size"), ("ed25519", 64, "key.size"),
])  # fmt: skip
def test_a_key_is_refused_by_its_own_fault(alg: str, size: int, code: str) -> None:
    with pytest.raises(BadKey) as refused:
        PublicKey.parse(alg, b"\x58" * size)
    assert refused.value.code == code


def test_kid_and_fingerprint_are_the_keys_own() -> None:
    signer = Ed25519Signer.from_seed("dinsos", SEED)
    groups = signer.public.fingerprint().split(" ")
    assert [len(group) for group in groups] == [4] * 8
    assert signer.kid == "dinsos:" + "".join(groups)[:26]
    assert signer.public.kid("bpjs") != signer.kid


@pytest.mark.parametrize("owner", ["", "Dinsos", "a:b", "a" * 41, "dinsos\n"])
def test_an_owner_that_is_no_agency_code_is_refused(owner: str) -> None:
    with pytest.raises(BadKey):
        Ed25519Signer.generate(owner)


def test_a_signature_holds_for_its_content_alone() -> None:
    signer = Ed25519Signer.generate("dinsos")
    sig = signer.sign(b"content")
    signer.public.verify(sig, b"content")
    for wrong in (sig[:-1], sig + b"\0", b"", bytes(64)):
        with pytest.raises(BadSignature):
            signer.public.verify(wrong, b"content")
    with pytest.raises(BadSignature) as refused:
        signer.public.verify(sig, b"content.")
    assert refused.value.code == "sig.invalid"


def test_a_signer_never_shows_its_seed() -> None:
    signer = Ed25519Signer.from_seed("dinsos", SEED)
    assert SEED.hex() not in repr(signer)
    assert signer.kid in repr(signer)
    with pytest.raises(BadKey):
        Ed25519Signer.from_seed("dinsos", SEED[:-1])


def test_an_error_survives_the_way_between_processes() -> None:
    error = BadKey("key.size", "A sentence.")
    again = pickle.loads(pickle.dumps(error))
    assert (again.code, str(again)) == ("key.size", "A sentence.")
