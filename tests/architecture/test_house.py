"""Promises about the whole house: sizes, one floor a room, nothing personal in the tree."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared import ROOT

ROOMS = ("keys", "schemas", "connectors", "gateway", "workers", "demo", "bench", "shipping")
SOURCES = [p for room in ROOMS for p in sorted((ROOT / room).rglob("*.py"))]
CODE = [p for p in SOURCES if "migrations/versions" not in p.as_posix()]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", CODE, ids=_name)
def test_a_file_holds_one_idea(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", CODE, ids=_name)
def test_functions_are_short_and_take_few_arguments(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = node.body[0].lineno
        if isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
            first = (node.body[0].end_lineno or first) + 1
        lines = (node.end_lineno or first) - first + 1
        assert lines <= 50, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_imports_stand_at_the_top(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
            assert not inner, f"{node.name} imports inside itself"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name == "__init__.py"], ids=_name)
def test_a_package_holds_only_its_docstring(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


def test_no_module_is_a_drawer():
    drawers = {"utils.py", "helpers.py", "common.py", "manager.py", "misc.py", "util.py"}
    assert not [_name(p) for p in SOURCES if p.name in drawers]


def test_nothing_of_one_city_stands_in_code():
    words = re.compile(r"payakumbuh|13\.76|\b1376\d{2,}|lima puluh kota", re.IGNORECASE)
    places = (*[ROOT / r for r in ("keys", "schemas", "connectors", "gateway", "workers")],)
    for folder in places:
        for path in folder.rglob("*.py"):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if 'profile: str = "payakumbuh"' in line:
                    continue  # the default of one setting
                assert not words.search(line), f"{_name(path)}:{number}"


def test_the_import_contracts_hold():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_lock_names_no_index():
    for name in ("requirements.lock", "requirements-gateway.lock", "requirements-mutants.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert "--hash=sha256:" in text
