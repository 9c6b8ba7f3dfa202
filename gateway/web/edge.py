"""What every view needs and nothing else: the sessions, the settings, the vault and the clock.

`create_app` installs one `Edge`; a view asks for it by `edge()`. Tests install one with a clock of
their own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from threading import Semaphore
from typing import cast

from flask import Flask, current_app
from sqlalchemy.orm import Session, sessionmaker

from gateway.index import modelfile
from gateway.index.arrivals import IndexTools
from gateway.settings import Settings
from gateway.storage.wake import Wakes
from keys.vault import Vault
from schemas.profile import Profile

_NAME = "titian"


@dataclass(frozen=True, slots=True)
class Edge:
    """The centre as the web sees it."""

    settings: Settings
    sessions: sessionmaker[Session]
    vault: Vault
    clock: Callable[[], datetime]
    """The aware UTC time of now."""
    profile: Profile
    """The city: its places, agencies, words and business date."""
    revision: str | None = None
    """The schema that this code wants of its database."""
    wakes: Wakes = field(default_factory=Wakes)
    """How those who wait hear that there is something."""
    seats: Semaphore = field(default_factory=lambda: Semaphore(1))
    """For requests that wait: whoever finds none does not wait."""
    gate: Semaphore = field(default_factory=lambda: Semaphore(1))
    """Held by a request while it is worked on, and given back while it waits."""

    @property
    def index(self) -> IndexTools:
        """What the index needs to answer."""
        return _index(self.vault, self.profile)

    @property
    def today(self) -> date:
        """The desk's business date: the profile's fixed one, else today in the city."""
        return self.profile.today(self.clock())


def install(app: Flask, given: Edge) -> None:
    """Make `given` the edge of every view of `app`."""
    app.extensions[_NAME] = given


@cache
def _index(vault: Vault, profile: Profile) -> IndexTools:
    return IndexTools(vault=vault, profile=profile, model=modelfile.load())


def edge() -> Edge:
    """The edge of the app that serves the current request."""
    return cast("Edge", current_app.extensions[_NAME])
