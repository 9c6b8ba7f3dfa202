"""Seeded mutations of good evidence and of proofs; each must be seen, and nothing good doubted.

A mutation that leaves what the evidence says as it was (another spelling of the same JSON) is none;
nor is a shorter history of a keyset, which is good evidence of less.
"""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from keys import bundle, dsse, evidence, frame, merkle
from keys.checkpoint import Checkpoint, parse_note
from keys.errors import TrustError
from keys.findings import Verdict
from keys.policy import Policy
from keys.verdict import judge
from tests.keys import city
from tests.keys.world import POLICY, World

ANCHORS = Policy.parse(POLICY)
_LOG_KINDS = ("record", "batch", "keyset", "query", "decision", "checkpoint")
Files = dict[str, bytes]


def missed_in_evidence(seed: int, count: int) -> list[str]:
    """The mutations of evidence files, of `count`, that were taken for good."""
    rng, world = random.Random(seed), World(seed)
    good, other = world.files(1), world.files(0)
    missed, done = [], 0
    while done < count:
        kind, (name, mutate) = rng.choice(sorted(good)), rng.choice(sorted(_MUTATIONS.items()))
        files = mutate(rng, kind, good, other)
        if files is None or (len(files) == 1 and _is_true(kind, files[0], good[kind])):
            continue
        done += 1
        if judge(files, ANCHORS)[0].verdict is Verdict.VALID:
            missed.append(f"{kind}: {name}")
    return missed


def doubted(seeds: range) -> list[str]:
    """The good files of these worlds that were not called valid."""
    return [
        f"{kind} of {seed}"
        for seed in seeds
        for n in range(2)
        for kind, data in World(seed).files(n).items()
        if judge([data], ANCHORS)[0].verdict is not Verdict.VALID
    ]


def missed_in_proofs(seed: int, count: int) -> list[str]:
    """The mutations of inclusion and consistency proofs, of `count`, that were taken for good."""
    rng, missed = random.Random(seed), []
    for _ in range(count):
        n = rng.randrange(2, 300)
        leaves = [merkle.leaf_hash(rng.randbytes(8)) for _ in range(n)]
        if rng.random() < 0.5:
            missed += _inclusion(rng, leaves)
        else:
            missed += _consistency(rng, leaves)
    return missed


def _inclusion(rng: random.Random, leaves: list[bytes]) -> Iterator[str]:
    index, size = rng.randrange(len(leaves)), len(leaves)
    path, head = merkle.inclusion(leaves, index), merkle.root(leaves)
    leaf = leaves[index]
    merkle.verify_inclusion(leaf, index, size, path, head)
    match rng.randrange(4):
        case 0:
            leaf = _flipped(rng, leaf)
        case 1:
            head = _flipped(rng, head)
        case 2:
            index = rng.choice([i for i in range(size) if i != index])
        case _:
            path = _other_path(rng, path)
    if _holds(lambda: merkle.verify_inclusion(leaf, index, size, path, head)):
        yield f"inclusion of {index} in {size}"


def _consistency(rng: random.Random, leaves: list[bytes]) -> Iterator[str]:
    """Also the fork: a history that changed below the size that was seen."""
    size, seen = len(leaves), rng.randrange(1, len(leaves))
    path = merkle.consistency(leaves, seen, size)
    before, after = merkle.root(leaves[:seen]), merkle.root(leaves)
    merkle.verify_consistency(seen, size, before, after, path)
    match rng.randrange(3):
        case 0:
            at = rng.randrange(seen)
            forked = [*leaves[:at], _flipped(rng, leaves[at]), *leaves[at + 1 :]]
            after, path = merkle.root(forked), merkle.consistency(forked, seen, size)
        case 1:
            path = _other_path(rng, path)
        case _:
            before = _flipped(rng, before)
    if _holds(lambda: merkle.verify_consistency(seen, size, before, after, path)):
        yield f"consistency of {seen} and {size}"


def _edit(rng: random.Random, kind: str, good: Files, _: Files) -> list[bytes]:
    return [_flipped(rng, good[kind])]


