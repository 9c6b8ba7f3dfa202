"""`make mutants`: how many small faults in `keys/` and in two modules of the index tests find.

The faults are those of cosmic-ray, one at a time, in a copy of the tree under `var/mutants`; the
tests of the module run in a fork of this process, which has loaded what is not ours. It is a
campaign on one core, no part of the suite. Not counted are faults with which the module cannot
even be loaded, and exchanges of `==` and `is`, which the interpreter's own cache decides.
"""

import argparse
import importlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cryptography.hazmat.primitives.keywrap
import http_message_signatures
import hypothesis
import numpy as np
import pytest
import rapidfuzz
import rfc8785
import sqlalchemy
import zstandard
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

LOADED = (cryptography, http_message_signatures, np, rapidfuzz, rfc8785, sqlalchemy, zstandard)
"""What the forks need not load again."""
ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var" / "mutants"
TREE = VAR / f"tree-{os.getpid()}"
MODULES: Mapping[str, tuple[str, ...]] = {
    "backup": ("backup",),
    "bundle": ("fixtures", "verify"),
    "canonical": ("canonical",),
    "checkpoint": ("checkpoint",),
    "commitment": ("commitment",),
    "contents": ("verify",),
    "cosignature": ("cosignature",),
    "deks": ("vault",),
    "dsse": ("dsse",),
    "enrolment": ("enrolment",),
    "evidence": ("fixtures", "verify"),
    "findings": ("verify",),
    "forgetting": ("forgetting",),
    "frame": ("frame",),
    "httpsig": ("httpsig",),
    "keyset": ("keyset", "succession", "reenrolment"),
    "keystore": ("keystore",),
    "lifecycle": ("lifecycle",),
    "merkle": ("merkle",),
    "policy": ("verify",),
    "privatefile": ("privatefile", "keystore"),
    "recovery": ("recovery",),
    "rotation": ("rotation", "warnings"),
    "secretfile": ("secretfile", "vault"),
    "signers": ("signers",),
    "statement": ("statement",),
    "succession": ("succession", "succession_limits", "keyset", "forgetting"),
    "suspension": ("suspension",),
    "vault": ("vault",),
    "verdict": ("fixtures", "verify"),
    "verify": ("verify",),
}
"""Each module of `keys/` and the files of `tests/keys` that are to find its faults."""
INDEX: Mapping[str, tuple[str, ...]] = {
    "clustering": ("clustering", "clustering_edges", "stream"),
    "scoring": ("scoring", "scoring_edges"),
}
"""Modules of `gateway/index`, and the files of `tests/index` that are to find their faults."""
_UNLOADABLE = 99
ALL = {**MODULES, **INDEX}
_LONGEST = 300  # seconds of CPU, without any fault


@dataclass(frozen=True, slots=True)
class Fault:
    """One change of a module: the operator, which of its places, and where that is."""

    operator: str
    occurrence: int
    line: int


@dataclass(slots=True)
class Report:
    """What became of a module's faults."""

    module: str
    tried: int = 0
    found: int = 0
    unloadable: int = 0
    missed: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Found of tried, in percent."""
        return 100 * self.found / self.tried if self.tried else 100.0


def main() -> int:
    """Run the campaign; 1 where a module's share is below the bar."""
    parser = argparse.ArgumentParser(prog="python -m bench.mutants", description=__doc__)
    parser.add_argument("--only", default="", help=f"some of {','.join(ALL)}")
    parser.add_argument("--sample", type=int, default=0, help="so many faults a module; 0 is all")
    parser.add_argument("--seed", type=int, default=7, help="which ones")
    parser.add_argument("--bar", type=float, default=85.0, help="the least share found, in percent")
    given = parser.parse_args()
    chosen = [name for name in given.only.split(",") if name] or list(ALL)
    if unknown := set(chosen) - ALL.keys():
        parser.error(f"no module is called {', '.join(sorted(unknown))}")
    _load_hypothesis()
    try:
        _copy()
        return _campaign(chosen, given)
    finally:
        shutil.rmtree(TREE, ignore_errors=True)


def _campaign(chosen: Sequence[str], given: argparse.Namespace) -> int:
    reports = []
    for name in chosen:
        report = try_module(name, given.sample, given.seed)
        reports.append(report)
        print(
            f"{name:<12} {report.found:>5} of {report.tried:>5} found  {report.share:6.1f} %"
            f"  ({report.unloadable} did not load)",
            flush=True,
        )
        for missed in report.missed:
            print(f"    {missed}")
        (VAR / f"{name}.json").write_text(json.dumps(asdict(report), indent=1), encoding="utf-8")
    found, tried = sum(r.found for r in reports), sum(r.tried for r in reports)
    print(f"{'together':<12} {found:>5} of {tried:>5} found  {100 * found / max(tried, 1):6.1f} %")
    return int(any(report.share < given.bar for report in reports))


