"""What every view needs and nothing else: the sessions, the settings, the vault and the clock.

`create_app` installs one `Edge`; a view asks for it by `edge()`. Tests install one with a clock of
their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import Flask, current_app
from sqlalchemy.orm import Session, sessionmaker

from gateway.settings import Settings
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


def install(app: Flask, given: Edge) -> None:
    """Make `given` the edge of every view of `app`."""
    app.extensions[_NAME] = given


def edge() -> Edge:
    """The edge of the app that serves the current request."""
    return cast("Edge", current_app.extensions[_NAME])
