"""`rotate`: fifty keys hand over while batches flow; how many good batches are refused, how long.

Fifty agencies rotate one key each, since a connector may do so once a day: each by the connector's
own code over HTTP, against the gateway and the relay as production runs them. Meanwhile every
agency sends small signed batches in turn; each is sealed one round before it goes, so that at every
switch a batch of the old key is still on its way.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from typing import Any

from bench import agency
from bench.figure import Figure
from bench.lab import BenchFailed, House, Lab, house, process, serving
from bench.people import line, people
from connectors import keybook, rotating
from connectors.client import Client, Problem, RequestsTransport
from connectors.errors import ConnectorError
from connectors.evidence import Anchors
from connectors.memory import Memory
from connectors.rotating import Hands
from connectors.speaker import Speaker
from gateway.trust.anchors import anchors
from keys import frame
from keys.canonical import to_moment
from keys.httpsig import LogSeen
from keys.keystore import Cost, KeyStore
from keys.rotation import Step
from schemas.batch import genesis

AGENCIES, SENDERS = 50, 2
RECORDS = 10
RATE = 200
"""Batches a minute at least, from all agencies together."""
LONGEST = 60.0
"""Seconds from the command to the new key's first word."""
_PERIOD = 0.2 * SENDERS
"""Seconds between two batches of one sender: 300 a minute from all."""
_APART = 1.0
"""Seconds between two rotations, so that every agency speaks before and after its own."""


@dataclass(slots=True)
class Tally:
    """What became of the batches of one sender."""

    taken: int = 0
    refused: int = 0


class Stream:
    """One agency's chain of batches, each sealed a round before it is sent."""

    def __init__(self, hands: Hands, persons: Sequence[dict[str, Any]]) -> None:
        self._aud, self._speaker, self._persons = hands.anchors.aud, hands.speaker, persons
        transport = RequestsTransport()
        self._client = replace(hands.client, transport=transport, log_seen=LogSeen)
        self._prev = sha256(genesis(hands.client.agency, "target")).hexdigest()
        self._seq, self._waiting = 0, b""
        self._seal()

    def send(self, tally: Tally) -> None:
        """Put the batch that waits, and seal the next one under the key that speaks then."""
        body, seq = self._waiting, self._seq
        self._seal()
        try:
            self._client.put_batch("target", agency.EPOCH, seq, body)
            tally.taken += 1
        except (Problem, ConnectorError):
            tally.refused += 1

    def _seal(self) -> None:
        self._seq += 1
        now = to_moment(datetime.now(UTC))
        payload = agency.payload(self._aud, self._client.agency, self._seq, self._prev, now)
        version = agency.version(self._seq)
        lines = [line(f"p.{n}", version, values) for n, values in enumerate(self._persons)]
        sealed = frame.seal_batch(payload, lines, [self._speaker])
        self._prev, self._waiting = sealed.payload_sha256.hex(), sealed.body


def run(lab: Lab) -> list[Figure]:
    """Rotate each key once, one after the other, under load."""
    agencies = lab.size(AGENCIES, 3)
    with house(lab, "rotate") as centre, ExitStack() as stack:
        stack.enter_context(serving(centre))
        stack.enter_context(process(centre, "relay", ["-m", "workers", "relay"]))
        hands = [take_hands(centre, f"bench-{n}", stack) for n in range(agencies)]
        seconds, tally, minutes = _rotate_all(hands)
    rate = tally.taken / minutes
    if rate < RATE and not lab.quick:
        raise BenchFailed(f"only {rate:.0f} batches a minute flowed; the figure would mean little")
    longest = max(seconds)
    return [
        Figure(
            name="rotate_refused",
            value=tally.refused,
            unit="batches",
            peer=f"taken, {rate:.0f} a minute:",
            peer_value=tally.taken,
            bar=0,
            holds=tally.refused == 0,
        ),
        Figure(
            name="rotate_longest",
            value=round(longest, 2),
            unit="s",
            peer=f"median of {agencies}",
            peer_value=round(sorted(seconds)[agencies // 2], 2),
            bar=LONGEST,
            holds=longest <= LONGEST,
        ),
    ]


def _rotate_all(hands: Sequence[Hands]) -> tuple[list[float], Tally, float]:
    """Seconds of each rotation, what became of the batches, and the minutes it all took."""
    stop, tallies = threading.Event(), [Tally() for _ in range(SENDERS)]
    persons = list(people(RECORDS))
    streams = [Stream(each, persons) for each in hands]
    senders = [
        threading.Thread(target=_send, args=(streams[n::SENDERS], tallies[n], stop))
        for n in range(SENDERS)
    ]
    began = time.monotonic()
    for sender in senders:
        sender.start()
    try:
        seconds = [_rotate(each, stop) for each in hands]
        time.sleep(len(hands) * _PERIOD / SENDERS)  # a round more, all under new keys
    finally:
        stop.set()
        for sender in senders:
            sender.join()
    total = Tally(sum(t.taken for t in tallies), sum(t.refused for t in tallies))
    return seconds, total, (time.monotonic() - began) / 60


def _send(streams: Sequence[Stream], tally: Tally, stop: threading.Event) -> None:
    for stream in cycle(streams):
        if stop.is_set():
            return
        began = time.monotonic()
        stream.send(tally)
        stop.wait(max(0.0, _PERIOD - (time.monotonic() - began)))


def _rotate(hands: Hands, stop: threading.Event) -> float:
    stop.wait(_APART)
    began = time.monotonic()
    while rotating.rotate(hands).step is not Step.SWITCHED:
        if time.monotonic() - began > 2 * LONGEST:
            raise BenchFailed("the log does not take the keyset up")
        time.sleep(0.2)
    return time.monotonic() - began


def take_hands(centre: House, code: str, stack: ExitStack) -> Hands:
    """An agency let in, with a connector's key file and memory."""
    folder: Path = centre.folder / code
    folder.mkdir(mode=0o700)
    store = KeyStore(folder / "agency.key", code, Cost(8, 1))
    signer = store.signer(store.generate(code))
    envelope = agency.let_in(centre, code, signer)
    memory = Memory.open(folder / "memory.sqlite")
    stack.callback(memory.close)
    keybook.keep(memory, keybook.read(envelope), signer.kid)
    trusted = anchors(centre.settings, centre.vault)
    known = Anchors(trusted.aud, trusted.log_vkey, {trusted.receipt_kid: trusted.receipt_key})
    speaker = Speaker(signer)
    client = Client(centre.settings.origin, code, RequestsTransport(), speaker, _now, LogSeen)
    return Hands(store, speaker, client, known, memory, _now)


def _now() -> datetime:
    return datetime.now(UTC)
