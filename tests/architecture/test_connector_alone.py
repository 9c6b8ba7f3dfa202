"""The connector is installed alone, on any system: what it imports, and what it may not."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata

import pytest

from shipping import windows
from tests.shared import ROOT

POSIX_ONLY = frozenset(
    "crypt curses fcntl grp nis posix pty pwd readline resource spwd syslog termios tty".split()
)
"""Modules that Windows' Python does not have."""
POSIX_CALLS = frozenset(
    "chown fork forkpty geteuid getuid getgid killpg mkfifo setsid wait3".split()
)
ALLOWED_CALLS = {"keys/privatefile.py": {"geteuid"}}
"""Behind `os.name == "posix"`."""
ROOMS = ("connectors", "keys", "schemas")
PATHS = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def _closure(extra: str) -> set[str]:
    """Names of the distributions that `titian[extra]` brings, with all that they need."""
    todo, found = [("titian", extra)], set()
    while todo:
        name, asked = todo.pop()
        for line in metadata.requires(name) or []:
            wanted = re.match(r"[A-Za-z0-9._-]+", line)[0].lower().replace("_", "-")
            marker = line.partition(";")[2]
            extras = re.findall(r"extra == ['\"]([^'\"]+)", marker)
            if (extras and asked not in extras) or wanted in found or "python_version" in marker:
                continue
            if 'sys_platform == "win32"' in marker or "platform_system" in marker:
                continue
            try:
                metadata.version(wanted)
            except metadata.PackageNotFoundError:
                continue
            found.add(wanted)
            todo.append((wanted, ""))
    return found


def test_the_command_imports_nothing_that_its_extra_does_not_bring():
    said = subprocess.run(
        [sys.executable, "-c", "import sys, connectors.cli; print(*sorted(sys.modules))"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    tops = {name.partition(".")[0] for name in said.stdout.split()}
    known = metadata.packages_distributions()
    names = {n.lower().replace("_", "-") for top in tops for n in known.get(top, ())}
    assert names - {"titian", "setuptools", "pip"} <= _closure("connector")
    assert not tops & {
        "flask",
        "celery",
        "redis",
        "psycopg",
        "pymysql",
        "openpyxl",
        "gateway",
        "workers",
    }


def test_the_extra_brings_no_centre_and_no_driver():
    heavy = {"flask", "celery", "redis", "psycopg", "pymysql", "pymssql", "oracledb", "granian"}
    assert not _closure("connector") & heavy
    assert _closure("gateway") & heavy, "the look itself can see them"


def test_an_agency_installs_only_the_driver_that_it_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for name in ("postgresql", "mysql", "mssql", "oracle"):
        assert len(extras[name]) == 1
        assert "==" in extras[name][0]


@pytest.mark.parametrize("path", PATHS, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_that_only_posix_has(path):
    where = str(path.relative_to(ROOT))
    imported, called = set(), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "os":
            called.add(node.attr)
    assert not imported & POSIX_ONLY
    assert called & POSIX_CALLS <= ALLOWED_CALLS.get(where, set())


# -- the folder for Windows


def _wheel(path, *names):
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return path


def test_the_folder_for_windows_holds_the_connector_and_not_the_centre(tmp_path):
    rooms = [
        f"{room}/__init__.py" for room in ("connectors", "keys", "schemas", "gateway", "workers")
    ]
    ours = _wheel(tmp_path / "titian-1-py3-none-any.whl", *rooms, "titian-1.dist-info/METADATA")
    other = _wheel(tmp_path / "rich-1-py3-none-any.whl", "rich/__init__.py")
    python = _wheel(tmp_path / "python.zip", "python.exe", "python311._pth", "python311.zip")
    out = tmp_path / "titian-connector"
    windows.assemble(out, ours, [other], python)
    assert {p.name for p in (out / "lib").iterdir()} == {
        "connectors", "keys", "schemas", "rich", "titian-1.dist-info",
    }  # fmt: skip
    command = (out / "titian-connector.cmd").read_bytes()
    assert b"-m connectors %*\r\n" in command
    assert b"\n" not in command.replace(b"\r\n", b"")
    assert b"..\\lib" in (out / "python" / "python311._pth").read_bytes()
    assert "enrol" in (out / "BACA-DULU.txt").read_text()


def test_what_the_folder_needs_is_what_the_extra_says():
    names = {re.match(r"[A-Za-z0-9_.-]+", one)[0].lower() for one in windows.requirements()}
    assert {"cryptography", "requests", "sqlalchemy", "python-calamine", "tzdata"} <= names
    assert not names & {"flask", "celery", "psycopg"}
