"""Sealed batches on their way: waiting, with a receipt, settled in the log, with a result."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connectors.sqlitefile import SqliteFile


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
    receipt: bytes


class Outbox:
    """The table `outbox` of the connector's memory."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def put_parcel(self, parcel: Parcel) -> None:
        self._file.run(
            "INSERT INTO outbox(stream, epoch, seq, record_type, kind, payload_sha256, root, "
            "count, body, sealed_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        while row := self._file.one(statement, stream, epoch, seq):
            parcel = Parcel(*row)
            yield parcel
            epoch, seq = parcel.epoch, parcel.seq

    def put_body(self, parcel: Parcel) -> None:
        """The batch under another signature; its identity stays."""
        statement = "UPDATE outbox SET body = ? WHERE stream = ? AND epoch = ? AND seq = ?"
        self._file.run(statement, parcel.body, parcel.stream, parcel.epoch, parcel.seq)

    def payload_hash(self, stream: str, epoch: int, seq: int) -> bytes | None:
        statement = "SELECT payload_sha256 FROM outbox WHERE stream = ? AND epoch = ? AND seq = ?"
        row = self._file.one(statement, stream, epoch, seq)
        return None if row is None else bytes(row[0])

    def last_received(self, stream: str) -> tuple[int, int]:
        """(epoch, seq) of the last batch with a receipt; (0, 0) where there is none."""
        statement = (
            "SELECT epoch, seq FROM outbox WHERE stream = ? AND receipt IS NOT NULL "
            "ORDER BY epoch DESC, seq DESC LIMIT 1"
        )
        row = self._file.one(statement, stream)
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def put_receipt(self, parcel: Parcel, receipt: bytes, leaf: bytes, now: str) -> None:
        self._file.run(
            "UPDATE outbox SET receipt = ?, leaf = ?, received_at = ? "
            "WHERE stream = ? AND epoch = ? AND seq = ?",
            *(receipt, leaf, now, parcel.stream, parcel.epoch, parcel.seq),
        )

    def receipts_after(self, stream: str, epoch: int, seq: int) -> list[tuple[int, int, bytes]]:
        """(epoch, seq, receipt) of the batches behind a place."""
        return self._file.all(
            "SELECT epoch, seq, receipt FROM outbox WHERE stream = ? AND receipt IS NOT NULL "
            "AND (epoch, seq) > (?, ?) ORDER BY epoch, seq",
            *(stream, epoch, seq),
        )

    def send_again(self, stream: str, epoch: int, seq: int) -> None:
        """The gateway lost what it had given receipts for: from `seq` on it all goes out again."""
        self._file.run(
            "UPDATE outbox SET receipt = NULL, leaf = NULL, received_at = NULL, proof = NULL, "
            "settled_at = NULL WHERE stream = ? AND (epoch, seq) >= (?, ?) AND body IS NOT NULL",
            *(stream, epoch, seq),
        )

    def drop_unsent(self, stream: str) -> None:
        """Forgets batches that can never be accepted, since others stand in their place."""
        self._file.run("DELETE FROM outbox WHERE stream = ? AND receipt IS NULL", stream)

    def unsettled(self) -> list[Receipted]:
        rows = self._file.all(
            "SELECT stream, epoch, seq, leaf, received_at, receipt FROM outbox "
            "WHERE receipt IS NOT NULL AND settled_at IS NULL ORDER BY received_at, stream, seq"
        )
        return [Receipted(*row) for row in rows]

    def put_proof(self, batch: Receipted, proof: str, now: str) -> None:
        self._file.run(
            "UPDATE outbox SET proof = ?, settled_at = ? "
            "WHERE stream = ? AND epoch = ? AND seq = ?",
            *(proof, now, batch.stream, batch.epoch, batch.seq),
        )

    def without_result(self) -> list[tuple[str, int, int]]:
        return self._file.all(
            "SELECT stream, epoch, seq FROM outbox WHERE receipt IS NOT NULL AND result IS NULL "
            "AND count > 0 ORDER BY stream, epoch, seq"
        )

    def body(self, stream: str, epoch: int, seq: int) -> bytes | None:
        """The bytes of a batch, or None once they were let go."""
        statement = "SELECT body FROM outbox WHERE stream = ? AND epoch = ? AND seq = ?"
        row = self._file.one(statement, stream, epoch, seq)
        return None if row is None else row[0]

    def results(self) -> list[tuple[str, int, int, Any]]:
        """(stream, epoch, seq, result) of every batch that has one."""
        rows = self._file.all(
            "SELECT stream, epoch, seq, result FROM outbox WHERE result IS NOT NULL "
            "ORDER BY stream, epoch, seq"
        )
        return [(stream, epoch, seq, json.loads(text)) for stream, epoch, seq, text in rows]

    def put_result(self, stream: str, epoch: int, seq: int, result: str) -> None:
        statement = "UPDATE outbox SET result = ? WHERE stream = ? AND epoch = ? AND seq = ?"
        self._file.run(statement, result, stream, epoch, seq)

    def counts(self) -> dict[str, int]:
        """How many batches wait, have a receipt, are settled; and their records."""
        row = self._file.all(
            "SELECT count(*) FILTER (WHERE receipt IS NULL), "
            "count(*) FILTER (WHERE receipt IS NOT NULL AND settled_at IS NULL), "
            "count(*) FILTER (WHERE settled_at IS NOT NULL), coalesce(sum(count), 0) FROM outbox"
        )[0]
        return dict(zip(("waiting", "received", "settled", "records"), map(int, row), strict=True))

    def prune(self, before: str) -> None:
        """Lets go of the bytes of batches settled before a moment; their proofs stay."""
        self._file.run(
            "UPDATE outbox SET body = NULL WHERE settled_at < ? AND body IS NOT NULL", before
        )
