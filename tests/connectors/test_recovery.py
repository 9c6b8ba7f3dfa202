"""Twenty-four words: made, typed again, mistyped."""

import pytest

from connectors import recovery
from connectors.errors import FixSettings
from keys import recovery as pure

# 32 bytes 0, 1, … 31 in BIP-39's English words.
WORDS = (
    "abandon amount liar amount expire adjust cage candy arch gather drum bullet "
    "absurd math era live bid rhythm alien crouch range attend journey unaware"
)
PUBLIC = pure.signer_of("dinsos", bytes(range(32))).public


def test_new_words_give_the_same_key_when_typed():
    made = recovery.new("dinsos")
    assert len(made.words) == 24
    assert recovery.from_words(" ".join(made.words), "dinsos").kid == made.signer.kid
    assert made.words != recovery.new("dinsos").words
    assert made.words[0] not in repr(made)


def test_the_words_of_the_vector():
    assert recovery.from_words(WORDS, "dinsos").public == PUBLIC
    short = " ".join(word[:4] for word in WORDS.split()).upper()
    assert recovery.from_words(short, "dinsos").public == PUBLIC


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", "recovery.count", "diketik 0"),
        (WORDS + " era", "recovery.count", "diketik 25"),
        (WORDS.replace("cage", "cagge"), "recovery.word", "Kata ke-7 tidak dikenal"),
        (WORDS.replace("cage", "ca"), "recovery.word", "Kata ke-7 tidak dikenal"),
        (WORDS.replace("drum bullet", "bullet drum"), "recovery.checksum", "tertukar"),
    ],
)
def test_a_slip_is_named_and_no_word_is_told(text, code, said):
    with pytest.raises(FixSettings) as refused:
        recovery.from_words(text, "dinsos")
    assert refused.value.code == code
    assert said in refused.value.sentence("id")
    assert "cagge" not in str(refused.value)


def test_the_public_half_is_taken_of_our_own_agency_only():
    text = recovery.public_text(PUBLIC, "dinsos")
    assert recovery.parse_public(text, "dinsos") == PUBLIC
    with pytest.raises(FixSettings) as foreign:
        recovery.parse_public(text, "dinkes")
    assert foreign.value.code == "recovery.agency"
    with pytest.raises(FixSettings) as typo:
        recovery.parse_public(text[:-2] + "aa", "dinsos")
    assert typo.value.code == "recovery.public"


def test_the_public_half_is_drawn_as_a_code():
    assert recovery.qr_svg(PUBLIC, "dinsos").startswith("<svg")
    rows = recovery.qr_text(PUBLIC, "dinsos").splitlines()
    assert len(rows) > 10
    assert len(set(map(len, rows))) == 1
