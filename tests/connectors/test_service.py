"""The service files: one for each body, valid, and writing nowhere but into the state."""

import configparser
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from connectors import servicing
from connectors.servicing import Service

SPACED = Service(
    agency="lks-mk",
    command=(
        "/opt/titian 1/python",
        "-m",
        "connectors",
        "--config",
        "/srv/50% & co/titian.toml",
        "run",
    ),
    config=Path("/srv/50% & co/titian.toml"),
    state=Path("/srv/50% & co/state"),
    user="titian",
)


def test_a_unit_runs_this_agencys_settings_and_may_write_its_state_alone(agency):
    answer = agency.run("service", "--kind", "systemd", "--user", "titian", lang="id")
    assert answer.code == 0
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read_string(answer.out)
    service = unit["Service"]
    assert str(agency.config) in service["ExecStart"]
    assert service["ExecStart"].endswith("--lang id run")
    assert service["ReadWritePaths"] == str(agency.state)
    assert (service["User"], service["ProtectSystem"]) == ("titian", "strict")
    assert "titian-baz" in answer.err
    assert "systemctl" in answer.err


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_takes_the_unit(tmp_path):
    path = tmp_path / "titian-lks-mk.service"
    path.write_text(servicing.systemd(SPACED))
    said = subprocess.run(
        ["systemd-analyze", "verify", path], capture_output=True, text=True, check=False
    )
    assert "Unknown" not in said.stderr
    assert "Failed to parse" not in said.stderr


def test_paths_with_spaces_and_percent_signs_are_quoted_for_systemd():
    text = servicing.systemd(SPACED)
    assert (
        'ExecStart="/opt/titian 1/python" -m connectors --config "/srv/50%% & co/titian.toml"'
        in text
    )
    assert 'ReadWritePaths="/srv/50%% & co/state"' in text


def test_a_task_of_windows_is_one_instance_that_starts_with_the_machine(agency):
    path = agency.folder / "task.xml"
    answer = agency.run(
        "service", "--kind", "windows", "--user", "KOTA\\titian", "--out", str(path)
    )
    assert answer.code == 0
    assert "schtasks" in answer.err
    task = ET.fromstring(path.read_text(encoding="utf-16"))
    space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    assert task.findtext(".//t:MultipleInstancesPolicy", namespaces=space) == "IgnoreNew"
    assert task.findtext(".//t:UserId", namespaces=space) == "KOTA\\titian"
    assert task.findtext(".//t:RunLevel", namespaces=space) == "LeastPrivilege"
    assert str(agency.config) in task.findtext(".//t:Arguments", namespaces=space)


def test_a_windows_path_with_a_space_is_one_argument():
    task = ET.fromstring(servicing.windows(SPACED).partition("?>")[2])
    space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    assert '"/srv/50% & co/titian.toml"' in task.findtext(".//t:Arguments", namespaces=space)


def test_two_bodies_on_one_machine_have_two_services(agency):
    first = agency.run("service", "--kind", "systemd").err
    agency.config.write_text(
        agency.config.read_text().replace('agency = "baz"', 'agency = "lks-mk"')
    )
    assert "titian-baz" in first
    assert "titian-lks-mk" in agency.run("service", "--kind", "systemd").err
