"""Populations whose truth is known, made by the generator that lies beside the project."""

import subprocess
import sys
from pathlib import Path

from bench.lab import BenchFailed
from demo.processes import ROOT

SHARED = ROOT.parent / "shared" / "data"
GENERATOR = SHARED / "gen_population.py"
MAP = """
[columns]
id = "record_id"
source = "agency"
nik = "nik"
no_kk = "kk"
name = "name"
birth_date = "birth_date"
sex = "sex"
kelurahan = "kelurahan"
address = "address"
[options]
register = "dukcapil"
"""
TRUTH = "truth_id"


def population(folder: Path, records: int, seed: int) -> Path:
    """The file of so many records; made once and kept.

    Raises:
        BenchFailed: the generator is not on this machine, or does not run.
    """
    path = folder / f"population-{records}-{seed}.parquet"
    if path.exists():
        return path
    asked = ["--records", str(records), "--seed", str(seed), "--out", str(path)]
    run = [sys.executable, str(there(GENERATOR)), *asked]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchFailed(f"the generator did not run: {done.stderr.strip().splitlines()[-1]}")
    return path


def there(path: Path) -> Path:
    """The path, if such a file exists.

    Raises:
        BenchFailed: it does not.
    """
    if not path.exists():
        raise BenchFailed(f"../shared/data/{path.relative_to(SHARED)} is not on this machine")
    return path
