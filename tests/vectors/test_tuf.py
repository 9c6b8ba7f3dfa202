"""The rotation matrix of TUF's conformance suite, replayed on the recovery keys of an agency.

A keyset's recovery keys are to it what root keys are to TUF's root: a threshold of those in force
signs the next version, and the new ones can reach their own threshold. Ours asks for more in one
thing: each new key signs for itself. So whatever TUF refuses is refused here, and what only we
refuse is named below.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keys import dsse, keyset
from keys.errors import BadSignature, BadStatement, TrustError
from keys.keyset import PAYLOAD_TYPE, Keyset, Recovery, Revocation, encode
from keys.signers import Ed25519Signer
from keys.succession import Standing, accept_next
from tests.shared import shared

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
STRICTER = {
    "3-of-5-one-key-rotated": 1,
    "3-of-5-all-keys-rotated-with-intermediate-step": 1,
}
"""By sequence, the step at which a new key that has not signed for itself is refused here alone."""


def signer(index: int) -> Ed25519Signer:
    return Ed25519Signer.from_seed("baz", bytes([100 + index]) * 32)


ONLINE = signer(99)


def recovery(step: dict[str, Any]) -> Recovery:
    keys = sorted((signer(index) for index in step["keys"]), key=lambda each: each.kid)
    return Recovery(step["threshold"], {each.kid: each.public for each in keys})


def start(step: dict[str, Any]) -> Keyset:
    entry = keyset.entry_of("baz", ONLINE.public, instance="conn", not_before=NOW)
    payload = keyset.build("t", "baz", [entry], issued=NOW, recovery=recovery(step))
    return keyset.parse_statement(payload)


def follows(current: Keyset, step: dict[str, Any], **change: Any) -> Keyset:
    """The keyset after the step, whose recovery keys the signers of the step propose."""
    before = dsse.Envelope(PAYLOAD_TYPE, encode(current), ())
    said = replace(current, version=current.version + 1, prev=before.payload_sha256, **change)
    envelope = dsse.parse(dsse.seal(PAYLOAD_TYPE, encode(said), [signer(i) for i in step["sigs"]]))
    standing = Standing(current, before.payload_sha256)
    return accept_next(envelope, standing, known_keys=(), centre={}, now=NOW).keyset


def _matrix(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared("data/vectors/tuf/rotation-matrix.json").read_text())
    return found[part]


def test_every_sequence_of_root_keys() -> None:
    matrix, refused = _matrix("root"), 0
    assert len(matrix) == 15
    for name, (first, *steps) in matrix.items():
        current = start(first)
        for number, step in enumerate(steps, 1):
            # A step that changes no key is a version all the same: something else changes.
            enc = {f"e{number}": {"alg": "hpke-x25519", "pub": "A" * 43 + "=",
                                  "not_after": "2027-01-01T00:00:00Z"}}  # fmt: skip
            change = {"recovery": recovery(step), "enc": enc}
            if step["want_ok"] and STRICTER.get(name) != number:
                current = follows(current, step, **change)
                continue
            refused += 1
            with pytest.raises(TrustError) as found:
                follows(current, step, **change)
            assert isinstance(found.value, BadSignature) or found.value.code == "keyset.possession"
            break
    assert refused == 6 + len(STRICTER)


def test_where_we_are_stricter_the_new_keys_own_signatures_are_all_that_lacks() -> None:
    matrix = _matrix("root")
    for name, number in STRICTER.items():
        current = start(matrix[name][0])
        step = matrix[name][number]
        with pytest.raises(BadStatement) as found:
            follows(current, step, recovery=recovery(step))
        assert found.value.code == "keyset.possession"
        every = {**step, "sigs": sorted({*step["sigs"], *step["keys"]})}
        assert follows(current, every, recovery=recovery(step)).recovery == recovery(step)


def test_every_threshold_of_delegated_keys() -> None:
    matrix = _matrix("delegated")
    assert len(matrix) == 10
    lost = (Revocation(ONLINE.kid, NOW - timedelta(days=1), "key_compromise", 7),)
    for name, step in matrix.items():
        current = start(step)
        if step["want_ok"]:
            assert follows(current, step, revoked=lost).revoked == lost, name
            continue
        with pytest.raises(BadSignature):
            follows(current, step, revoked=lost)


def test_the_new_threshold_counts_beside_the_old_one() -> None:
    """Nobody locks an agency out, nor in, with keys that cannot do what it will take."""
    one = {"keys": [1, 2, 3], "threshold": 1, "sigs": [1]}
    two = {"keys": [1, 2, 3], "threshold": 2, "sigs": [2]}
    with pytest.raises(BadSignature) as found:
        follows(start(one), two, recovery=recovery(two))
    assert found.value.code == "keyset.threshold"
    both = follows(start(one), {**two, "sigs": [2, 3]}, recovery=recovery(two))
    assert both.recovery == recovery(two)
    assert follows(start(one), one, recovery=None).recovery is None
