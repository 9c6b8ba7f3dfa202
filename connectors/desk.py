"""What every command needs: where the settings are, in which language to speak, what time it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from connectors.assembly import Outside, open_hands
from connectors.config import Config
from connectors.lock import only_one
from connectors.memory import Memory
from connectors.rotating import Hands
from connectors.screen import say


@dataclass(frozen=True, slots=True)
class Desk:
    """The officer's place at the screen."""

    config_path: Path
    state: Path | None
    lang: str
    console: Console
    clock: Callable[[], datetime]

    def config(self) -> Config:
        return Config.load(self.config_path, state=self.state)

    def say(self, key: str, **facts: object) -> str:
        return say(key, self.lang, **facts)

    def tell(self, key: str, **facts: object) -> None:
        click.echo(self.say(key, **facts))

    def tell_aside(self, key: str, **facts: object) -> None:
        """Beside the output, so that what was asked for can be written to a file."""
        click.echo(self.say(key, **facts), err=True)

    def ask_passphrase(self) -> str:
        return str(click.prompt(self.say("passphrase"), hide_input=True, err=True))

    def outside(
        self, report: Callable[[str, int, int | None], None] = lambda _block, _read, _total: None
    ) -> Outside:
        return Outside(self.clock, self.ask_passphrase, report)


@contextmanager
def memory_of(config: Config) -> Iterator[Memory]:
    """The memory, to write in: no other connector runs on it."""
    with only_one(config.places.lock):
        memory = Memory.open(config.places.memory)
        try:
            yield memory
        finally:
            memory.close()


@contextmanager
def hands_of(desk: Desk) -> Iterator[Hands]:
    """The agency's keys, opened, and its gateway."""
    config = desk.config()
    with memory_of(config) as memory:
        yield open_hands(config, memory, desk.outside())
