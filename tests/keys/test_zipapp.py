"""`make verifier`: one file that judges evidence where nothing but three packages is installed."""

import importlib.util
import subprocess
import venv
from pathlib import Path

import pytest

from tests.keys import city
from tests.keys.evidence_cases import proof
from tests.shared import ROOT

PACKAGES = ("cryptography", "rfc8785", "zstandard", "cffi", "_cffi_backend")
"""The three, and what cryptography brings along."""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> Path:
    """A machine with Python and the three packages, and the file that `make verifier` made."""
    folder = tmp_path_factory.mktemp("elsewhere")
    made = folder / "titian-verify.pyz"
    _done(["make", "-s", "verifier", f"VERIFIER={made}"], ROOT)
    venv.create(folder / "venv", with_pip=False)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    for name in PACKAGES:
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        origin = Path(found.origin)
        origin = origin.parent if origin.name == "__init__.py" else origin
        (site / origin.name).symlink_to(origin)
    (folder / "good.titianproof").write_bytes(proof())
    (folder / "policy.json").write_bytes(city.policy(agencies=None))
    return folder


def _done(command: list[str], where: Path, code: int = 0) -> str:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def _run(where: Path, *arguments: str, code: int = 0) -> str:
    return _done([str(where / "venv/bin/python"), "-I", *arguments], where, code)


def test_it_judges_with_nothing_else_installed(elsewhere: Path) -> None:
    _run(elsewhere, "-c", "import flask", code=1)
    said = _run(elsewhere, "titian-verify.pyz", "good.titianproof", "--policy", "policy.json")
    assert "= SAH" in said
    (elsewhere / "bad.titianproof").write_bytes(proof(index=1))
    bad = ("bad.titianproof", "--policy", "policy.json", "--lang", "en")
    assert "= INVALID" in _run(elsewhere, "titian-verify.pyz", *bad, code=1)


def test_the_file_holds_the_verifier_and_nothing_of_the_connectors_calls(elsewhere: Path) -> None:
    made = elsewhere / "titian-verify.pyz"
    assert made.read_bytes().startswith(b"#!/usr/bin/env python3\n")
    assert made.stat().st_mode & 0o111
    names = _run(elsewhere, "-m", "zipfile", "-l", str(made))
    assert "keys/verify.py" in names
    assert "httpsig" not in names
