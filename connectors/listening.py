"""The answerer beside the service: a thread of its own, that lasts as long as the service does.

It has its own connections to the gateway and to every file, since a publishing run may hold the
others for minutes. What stops it is said once; it goes on when the gateway is there again, after
five seconds at most.
"""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import cast

from connectors.answerer import Answerer, Looker
from connectors.asked import Judge
from connectors.assembly import Outside
from connectors.client import Client, Problem, RequestsTransport
from connectors.config import Config
from connectors.courier import log_seen
from connectors.errors import CallCentre, ConnectorError
from connectors.inboxfile import InboxFile
from connectors.memory import Memory
from connectors.rotating import Hands
from connectors.sources.registry import open_source
from keys import merkle
from keys.checkpoint import Checkpoint
from keys.errors import BadProof

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0
STATEMENT_SECONDS = 10
"""A question at once may take so long in the agency's own database."""
Say = Callable[[ConnectorError], None]


@contextmanager
def listening(hands: Hands, config: Config, outside: Outside, say: Say) -> Iterator[None]:
    """While this lasts, the agency answers what it lets be asked; nothing where it lets nothing."""
    if config.live is None:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(
        target=_listen, args=(hands, config, outside, say, stop), daemon=True, name="answerer"
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()


def _listen(
    hands: Hands, config: Config, outside: Outside, say: Say, stop: threading.Event
) -> None:
    with ExitStack() as stack:
        answerer = open_answerer(hands, config, outside, stack)
        follow(answerer, say, stop)


def follow(answerer: Answerer, say: Say, stop: threading.Event) -> None:
    """Turn after turn until `stop`; what goes wrong is said once until it is well again."""
    pause, told = FIRST_PAUSE, ""
    while not stop.is_set():
        try:
            seated = answerer.turn()
        except ConnectorError as err:
            if err.code != told:
                say(err)
            told = err.code
            wait = LONGEST_PAUSE * 15 if isinstance(err, CallCentre) else pause
            stop.wait(wait * secrets.SystemRandom().uniform(0.5, 1.0))
            pause = min(pause * 2, LONGEST_PAUSE)
            continue
        pause, told = FIRST_PAUSE, ""
        if not seated:
            stop.wait(secrets.SystemRandom().uniform(1.0, 2.0))


def open_answerer(hands: Hands, config: Config, outside: Outside, stack: ExitStack) -> Answerer:
    """An answerer with connections of its own, closed by `stack`."""
    memory = stack.enter_context(closing(Memory.open(config.places.memory)))
    book = stack.enter_context(closing(InboxFile.open(config.places.inbox)))
    transport = outside.transport or RequestsTransport(config.ca_file)
    client = replace(hands.client, transport=transport, log_seen=lambda: log_seen(memory))
    options = {**config.source.options, "statement_timeout_seconds": STATEMENT_SECONDS}
    source = open_source(replace(config.source, options=options))
    stack.callback(source.close)
    return Answerer(
        client=client,
        book=book,
        judge=Judge(config.agency, hands.anchors, config.live, witnessed(client, memory)),
        signer=hands.speaker,
        looker=cast("Looker", source),  # the settings allow it of databases alone
        clock=hands.clock,
        evidence=config.places.evidence,
    )


def witnessed(client: Client, memory: Memory) -> Callable[[Checkpoint], None]:
    """Whether a checkpoint is of the log that this connector witnesses; asked once for each."""
    known: dict[tuple[int, bytes], bool] = {}

    def check(found: Checkpoint) -> None:
        seen, key = log_seen(memory), (found.size, found.root)
        if key in known or seen.size == 0:
            return
        pair = ((found.size, found.root), (seen.size, seen.root))
        (small, low), (large, high) = sorted(pair, key=lambda each: each[0])
        try:
            path = [] if small == large else client.consistency(small, large)
            merkle.verify_consistency(small, large, low, high, path)
        except BadProof as err:
            raise CallCentre("trust.split", witness=client.agency) from err
        except Problem as problem:
            raise problem.error() from problem
        known.clear()
        known[key] = True

    return check
