"""A log on a real database, its signer, and entries to put in it."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.ledger import query, service
from gateway.ledger.model import LogState
from keys import checkpoint
from keys.vault import LogSigner
from tests.conftest import Database


def heartbeat(n: int) -> dict[str, object]:
    return {
        "t": "heartbeat",
        "at": f"{2000 + n // 3600:04}-11-03T00:{n // 60 % 60:02}:{n % 60:02}Z",
    }


@dataclass(frozen=True)
class Log:
    """`append` and `integrate` as the processes of the centre do them: each its own transaction."""

    database: Database

    @property
    def signer(self) -> LogSigner:
        return self.database.vault.log_signer(self.database.settings.log_origin)

    def append(self, numbers: Iterable[int]) -> list[bytes]:
        with self.database.session() as session:
            leaves = service.append_many(session, [heartbeat(n) for n in numbers])
            session.commit()
        return leaves

    def integrate(self, limit: int = 100_000) -> LogState | None:
        with self.database.session() as session:
            state = service.integrate(session, self.signer, limit=limit)
            session.commit()
        return state

    def grow(self, numbers: Iterable[int]) -> list[bytes]:
        leaves = self.append(numbers)
        self.integrate()
        return leaves

    def note(self) -> checkpoint.Checkpoint:
        with self.database.session() as session:
            note = query.checkpoint(session)
        assert note is not None
        return checkpoint.verify(note, self.signer.vkey)

    def verify(self) -> LogState:
        with self.database.session() as session:
            return query.verify(session, self.signer.vkey)
