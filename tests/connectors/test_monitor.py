"""The log is read entry by entry, in rounds, and never believed beyond what was signed."""

import pytest

from connectors.errors import CallCentre
from connectors.memory import Memory
from connectors.monitor import Found, Log, Monitor, Readers
from keys import merkle
from keys.canonical import canonical
from keys.checkpoint import Checkpoint


class Shelf:
    """A gateway's log as a monitor calls it."""

    agency = "baz"

    def __init__(self, count: int) -> None:
        self.shown = [canonical({"t": "config", "version": f"v{n}"}) for n in range(count)]
        self.leaves = [merkle.leaf_hash(entry) for entry in self.shown]
        self.asked: list[tuple[int, int]] = []

    @property
    def head(self) -> Checkpoint:
        return Checkpoint("titian.test/log", len(self.leaves), merkle.root(self.leaves))

    def entries(self, start: int, stop: int) -> list[bytes]:
        self.asked.append((start, stop))
        return self.shown[start:stop]

    def consistency(self, old: int, new: int) -> list[bytes]:
        return merkle.consistency(self.leaves, old, new)

    def add(self, entry: object) -> None:
        self.shown.append(canonical(entry))
        self.leaves.append(merkle.leaf_hash(self.shown[-1]))


@pytest.fixture
def memory(tmp_path):
    opened = Memory.open(tmp_path / "memory.sqlite")
    yield opened
    opened.close()


def unasked(found: Found) -> None:
    raise AssertionError(found)


def test_a_newcomer_catches_up_in_rounds_and_reads_nothing_twice(memory):
    shelf = Shelf(11)
    reads = [Monitor(shelf, memory, Readers(unasked), 2, 2).follow(shelf.head) for _ in range(3)]
    assert [log.frontier.size for log in reads] == [4, 8, 11]
    assert shelf.asked == [(0, 2), (2, 4), (4, 6), (6, 8), (8, 10), (10, 11)]
    assert Log.of(memory) == reads[-1]
    assert reads[-1].frontier.root() == shelf.head.root


@pytest.mark.parametrize("altered", [0, 3, 10], ids=["first", "in the middle", "last"])
def test_what_was_not_signed_is_not_believed_wherever_it_stands(memory, altered):
    shelf = Shelf(11)
    shelf.shown[altered] = canonical({"t": "heartbeat", "at": "2026-11-24T03:00:00Z"})
    with pytest.raises(CallCentre) as caught:
        Monitor(shelf, memory, Readers(unasked), 2, 9).follow(shelf.head)
    assert caught.value.code == "trust.entries"
    log = Log.of(memory)
    assert log.frontier.size == altered // 2 * 2
    assert log.beat is None, "a beat that was not signed is none"


def test_the_newest_beat_is_known_and_what_is_damaged_is_passed_over(memory):
    shelf = Shelf(1)
    shelf.add({"t": "heartbeat", "at": "2026-11-24T03:00:00Z"})
    shelf.add({"t": "keyset", "agency": "dinkes", "envelope": {"no": "envelope"}})
    shelf.add({"t": "heartbeat"})
    log = Monitor(shelf, memory, Readers(unasked)).follow(shelf.head)
    assert log.beat.isoformat() == "2026-11-24T03:00:00+00:00"
    assert log.frontier.size == 4


def test_a_statement_about_our_keys_that_cannot_be_read_is_said(memory):
    shelf = Shelf(1)
    shelf.add({"t": "keyset", "agency": "baz", "envelope": {"no": "envelope"}})
    with pytest.raises(CallCentre) as caught:
        Monitor(shelf, memory, Readers(unasked)).follow(shelf.head)
    assert caught.value.code == "trust.entries"
    assert Log.of(memory).frontier.size == 0
