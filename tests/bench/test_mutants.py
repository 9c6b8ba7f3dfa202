"""The mutation campaign counts what it says, and never touches the tree it is about."""

import hashlib
import json
import subprocess
import sys

import pytest

from tests.shared import ROOT

pytest.importorskip("cosmic_ray", reason="the extra `mutation` is not installed")
mutants = pytest.importorskip("bench.mutants")

SOURCE = """
LIMIT = 3


def act(one: int, *, two: str | None = None) -> bool:
    return one * 2 > LIMIT and two == "x"
"""


def operators(source: str) -> set[str]:
    return {fault.operator.partition("/")[2] for fault in mutants.faults(source)}


def test_faults_are_those_of_arithmetic_comparison_numbers_and_logic():
    found = operators(SOURCE)
    assert {"NumberReplacer", "ReplaceAndWithOr", "ReplaceComparisonOperator_Gt_GtE"} <= found
    numbers = [f for f in mutants.faults(SOURCE) if f.operator.endswith("NumberReplacer")]
    assert [(f.line, f.occurrence) for f in numbers] == [(2, 0), (2, 1), (6, 2), (6, 3)]


def test_what_the_interpreters_cache_decides_and_stars_among_parameters_are_left_out():
    found = operators(SOURCE)
    assert "ReplaceComparisonOperator_Eq_NotEq" in found
    assert not {each for each in found if each.endswith(("Eq_Is", "Eq_IsNot"))}
    assert "ReplaceBinaryOperator_Mul_Add" in found  # of the product …
    stars = [f for f in mutants.faults(SOURCE) if f.operator.endswith("Operator_Mul_Div")]
    assert [f.line for f in stars] == [6]  # … and of nothing else


@pytest.mark.parametrize("name", mutants.MODULES)
def test_every_module_of_the_campaign_has_its_tests(name):
    assert (ROOT / "keys" / f"{name}.py").exists()
    for test in mutants.MODULES[name]:
        assert (ROOT / "tests" / "keys" / f"test_{test}.py").exists()


@pytest.mark.parametrize("name", mutants.INDEX)
def test_the_modules_of_the_index_have_their_tests(name):
    assert (ROOT / "gateway" / "index" / f"{name}.py").exists()
    for test in mutants.INDEX[name]:
        assert (ROOT / "tests" / "index" / f"test_{test}.py").exists()


def test_no_module_of_keys_is_left_out():
    texts = {path.stem: path.read_text("utf-8") for path in (ROOT / "keys").glob("*.py")}
    assert {name for name, text in texts.items() if mutants.faults(text)} == set(mutants.MODULES)


@pytest.mark.slow
def test_a_small_campaign_finds_faults_and_leaves_the_tree_alone():
    path = ROOT / "keys" / "recovery.py"
    before = hashlib.sha256(path.read_bytes()).digest()
    done = subprocess.run(
        [sys.executable, "-m", "bench.mutants", "--only", "recovery", "--sample", "5"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((ROOT / "var" / "mutants" / "recovery.json").read_text())
    assert report["tried"] + report["unloadable"] == 5
    assert f"{report['found']:>5} of {report['tried']:>5} found" in done.stdout
    assert hashlib.sha256(path.read_bytes()).digest() == before


def test_a_module_that_is_none_is_refused():
    done = subprocess.run(
        [sys.executable, "-m", "bench.mutants", "--only", "nobody"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "no module is called nobody" in done.stderr
