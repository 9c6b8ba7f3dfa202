"""One publish, from the agency's rows to settled evidence: read `publish` first.

`publish`: read, map, validate, diff, sign, send, check the receipt, remember. A reading is one
transaction of the memory (see `memory.py`); `preview` walks the same line and keeps nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any

from connectors.config import Config, Publish
from connectors.courier import Courier
from connectors.diff import Change, Diff
from connectors.errors import FixSource
from connectors.mapping import Mapped, Mapper
from connectors.memory import Memory
from connectors.sealing import Sealer, Voice, body_of
from connectors.sources.base import Query, Row, Source, query_of
from connectors.watermarks import read_mark, write_mark
from keys.canonical import to_moment
from schemas.errors import LineRefused
from schemas.line import LineParser
from schemas.quality import check
from schemas.records.registry import schema_of

HASH_BYTES = 16
FEW = 20  # fewer than this may vanish or be refused at once without a question
PROGRESS_EVERY = 500
EXAMPLES = 100
KEPT_FINDINGS = 10_000  # of one code and block, with their row keys, for `status`


@dataclass(slots=True)
class Tally:
    """What one reading of one block came to."""

    block: str
    record_type: str
    read: int = 0
    skipped: int = 0
    sent: int = 0
    unchanged: int = 0
    deleted: int = 0
    refused: int = 0
    twice: int = 0
    batches: int = 0
    findings: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    sample: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    hides_key: bool = False

    def note(self, own: str, code: str) -> int:
        """Counts a finding, keeps the first row keys as examples; how many it is now."""
        count = self.findings[code] = self.findings.get(code, 0) + 1
        if count <= EXAMPLES:
            self.examples.setdefault(code, []).append(own)
        return count

    def figures(self) -> dict[str, Any]:
        """The counts, without rows or values."""
        names = ("read", "skipped", "sent", "unchanged", "deleted", "refused", "twice", "batches")
        return {name: getattr(self, name) for name in names} | {"findings": self.findings}


@dataclass(frozen=True, slots=True)
class Job:
    """Everything one publish needs; the clock and the progress are the caller's."""

    config: Config
    memory: Memory
    source: Source
    mappers: Mapping[str, Mapper]
    profile: Any
    voice: Voice | None
    clock: Callable[[], datetime]
    today: date
    progress: Callable[[str, int, int | None], None] = lambda _block, _read, _total: None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the officer asked for beyond the settings."""

    full: bool = False
    accept_vanished: bool = False
    only: str | None = None


def publish(job: Job, courier: Courier, wishes: Wishes) -> list[Tally]:
    """Publishes what changed; the tallies of the blocks that were read.

    1. Agree with the gateway on each stream's head, and send what an earlier run sealed.
    2. Read, map, validate and diff each record type, and seal its batches: one transaction.
    3. Send; check each receipt and remember it.
    4. Swap receipts for log proofs.

    Raises:
        ConnectorError: nothing of the record type in hand was sent; those before it were.
    """
    tallies: list[Tally] = []
    groups = _groups(job.config.publish, wishes.only)
    full = {stream: courier.catch_up(stream) for stream in _streams(groups)}
    for stream in full:
        courier.send(stream)
    for blocks in groups:
        stream = blocks[0].stream
        tallies += read(job, blocks, wishes, full=wishes.full or full[stream])
        courier.send(stream)
    courier.settle()
    horizon = job.clock() - timedelta(days=job.config.keep_days)
    job.memory.outbox.prune(to_moment(horizon))
    return tallies


def seal_only(job: Job, wishes: Wishes) -> list[Tally]:
    """Step 2 alone, for a time without the gateway: the outbox keeps what is sealed."""
    groups = _groups(job.config.publish, wishes.only)
    return [tally for blocks in groups for tally in read(job, blocks, wishes, full=wishes.full)]


def preview(job: Job, wishes: Wishes) -> list[Tally]:
    """What `publish` would read and send; keeps and sends nothing."""
    tallies = []
    for blocks in _groups(job.config.publish, wishes.only):
        for block in blocks:
            reading = _Reading(job, block, wishes, sealer=None)
            reading.read_all()
            tallies.append(reading.tally)
    return tallies


def read(job: Job, blocks: Sequence[Publish], wishes: Wishes, *, full: bool) -> list[Tally]:
    """One record type from all its blocks into the outbox, as one transaction."""
    full = full or _is_due(job, blocks, wishes)
    if job.voice is None:
        raise ValueError("publishing needs a voice")
    with job.memory.change():
        sealer = Sealer(job.memory, job.voice, blocks[0], job.clock(), full=full)
        tallies = []
        for block in blocks:
            reading = _Reading(job, block, wishes, sealer)
            reading.read_all()
            tallies.append(reading.tally)
        sealer.finish()
    return tallies


def _is_due(job: Job, blocks: Sequence[Publish], wishes: Wishes) -> bool:
    """Whether blocks that publish snapshots only have changed at all."""
    if not any(block.mode == "snapshot" for block in blocks):
        return False
    for block in blocks:
        reading = _Reading(job, block, wishes, sealer=None)
        reading.read_all()
        if reading.tally.sent or reading.tally.deleted:
            return True
    return False


class _Reading:
    """One pass over one block; without a sealer it is a rehearsal."""

    def __init__(self, job: Job, block: Publish, wishes: Wishes, sealer: Sealer | None) -> None:
        self._job, self._block, self._wishes, self._sealer = job, block, wishes, sealer
        self.tally = Tally(block.name, block.record_type, hides_key=block.hmac)
        self._full = sealer is not None and sealer.is_full
        self._mapper = job.mappers[block.name]
        memory = job.memory
        self._number = memory.block(block.name) if sealer else memory.rehearsed_block(block.name)
        self._diff = Diff(job.memory, self._number, rehearse=sealer is None)
        self._parser = LineParser(schema_of(block.schema))
        self._kept = job.memory.watermark(block.name)
        self._mark: object = read_mark(self._kept)
        self._started = job.clock()

    def read_all(self) -> None:
        query = self._query()
        job, tally = self._job, self.tally
        job.source.check(query)
        total = job.source.count(query)
        dated = job.source.as_of(query)
        if dated is not None and self._sealer is not None:
            self._sealer.as_of = to_moment(dated)
        if self._sealer is not None:
            job.memory.drop_findings(self._block.name)
        for what, code in job.source.warnings(query):
            self._note(what, code, None)
        known = job.memory.count_sent(self._number)
        for row, mapped in self._mapper.records(job.source.rows(query)):
            tally.read += 1
            self._advance(row)
            if mapped is None:
                tally.skipped += 1
            else:
                self._take(mapped)
            if tally.read % PROGRESS_EVERY == 0:
                job.progress(self._block.name, tally.read, total)
        job.progress(self._block.name, tally.read, tally.read)
        self._check_refused()
        if self._kept is None or self._full or self._block.mode != "watermark":
            self._bury(known)
        self._remember()

    def _query(self) -> Query:
        since = None if self._full else self._mark
        used = self._mapper.used
        query = query_of(self._block, used, self._job.config.source, since)
        return query.ordered(self._mapper.order)

    def _take(self, mapped: Mapped) -> None:
        tally = self.tally
        if mapped.refused is not None:
            self._refuse(mapped.own, mapped.refused, None)
            return
        if mapped.op == "del":
            if self._diff.drop(mapped.id):
                self._add("del", mapped.id, "{}", None)
                tally.deleted += 1
            return
        values = dict(mapped.values)
        as_of = _moment(mapped.as_of)
        body = body_of(values)
        content = blake2b(f"{as_of}{body}".encode(), digest_size=HASH_BYTES).digest()
        change = self._diff.weigh(mapped.id, content)
        number = 1
        while change is Change.TWICE and self._block.derived:
            number += 1
            mapped = self._mapper.again(mapped, number)
            change = self._diff.weigh(mapped.id, content)
        if change is Change.TWICE:
            tally.twice += 1
            self._note(mapped.own, "ID_TWICE", None)
            return
        self._note_findings(mapped, values)
        if change is Change.UNCHANGED and not self._full:
            tally.unchanged += 1
            return
        if self._add("put", mapped.id, body, as_of, own=mapped.own):
            tally.sent += 1
            if self._sealer is not None:
                self._diff.keep(mapped.id, content, mapped.own if mapped.own != mapped.id else None)
            elif len(tally.sample) < 10:
                tally.sample.append((mapped.own, values))

    def _add(self, op: str, record_id: str, body: str, as_of: str | None, own: str = "") -> bool:
        """Puts a line into the batch if the strict parser takes it; False if it was refused."""
        line = (self._sealer.line if self._sealer else _rehearsed_line)(op, record_id, body, as_of)
        try:
            self._parser.parse(line)
        except LineRefused as err:
            self._refuse(own, err.code, err.field)
            return False
        if self._sealer is not None and not (op == "del" and self._full):
            self._sealer.add(line)
            if self._sealer.pending >= self._job.config.batch_records:
                self._sealer.seal()
        return True

    def _note_findings(self, mapped: Mapped, values: Mapping[str, object]) -> None:
        record = check(
            self._block.record_type, values, profile=self._job.profile, today=self._job.today
        )
        for code, where in dict.fromkeys((*mapped.findings, *((f[0], f[1]) for f in record))):
            self._note(mapped.own, code, where)

    def _note(self, own: str, code: str, where: str | None, *, refused: bool = False) -> None:
        if self.tally.note(own, code) <= KEPT_FINDINGS and self._sealer is not None:
            self._job.memory.put_finding(self._block.name, (own, code, where, refused))

    def _refuse(self, own: str, code: str, where: str | None) -> None:
        self.tally.refused += 1
        self._note(own, code, where, refused=True)

    def _advance(self, row: Row) -> None:
        if self._block.watermark is not None:
            value = row.get(self._block.watermark)
            if value is not None and (self._mark is None or value > self._mark):  # type: ignore[operator]
                self._mark = value

    def _check_refused(self) -> None:
        tally, limit = self.tally, self._block.max_reject
        rows = tally.read - tally.skipped
        if self._sealer is None or tally.refused <= max(rows * limit, min(FEW, rows / 2)):
            return
        share = f"{tally.refused / rows:.0%}"
        facts = {"rejected": tally.refused, "read": rows, "share": share, "limit": f"{limit:.0%}"}
        raise FixSource("publish.rejected", block=self._block.name, **facts)

    def _bury(self, known: int) -> None:
        """Tombstones for what was sent before and is gone; too many at once need a word."""
        if not known:
            return
        gone = sum(1 for _ in self._diff.vanished())
        limit = max(FEW, known * self._block.max_vanish)
        if gone > limit and self._sealer is not None and not self._wishes.accept_vanished:
            facts = {"vanished": gone, "known": known, "block": self._block.name}
            raise FixSource("publish.vanished", **facts)
        for n, record_id in self._diff.vanished() if gone else ():
            self._add("del", record_id, "{}", None)
            self.tally.deleted += 1
            if self._sealer is not None:
                self._job.memory.forget(n)

    def _remember(self) -> None:
        if self._sealer is None:
            return
        self._sealer.seal()
        memory, tally = self._job.memory, self.tally
        memory.put_watermark(self._block.name, write_mark(self._mark))
        tally.batches = self._sealer.batches
        memory.put_run(self._block.name, to_moment(self._started), tally.figures())


def _rehearsed_line(op: str, record_id: str, body: str, as_of: str | None) -> bytes:
    head = f'{{"_s":"{"A" * 22}","_op":"{op}","_id":"{record_id}","_v":1'
    head += "" if as_of is None else f',"as_of":"{as_of}"'
    return (head + (body[1:] if len(body) <= 2 else "," + body[1:])).encode("utf-8")


def _moment(value: object) -> str | None:
    if isinstance(value, datetime):
        return to_moment(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return to_moment(datetime(value.year, value.month, value.day, tzinfo=UTC))
    return None


def _groups(blocks: Sequence[Publish], only: str | None) -> list[tuple[Publish, ...]]:
    """Blocks by record type, in the order of the settings; a type is published whole."""
    kinds = dict.fromkeys(block.record_type for block in blocks)
    groups = [tuple(b for b in blocks if b.record_type == kind) for kind in kinds]
    return [group for group in groups if only is None or any(b.name == only for b in group)]


def _streams(groups: Sequence[Sequence[Publish]]) -> Iterator[str]:
    return iter(dict.fromkeys(blocks[0].stream for blocks in groups))
