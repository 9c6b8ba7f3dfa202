"""`log_append`: what an entry costs its transaction, and how soon it stands in a signed checkpoint.

Four writer processes append and commit as every logged fact does, one entry a transaction, while
the relay integrates as production runs it. The limit is a bare insert of the same bytes into a
table of the same shape, committed as often by as many, with nobody woken.

Then entries come one at a time at a calm pace, as receipts do: from each commit, which is when a
receipt may leave, to the first checkpoint that covers the entry. It is looked for every few
milliseconds, which the figure includes.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench import clients
from bench.clients import Span
from bench.figure import Figure
from bench.lab import BenchFailed, House, Lab, house, process
from gateway.ledger import query as log
from gateway.ledger import service as ledger
from gateway.settings import Settings
from gateway.storage.engine import connect, sessions
from keys import merkle
from keys.canonical import canonical

WRITERS = 4
BAR_APPEND, BAR_SIGNED = 10.0, 2.0
_APART, _LOOK = 0.1, 0.003
_PATIENCE = 60.0
_TWIN = "bench_pending"
_BARE = text(f"insert into {_TWIN} (entry, leaf) values (:entry, :leaf)")  # noqa: S608


def run(lab: Lab) -> list[Figure]:
    """p99 of both."""
    appends, receipts = lab.size(2_000, 50), lab.size(300, 5)
    with house(lab, "log_append") as centre, process(centre, "relay", ["-m", "workers", "relay"]):
        _await_relay(centre)
        limit, _ = _write_all(centre, appends, bare=True)
        taken, seconds = _write_all(centre, appends, bare=False)
        _drain(centre)
        signed = [_signed(centre, n) for n in range(receipts)]
    value, waited = _p99(taken), _p99(signed)
    return [
        Figure(
            name="log_append",
            value=round(value * 1000, 2),
            unit="ms (p99)",
            peer=f"{WRITERS} writers, appends/s:",
            peer_value=round(len(taken) / seconds),
            limit_value=round(_p99(limit) * 1000, 2),
            ratio=round(value / _p99(limit), 2),
            bar=BAR_APPEND,
            holds=value * 1000 <= BAR_APPEND,
        ),
        Figure(
            name="log_signed",
            value=round(waited, 3),
            unit="s (p99)",
            peer="median",
            peer_value=round(sorted(signed)[len(signed) // 2], 3),
            bar=BAR_SIGNED,
            holds=waited <= BAR_SIGNED,
        ),
    ]


def _write_all(centre: House, each: int, *, bare: bool) -> tuple[list[float], float]:
    """Seconds of each write of all writers, and of all together."""
    with centre.sessions.begin() as session:
        session.execute(
            text(f"create table if not exists {_TWIN} (like log_pending including all)")
        )
    folder = centre.folder
    given = [(centre.settings, n, each, folder / f"writer-{n}.txt", bare) for n in range(WRITERS)]
    seconds = clients.together(write, given)
    lines = [path.read_text(encoding="ascii").split() for *_, path, _ in given]
    return [float(word) for words in lines for word in words], seconds


def write(settings: Settings, number: int, count: int, path: Path, bare: bool) -> Span:  # noqa: FBT001
    """A writer process: write and commit one entry after the other; keeps how long each took."""
    engine = connect(settings, pool_size=1)
    opened, taken = sessions(engine), []
    clients.wait_for_all()
    began = time.monotonic()
    for n in range(count):
        entry = _entry(f"w{number}-{n}")
        at = time.monotonic()
        with opened() as session:
            if bare:
                data = canonical(entry)
                session.execute(_BARE, {"entry": data, "leaf": merkle.leaf_hash(data)})
            else:
                ledger.append(session, entry)
            session.commit()
        taken.append(time.monotonic() - at)
    ended = time.monotonic()
    path.write_text(" ".join(f"{each:.6f}" for each in taken), encoding="ascii")
    engine.dispose()
    return Span(began, ended)


def _signed(centre: House, number: int) -> float:
    """Seconds from the commit of an entry to a checkpoint that covers it."""
    time.sleep(_APART)
    with centre.sessions() as session:
        leaf = ledger.append(session, _entry(f"receipt-{number}"))
        session.commit()
    began = time.monotonic()
    while time.monotonic() - began < _PATIENCE:
        with centre.sessions() as session:
            index = log.index_of(session, leaf)
            if index is not None and index < log.state(session).size:
                return time.monotonic() - began
        time.sleep(_LOOK)
    raise BenchFailed("the relay does not sign the log")


def _entry(name: str) -> dict[str, object]:
    """An entry as long as that of an accepted batch; no two are equal."""
    at = merkle.leaf_hash(canonical([name, datetime.now(UTC).isoformat()])).hex()
    return {
        "t": "accept", "agency": "bench", "stream": "target", "epoch": 1, "seq": 1,
        "payload_sha256": at, "root": at, "count": 1000, "kid": f"bench:{'a' * 26}",
    }  # fmt: skip


def _await_relay(centre: House) -> None:
    _until(centre, lambda session: log.state(session).size > 0)  # its first heartbeat


def _drain(centre: House) -> None:
    _until(centre, lambda session: log.pending(session) == 0)


def _until(centre: House, true: Callable[[Session], bool]) -> None:
    began = time.monotonic()
    while time.monotonic() - began < _PATIENCE:
        with centre.sessions() as session:
            if true(session):
                return
        time.sleep(0.05)
    raise BenchFailed("the relay does not integrate the log")


def _p99(values: list[float]) -> float:
    return sorted(values)[max(0, -(-len(values) * 99 // 100) - 1)]