def _delete(rng: random.Random, kind: str, good: Files, _: Files) -> list[bytes]:
    data = good[kind]
    at = rng.randrange(len(data))
    return [data[:at] + data[at + rng.randrange(1, 64) :]]


def _insert(rng: random.Random, kind: str, good: Files, _: Files) -> list[bytes]:
    data = good[kind]
    at = rng.randrange(len(data) + 1)
    return [data[:at] + rng.randbytes(rng.randrange(1, 16)) + data[at:]]


def _truncate(rng: random.Random, kind: str, good: Files, _: Files) -> list[bytes]:
    return [good[kind][: rng.randrange(len(good[kind]))]]


def _reorder(rng: random.Random, kind: str, good: Files, _: Files) -> list[bytes]:
    """Two stretches of the file change places."""
    data = good[kind]
    length = rng.randrange(1, 40)
    a, b = sorted(rng.sample(range(0, len(data) - length, length), 2))
    one, two = data[a : a + length], data[b : b + length]
    return [data[:a] + two + data[a + length : b] + one + data[b + length :]]


def _substitute(rng: random.Random, kind: str, good: Files, other: Files) -> list[bytes] | None:
    """One field is that of other genuine evidence of the same kind."""
    if kind in {"frame", "checkpoint"}:
        return None
    mine, theirs = json.loads(good[kind]), json.loads(other[kind])
    place = rng.choice(list(_places(mine)))
    value: Any = theirs
    for step in place:
        if isinstance(value, list) and step >= len(value):
            return None
        value = value[step]
    inside: Any = mine
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = value
    return [json.dumps(mine).encode()]


def _fork(rng: random.Random, kind: str, good: Files, _: Files) -> list[bytes] | None:
    """The log signed another root for the same size, and somebody holds that note."""
    if kind not in _LOG_KINDS:
        return None
    head = evidence.read_head(good["checkpoint"])
    note = city.LOG.sign(Checkpoint(head.origin, head.size, rng.randbytes(32)))
    return [good[kind], note]


Mutation = Callable[[random.Random, str, Files, Files], list[bytes] | None]
_MUTATIONS: dict[str, Mutation] = {
    "edit": _edit,
    "delete": _delete,
    "insert": _insert,
    "truncate": _truncate,
    "reorder": _reorder,
    "substitute": _substitute,
    "fork": _fork,
}


def _says(kind: str, data: bytes) -> Any:
    """What a file says, however it is spelled; the bytes where it says nothing."""
    try:
        if kind == "checkpoint":
            return parse_note(data).text
        if kind == "receipt":
            return dsse.parse(data)
        if kind == "frame":
            stream = frame.io.BytesIO(data)
            envelope = frame.read_head(stream)
            _, batch = evidence.read_batch(envelope)
            return envelope, frame.lines_and_root(stream, count=batch.count, size=batch.size).lines
        return bundle.parse(data)
    except TrustError:
        return data


def _is_true(kind: str, data: bytes, good: bytes) -> bool:
    """Whether a file says what the good one says, or only less."""
    mine, whole = _says(kind, data), _says(kind, good)
    if mine == whole:
        return True
    if not isinstance(mine, bundle.KeysetEvidence) or not mine.keysets:
        return False
    return list(mine.keysets) == list(whole.keysets)[: len(mine.keysets)]


def _places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items: Any = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        items = enumerate(value)
    for step, inner in items:
        yield (*above, step)
        yield from _places(inner, (*above, step))


def _flipped(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _other_path(rng: random.Random, path: list[bytes]) -> list[bytes]:
    """The path edited, cut, lengthened or in another order."""
    kinds = ["insert", *(["edit", "delete"] if path else []), *(["swap"] if len(path) > 1 else [])]
    made, at = list(path), rng.randrange(len(path) + 1)
    match rng.choice(kinds):
        case "insert":
            made.insert(at, rng.randbytes(32))
        case "edit":
            made[at - 1] = _flipped(rng, made[at - 1])
        case "delete":
            del made[at - 1]
        case _:
            made[0], made[-1] = made[-1], made[0]
    return made


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except TrustError:
        return False
    return True
