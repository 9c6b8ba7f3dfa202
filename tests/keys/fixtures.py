"""Makes the folder of evidence fixtures: `python -m tests.keys.fixtures` writes it anew.

Each file stands with the policy it is read under and the exit status it must get, in
`expected.json`; any verifier of Titian's evidence can be held against it. The expected status comes
from how a file was made, never from our verifier: the cases of `evidence_cases`, and for each good
`.titianproof` every field of it left out, emptied, or damaged.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keys import bundle
from tests.keys import city
from tests.keys.evidence_cases import CASES, WITNESSED, proof
from tests.shared import ROOT

FOLDER = ROOT / "tests" / "fixtures" / "evidence"
GOOD = {
    "record": proof(),
    "batch": bundle.build(city.whole()),
    "keyset": bundle.build(
        bundle.KeysetEvidence(
            city.record(
                keysets=[city.first_keyset(), city.next_keyset(), city.lost_keyset(2)]
            ).origin.keysets
        )
    ),
    "query": bundle.build(city.look()),
    "decision": bundle.build(city.decision()),
}
LACKING = {("record", "accept"), ("batch", "accept"), ("decision", "statement")}
"""Fields that may be null: then the evidence is not enough, but not wrong."""

Place = tuple[str | int, ...]


def made() -> dict[str, tuple[bytes, bytes | None, int]]:
    """Name to file, policy and exit status; always the same bytes."""
    files = {name: (make(), policy, status) for name, (make, policy, status) in CASES.items()}
    for kind, data in GOOD.items():
        files |= {
            f"{kind}-{name}": (bad, WITNESSED, status) for name, bad, status in _damaged(kind, data)
        }
    return files


def write(folder: Path) -> None:
    """Write the files, the policies and `expected.json`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    policies: dict[bytes, str] = {}
    expected = {}
    for name, (data, policy, status) in sorted(made().items()):
        (folder / name).write_bytes(data)
        known = None
        if policy is not None:
            known = policies.setdefault(policy, f"policy-{len(policies) + 1:02}.json")
        expected[name] = {"policy": known, "exit": status}
    for policy, name in policies.items():
        (folder / name).write_bytes(policy)
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def _damaged(kind: str, data: bytes) -> Iterator[tuple[str, bytes, int]]:
    good = json.loads(data)
    for place in _places(good):
        where = "-".join(str(step) for step in place)
        yield f"without-{where}", _spelled(_changed(good, place, None, drop=True)), 1
        lacking = 2 if (kind, *place) in LACKING else 1
        yield f"null-{where}", _spelled(_changed(good, place, None)), lacking
        value = _at(good, place)
        if isinstance(value, str) and len(value) > 40:
            yield f"damaged-{where}", _spelled(_changed(good, place, _flipped(value))), 1


def _places(value: Any, above: Place = ()) -> Iterator[Place]:
    """Every field of an object, at any depth."""
    steps: Any = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        steps = enumerate(value)
    for step, inner in steps:
        if isinstance(step, str):
            yield (*above, step)
        yield from _places(inner, (*above, step))


def _at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def _changed(good: Any, place: Place, value: Any, *, drop: bool = False) -> Any:
    copy = json.loads(json.dumps(good))
    inside = _at(copy, place[:-1])
    if drop:
        del inside[place[-1]]
    else:
        inside[place[-1]] = value
    return copy


def _flipped(text: str) -> str:
    """The text with one character in its middle changed to another of the same alphabet."""
    at = len(text) // 2
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def _spelled(value: Any) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()


if __name__ == "__main__":
    write(FOLDER)
    print(f"{len(made())} files in {FOLDER.relative_to(ROOT)}")
