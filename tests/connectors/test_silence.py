"""Why a key is silent: said by UPT-KAN or made here is known; anything else is nobody's word."""

from dataclasses import dataclass, replace

import pytest

from connectors import silence
from connectors.memory import Memory
from keys.canonical import to_base64
from keys.signers import Ed25519Signer
from keys.suspension import Action, Suspension, seal_suspension
from tests.keys.city import AGENCY, AUD, NOW, RECEIPT

CENTRE = {RECEIPT.kid: RECEIPT.public}
SAID = Suspension(AUD, "dinsos", AGENCY.kid, Action.SUSPEND, NOW, "call_from_agency")


@pytest.fixture
def memory(tmp_path):
    made = Memory.open(tmp_path / "memory")
    yield made
    made.close()


def why(memory, sealed: object) -> str | None:
    found = silence.explained(memory, AGENCY.kid, sealed, CENTRE)
    return None if found is None else found.code


def test_the_centres_own_word_is_known(memory):
    sealed = to_base64(seal_suspension(SAID, [RECEIPT]))
    found = silence.explained(memory, AGENCY.kid, sealed, CENTRE)
    assert found.code == silence.BY_CENTRE
    for lang, words in (("id", "UPT-KAN membekukan"), ("en", "UPT-KAN suspended")):
        assert words in found.sentence(lang)
        assert "call_from_agency" in found.sentence(lang)


def test_what_was_made_here_is_known(memory):
    sealed = seal_suspension(SAID, [AGENCY])
    assert why(memory, to_base64(sealed)) is None, "a thief holds this key, too"
    silence.made(memory, sealed)
    assert why(memory, to_base64(sealed)) == silence.BY_US


@dataclass(frozen=True)
class Lie:
    signer: Ed25519Signer = RECEIPT
    change: tuple[tuple[str, object], ...] = ()

    def sealed(self) -> str:
        return to_base64(seal_suspension(replace(SAID, **dict(self.change)), [self.signer]))


@pytest.mark.parametrize(
    "statement",
    [
        None,
        7,
        "",
        "!",
        to_base64(b"{}"),
        Lie(Ed25519Signer.generate("gateway")).sealed(),
        Lie(change=(("kid", "dinsos:other"),)).sealed(),
        Lie(change=(("action", Action.RESUME),)).sealed(),
    ],
)
def test_anything_else_explains_nothing(memory, statement):
    assert why(memory, statement) is None
