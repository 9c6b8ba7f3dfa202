"""Envelopes hold what was signed, and only DSSE as it is specified is read."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import dsse
from keys.errors import BadEnvelope, BadSignature
from keys.signers import Ed25519Signer
from tests.shared import shared

TYPE = "application/vnd.titian.test.v1+json"
ONE = Ed25519Signer.from_seed("dinsos", bytes([1]) * 32)
TWO = Ed25519Signer.from_seed("dinsos", bytes([2]) * 32)
KEYS = {ONE.kid: ONE.public, TWO.kid: TWO.public}


def _json(**change: Any) -> bytes:
    whole = json.loads(dsse.seal(TYPE, b"{}", [ONE]))
    return json.dumps({**whole, **change}).encode()


def test_the_published_pre_authentication_encoding() -> None:
    vector = json.loads(shared("data/vectors/checkpoint/notes.json").read_text())["dsse_pae"]
    encoded = dsse.pae(vector["payload_type"], vector["body"].encode())
    assert encoded == vector["pae"].encode()


@given(st.binary(min_size=1, max_size=200))
def test_what_is_sealed_opens_and_verifies(payload: bytes) -> None:
    envelope = dsse.parse(dsse.seal(TYPE, payload, [ONE, TWO]))
    assert envelope.payload == payload
    assert envelope.verify(KEYS) == {ONE.kid, TWO.kid}
    assert envelope.verify({ONE.kid: ONE.public}) == {ONE.kid}


@settings(max_examples=200)
@given(st.data())
def test_no_flipped_bit_verifies_with_other_content(data: st.DataObject) -> None:
    sealed = dsse.seal(TYPE, b'{"a":1}', [ONE])
    at = data.draw(st.integers(0, len(sealed) * 8 - 1))
    flipped = bytearray(sealed)
    flipped[at // 8] ^= 1 << at % 8
    try:
        envelope = dsse.parse(bytes(flipped))
        envelope.verify(KEYS)
    except (BadEnvelope, BadSignature):
        return
    pytest.fail("an altered envelope was believed")


def test_a_kid_counts_once() -> None:
    signature = json.loads(dsse.seal(TYPE, b"{}", [ONE]))["signatures"][0]
    assert dsse.parse(_json(signatures=[signature] * 3)).verify(KEYS) == {ONE.kid}


def test_one_wrong_signature_of_a_known_key_is_enough_to_refuse() -> None:
    other = json.loads(dsse.seal(TYPE, b"[]", [TWO]))["signatures"][0]
    good = json.loads(dsse.seal(TYPE, b"{}", [ONE]))["signatures"][0]
    with pytest.raises(BadSignature) as refused:
        dsse.parse(_json(signatures=[good, other])).verify(KEYS)
    assert refused.value.code == "sig.invalid"


THREE = Ed25519Signer.from_seed("dinsos", bytes([3]) * 32)


def test_a_signature_is_added_after_the_others_and_once() -> None:
    first = dsse.parse(dsse.seal(TYPE, b"{}", [ONE, TWO]))
    grown = dsse.parse(dsse.add_signature(first, THREE))
    assert [each.keyid for each in grown.signatures] == [ONE.kid, TWO.kid, THREE.kid]
    assert (grown.payload_type, grown.payload) == (first.payload_type, first.payload)
    assert grown.payload_sha256 == first.payload_sha256 == hashlib.sha256(b"{}").digest()
    again = dsse.parse(dsse.add_signature(grown, ONE))
    assert [each.keyid for each in again.signatures] == [TWO.kid, THREE.kid, ONE.kid]
    assert again.verify(KEYS | {THREE.kid: THREE.public}) == {ONE.kid, TWO.kid, THREE.kid}


@given(st.lists(st.sampled_from([ONE, TWO, THREE]), min_size=1, max_size=16))
def test_however_often_one_signs_he_counts_once(signers: list[Ed25519Signer]) -> None:
    envelope = dsse.parse(dsse.seal(TYPE, b"{}", signers))
    every = {each.kid: each.public for each in (ONE, TWO, THREE)}
    assert envelope.verify(every) == {each.kid for each in signers}
    for added in signers:
        envelope = dsse.parse(dsse.add_signature(envelope, added))
    assert envelope.verify(every) == {each.kid for each in signers}


@pytest.mark.parametrize("count", [1, 16])
def test_an_envelope_has_up_to_sixteen_signatures(count: int) -> None:
    assert len(dsse.parse(dsse.seal(TYPE, b"{}", [ONE] * count)).signatures) == count
    with pytest.raises(BadEnvelope):
        dsse.parse(dsse.seal(TYPE, b"{}", [ONE] * 17))


def test_a_type_may_be_in_any_script() -> None:
    sealed = dsse.seal("jenis/ñ", b"{}", [ONE])
    assert "jenis/ñ".encode() in sealed
    assert dsse.parse(sealed).verify(KEYS) == {ONE.kid}


def test_an_envelope_of_a_mebibyte_is_read_and_no_larger_one() -> None:
    sealed = dsse.seal(TYPE, bytes(700_000), [ONE])
    padded = sealed + b" " * ((1 << 20) - len(sealed))
    assert dsse.parse(padded).verify(KEYS) == {ONE.kid}
    with pytest.raises(BadEnvelope):
        dsse.parse(padded + b" ")


def test_a_stranger_is_refused() -> None:
    envelope = dsse.parse(dsse.seal(TYPE, b"{}", [TWO]))
    with pytest.raises(BadSignature) as refused:
        envelope.verify({ONE.kid: ONE.public})
    assert refused.value.code == "sig.unknown_key"


def test_the_type_is_signed_too() -> None:
    with pytest.raises(BadSignature):
        dsse.parse(_json(payloadType="application/other")).verify(KEYS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'"text"',
        _json(extra=1),
        _json(payload=7),
        _json(payload="e30"),
        _json(payload="e30=\n"),
        _json(payloadType=""),
        _json(signatures=[]),
        _json(signatures={}),
        _json(signatures=[{"keyid": "a"}]),
        _json(signatures=[{"keyid": "a", "sig": "QQ==", "cert": ""}]),
        _json(signatures=[{"keyid": None, "sig": "QQ=="}]),
        _json(signatures=[{"keyid": "a", "sig": "QQ=="}] * 17),
        _json().replace(b'"payload"', b'"payloadType":"x","payload"', 1),
        b'{"payloadType":"t","payload":"e30=","signatures":[{"keyid":"a","keyid":"b","sig":""}]}',
    ],
    ids=range(16),
)
def test_anything_but_strict_dsse_is_refused(data: bytes) -> None:
    with pytest.raises(BadEnvelope):
        dsse.parse(data)


def test_an_envelope_beyond_the_limit_is_refused() -> None:
    with pytest.raises(BadEnvelope):
        dsse.parse(dsse.seal(TYPE, bytes(1000), [ONE]), limit=1000)


def test_every_wycheproof_jws_is_refused() -> None:
    groups = json.loads(shared("data/vectors/wycheproof/json_web_signature_test.json").read_text())
    samples = [case["jws"] for group in groups["testGroups"] for case in group["tests"]]
    assert len(samples) > 300
    for sample in samples:
        text = sample if isinstance(sample, str) else json.dumps(sample)
        with pytest.raises(BadEnvelope):
            dsse.parse(text.encode())


def test_every_jose_cookbook_sample_is_refused() -> None:
    for path in sorted(shared("data/vectors/jose").glob("j*/*.json")):
        output = json.loads(path.read_text()).get("output", {})
        for sample in output.values():
            text = sample if isinstance(sample, str) else json.dumps(sample)
            with pytest.raises(BadEnvelope):
                dsse.parse(text.encode())
