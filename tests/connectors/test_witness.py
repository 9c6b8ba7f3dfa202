"""A connector follows the log: what contradicts stops it, leaves evidence, and is never cosigned."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.client import Shown
from connectors.errors import CallCentre
from connectors.evidence import Anchors
from connectors.memory import Memory
from connectors.witness import Witness
from keys import merkle
from keys.checkpoint import Checkpoint, NoteSigner, parse_checkpoint, parse_note, witness_key
from keys.cosignature import parse_line
from keys.findings import Verdict
from keys.policy import Policy
from keys.signers import Ed25519Signer
from keys.verdict import judge

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ORIGIN = "titian.test/log/2026"
LOG = NoteSigner(ORIGIN, b"log".ljust(32))
KEY = Ed25519Signer.from_seed("baz", b"witness".ljust(32))
POLICY = Policy.parse(b'{"titian_policy": 1, "log_vkey": "%s"}' % LOG.vkey.encode())


class Log:
    """A gateway's log as a witness calls it; it shows whatever leaves it is told to."""

    agency = "baz"

    def __init__(self, *leaves: str) -> None:
        self.leaves = [merkle.leaf_hash(leaf.encode()) for leaf in leaves]
        self.cosigned: list[tuple[int, str]] = []
        self.at: datetime | None = NOW
        self.common: bytes | None = None

    def checkpoint(self) -> Shown:
        note = LOG.sign(Checkpoint(ORIGIN, len(self.leaves), merkle.root(self.leaves)))
        return Shown(note, self.at)

    def common_checkpoint(self) -> bytes | None:
        return self.common

    def consistency(self, old: int, new: int) -> list[bytes]:
        return merkle.consistency(self.leaves, old, new)

    def put_cosignature(self, size: int, line: str) -> None:
        self.cosigned.append((size, line))

    def shows(self, *leaves: str) -> None:
        self.leaves = [merkle.leaf_hash(leaf.encode()) for leaf in leaves]


@pytest.fixture
def memory(tmp_path):
    opened = Memory.open(tmp_path / "memory.sqlite")
    yield opened
    opened.close()


def witness(log: Log, memory: Memory, tmp_path, signer=KEY) -> Witness:
    anchors = Anchors("titian.test", LOG.vkey, {})
    return Witness(log, memory, anchors, signer, lambda: NOW, tmp_path / "fork-evidence")


def contradicted(watching: Witness, code: str):
    with pytest.raises(CallCentre) as found:
        watching.watch()
    assert found.value.code == code
    return sorted(watching.evidence.iterdir())


def test_each_new_checkpoint_is_cosigned_once(memory, tmp_path):
    log = Log("a")
    watching = witness(log, memory, tmp_path)
    for leaves in (("a",), ("a",), ("a", "b", "c")):
        log.shows(*leaves)
        watching.watch()
    assert [size for size, _ in log.cosigned] == [1, 3]
    made = parse_line(log.cosigned[-1][1])
    seen = parse_checkpoint(parse_note(log.checkpoint().note).text)
    made.verify(seen, witness_key("baz", KEY.public))
    assert made.time == NOW
    assert not watching.evidence.exists()


def test_a_rewritten_history_is_never_cosigned(memory, tmp_path):
    log = Log("a", "b")
    watching = witness(log, memory, tmp_path)
    watching.watch()
    log.shows("a", "x", "c")
    assert len(contradicted(watching, "trust.log_rewritten")) == 2
    assert [size for size, _ in log.cosigned] == [2]
    log.shows("a", "b", "c")
    assert watching.watch().checkpoint.size == 3, "the honest log goes on"


def test_two_logs_of_one_size_are_evidence_that_anybody_can_judge(memory, tmp_path):
    log = Log("a", "b")
    watching = witness(log, memory, tmp_path)
    watching.watch()
    log.shows("a", "x")
    files = contradicted(watching, "trust.log_shrank")
    reports = judge([path.read_bytes() for path in files], POLICY)
    assert {report.verdict for report in reports} == {Verdict.INVALID}
    assert any(f.detail == "log.fork" for report in reports for f in report.findings)


