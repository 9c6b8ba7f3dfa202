"""One frozen `Settings`, read once from the environment and passed; nothing else reads it.

Every variable may also be given as a file by the suffix `_FILE` (secrets of compose). `docs/
reference/settings.md` lists them; a test holds the two together.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

PREFIX = "TITIAN_"
SECOND_FACTOR = ("roles", "all", "off")


@dataclass(frozen=True, slots=True)
class Settings:
    """How this gateway runs. Defaults suit one machine; production sets the first six."""

    database_url: str = "postgresql://titian@127.0.0.1:5432/titian"
    """PostgreSQL 18 or later."""
    broker_url: str = "redis://127.0.0.1:6379/0"
    """Celery's broker: Redis protocol, or `amqp://` for RabbitMQ."""
    origin: str = "http://127.0.0.1:8000"
    """The public origin that connectors sign; never taken from the Host header."""
    aud: str = "titian.localhost"
    """The gateway's name inside every signed statement, without a year."""
    log_origin: str = "titian.localhost/log/2025"
    """The first line of each checkpoint; the year is its shard."""
    vault_path: str = "var/vault.json"
    """The key file: outside the database and its backups, mode 0600."""
    profile: str = "payakumbuh"
    """A folder of `schemas/profiles/`."""
    proxies: int = 0
    """Reverse proxies in front that set X-Forwarded-For; 0 trusts no such header."""
    max_body: int = 8 * 1024 * 1024
    """Largest batch body in bytes, compressed."""
    max_uncompressed: int = 64 * 1024 * 1024
    """Largest batch in bytes, uncompressed."""
    max_records: int = 50_000
    """Most records in one batch."""
    batches_per_minute: int = 2_400
    """Batches that one agency may send in a minute."""
    bytes_per_day: int = 5 * 1024**3
    """Bytes of batches, compressed, that one agency may send in a day (UTC)."""
    searches_per_hour: int = 60
    """Searches that one officer may submit in an hour; as many profiles, as many reveals."""
    searches_per_day: int = 300
    """Searches that one officer may submit in 24 hours; as many profiles, as many reveals."""
    live_seconds: int = 30
    """How long an agency has to answer a live check."""
    live_per_day: int = 500
    """Live checks that one agency is sent in 24 hours."""
    at_once: int = 4
    """Requests that one process works on at a time; the others, and those that wait, stand by."""
    waiters: int = 40
    """Long polls that one process lets wait at a time; each takes a thread and no connection."""
    session_idle_minutes: int = 15
    """An officer's session ends after this long without a request."""
    session_hours: int = 8
    """An officer's session ends after this long in any case."""
    second_factor: str = "roles"
    """Who must have one: `roles` (administrators, auditors, heads), `all`; `off` for a demo."""
    attempts: int = 3
    """How often a job is tried before it is parked."""
    pool_size: int = 10
    """Database connections of one process."""
    digest_folder: str = ""
    """Where a daily text for each agency is laid for the mail server to take; empty: none."""
    log_level: str = "INFO"
    """Level of the JSON log on stderr."""

    def __post_init__(self) -> None:
        """Refuse a word that would quietly leave the second factor off."""
        if self.second_factor not in SECOND_FACTOR:
            raise ValueError(f"{PREFIX}SECOND_FACTOR must be one of {', '.join(SECOND_FACTOR)}")
        if self.second_factor == "off" and self.origin.startswith("https://"):
            raise ValueError(f"{PREFIX}SECOND_FACTOR=off is for a demo, which has no https origin")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Settings from `TITIAN_*` variables.

        Raises:
            ValueError: a number is not a number, or a named file cannot be read.
        """
        env = os.environ if environ is None else environ
        given: dict[str, str | int] = {}
        for field in fields(cls):
            name = PREFIX + field.name.upper()
            text = env.get(name)
            path = env.get(name + "_FILE")
            if path is not None:
                text = _read(name, path)
            if text is None:
                continue
            given[field.name] = _number(name, text) if field.type in (int, "int") else text
        return cls(**given)  # type: ignore[arg-type]  # each value was converted by its field's type

    @property
    def vault_file(self) -> Path:
        """Where the secrets lie."""
        return Path(self.vault_path)

    def environ(self) -> dict[str, str]:
        """The variables that would make these settings, for a child process."""
        return {PREFIX + f.name.upper(): str(getattr(self, f.name)) for f in fields(self)}


def _read(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as err:
        raise ValueError(f"{name}_FILE names a file that cannot be read: {err.strerror}") from err


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as err:
        raise ValueError(f"{name} must be a whole number") from err
