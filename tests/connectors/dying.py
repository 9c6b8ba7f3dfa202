"""Hands that die before an effect: the key file, the memory, a request, each before and after."""

from collections.abc import Callable
from dataclasses import replace

from connectors import assembly
from connectors.assembly import Outside
from connectors.client import RequestsTransport
from connectors.config import Config
from connectors.memory import Memory
from connectors.rotating import Hands
from keys.keystore import KeyStore
from tests.connectors import gateway as fake


class Death(BaseException):
    pass


class Mortal:
    """Counts effects, and dies before the one whose turn it is."""

    def __init__(self, turn: int) -> None:
        self.left = turn

    def effect(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Death


class MortalStore(KeyStore):
    __slots__ = ("mortal",)

    def generate(self, *arguments):
        self.mortal.effect()
        kid = super().generate(*arguments)
        self.mortal.effect()
        return kid


class MortalMemory(Memory):
    mortal: Mortal

    def put_fact(self, name, value):
        self.mortal.effect()
        super().put_fact(name, value)
        self.mortal.effect()


class MortalTransport(RequestsTransport):
    mortal: Mortal

    def send(self, *arguments):
        self.mortal.effect()
        answer = super().send(*arguments)
        self.mortal.effect()
        return answer


def lives(agency, turn: int, act: Callable[[Hands], object]) -> bool:
    """Acts with hands that die before the effect number `turn`; True if they lived."""
    config = Config.load(agency.config, state=agency.state)
    mortal = Mortal(10**6)
    memory = MortalMemory.open(config.places.memory)
    memory.mortal = mortal
    transport = MortalTransport()
    transport.mortal = mortal
    try:
        hands = assembly.open_hands(
            config, memory, Outside(fake.now, lambda: "", transport=transport)
        )
        passphrase = (agency.state / "keys" / "passphrase").read_text().strip()
        store = MortalStore(config.places.key_file, passphrase)
        store.mortal = mortal
        mortal.left = turn
        act(replace(hands, store=store))
    except Death:
        return False
    finally:
        memory.close()
    return True
