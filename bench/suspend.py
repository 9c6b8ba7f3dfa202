"""`suspend`: seconds from the statement that suspends a key to the last gateway process obeying it.

Four gateway processes, each on a port of its own so that it is known which one answers. One client
of each puts the same signed batch over and over, which is taken as a repetition while the key may
speak. Then the agency's statement goes to one of them; measured is the time until all of them have
refused, and that none takes the batch afterwards.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from bench import agency
from bench.figure import Figure
from bench.lab import BenchFailed, House, Lab, house, serving_alone
from bench.people import line, people
from bench.rotate import take_hands
from connectors.client import Answer, Client, Problem, RequestsTransport
from connectors.rotating import Hands
from keys import frame
from keys.canonical import to_moment
from keys.suspension import Action, Suspension, seal_suspension
from schemas.batch import genesis

PROCESSES, KEYS = 4, 10
BAR = 5.0
_RUN_UP, _AFTER, _LONGEST = 0.5, 0.5, 30.0
_NONE_YET = float("inf")


@dataclass(frozen=True, slots=True)
class Door:
    """Leads to one gateway process, under the address that all of them share."""

    origin: str
    address: str
    inner: RequestsTransport

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """The request, at this door."""
        return self.inner.send(method, url.replace(self.origin, self.address, 1), headers, body)


@dataclass(slots=True)
class Seen:
    """What one client saw: how many were taken, when last, and when the first was refused."""

    taken: int = 0
    last_taken: float = 0.0
    first_refused: float = _NONE_YET


def run(lab: Lab) -> list[Figure]:
    """Suspend so many keys, one after the other; the slowest counts."""
    processes, keys = lab.size(PROCESSES, 2), lab.size(KEYS, 1)
    with house(lab, "suspend") as centre, ExitStack() as stack:
        addresses = [
            stack.enter_context(serving_alone(centre, f"gateway-{n}")) for n in range(processes)
        ]
        taken = [
            _suspend(take_hands(centre, f"bench-{n}", stack), _doors(centre, addresses, stack))
            for n in range(keys)
        ]
    slowest = max(taken)
    return [
        Figure(
            name="suspend",
            value=round(slowest, 3),
            unit="s (slowest)",
            peer=f"median of {keys} on {processes} processes",
            peer_value=round(sorted(taken)[keys // 2], 3),
            bar=BAR,
            holds=slowest <= BAR,
        )
    ]


def _doors(centre: House, addresses: Sequence[str], stack: ExitStack) -> list[Door]:
    made = [Door(centre.settings.origin, each, RequestsTransport()) for each in addresses]
    for door in made:
        stack.callback(door.inner.close)
    return made


def _suspend(hands: Hands, doors: Sequence[Door]) -> float:
    """Seconds until every process refused the key."""
    clients = [replace(hands.client, transport=door) for door in doors]
    own = replace(doors[0], inner=RequestsTransport())  # a session is not for two threads
    statement = replace(hands.client, transport=own)
    body = _batch(hands)
    clients[0].put_batch("target", agency.EPOCH, 1, body)
    stop, seen = threading.Event(), [Seen() for _ in clients]
    senders = [
        threading.Thread(target=_knock, args=(client, body, each, stop))
        for client, each in zip(clients, seen, strict=True)
    ]
    for sender in senders:
        sender.start()
    try:
        time.sleep(_RUN_UP)
        began = time.monotonic()
        said = Suspension(
            hands.anchors.aud,
            hands.client.agency,
            hands.speaker.kid,
            Action.SUSPEND,
            datetime.now(UTC),
            "bench",
        )
        statement.put_suspension(seal_suspension(said, [hands.speaker]))
        _await_refusals(seen, began)
        time.sleep(_AFTER)
    finally:
        stop.set()
        for sender in senders:
            sender.join()
    if any(not each.taken or each.last_taken > each.first_refused for each in seen):
        raise BenchFailed("a process took a batch after it had refused one, or never took any")
    return max(each.first_refused for each in seen) - began


def _await_refusals(seen: Sequence[Seen], began: float) -> None:
    while any(each.first_refused == _NONE_YET for each in seen):
        if time.monotonic() - began > _LONGEST:
            raise BenchFailed("a process goes on taking batches of a suspended key")
        time.sleep(0.01)


def _knock(client: Client, body: bytes, seen: Seen, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            client.put_batch("target", agency.EPOCH, 1, body)
        except Problem as problem:
            if problem.code != "key.suspended":
                raise
            seen.first_refused = min(seen.first_refused, time.monotonic())
        else:
            seen.taken, seen.last_taken = seen.taken + 1, time.monotonic()


def _batch(hands: Hands) -> bytes:
    prev = sha256(genesis(hands.client.agency, "target")).hexdigest()
    now = to_moment(datetime.now(UTC))
    payload = agency.payload(hands.anchors.aud, hands.client.agency, 1, prev, now)
    lines = [line(f"p.{n}", agency.version(1), values) for n, values in enumerate(people(10))]
    return frame.seal_batch(payload, lines, [hands.speaker]).body
