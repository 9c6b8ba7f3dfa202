"""A sample of the campaign that `make bench ONLY=mutations` runs in full."""

import pytest

from tests.keys import mutations


@pytest.mark.parametrize("seed", range(4))
def test_each_mutation_of_evidence_is_seen(seed: int) -> None:
    assert mutations.missed_in_evidence(seed, 150) == []


def test_each_mutation_of_a_proof_is_seen() -> None:
    assert mutations.missed_in_proofs(7, 300) == []


def test_nothing_good_is_doubted() -> None:
    assert mutations.doubted(range(10)) == []


def test_a_judge_that_believes_everything_would_be_found_out(monkeypatch) -> None:
    """The campaign can fail: a judge that does not look at the line misses its changes."""
    monkeypatch.setattr("keys.verdict.merkle.verify_inclusion", lambda *_: None)
    assert any("record" in each for each in mutations.missed_in_evidence(0, 200))
