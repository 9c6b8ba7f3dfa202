"""What is wrong goes back to those who can mend it, and is gone once it is mended."""

import json
import sys
from dataclasses import replace

import pytest
from flask import g, has_app_context
from openpyxl import load_workbook

from connectors import cli, feedback
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer, add_officer
from tests.line import test_one_record as one_record
from tests.line.test_one_record import PASSWORD, Line, Screen
from tests.line.village import villager
from workers.integrate import integrate

line = one_record.line

BROKEN = replace(villager(7), nik="13760123")
TWIN = replace(villager(9), id=109)


@pytest.fixture(scope="module")
def told(line: Line) -> Line:
    """Three rows: one with a NIK cut short, and two that are one person."""
    line.enrol()
    line.village.admit([BROKEN, villager(9), TWIN])
    with line.database.session() as session:
        for name, role, unit in (
            ("ti-baz", Role.AGENCY_IT, "baz"),
            ("ti-lain", Role.AGENCY_IT, "dstk"),
            ("penata", Role.DATA_STEWARD, "upt-kan"),
        ):
            add_officer(session, NewOfficer(name, name.title(), unit, (role,), PASSWORD))
        session.commit()
    send(line)
    return line


def send(line: Line) -> None:
    """Publish, apply, and hear what the centre found."""
    line.publish()
    integrate(line.tools)
    line.work()
    with line.connector() as (_, _job, courier):
        feedback.collect(courier)


def quality(line: Line, monkeypatch, capsys, *more: str) -> dict:
    options = ["--config", str(line.village.settings_file), "--state", str(line.village.state)]
    argv = ["titian-connector", *options, "--lang", "id", "quality", "--json", *more]
    monkeypatch.setattr(sys, "argv", argv)
    capsys.readouterr()
    cli.main()
    found = json.loads(capsys.readouterr().out)["findings"]
    return {(each["block"], each["code"]): each for each in found}


def page(line: Line, who: str) -> str:
    screen = Screen(line.app.test_client(), line.database.settings.origin)
    _nobody_was_here()
    home = screen.post("/masuk", username=who, password=PASSWORD)
    _nobody_was_here()
    screen.get(home)
    _nobody_was_here()
    return screen.get("/mutu/baz")


def _nobody_was_here() -> None:
    """The connector's client keeps its last context open, and with it who was logged in."""
    if has_app_context():
        g.pop("current", None)


def test_the_officer_gets_his_own_row_keys_the_rule_and_what_he_has_twice(
    told, monkeypatch, capsys, tmp_path
):
    book = tmp_path / "betulkan.xlsx"
    found = quality(told, monkeypatch, capsys, "--report", str(book))
    assert found["warga", "NIK_INVALID"]["rows"] == [str(BROKEN.id)]
    assert found["@pusat", "K12"]["rows"] == ["9 = 109"]
    cells = list(load_workbook(book)["Perbaiki"].iter_rows(values_only=True))
    (mend,) = [row for row in cells if row[2] == "NIK_INVALID"]
    assert mend[:2] == ("warga", str(BROKEN.id))
    assert "Salin NIK dari KTP" in mend[3]


def test_the_centres_page_names_lines_by_position_and_shows_no_value(told):
    shown = page(told, "penata")
    assert "NIK_INVALID" in shown
    assert "K12" in shown
    assert "kiriman 1, baris" in shown
    for value in (BROKEN.nik, BROKEN.name, "w.7", villager(9).nik):
        assert value not in shown
    assert "NIK_INVALID" in page(told, "ti-baz")


def test_another_agencys_officer_does_not_see_it(told):
    with pytest.raises(AssertionError, match="403"):
        page(told, "ti-lain")


def test_a_corrected_row_takes_its_flag_along_without_anyone_closing_it(told, monkeypatch, capsys):
    """Scenario 38."""
    told.village.admit([villager(7)])
    send(told)
    found = quality(told, monkeypatch, capsys)
    assert ("warga", "NIK_INVALID") not in found
    shown = page(told, "penata")
    assert "<h2>NIK_INVALID</h2>" not in shown
    assert "<h2>K12</h2>" in shown
