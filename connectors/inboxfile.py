"""What this connector was asked and answered: one SQLite file of its own, written through.

Apart from the memory, whose transactions last as long as a reading of the source. A request is kept
before it counts as received, and its answer before it is sent, so that a `kill -9` anywhere leads
to the same answer or to none, never to a second one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from connectors.asked import Handed
from connectors.sqlitefile import SqliteFile

SCHEMA_VERSION = 1
KEPT = 10_000
"""Requests that are remembered; of older ones not even the answer is kept."""
_SCHEMA = """
CREATE TABLE request(n INTEGER PRIMARY KEY, rid TEXT UNIQUE, handed TEXT NOT NULL,
  received_at TEXT NOT NULL, kind TEXT, purpose TEXT, answer BLOB, status TEXT, code TEXT,
  answered_at TEXT, ended TEXT, receipt BLOB);
CREATE INDEX request_open ON request(n) WHERE ended IS NULL;
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An answer that has no receipt yet."""

    n: int
    rid: str
    answer: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """A request as the officer sees it: never whom it was about."""

    rid: str | None
    received_at: str
    kind: str | None
    purpose: str | None
    status: str | None
    code: str | None
    answered_at: str | None
    ended: str | None


class InboxFile:
    """The one file. Every method may raise `Wait("state.full")` when the disk is full."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    @classmethod
    def open(cls, path: Path) -> Self:
        """The file at `path`, made if it is not there.

        Raises:
            FixSettings: the folder cannot be written, the file is damaged, or of a newer connector.
        """
        file = SqliteFile.open(path)
        file.prepare(_SCHEMA, SCHEMA_VERSION)
        return cls(file)

    def close(self) -> None:
        self._file.close()

    def cursor(self) -> int:
        """The number of the last request that was kept; 0 before the first."""
        return int(self._file.one("SELECT coalesce(max(n), 0) FROM request")[0])

    def keep(self, handed: Sequence[Handed], at: str) -> None:
        """Remembers requests, in one transaction; one that is known stays as it is."""
        with self._file.change():
            for each in handed:
                row = (each.n, _spelled(each), at)
                statement = "INSERT OR IGNORE INTO request(n, handed, received_at) VALUES(?, ?, ?)"
                self._file.run(statement, *row)
            self._file.run("DELETE FROM request WHERE n <= (SELECT max(n) FROM request) - ?", KEPT)

    def unanswered(self) -> list[Handed]:
        """The requests that nothing was decided about, in order."""
        statement = "SELECT n, handed FROM request WHERE ended IS NULL AND answer IS NULL"
        return [_read(n, text) for n, text in self._file.all(f"{statement} ORDER BY n")]

    def decide(self, n: int, about: tuple[str, str, str], answer: tuple[bytes, str, str]) -> None:
        """Keeps the answer that will be sent.

        Args:
            n: the request's number.
            about: its id, kind and purpose.
            answer: the envelope, its status, and the code or "".
        """
        (rid, kind, purpose), (envelope, status, code) = about, answer
        self._file.run(
            "UPDATE request SET rid = ?, kind = ?, purpose = ?, answer = ?, status = ?, code = ? "
            "WHERE n = ? AND answer IS NULL",
            *(rid, kind, purpose, envelope, status, code or None, n),
        )

    def waiting(self) -> list[Waiting]:
        """The answers that have no receipt, in order."""
        statement = "SELECT n, rid, answer FROM request WHERE ended IS NULL AND answer IS NOT NULL"
        return [Waiting(*row) for row in self._file.all(f"{statement} ORDER BY n")]

    def end(self, n: int, how: str, at: str, receipt: bytes | None = None) -> None:
        """Nothing more is done about a request; what it asked and what was said are let go of.

        `how` is `answered`, or the code of what ended it.
        """
        self._file.run(
            "UPDATE request SET ended = ?, answered_at = ?, receipt = ?, handed = '{}', "
            "answer = NULL WHERE n = ?",
            *(how, at, receipt, n),
        )

    def lines(self, most: int) -> list[Line]:
        """The newest requests, newest first."""
        return [
            Line(*row)
            for row in self._file.all(
                "SELECT rid, received_at, kind, purpose, status, code, answered_at, ended "
                "FROM request ORDER BY n DESC LIMIT ?",
                most,
            )
        ]


def _spelled(each: Handed) -> str:
    return json.dumps(
        {
            "envelope": each.envelope.decode("utf-8"),
            "query": [each.query[0].decode("utf-8"), each.query[1]],
            "request": [each.request[0].decode("utf-8"), each.request[1]],
        }
    )


def _read(n: int, text: str) -> Handed:
    said = json.loads(text)
    query, request = said["query"], said["request"]
    return Handed(
        n,
        said["envelope"].encode(),
        (query[0].encode(), query[1]),
        (request[0].encode(), request[1]),
    )
