"""What the documents say is what the code has."""

from dataclasses import fields

from click.testing import CliRunner

from gateway.cli import cli
from gateway.settings import Settings
from tests.shared import ROOT


def test_every_setting_is_documented():
    text = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    for field in fields(Settings):
        assert f"| `TITIAN_{field.name.upper()}` | `{field.default}` |" in text


def test_every_command_of_the_how_tos_exists():
    text = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "docs").rglob("*.md"))
    for command in ("serve", "worker", "db upgrade", "vault init", "officer add", "agency create",
                    "agency approve", "log verify", "link"):  # fmt: skip
        if command != "link":
            assert f"titian {command}" in text
        done = CliRunner().invoke(cli, [*command.split(), "--help"])
        assert done.exit_code == 0, command


def test_the_contract_of_the_command_line_holds():
    help_ = CliRunner().invoke(cli, ["link", "--help"]).output
    for option in ("--map", "--out", "--threshold", "--json"):
        assert option in help_
