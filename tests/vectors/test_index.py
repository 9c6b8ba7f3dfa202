"""No file of vectors lies there unread: each is run by a test, or has a reason why not."""

from fnmatch import fnmatch

import pytest

from tests.shared import ROOT, shared

RUN = {
    "cctv/ed25519vectors.json": "tests/keys/test_signers.py",
    "checkpoint/notes.json": "tests/keys/test_checkpoint.py",
    "checkpoint/sigstore-rekor2-checkpoints.json": "tests/keys/test_checkpoint.py",
    "jcs/*": "tests/keys/test_canonical.py",
    "jose/jws/*.json": "tests/vectors/samples.py",
    "jose/jwk/*.json": "tests/vectors/samples.py",
    "jose/rfc7797/*.json": "tests/vectors/samples.py",
    "jose/curve25519/*.json": "tests/vectors/samples.py",
    "own/ed25519-low-order-keys.json": "tests/keys/test_signers.py",
    "own/hostile-records.jsonl": "tests/schemas/test_hostile.py",
    "rfc6962/inclusion.json": "tests/keys/test_merkle.py",
    "rfc6962/consistency.json": "tests/keys/test_merkle.py",
    "rfc9421/appendix-b.json": "tests/keys/test_httpsig.py",
    "rfc9530/digests.json": "tests/keys/test_httpsig.py",
    "structured-fields/*.json": "tests/keys/test_httpsig.py",
    "tuf/rotation-matrix.json": "tests/vectors/test_tuf.py",
    "wycheproof/aes_gcm_test.json": "tests/keys/test_vault.py",
    "wycheproof/aes_kwp_test.json": "tests/keys/test_vault.py",
    "wycheproof/ed25519_test.json": "tests/keys/test_signers.py",
    "wycheproof/hkdf_sha256_test.json": "tests/keys/test_vault.py",
    "wycheproof/hmac_sha256_test.json": "tests/keys/test_vault.py",
    "wycheproof/json_web_*_test.json": "tests/vectors/samples.py",
}
"""A file, or a pattern of files, and where it is read."""
NOT_RUN = {
    "README.md": "says where the others came from",
    "check_vectors.py": "a check of the files themselves",
    "cctv/LICENSE.ed25519": "a licence",
    "jose/LICENSE": "a licence",
    "structured-fields/LICENSE.md": "a licence",
    "own/formula-cells.json": "nothing here writes cells of a spreadsheet yet; it is for the export",
    "rfc6962/subtree*.json": "proofs of subtrees are asked of no log and given by none of ours",
    "rfc9421/c2sp-httpsig-pq.json": "ML-DSA comes with the hybrid suite; today it is refused by `alg`",
    "wycheproof/mldsa_65_*.json": "ML-DSA comes with the hybrid suite; today it is refused by `alg`",
    "wycheproof/x25519_test.json": "sealed subjects come later: encryption keys are only carried",
}
"""The others, each with its reason."""


def _files() -> list[str]:
    folder = shared("data/vectors")
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def _patterns(name: str) -> list[str]:
    return [each for each in (*RUN, *NOT_RUN) if fnmatch(name, each)]


def test_every_file_is_run_or_has_a_reason() -> None:
    assert {name: _patterns(name) for name in _files() if len(_patterns(name)) != 1} == {}


@pytest.mark.parametrize("pattern", [*RUN, *NOT_RUN])
def test_nothing_is_listed_that_is_not_there(pattern: str) -> None:
    assert any(fnmatch(name, pattern) for name in _files())


@pytest.mark.parametrize("pattern", RUN)
def test_a_file_is_read_where_it_is_said_to_be(pattern: str) -> None:
    folder, _, name = pattern.partition("/")
    text = (ROOT / RUN[pattern]).read_text(encoding="utf-8")
    inner = name.partition("/")[0].partition("*")[0]
    spelled = inner.removesuffix(".json").removesuffix("_test").rstrip("_")
    assert folder in text
    assert spelled in text