def faults(source: str) -> list[Fault]:
    """Every fault that can be put into a module's text, in the order of the operators."""
    nodes = [node for node in ast_nodes(get_ast(source)) if not _is_signature(node)]
    found = []
    for name in operator_names():
        kind = get_operator(name)
        if kind.arguments() or _is_identity(name):
            continue
        operator = kind()
        places = [at for node in nodes for at in operator.mutation_positions(node)]
        found += [Fault(name, nth, at[0][0]) for nth, at in enumerate(places)]
    return found


def try_module(name: str, sample: int, seed: int) -> Report:
    """Put the faults into the copy one by one, and see whether the tests find them."""
    path = TREE / _room(name) / f"{name}.py"
    source = path.read_text(encoding="utf-8")
    tests = _tests(name)
    code, took = _run(name, tests, _LONGEST)
    if code != 0:
        raise SystemExit(f"the tests of {name} fail without any fault ({code})")
    longest = int(5 + 3 * took)
    chosen = faults(source)
    if 0 < sample < len(chosen):
        chosen = random.Random(f"{seed}:{name}").sample(chosen, sample)
    report = Report(name)
    try:
        for fault in chosen:
            changed = _changed(source, fault)
            if changed is None:
                continue
            path.write_text(changed, encoding="utf-8")
            _count(report, fault, _run(name, tests, longest)[0], changed)
    finally:
        path.write_text(source, encoding="utf-8")
    return report


def _room(name: str) -> str:
    return "gateway/index" if name in INDEX else "keys"


def _tests(name: str) -> list[str]:
    if name in INDEX:
        return [f"tests/index/test_{test}.py" for test in INDEX[name]]
    return [f"tests/keys/test_{test}.py" for test in (*MODULES[name], "values")]


def _changed(source: str, fault: Fault) -> str | None:
    """The module's text with the fault; None where cosmic-ray cannot place it."""
    try:
        text: str | None = mutate_code(source, get_operator(fault.operator)(), fault.occurrence)
    except AttributeError:  # an exception with a dotted name is not exchanged
        return None
    return text


def _count(report: Report, fault: Fault, code: int, changed: str) -> None:
    if code == _UNLOADABLE:
        report.unloadable += 1
        return
    report.tried += 1
    if code != 0:
        report.found += 1
        return
    line = changed.splitlines()[fault.line - 1].strip()
    report.missed.append(f"{report.module}.py:{fault.line} {fault.operator[5:]}: {line}")


def _is_signature(node: Any) -> bool:
    """Whether it is the star among parameters, which cosmic-ray takes for a product."""
    return node.parent is not None and node.parent.type == "parameters"


def _is_identity(operator: str) -> bool:
    """Whether it exchanges `==` and `is` (or their denials)."""
    change = operator.partition("ReplaceComparisonOperator_")[2]
    before, _, after = change.partition("_")
    return before.startswith("Is") != after.startswith("Is")


def _run(name: str, tests: Sequence[str], longest: int) -> tuple[int, float]:
    """The exit code of the tests in a fork, below 0 where they were ended, and its CPU seconds."""
    child = os.fork()
    if child == 0:
        _test(name, tests, longest)
    until = time.monotonic() + 20 * longest  # one that waits takes no CPU time
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
        if time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.01)


def _test(name: str, tests: Sequence[str], longest: int) -> None:
    """In the fork: load the module, then run its tests; never returns."""
    os.setpgid(0, 0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (longest, longest))
    os.chdir(TREE)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(TREE))
    code = _UNLOADABLE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            importlib.import_module(f"{_room(name).replace('/', '.')}.{name}")
        code = 1
        cut = f"--confcutdir={Path(tests[0]).parent}"
        code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", cut, *_NARROW, *tests]))
    finally:
        os._exit(code)


# What measures time finds a busy machine, and what starts processes takes most of it.
_NARROW = (
    *("-k", "not quick and not bombs"),
    *("--tb=no", "--hypothesis-seed=7"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)


def _copy() -> None:
    """The tree as it stands, so that no fault ever touches it."""
    for room in ("gateway", "keys", "schemas", "tests"):
        shutil.copytree(ROOT / room, TREE / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", TREE)
    shared = VAR / "shared"  # where the tests look for it: beside the tree
    if not shared.exists() and (ROOT.parent / "shared").exists():
        shared.symlink_to((ROOT.parent / "shared").resolve())


def _load_hypothesis() -> None:
    """A found fault need not be made small."""
    phases: Any = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("mutants", phases=phases, database=None, deadline=None)
    hypothesis.settings.load_profile("mutants")


if __name__ == "__main__":
    raise SystemExit(main())
