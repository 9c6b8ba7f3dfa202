"""`evidence`: how long the judge takes over one record's file, in a log of a million entries.

The batch has 5,000 lines, the agency three keysets, each proof twenty hashes and two witnesses.
Beside it the whole command, with the start of Python.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from bench.desk import p95
from bench.figure import Figure
from bench.lab import BenchFailed, Lab
from keys import bundle, merkle
from keys.canonical import canonical
from keys.checkpoint import Checkpoint, format_proof
from keys.findings import Verdict
from keys.policy import Policy
from keys.verdict import judge
from tests.keys import city
from tests.keys.city import NEXT
from tests.keys.world import POLICY

BAR = 100.0
_LINES = 5_000
_TURNS = 200
_MAIN = "from keys.verify import main; main()"


def run(lab: Lab) -> list[Figure]:
    """p95 of judging one file, and the median of the command."""
    data, policy = _file(lab.size(20, 8)), Policy.parse(POLICY)
    taken = []
    for _ in range(lab.size(_TURNS, 5)):
        begun = time.perf_counter()
        verdict = judge([data], policy)[0].verdict
        taken.append((time.perf_counter() - begun) * 1e3)
        if verdict is not Verdict.VALID:
            raise BenchFailed("good evidence was not called valid")
    value = p95(taken)
    command = _command(lab.var, data, lab.size(9, 1))
    return [
        Figure(
            name="evidence",
            value=value,
            unit="ms (p95)",
            peer="the whole command",
            peer_value=command,
            bar=BAR,
            holds=value <= BAR,
        )
    ]


def _command(var: Path, data: bytes, turns: int) -> float:
    file, policy = var / "record.titianproof", var / "policy.json"
    file.write_bytes(data)
    policy.write_bytes(POLICY)
    call = [sys.executable, "-c", _MAIN, str(file), "--policy", str(policy)]
    taken = []
    for _ in range(turns):
        begun = time.perf_counter()
        subprocess.run(call, check=True, capture_output=True)
        taken.append((time.perf_counter() - begun) * 1e3)
    return round(sorted(taken)[len(taken) // 2], 1)


def _file(height: int) -> bytes:
    """A record's evidence, its entries spread over a log of 2 ** height entries."""
    lines = [b'{"_id":"%d","_op":"put","name":"%d"}' % (i, i) for i in range(_LINES)]
    sealed = city.batch(NEXT, lines)
    keysets = [city.first_keyset(), city.next_keyset()]
    entries = [bundle.keyset_entry("dinsos", n, each) for n, each in enumerate(keysets, 1)]
    accept = bundle.accept_entry(json.loads(sealed.payload), sealed.payload_sha256, NEXT.kid)
    tree = _Tree(height, [canonical(entry) for entry in (*entries, accept)])
    *known, accepted = (tree.proved(n) for n in range(3))
    origin = bundle.Origin(city.envelope_of(sealed), known, accepted)
    path = merkle.inclusion(sealed.leaves, 1234)
    return bundle.build(bundle.RecordEvidence(lines[1234], 1234, path, origin))


class _Tree:
    """A full tree of which only a few leaves are known: all others are alike."""

    def __init__(self, height: int, entries: list[bytes]) -> None:
        self.height, self.entries = height, entries
        blank = merkle.leaf_hash(b"-")
        self.blanks = [blank]
        for _ in range(height):
            blank = merkle.node_hash(blank, blank)
            self.blanks.append(blank)
        gap = (1 << height) // (len(entries) + 1)
        self.places = {gap * (n + 1): merkle.leaf_hash(e) for n, e in enumerate(entries)}
        head = Checkpoint(city.ORIGIN, 1 << height, self._node(height, 0))
        self.note = city.LOG.sign(head) + city.witnessed(head, city.WITNESSES)

    def proved(self, n: int) -> bundle.LoggedEntry:
        index = list(self.places)[n]
        path = [self._node(level, (index >> level) ^ 1) for level in range(self.height)]
        return bundle.LoggedEntry(self.entries[n], format_proof(index, path, self.note))

    def _node(self, level: int, at: int) -> bytes:
        if not any(place >> level == at for place in self.places):
            return self.blanks[level]
        if level == 0:
            return self.places[at]
        return merkle.node_hash(self._node(level - 1, 2 * at), self._node(level - 1, 2 * at + 1))
