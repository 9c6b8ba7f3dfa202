"""A commitment is one hash of salt and detail, as trust.md 3.1 spells it."""

import hashlib

import pytest

from keys.canonical import canonical
from keys.commitment import SALT, Commitment, commit, committed

DETAIL = {"case": "K-1", "n": 2}
SPELLED = b'{"case":"K-1","n":2}'
ONES = b"\x01" * 32


def test_it_is_the_hash_of_tag_salt_and_canonical_detail() -> None:
    wanted = hashlib.sha256(b"titian-c/1\x00" + ONES + SPELLED).digest()
    assert commit(DETAIL, ONES) == Commitment(wanted, ONES)
    assert committed(canonical(DETAIL), ONES) == wanted


@pytest.mark.parametrize("salt", [b"", b"\x01" * 31 + b"\x02"])
def test_a_given_salt_counts_even_an_empty_one(salt: bytes) -> None:
    made = commit(DETAIL, salt)
    assert made.salt == salt
    assert made.sha256 != commit(DETAIL, ONES).sha256


def test_a_new_salt_has_32_bytes_and_never_comes_twice() -> None:
    one, two = commit(DETAIL), commit(DETAIL)
    assert len(one.salt) == SALT == 32
    assert one.salt != two.salt
    assert one.sha256 != two.sha256
    assert committed(SPELLED, one.salt) == one.sha256


def test_the_salt_is_not_printed() -> None:
    assert "salt" not in repr(commit(DETAIL, ONES))
