"""`live`: how long a question to an agency takes beyond the agency's own database; and after a cut.

Fifty connectors wait for their inboxes, each the real answerer in a thread of one process, with its
own key, files and connection; their databases answer at once. Measured is the time from before the
question is committed, through log, checkpoint, long poll, judgement, signature and receipt, until
the answer can be shown. Then the gateway is stopped and started again, and the time is taken until
the last connector has asked for its inbox.
"""

import multiprocessing
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Event

from sqlalchemy import text

from bench.desk import p95
from bench.figure import Figure
from bench.lab import BenchFailed, House, Lab, house, process, serving
from bench.rotate import take_hands
from connectors.answerer import Answerer, Row
from connectors.asked import Judge
from connectors.client import RequestsTransport
from connectors.courier import log_seen, remember
from connectors.inboxfile import InboxFile
from connectors.listening import follow, witnessed
from connectors.live import Live
from connectors.memory import Memory
from connectors.rotating import Hands
from gateway.errors import NotFound
from gateway.ledger import query as log
from gateway.ledger import service as ledger
from gateway.lookup import query as lookup
from gateway.lookup import service as lookups
from gateway.lookup.model import ANSWERS, Desk, Question, topic
from gateway.storage import ids
from gateway.storage.wake import Wakes
from keys import checkpoint
from keys.canonical import to_moment

AGENCIES, QUESTIONS = 50, 300
P50, P95, RECONNECT = 50.0, 200.0, 5.0
LIVE = Live("orang", {"nik": "nik"}, {"Status": "status"}, frozenset({"cek_mandiri"}))
_PATIENCE = 60.0


class AtOnce:
    """An agency's database that takes no time."""

    def few(self, *_: object) -> list[Row]:
        """One row."""
        return [{"status": "terdaftar"}]


def run(lab: Lab) -> list[Figure]:
    """The latency of questions one after the other, and the seconds to the last reconnection."""
    agencies, questions = lab.size(AGENCIES, 3), lab.size(QUESTIONS, 10)
    with house(lab, "live") as centre, ExitStack() as stack:
        stack.enter_context(process(centre, "relay", ["-m", "workers", "relay"]))
        with serving(centre):
            hands = [take_hands(centre, f"bench-{n}", stack) for n in range(agencies)]
            stack.enter_context(_answering(centre, hands))
            _await_all(centre, agencies)
            taken = _ask_all(centre, [each.client.agency for each in hands], questions)
            alone = [_log_alone(centre) for _ in range(questions)]
        _forget(centre)
        with serving(centre):
            began = time.monotonic()
            _await_all(centre, agencies)
            reconnected = round(time.monotonic() - began, 2)
    middle, most = sorted(taken)[len(taken) // 2], p95(taken)
    peer, beside = "the log alone", f"{agencies} connectors"
    share = round(sorted(alone)[len(alone) // 2], 1)
    return [
        Figure("live_p50", round(middle, 1), "ms", peer, share, bar=P50, holds=middle <= P50),
        Figure("live_p95", most, "ms", peer, p95(alone), bar=P95, holds=most <= P95),
        Figure(
            *("live_reconnect", reconnected, "s (the last)", beside),
            bar=RECONNECT,
            holds=reconnected <= RECONNECT,
        ),
    ]


def _ask_all(centre: House, agencies: Sequence[str], questions: int) -> list[float]:
    """Milliseconds of each question, put to one agency after the other."""
    wakes, chosen = Wakes(centre.settings.broker_url), random.Random(5)
    wakes.mark(ANSWERS)  # begin to listen
    time.sleep(0.5)
    return [_ask(centre, chosen.choice(agencies), wakes) for _ in range(questions)]


def _log_alone(centre: House) -> float:
    """Milliseconds from an entry to the checkpoint that holds it: no answer can be faster."""
    began = time.perf_counter()
    with centre.sessions() as session:
        leaf = ledger.append(session, {"t": "heartbeat", "at": to_moment(datetime.now(UTC))})
        session.commit()
        while True:
            try:
                log.proof(session, leaf)
            except NotFound:
                session.rollback()
                time.sleep(0.001)
            else:
                return (time.perf_counter() - began) * 1000


def _ask(centre: House, agency: str, wakes: Wakes) -> float:
    query_id, purpose, role = ids.new(), "cek_mandiri", "counter_officer"
    entry = {
        "t": "query",
        "qid": ids.show(query_id),
        "agency": "upt-kan",
        "role": role,
        "purpose": purpose,
        "officer": "0" * 32,
        "commit": "0" * 64,
    }
    desk = Desk(centre.vault, centre.settings.aud, timedelta(seconds=30), 1_000_000)
    began = time.perf_counter()
    with centre.sessions() as session:
        leaf = ledger.append(session, entry)
        session.commit()
        asked = Question(query_id, leaf, purpose, role, {"nik": "1301010101010001", "name": "A"})
        lookups.ask(session, asked, [agency], desk, datetime.now(UTC))
        session.commit()
    wakes.say(topic(agency))
    while True:
        mark = wakes.mark(ANSWERS)
        with centre.sessions() as session:
            (found,) = lookup.standing(session, query_id, centre.vault, datetime.now(UTC))
        taken = (time.perf_counter() - began) * 1000
        if found.status == "ok":
            return taken
        if taken > _PATIENCE * 1000 or not found.is_open:
            raise BenchFailed(f"an answer did not come: {found.status} {found.code}")
        wakes.wait(ANSWERS, mark, 1.0)


def _await_all(centre: House, agencies: int) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        with centre.sessions() as session:
            if len(lookup.connectors_seen(session)) == agencies:
                return
        if time.monotonic() > until:
            raise BenchFailed("not every connector asked for its inbox")
        time.sleep(0.02)


def _forget(centre: House) -> None:
    with centre.sessions.begin() as session:
        session.execute(text("delete from inbox_seen"))


@contextmanager
def _answering(centre: House, hands: Sequence[Hands]) -> Iterator[None]:
    """A process in which every agency answers."""
    context = multiprocessing.get_context("fork")
    stop = context.Event()
    child = context.Process(target=_answer_all, args=(centre, hands, stop), daemon=True)
    child.start()
    try:
        yield
    finally:
        stop.set()
        child.join(2)
        if child.is_alive():
            child.kill()


def _answer_all(centre: House, hands: Sequence[Hands], stop: Event) -> None:
    done = threading.Event()
    for each in hands:
        threading.Thread(target=_answer, args=(centre, each, done), daemon=True).start()
    stop.wait()
    done.set()


def _answer(centre: House, hands: Hands, done: threading.Event) -> None:
    folder = centre.folder / hands.client.agency
    with (
        closing(Memory.open(folder / "memory.sqlite")) as memory,
        closing(InboxFile.open(folder / "inbox.sqlite")) as book,
    ):
        transport = RequestsTransport()
        client = replace(hands.client, transport=transport, log_seen=lambda: log_seen(memory))
        note = client.checkpoint().note
        remember(memory, checkpoint.verify(note, hands.anchors.log_vkey))
        answerer = Answerer(
            client=client,
            book=book,
            judge=Judge(client.agency, hands.anchors, LIVE, witnessed(client, memory)),
            signer=hands.speaker,
            looker=AtOnce(),
            clock=hands.clock,
            evidence=folder / "evidence",
        )
        follow(answerer, lambda _err: None, done)