def test_a_log_that_was_rolled_back(memory, tmp_path):
    log = Log("a", "b")
    watching = witness(log, memory, tmp_path)
    watching.watch()
    log.shows("a")
    contradicted(watching, "trust.log_shrank")
    assert [size for size, _ in log.cosigned] == [2]


def test_a_note_of_another_log_is_no_evidence(memory, tmp_path):
    class Foreign(Log):
        def checkpoint(self) -> Shown:
            other = NoteSigner(ORIGIN, b"other".ljust(32))
            return Shown(other.sign(Checkpoint(ORIGIN, 1, merkle.root(self.leaves))), NOW)

    watching = witness(Foreign("a"), memory, tmp_path)
    with pytest.raises(CallCentre) as found:
        watching.watch()
    assert found.value.code == "trust.proof"
    assert not watching.evidence.exists()


def test_what_is_cosigned_is_on_the_disk_first(memory, tmp_path):
    class Dying(Log):
        def put_cosignature(self, size: int, line: str) -> None:
            raise KeyboardInterrupt

    dying = Dying("a", "b")
    with pytest.raises(KeyboardInterrupt):
        witness(dying, memory, tmp_path).watch()
    log = Log("a", "x", "c")
    contradicted(witness(log, memory, tmp_path), "trust.log_rewritten")
    assert log.cosigned == []


def test_without_a_witness_key_it_watches_only(memory, tmp_path):
    log = Log("a")
    watching = witness(log, memory, tmp_path, signer=None)
    watching.watch()
    assert log.cosigned == []
    log.shows("x")
    contradicted(watching, "trust.log_shrank")


@pytest.mark.parametrize(("minutes", "lines"), [(-6, 0), (-5, 1), (5, 1), (6, 0)])
def test_a_clock_that_is_wrong_cosigns_nothing(memory, tmp_path, minutes, lines):
    log = Log("a")
    log.at = NOW + timedelta(minutes=minutes)
    witness(log, memory, tmp_path).watch()
    assert len(log.cosigned) == lines


# -- one checkpoint for all witnesses of a minute


def head(*leaves: str, signer: NoteSigner = LOG) -> bytes:
    hashes = [merkle.leaf_hash(leaf.encode()) for leaf in leaves]
    return signer.sign(Checkpoint(ORIGIN, len(hashes), merkle.root(hashes)))


def test_witnesses_of_different_newest_checkpoints_meet_under_the_common_one(memory, tmp_path):
    log = Log("a", "b", "c", "d")
    log.common = head("a", "b")
    one = witness(log, memory, tmp_path)
    one.watch()
    assert [size for size, _ in log.cosigned] == [4, 2]
    log.shows("a", "b", "c", "d", "e")
    one.watch()
    assert [size for size, _ in log.cosigned] == [4, 2, 5], "the common one is cosigned once"
    log.common = head("a", "b", "c", "d")
    log.shows("a", "b", "c", "d", "e", "f")
    one.watch()
    assert [size for size, _ in log.cosigned] == [4, 2, 5, 6, 4]


def test_a_common_checkpoint_of_another_history_is_never_cosigned(memory, tmp_path):
    log = Log("a", "b", "c", "d")
    log.common = head("a", "x")
    with pytest.raises(CallCentre) as caught:
        witness(log, memory, tmp_path).watch()
    assert caught.value.code == "trust.log_rewritten"
    assert [size for size, _ in log.cosigned] == [4]


def test_a_common_checkpoint_that_the_log_did_not_sign_is_never_cosigned(memory, tmp_path):
    log = Log("a", "b", "c")
    log.common = head("a", signer=NoteSigner(ORIGIN, bytes(32)))
    with pytest.raises(CallCentre) as caught:
        witness(log, memory, tmp_path).watch()
    assert caught.value.code == "trust.proof"


@pytest.mark.parametrize("size", [3, 5])
def test_a_common_checkpoint_that_is_no_older_is_left(memory, tmp_path, size):
    log = Log("a", "b", "c")
    log.common = head(*"abcde"[:size])
    witness(log, memory, tmp_path).watch()
    assert [size for size, _ in log.cosigned] == [3]
