"""What this connector remembers: one SQLite file, written through to the disk (`synchronous=FULL`).

A reading of the source, from the first row to the last sealed batch, is one transaction: a `kill -9`
anywhere leaves the state of before or of after, and a batch is in the outbox exactly if the rows it
carries are remembered as sent. Sending comes later and is idempotent.
"""

import errno
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

from connectors.errors import FixSettings, Wait

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
CREATE TABLE run(n INTEGER PRIMARY KEY, block TEXT NOT NULL, started TEXT NOT NULL, tally TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Head:
    """The last batch of a stream: its number and payload hash; `seq` 0 is before the first."""

    epoch: int
    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """One sealed batch in the outbox."""

    stream: str
    epoch: int
    seq: int
    record_type: str
    kind: str
    payload_sha256: bytes
    root: bytes
    count: int
    body: bytes
    sealed_at: str


@dataclass(frozen=True, slots=True)
class Receipted:
    """A batch with its receipt, waiting for its place in the log."""

    stream: str
    epoch: int
    seq: int
    leaf: bytes
    received_at: str


@dataclass(frozen=True, slots=True)
class Known:
    """What was last sent under an id: its row number here and its content hash."""

    n: int
    hash: bytes


class Memory:
    """The one file. Every method may raise `Wait("state.full")` when the disk is full."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db, self.path = connection, path

    @classmethod
    def open(cls, path: Path) -> Self:
        """The memory at `path`, made if it is not there.

        Raises:
            FixSettings: the folder cannot be written, the file is damaged, or of a newer connector.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            db = sqlite3.connect(path, isolation_level=None, timeout=30)
            path.chmod(0o600)
        except (OSError, sqlite3.Error) as err:
            raise FixSettings("state.unwritable", path=path, reason=type(err).__name__) from err
        memory = cls(db, path)
        with memory._named_errors():
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA cache_size = -8192")
            db.execute("PRAGMA temp_store = FILE")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                script = (
                    f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
                )
                db.executescript(script)
            elif version != SCHEMA_VERSION:
                raise FixSettings("state.damaged", path=path, reason=f"version {version}")
            db.execute("CREATE TEMP TABLE fresh(fold INTEGER, id TEXT)")
            db.execute("CREATE INDEX temp.fresh_fold ON fresh(fold)")
        return memory

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """One transaction: all of it is kept at the end, or nothing of it."""
        with self._named_errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    # -- facts and streams

    def fact(self, name: str) -> Any:
        """A remembered JSON value, or None."""
        row = self._one("SELECT value FROM fact WHERE name = ?", name)
        return None if row is None else json.loads(row[0])

    def put_fact(self, name: str, value: object) -> None:
        text = json.dumps(value, sort_keys=True)
        self._run("INSERT OR REPLACE INTO fact VALUES(?, ?)", name, text)

    def head(self, stream: str) -> Head | None:
        """The last sealed batch of a stream, or None where this memory knows nothing of it."""
        row = self._one("SELECT epoch, seq, head FROM stream WHERE name = ?", stream)
        return None if row is None else Head(*row)

    def put_head(self, stream: str, head: Head) -> None:
        row = (stream, head.epoch, head.seq, head.hash)
        self._run("INSERT OR REPLACE INTO stream VALUES(?, ?, ?, ?)", *row)

    # -- blocks and what was sent of them

    def find_block(self, name: str) -> int | None:
        """The number of a block, or None where it was never read."""
        row = self._one("SELECT n FROM block WHERE name = ?", name)
        return None if row is None else int(row[0])

    def block(self, name: str) -> int:
        """The number of a block; a new one is remembered."""
        self._run("INSERT OR IGNORE INTO block(name) VALUES(?)", name)
        return self.find_block(name) or 0

    def watermark(self, name: str) -> str | None:
        row = self._one("SELECT watermark FROM block WHERE name = ?", name)
        return None if row is None else row[0]

    def put_watermark(self, name: str, value: str | None) -> None:
        self._run("UPDATE block SET watermark = ? WHERE name = ?", value, name)

    def known(self, block: int, record_id: str) -> Known | None:
        """What was last sent under an id."""
        rows = self._all(
            "SELECT n, hash, block, id FROM sent WHERE fold = ?", _fold(block, record_id)
        )
        return next((Known(n, h) for n, h, b, i in rows if b == block and i == record_id), None)

    def put_new(self, block: int, record_id: str, content: bytes, own: str | None) -> int:
        """Remembers a record sent for the first time; its row number."""
        row = (block, _fold(block, record_id), record_id, content, own)
        statement = "INSERT INTO sent(block, fold, id, hash, own) VALUES(?, ?, ?, ?, ?)"
        number = self._run(statement, *row).lastrowid
        if number is None:
            raise FixSettings("state.damaged", path=self.path, reason="no row number")
        return number

    def put_changed(self, n: int, content: bytes) -> None:
        self._run("UPDATE sent SET hash = ? WHERE n = ?", content, n)

    def forget(self, n: int) -> None:
        self._run("DELETE FROM sent WHERE n = ?", n)

    def forget_all(self, blocks: Sequence[int]) -> None:
        """Everything counts as never sent: the next publish is a full snapshot."""
        for block in blocks:
            self._run("DELETE FROM sent WHERE block = ?", block)
            self._run("UPDATE block SET watermark = NULL WHERE n = ?", block)

    def last_number(self) -> int:
        return int(self._all("SELECT coalesce(max(n), 0) FROM sent")[0][0])

    def count_sent(self, block: int) -> int:
        return int(self._all("SELECT count(*) FROM sent WHERE block = ?", block)[0][0])

    def sent(self, block: int) -> Iterator[tuple[int, str]]:
        """(row number, id) of all that was sent of a block, a page at a time."""
        after = 0
        statement = "SELECT n, id FROM sent WHERE n > ? AND block = ? ORDER BY n LIMIT ?"
        while page := self._all(statement, after, block, _PAGE):
            yield from page
            after = page[-1][0]

    def own_key(self, record_id: str) -> str:
        """The officer's own key of a record: its id, or what a keyed hash stands for."""
        for block in self._all("SELECT n FROM block ORDER BY n"):
            statement = "SELECT own FROM sent WHERE fold = ? AND id = ?"
            row = self._one(statement, _fold(block[0], record_id), record_id)
            if row is not None and row[0] is not None:
                return str(row[0])
        return record_id

    def rehearsed_block(self, name: str) -> int:
        """The number of a block for a preview, which forgets the preview before it."""
        self._run("DELETE FROM temp.fresh")
        return self.find_block(name) or -1

    def rehearse_new(self, block: int, record_id: str) -> bool:
        """In a preview: True at the first sight of an id, without keeping it."""
        fold = _fold(block, record_id)
        if any(
            row[0] == record_id
            for row in self._all("SELECT id FROM temp.fresh WHERE fold = ?", fold)
        ):
            return False
        self._run("INSERT INTO temp.fresh VALUES(?, ?)", fold, record_id)
        return True

    # -- findings and runs

    def put_findings(self, block: str, rows: Sequence[tuple[str, str, str | None, bool]]) -> None:
        """(own key, code, field, refused) of the last reading of a block replace those before."""
        self._run("DELETE FROM finding WHERE block = ?", block)
        statement = "INSERT OR IGNORE INTO finding VALUES(?, ?, ?, ?, ?)"
        with self._named_errors():
            self._db.executemany(statement, ((block, *row) for row in rows))

    def findings(self) -> list[tuple[str, str, int, int]]:
        """(block, code, how many, how many of them refused), most first."""
        return self._all(
            "SELECT block, code, count(*), sum(refused) FROM finding GROUP BY block, code "
            "ORDER BY 3 DESC, 1, 2"
        )

    def put_run(self, block: str, started: str, tally: object) -> None:
        self._run(
            "INSERT INTO run(block, started, tally) VALUES(?, ?, ?)",
            block,
            started,
            json.dumps(tally),
        )
        self._run("DELETE FROM run WHERE n <= (SELECT max(n) FROM run) - 1000")

    def last_runs(self) -> list[tuple[str, str, Any]]:
        """(block, started, tally) of the last reading of each block."""
        rows = self._all(
            "SELECT block, started, tally, max(n) FROM run GROUP BY block ORDER BY block"
        )
        return [(block, started, json.loads(tally)) for block, started, tally, _ in rows]

    # -- the outbox

    def put_parcel(self, parcel: Parcel) -> None:
        self._run(
            "INSERT INTO outbox(stream, epoch, seq, record_type, kind, payload_sha256, root, count, "
            "body, sealed_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(getattr(parcel, name) for name in Parcel.__slots__),
        )

    def unsent(self, stream: str) -> Iterator[Parcel]:
        """The batches without a receipt, in order, one at a time."""
        columns = ", ".join(Parcel.__slots__)
        statement = (
            f"SELECT {columns} FROM outbox WHERE stream = ? AND receipt IS NULL "  # noqa: S608
            "AND (epoch, seq) > (?, ?) ORDER BY epoch, seq LIMIT 1"
        )
        epoch = seq = 0
        while row := self._one(statement, stream, epoch, seq):
            parcel = Parcel(*row)
            yield parcel
            epoch, seq = parcel.epoch, parcel.seq

    def payload_hash(self, stream: str, epoch: int, seq: int) -> bytes | None:
        statement = "SELECT payload_sha256 FROM outbox WHERE stream = ? AND epoch = ? AND seq = ?"
        row = self._one(statement, stream, epoch, seq)
        return None if row is None else bytes(row[0])

    def last_received(self, stream: str) -> tuple[int, int]:
        """(epoch, seq) of the last batch with a receipt; (0, 0) where there is none."""
        statement = (
            "SELECT epoch, seq FROM outbox WHERE stream = ? AND receipt IS NOT NULL "
            "ORDER BY epoch DESC, seq DESC LIMIT 1"
        )
        row = self._one(statement, stream)
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def put_receipt(self, parcel: Parcel, receipt: bytes, leaf: bytes, now: str) -> None:
        self._run(
            "UPDATE outbox SET receipt = ?, leaf = ?, received_at = ? "
            "WHERE stream = ? AND epoch = ? AND seq = ?",
            *(receipt, leaf, now, parcel.stream, parcel.epoch, parcel.seq),
        )

    def send_again(self, stream: str, epoch: int, seq: int) -> None:
        """The gateway lost what it had given receipts for: from `seq` on all of it goes out again."""
        self._run(
            "UPDATE outbox SET receipt = NULL, leaf = NULL, received_at = NULL, proof = NULL, "
            "settled_at = NULL WHERE stream = ? AND (epoch, seq) >= (?, ?) AND body IS NOT NULL",
            *(stream, epoch, seq),
        )

    def drop_unsent(self, stream: str) -> None:
        """Forgets batches that can never be accepted, since others stand in their place."""
        self._run("DELETE FROM outbox WHERE stream = ? AND receipt IS NULL", stream)

    def unsettled(self) -> list[Receipted]:
        rows = self._all(
            "SELECT stream, epoch, seq, leaf, received_at FROM outbox "
            "WHERE receipt IS NOT NULL AND settled_at IS NULL ORDER BY received_at, stream, seq"
        )
        return [Receipted(*row) for row in rows]

    def put_proof(self, batch: Receipted, proof: str, now: str) -> None:
        self._run(
            "UPDATE outbox SET proof = ?, settled_at = ? WHERE stream = ? AND epoch = ? AND seq = ?",
            *(proof, now, batch.stream, batch.epoch, batch.seq),
        )

    def without_result(self) -> list[tuple[str, int, int]]:
        return self._all(
            "SELECT stream, epoch, seq FROM outbox WHERE receipt IS NOT NULL AND result IS NULL "
            "AND count > 0 ORDER BY stream, epoch, seq"
        )

    def body(self, stream: str, epoch: int, seq: int) -> bytes | None:
        """The bytes of a batch, or None once they were let go."""
        statement = "SELECT body FROM outbox WHERE stream = ? AND epoch = ? AND seq = ?"
        row = self._one(statement, stream, epoch, seq)
        return None if row is None else row[0]

    def results(self) -> list[tuple[str, int, int, Any]]:
        """(stream, epoch, seq, result) of every batch that has one."""
        rows = self._all(
            "SELECT stream, epoch, seq, result FROM outbox WHERE result IS NOT NULL "
            "ORDER BY stream, epoch, seq"
        )
        return [(stream, epoch, seq, json.loads(text)) for stream, epoch, seq, text in rows]

    def put_result(self, stream: str, epoch: int, seq: int, result: str) -> None:
        statement = "UPDATE outbox SET result = ? WHERE stream = ? AND epoch = ? AND seq = ?"
        self._run(statement, result, stream, epoch, seq)

    def counts(self) -> dict[str, int]:
        """How many batches wait, have a receipt, are settled; and their records."""
        row = self._all(
            "SELECT count(*) FILTER (WHERE receipt IS NULL), "
            "count(*) FILTER (WHERE receipt IS NOT NULL AND settled_at IS NULL), "
            "count(*) FILTER (WHERE settled_at IS NOT NULL), coalesce(sum(count), 0) FROM outbox"
        )[0]
        return dict(zip(("waiting", "received", "settled", "records"), map(int, row), strict=True))

    def prune(self, before: str) -> None:
        """Lets go of the bytes of batches settled before a moment; their proofs stay."""
        self._run("UPDATE outbox SET body = NULL WHERE settled_at < ? AND body IS NOT NULL", before)

    def _one(self, statement: str, *values: object) -> Any:
        with self._named_errors():
            return self._db.execute(statement, values).fetchone()

    def _all(self, statement: str, *values: object) -> list[Any]:
        with self._named_errors():
            return self._db.execute(statement, values).fetchall()

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        with self._named_errors():
            return self._db.execute(statement, values)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as err:
            raise _fact(err, self.path) from err
        except OSError as err:
            if err.errno == errno.ENOSPC:
                raise Wait("state.full") from err
            raise


def _fact(err: sqlite3.Error, path: Path) -> Wait | FixSettings:
    name = getattr(err, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE")):
        return Wait("state.full")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return FixSettings("state.unwritable", path=path, reason=name)
    if name.startswith("SQLITE_BUSY"):
        return Wait("state.locked", path=path.parent)
    return FixSettings("state.damaged", path=path, reason=name or type(err).__name__)


def _fold(block: int, record_id: str) -> int:
    hashed = blake2b(f"{block}\0{record_id}".encode(), digest_size=8).digest()
    return int.from_bytes(hashed, "big", signed=True)
