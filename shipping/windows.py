"""`make windows`: the connector as a folder for Windows, no installer and no administrator.

    titian-connector/
      titian-connector.cmd   what the officer types
      python/                Python's own embeddable package, if its zip is given
      lib/                   the connector and all it needs, unpacked wheels for win_amd64
      BACA-DULU.txt          what to do first

Wheels come by pip for the platform of the target, never built here. Whether the folder runs on
Windows was not tried: there is no Windows here.
"""

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = Path("var") / "windows" / "titian-connector"
PLATFORM, PYTHON = "win_amd64", "3.11"
OURS = ("connectors", "keys", "schemas")
_COMMAND = """@echo off\r
setlocal\r
set HERE=%~dp0\r
set PYTHONPATH=%HERE%lib\r
set PYTHONUTF8=1\r
if exist "%HERE%python\\python.exe" (set PY="%HERE%python\\python.exe") else (set PY=py -3.11)\r
%PY% -m connectors %*\r
"""
_PATHS = "python311.zip\r\n.\r\n..\\lib\r\n"
_READ_FIRST = """Konektor Titian untuk Windows 10 / Server 2016 ke atas, 64-bit.\r
\r
1. Buka Command Prompt di folder ini.\r
2. titian-connector init\r
3. titian-connector doctor\r
4. titian-connector enrol --ticket TIKET.json\r
5. titian-connector preview, lalu titian-connector publish\r
6. titian-connector service --kind windows --out titian.xml, lalu perintah schtasks yang tampil.\r
\r
Tidak perlu hak administrator kecuali untuk langkah 6.\r
"""


def requirements() -> list[str]:
    """What the connector needs to run, as `pyproject.toml` pins it, with Windows' time zones."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["connector"], "tzdata"]


def download(into: Path, wanted: Sequence[str]) -> list[Path]:
    """The wheels of all that is wanted, for the target; pip says what does not resolve."""
    into.mkdir(parents=True, exist_ok=True)
    words = ["--only-binary=:all:", f"--platform={PLATFORM}", f"--python-version={PYTHON}"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(into)]
    subprocess.run([*command, *words, *wanted], check=True)
    return sorted(into.glob("*.whl"))


def own_wheel(into: Path) -> Path:
    """Titian's own wheel."""
    into.mkdir(parents=True, exist_ok=True)
    words = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(into)]
    subprocess.run([sys.executable, "-m", "pip", *words, str(ROOT)], check=True)
    return max(into.glob("titian-*.whl"))


def assemble(out: Path, ours: Path, wheels: Iterable[Path], python: Path | None) -> None:
    """Lays the folder out from wheels and, if given, the zip of Python's embeddable package."""
    lib = out / "lib"
    lib.mkdir(parents=True, exist_ok=True)
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as file:
            file.extractall(lib)
    with zipfile.ZipFile(ours) as file:
        file.extractall(lib, [name for name in file.namelist() if _is_ours(name)])
    (out / "titian-connector.cmd").write_bytes(_COMMAND.encode("ascii"))
    (out / "BACA-DULU.txt").write_bytes(_READ_FIRST.encode("ascii"))
    if python is not None:
        with zipfile.ZipFile(python) as file:
            file.extractall(out / "python")
        (out / "python" / "python311._pth").write_bytes(_PATHS.encode("ascii"))


def _is_ours(name: str) -> bool:
    """The connector's rooms and the metadata; the centre stays here."""
    room = name.partition("/")[0]
    return room in OURS or room.endswith(".dist-info")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=DEFAULT)
@click.option(
    "--python",
    type=click.Path(path_type=Path, exists=True),
    help="Zip of Python 3.11's embeddable package.",
)
def main(out: Path, python: Path | None) -> None:
    """Assemble the connector's folder for Windows under OUT."""
    wheels = out.parent / "wheels"
    assemble(out, own_wheel(out.parent / "own"), download(wheels, requirements()), python)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) >> 20
    click.echo(f"{out}: {size} MiB")


if __name__ == "__main__":
    main()
