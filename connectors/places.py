"""Where one connector keeps its files."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """Where this connector keeps what: keys apart from state, so a backup of one is not both."""

    state: Path

    @property
    def memory(self) -> Path:
        return self.state / "data" / "memory.sqlite"

    @property
    def inbox(self) -> Path:
        return self.state / "data" / "inbox.sqlite"

    @property
    def lock(self) -> Path:
        return self.state / "data" / "lock.sqlite"

    @property
    def keys(self) -> Path:
        return self.state / "keys"

    @property
    def key_file(self) -> Path:
        return self.keys / "agency.key"

    @property
    def id_secret(self) -> Path:
        return self.keys / "ids.secret"

    @property
    def passphrase(self) -> Path:
        return self.keys / "passphrase"

    @property
    def statement(self) -> Path:
        """What waits for the recovery key's signature."""
        return self.state / "to-sign.json"

    @property
    def anchors(self) -> Path:
        return self.keys / "anchors.json"

    @property
    def evidence(self) -> Path:
        return self.state / "fork-evidence"
