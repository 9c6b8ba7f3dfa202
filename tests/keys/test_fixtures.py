"""The folder of fixtures is what the generator makes, and `titian-verify` gives each its status."""

import json

import pytest

from keys import verify
from tests.keys.fixtures import FOLDER, write

EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def test_the_folder_is_what_the_generator_makes(tmp_path) -> None:
    write(tmp_path / "made")
    made, kept = (
        {p.name: p.read_bytes() for p in f.iterdir()} for f in (tmp_path / "made", FOLDER)
    )
    assert made.keys() == kept.keys()
    assert made == kept


def test_there_are_enough_of_each_kind() -> None:
    statuses = [each["exit"] for each in EXPECTED.values()]
    assert len(statuses) >= 200
    assert min(statuses.count(0), statuses.count(2)) >= 15


@pytest.mark.parametrize("name", EXPECTED)
def test_each_gets_its_status(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    policy = EXPECTED[name]["policy"]
    given = [] if policy is None else ["--policy", str(FOLDER / policy)]
    assert verify.run([str(FOLDER / name), *given]) == EXPECTED[name]["exit"], capsys.readouterr()
