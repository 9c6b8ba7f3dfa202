"""What this connector remembers: one SQLite file, written through to the disk (`synchronous=FULL`).

A reading of the source, from the first row to the last sealed batch, is one transaction: a
`kill -9` anywhere leaves the state of before or of after, and a batch is in the outbox exactly if
the rows it carries are remembered as sent. Sending comes later and is idempotent.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

from connectors.errors import FixSettings
from connectors.outbox import Outbox
from connectors.sqlitefile import SqliteFile

SCHEMA_VERSION = 1
_PAGE = 2_000
_SCHEMA = """
CREATE TABLE fact(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE stream(name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  head BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE block(n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, watermark TEXT);
CREATE TABLE sent(n INTEGER PRIMARY KEY, block INTEGER NOT NULL, fold INTEGER NOT NULL,
  id TEXT NOT NULL, hash BLOB NOT NULL, own TEXT);
CREATE INDEX sent_fold ON sent(fold);
CREATE TABLE outbox(stream TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  record_type TEXT NOT NULL, kind TEXT NOT NULL, payload_sha256 BLOB NOT NULL, root BLOB NOT NULL,
  count INTEGER NOT NULL, body BLOB, sealed_at TEXT NOT NULL, receipt BLOB, leaf BLOB,
  received_at TEXT, proof TEXT, settled_at TEXT, result TEXT, PRIMARY KEY(stream, epoch, seq));
CREATE INDEX outbox_unsettled ON outbox(settled_at) WHERE settled_at IS NULL;
CREATE TABLE finding(block TEXT NOT NULL, own TEXT NOT NULL, code TEXT NOT NULL, field TEXT,
  refused INTEGER NOT NULL, PRIMARY KEY(block, own, code, field));
CREATE TABLE run(n INTEGER PRIMARY KEY, block TEXT NOT NULL, started TEXT NOT NULL,
  tally TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Head:
    """The last batch of a stream: its number and payload hash; `seq` 0 is before the first."""

    epoch: int
    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What was last sent under an id: its row number here and its content hash."""

    n: int
    hash: bytes


class Memory:
    """The one file. Every method may raise `Wait("state.full")` when the disk is full."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self.outbox = Outbox(file)

    @classmethod
    def open(cls, path: Path) -> Self:
        """The memory at `path`, made if it is not there.

        Raises:
            FixSettings: the folder cannot be written, the file is damaged, or of a newer connector.
        """
        file = SqliteFile.open(path)
        file.prepare(_SCHEMA, SCHEMA_VERSION)
        file.run("CREATE TEMP TABLE fresh(fold INTEGER, id TEXT)")
        file.run("CREATE INDEX temp.fresh_fold ON fresh(fold)")
        return cls(file)

    def close(self) -> None:
        self._file.close()

    def change(self) -> AbstractContextManager[None]:
        """One transaction: all of it is kept at the end, or nothing of it."""
        return self._file.change()

    # -- facts and streams

    def fact(self, name: str) -> Any:
        """A remembered JSON value, or None."""
        row = self._file.one("SELECT value FROM fact WHERE name = ?", name)
        return None if row is None else json.loads(row[0])

    def put_fact(self, name: str, value: object) -> None:
        text = json.dumps(value, sort_keys=True)
        self._file.run("INSERT OR REPLACE INTO fact VALUES(?, ?)", name, text)

    def drop_fact(self, name: str) -> None:
        self._file.run("DELETE FROM fact WHERE name = ?", name)

    def head(self, stream: str) -> Head | None:
        """The last sealed batch of a stream, or None where this memory knows nothing of it."""
        row = self._file.one("SELECT epoch, seq, head FROM stream WHERE name = ?", stream)
        return None if row is None else Head(*row)

    def put_head(self, stream: str, head: Head) -> None:
        row = (stream, head.epoch, head.seq, head.hash)
        self._file.run("INSERT OR REPLACE INTO stream VALUES(?, ?, ?, ?)", *row)

    # -- blocks and what was sent of them

    def find_block(self, name: str) -> int | None:
        """The number of a block, or None where it was never read."""
        row = self._file.one("SELECT n FROM block WHERE name = ?", name)
        return None if row is None else int(row[0])

    def block(self, name: str) -> int:
        """The number of a block; a new one is remembered."""
        self._file.run("INSERT OR IGNORE INTO block(name) VALUES(?)", name)
        return self.find_block(name) or 0

    def watermark(self, name: str) -> str | None:
        row = self._file.one("SELECT watermark FROM block WHERE name = ?", name)
        return None if row is None else row[0]

    def put_watermark(self, name: str, value: str | None) -> None:
        self._file.run("UPDATE block SET watermark = ? WHERE name = ?", value, name)

    def known(self, block: int, record_id: str) -> Known | None:
        """What was last sent under an id."""
        rows = self._file.all(
            "SELECT n, hash, block, id FROM sent WHERE fold = ?", _fold(block, record_id)
        )
        return next((Known(n, h) for n, h, b, i in rows if b == block and i == record_id), None)

    def put_new(self, block: int, record_id: str, content: bytes, own: str | None) -> int:
        """Remembers a record sent for the first time; its row number."""
        row = (block, _fold(block, record_id), record_id, content, own)
        statement = "INSERT INTO sent(block, fold, id, hash, own) VALUES(?, ?, ?, ?, ?)"
        number = self._file.run(statement, *row).lastrowid
        if number is None:
            raise FixSettings("state.damaged", path=self._file.path, reason="no row number")
        return number

    def put_changed(self, n: int, content: bytes) -> None:
        self._file.run("UPDATE sent SET hash = ? WHERE n = ?", content, n)

    def forget(self, n: int) -> None:
        self._file.run("DELETE FROM sent WHERE n = ?", n)

    def forget_all(self, blocks: Sequence[int]) -> None:
        """Everything counts as never sent: the next publish is a full snapshot."""
        for block in blocks:
            self._file.run("DELETE FROM sent WHERE block = ?", block)
            self._file.run("UPDATE block SET watermark = NULL WHERE n = ?", block)

    def last_number(self) -> int:
        return int(self._file.all("SELECT coalesce(max(n), 0) FROM sent")[0][0])

    def count_sent(self, block: int) -> int:
        return int(self._file.all("SELECT count(*) FROM sent WHERE block = ?", block)[0][0])

    def sent(self, block: int) -> Iterator[tuple[int, str]]:
        """(row number, id) of all that was sent of a block, a page at a time."""
        after = 0
        statement = "SELECT n, id FROM sent WHERE n > ? AND block = ? ORDER BY n LIMIT ?"
        while page := self._file.all(statement, after, block, _PAGE):
            yield from page
            after = page[-1][0]

    def own_key(self, record_id: str) -> str:
        """The officer's own key of a record: its id, or what a keyed hash stands for."""
        for block in self._file.all("SELECT n FROM block ORDER BY n"):
            statement = "SELECT own FROM sent WHERE fold = ? AND id = ?"
            row = self._file.one(statement, _fold(block[0], record_id), record_id)
            if row is not None and row[0] is not None:
                return str(row[0])
        return record_id

    def rehearsed_block(self, name: str) -> int:
        """The number of a block for a preview, which forgets the preview before it."""
        self._file.run("DELETE FROM temp.fresh")
        return self.find_block(name) or -1

    def rehearse_new(self, block: int, record_id: str) -> bool:
        """In a preview: True at the first sight of an id, without keeping it."""
        fold = _fold(block, record_id)
        if any(
            row[0] == record_id
            for row in self._file.all("SELECT id FROM temp.fresh WHERE fold = ?", fold)
        ):
            return False
        self._file.run("INSERT INTO temp.fresh VALUES(?, ?)", fold, record_id)
        return True

    # -- findings and runs

    def drop_findings(self, block: str) -> None:
        """A new reading of a block begins: its findings replace those before."""
        self._file.run("DELETE FROM finding WHERE block = ?", block)

    def put_finding(self, block: str, found: tuple[str, str, str | None, bool]) -> None:
        """(own key, code, field, refused) of a row."""
        self._file.run("INSERT OR IGNORE INTO finding VALUES(?, ?, ?, ?, ?)", block, *found)

    def findings(self) -> list[tuple[str, str, int, int]]:
        """(block, code, how many, how many of them refused), most first."""
        return self._file.all(
            "SELECT block, code, count(*), sum(refused) FROM finding GROUP BY block, code "
            "ORDER BY 3 DESC, 1, 2"
        )

    def finding_rows(self) -> list[tuple[str, str, str, str | None]]:
        """(block, own key, code, field) of every finding, by block and code."""
        return self._file.all(
            "SELECT block, own, code, field FROM finding ORDER BY block, code, own, field"
        )

    def finding_counts(self, block: str, code: str, most: int) -> list[int]:
        """How often the last readings of a block found a code, the oldest first."""
        rows = self._file.all(
            "SELECT json_extract(tally, '$.findings.' || ?) FROM run WHERE block = ? "
            "ORDER BY n DESC LIMIT ?",
            *(code, block, most),
        )
        return [int(count or 0) for (count,) in reversed(rows)]

    def put_run(self, block: str, started: str, tally: object) -> None:
        self._file.run(
            "INSERT INTO run(block, started, tally) VALUES(?, ?, ?)",
            block,
            started,
            json.dumps(tally),
        )
        self._file.run("DELETE FROM run WHERE n <= (SELECT max(n) FROM run) - 1000")

    def last_runs(self) -> list[tuple[str, str, Any]]:
        """(block, started, tally) of the last reading of each block."""
        rows = self._file.all(
            "SELECT block, started, tally, max(n) FROM run GROUP BY block ORDER BY block"
        )
        return [(block, started, json.loads(tally)) for block, started, tally, _ in rows]


def _fold(block: int, record_id: str) -> int:
    hashed = blake2b(f"{block}\0{record_id}".encode(), digest_size=8).digest()
    return int.from_bytes(hashed, "big", signed=True)
