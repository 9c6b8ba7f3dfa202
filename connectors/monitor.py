"""Reads the log entry by entry, each proved to be what was signed, for what concerns this agency.

A round reads at most so many entries, so that a newcomer to a large log catches up while it works.
What was read is remembered as the frontier of a hash tree: the entries that follow must lead to the
root of a signed checkpoint, or they are not believed.

What is looked for: statements about this agency's keys, the witnesses of all agencies, and when the
log last beat.

Source: trust.md 3.5 (monitors); C2SP tlog-tiles.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from connectors.centrekeys import OWNER
from connectors.client import Client
from connectors.errors import CallCentre, Wait
from connectors.keybook import Book, read
from connectors.memory import Memory
from keys import dsse, keyset, merkle
from keys.canonical import canonical, from_base64, from_moment, read_json, to_base64, to_moment
from keys.checkpoint import TYPE_COSIGNATURE, Checkpoint, NoteKey, parse_vkey
from keys.errors import BadJson, BadProof, TrustError
from keys.merkle import EMPTY, Frontier
from keys.suspension import parse_suspension

STEP = 4 * merkle.TILE_WIDTH
STEPS = 32
"""A round reads at most so many times so many entries: about 16 MB."""
_FACT = "monitor"
_KEPT_NEWS = 50
_WORDS = (b'"t":"keyset"', b'"t":"suspension"', b'"t":"heartbeat"', b'"t":"wish"')


@dataclass(frozen=True, slots=True)
class Found:
    """A keyset entry of our agency: its place in the log, and what it follows there."""

    index: int
    book: Book
    before: Book | None


@dataclass(frozen=True, slots=True)
class Log:
    """What was read of the log, as it is remembered.

    Attributes:
        frontier: how far it was read.
        own: the newest keyset of our agency in it that follows the ones before.
        beat: the moment that the log's newest heartbeat names.
        vkeys: by agency, the witness keys of its newest keyset.
        news: the statements about our keys, newest last.
        wished: the centre has asked for a new key, and none came since.
    """

    frontier: Frontier = EMPTY
    own: bytes | None = None
    beat: datetime | None = None
    vkeys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    news: tuple[Mapping[str, Any], ...] = ()
    wished: bool = False

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "size": self.frontier.size,
            "peaks": [peak.hex() for peak in self.frontier.peaks],
            "own": None if self.own is None else to_base64(self.own),
            "beat": None if self.beat is None else to_moment(self.beat),
            "vkeys": {agency: list(keys) for agency, keys in self.vkeys.items()},
            "news": list(self.news),
            "wished": self.wished,
        }

    @classmethod
    def of(cls, memory: Memory) -> Self:
        """What this memory has read; nothing where it never did."""
        kept = memory.fact(_FACT)
        if kept is None:
            return cls()
        return cls(
            frontier=Frontier(kept["size"], tuple(map(bytes.fromhex, kept["peaks"]))),
            own=None if kept["own"] is None else from_base64(kept["own"]),
            beat=None if kept["beat"] is None else from_moment(kept["beat"]),
            vkeys={agency: tuple(keys) for agency, keys in kept["vkeys"].items()},
            news=tuple(kept["news"]),
            wished=kept.get("wished", False),
        )

    def witnesses(self) -> dict[tuple[str, bytes], NoteKey]:
        """The witness keys of all agencies, by name and hint."""
        keys = (
            parse_vkey(vkey, kind=TYPE_COSIGNATURE)
            for agency in self.vkeys
            for vkey in self.vkeys[agency]
        )
        return {(key.name, key.hint): key for key in keys}


@dataclass(frozen=True, slots=True)
class Readers:
    """Who is told what is read, in the transaction that remembers it as read.

    `judge` hears each keyset of our agency, `heed` each of the centre's own.
    """

    judge: Callable[[Found], None]
    heed: Callable[[bytes], None] = lambda _envelope: None


@dataclass(frozen=True, slots=True)
class Monitor:
    """Reads one gateway's log for one agency.

    Attributes:
        readers: are told what is read.
        step: so many entries are read and remembered at once.
        steps: so often in a round, at most.
    """

    client: Client
    memory: Memory
    readers: Readers
    step: int = STEP
    steps: int = STEPS

    def follow(self, found: Checkpoint) -> Log:
        """Reads on towards a checkpoint that was verified; what is known of the log then.

        Raises:
            CallCentre: `trust.entries` where the entries are not those that were signed.
            Problem: the gateway refused.
            Wait: it cannot be reached.
        """
        log = Log.of(self.memory)
        for _ in range(self.steps):
            if log.frontier.size >= found.size:
                break
            log = self._read(found, log)
        return log

    def _read(self, found: Checkpoint, log: Log) -> Log:
        start, stop = log.frontier.size, min(found.size, log.frontier.size + self.step)
        entries = self.client.entries(start, stop)
        if len(entries) != stop - start:
            raise Wait("gateway.answer", reason="entries")
        grown = log.frontier.grown(map(merkle.leaf_hash, entries))
        try:
            path = self.client.consistency(stop, found.size) if stop < found.size else []
            merkle.verify_consistency(stop, found.size, grown.root(), found.root, path)
        except (BadProof, BadJson) as err:
            raise CallCentre("trust.entries", start=start, size=stop) from err
        with self.memory.change():
            for index, entry in enumerate(entries, start):
                if any(word in entry for word in _WORDS):
                    log = _heed(log, self.client.agency, (index, entry), self.readers)
            log = replace(log, frontier=grown)
            self.memory.put_fact(_FACT, log.plain())
        return log


def _heed(log: Log, agency: str, placed: tuple[int, bytes], readers: Readers) -> Log:
    index, entry = placed
    try:
        said: Any = read_json(entry)
    except BadJson:
        return log
    if not isinstance(said, dict):
        return log
    kind, theirs = said.get("t"), said.get("agency")
    try:
        if kind == "heartbeat":
            return replace(log, beat=from_moment(said["at"]))
        if kind == "wish":
            wished = theirs == agency and said["kind"] == "rotate"
            return replace(log, wished=log.wished or wished)
        envelope = canonical(said["envelope"])
        if kind == "keyset":
            return _any_keyset(log, (index, str(theirs), envelope), agency, readers)
        if kind == "suspension" and theirs == agency:
            log = _told(log, _suspension(index, envelope))
    except (TrustError, KeyError) as err:
        if theirs == agency:
            raise CallCentre("trust.entries", start=index, size=index + 1) from err
    return log


def _any_keyset(log: Log, said: tuple[int, str, bytes], agency: str, readers: Readers) -> Log:
    index, theirs, envelope = said
    log = _keyset(log, theirs, envelope)
    if theirs == agency:
        log = _own_keyset(log, index, envelope, readers.judge)
    if theirs == OWNER:
        readers.heed(envelope)
    return log


def _keyset(log: Log, agency: str, envelope: bytes) -> Log:
    statement = keyset.parse_statement(dsse.parse(envelope).payload)
    spoken = [each for each in statement.keys.values() if each.sign_until is None]
    vkeys = tuple(sorted(key.vkey() for key in statement.witness.values())) if spoken else ()
    return replace(log, vkeys={**log.vkeys, agency: vkeys})


def _own_keyset(log: Log, index: int, envelope: bytes, judge: Callable[[Found], None]) -> Log:
    book, before = read(envelope), None if log.own is None else read(log.own)
    judge(Found(index, book, before))
    told = {"index": index, "kind": "keyset", "version": book.keyset.version}
    log = _told(log, {**told, "reason": book.keyset.reason})
    return replace(log, own=envelope, wished=False) if follows(book, before) else log


def _suspension(index: int, envelope: bytes) -> dict[str, Any]:
    parsed = dsse.parse(envelope)
    said = parse_suspension(parsed)
    return {
        "index": index,
        "kind": said.action.value,
        "kid": said.kid,
        "reason": said.reason,
        "by": [each.keyid for each in parsed.signatures],
        "at": to_moment(said.issued),
    }


def _told(log: Log, news: Mapping[str, Any]) -> Log:
    return replace(log, news=(*log.news, news)[-_KEPT_NEWS:])


def follows(book: Book, before: Book | None) -> bool:
    """Whether the version is the next one after `before`, or the first."""
    statement = book.keyset
    if before is None:
        return statement.version == 1 and statement.prev is None
    after = (before.keyset.version + 1, before.payload_sha256)
    return (statement.version, statement.prev) == after
