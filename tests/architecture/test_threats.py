"""Each test that the threat table names is there under that name."""

import re

import pytest

from tests.shared import ROOT

PAGE = ROOT / "docs" / "explanation" / "tests.md"
ROWS = re.findall(r"^\| (\d+) \| .+ \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
NAMED = [name for _, names in ROWS for name in re.findall(r"`([^`]+)`", names)]


def test_the_rows_are_those_that_ask_for_a_test():
    assert [int(number) for number, _ in ROWS] == [
        *range(1, 13),
        19,
        20,
        21,
        22,
        25,
        38,
        39,
        40,
        41,
    ]
    assert all("`tests/" in names for _, names in ROWS)


@pytest.mark.parametrize("name", NAMED)
def test_a_named_test_exists(name: str):
    path, _, function = name.partition("::")
    assert f"\ndef {function}(" in (ROOT / path).read_text(encoding="utf-8")
