"""The secret on paper gives one key for ever; its public half as text shows every slip."""

import hmac

import pytest

from keys import recovery
from keys.errors import BadKey
from keys.signers import Ed25519Signer

SECRET = bytes(range(32))
SEED = "f96c752168cfc07a086057f654247cd42147fb80dd66d63bd0c93fbad7c5027c"
TEXT = (
    "titian-recovery:dinsos:t53sevklirtdnwvrobynkqzh2r:"
    "es5lggmdcwgl2m6bcjiinwlryrpzf5xrkd4uou43zs52zxe3mobq"
)
ONE = recovery.signer_of("dinsos", SECRET)


def test_the_vector_is_hkdf_of_rfc_5869() -> None:
    prk = hmac.digest(bytes(32), SECRET, "sha256")
    assert hmac.digest(prk, b"titian-recovery/1\x01", "sha256").hex() == SEED


def test_a_secret_gives_the_key_of_the_vector() -> None:
    assert ONE.public == Ed25519Signer.from_seed("dinsos", bytes.fromhex(SEED)).public
    assert recovery.public_text(ONE.public, "dinsos") == TEXT


def test_the_text_reads_back_whatever_blanks_and_capitals() -> None:
    assert recovery.parse_public(TEXT) == ("dinsos", ONE.public)
    assert recovery.parse_public(f" {TEXT[:40]} \n{TEXT[40:].upper()}") == ("dinsos", ONE.public)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_secret_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(BadKey) as refused:
        recovery.signer_of("dinsos", bytes(size))
    assert refused.value.code == "key.size"


def test_every_slip_of_one_character_is_found() -> None:
    code = range(len("titian-recovery:"), len("titian-recovery:dinsos"))
    for at, right in enumerate(TEXT):
        if at in code:  # another agency's code is another agency, for the caller to compare
            continue
        for wrong in {"a", "b", "7", "1", "-"} - {right}:
            with pytest.raises(BadKey) as refused:
                recovery.parse_public(TEXT[:at] + wrong + TEXT[at + 1 :])
            assert refused.value.code in {"recovery.text", "recovery.typo"}


@pytest.mark.parametrize("text", ["", "titian-recovery:", TEXT[:-1], TEXT + "a", f"x{TEXT}"])
def test_what_is_no_recovery_text_is_refused(text: str) -> None:
    with pytest.raises(BadKey) as refused:
        recovery.parse_public(text)
    assert refused.value.code == "recovery.text"
