"""The benchmarks run, say what they measured in the agreed shape, and refuse what they do not know."""

import json
import random
import re
import subprocess
import sys

import pytest

from bench import figure
from bench.__main__ import BENCHMARKS
from bench.desk import p95
from bench.figure import Figure
from bench.people import line, misspelt, people
from schemas.line import LineParser
from schemas.records.registry import schema_of
from tests.shared import ROOT

KEYS = [
    "name",
    "value",
    "unit",
    "peer",
    "peer_value",
    "limit_value",
    "ratio",
    "bar",
    "holds",
    "command",
]


def bench(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_quick_run_measures_and_keeps_its_figures(tmp_path):
    done = bench("--quick", "--only", "lookup,accept,suspend,log_append", "--var", str(tmp_path))
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "results.json").read_text())
    compared, alone = ["accept", "lookup"], ["suspend", "log_append", "log_signed"]
    assert [row["name"] for row in rows] == [*compared, *alone]
    assert all(list(row) == KEYS for row in rows)
    assert all(row["value"] > 0 for row in rows)
    for row in rows[:2]:
        assert row["ratio"] > 0
        assert isinstance(row["holds"], bool)
        assert row["command"] == f"make bench ONLY={row['name']}"
        assert row["name"] in done.stdout


def test_an_unknown_benchmark_is_refused(tmp_path):
    done = bench("--only", "sleep", "--var", str(tmp_path / "never"))
    assert done.returncode == 2
    assert "sleep" in done.stderr
    assert not (tmp_path / "never").exists()


def test_whatever_the_readme_says_is_measured_can_be():
    readme = (ROOT / "README.md").read_text()
    named = {
        name
        for names in re.findall(r"make bench ONLY=([a-z_,]+)", readme)
        for name in names.split(",")
    }
    assert named
    assert named <= BENCHMARKS.keys()


def test_a_figure_without_more_is_null_elsewhere(tmp_path):
    figure.write([Figure("a", 1.0, "s")], tmp_path / "r.json")
    (row,) = json.loads((tmp_path / "r.json").read_text())
    assert list(row) == KEYS
    assert set(row.values()) == {"a", 1.0, "s", None}


def test_the_invented_persons_are_records_that_the_gateway_takes():
    parser = LineParser(schema_of("person/1"))
    niks = set()
    for n, values in enumerate(people(300)):
        made = line(f"p.{n}", 1, values)
        assert 250 <= len(made) <= 500
        niks.add(parser.parse(made).values["nik"])
    assert len(niks) == 300


def test_a_slip_leaves_most_of_the_name():
    rng = random.Random(1)
    for values in people(100):
        name = values["name_source"]
        assert abs(len(misspelt(rng, name)) - len(name)) <= 1


def test_p95_is_the_nineteenth_of_twenty():
    assert p95(list(range(1, 21))) == 19
    assert p95([5.0]) == 5.0


def test_the_middle_of_several_runs_is_shown():
    runs = [[Figure("a", value, "s"), Figure("b", 9 - value, "s")] for value in (3, 1, 2)]
    assert [made.value for made in figure.medians(runs)] == [2, 7]
