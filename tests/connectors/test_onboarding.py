"""From an empty folder to the first settled batch: five commands, with the prompts answered."""

import io
import re
import sys
import time

from tests.shared import ROOT

TYPED = "baz\npayakumbuh\nsqlite:///baz.sqlite\ny\n"
"""Agency, city, source, and yes to the proposal: all that a person types."""


def test_five_commands_lead_to_the_first_settled_batch(agency, gateway, monkeypatch):
    agency.config.unlink()
    ticket = agency.folder / "baz.ticket.json"
    ticket.write_text(gateway.ticket("baz"), encoding="utf-8")
    report = agency.folder / "periksa.xlsx"
    began = time.monotonic()
    monkeypatch.setattr(sys, "stdin", io.StringIO(TYPED))
    steps = [
        ("init", "--unattended"),
        ("doctor",),
        ("enrol", "--ticket", str(ticket)),
        ("preview", "--report", str(report)),
        ("publish", "--json"),
    ]
    answers = [agency.run(*step, lang="id") for step in steps]
    assert [answer.code for answer in answers] == [0] * 5, [answer.err for answer in answers]
    told = answers[-1].json
    assert (told["sent"], told["open"]) == (120, 0)
    assert told["settled"] == told["batches"] == 1
    assert report.exists()
    assert time.monotonic() - began < 60
    assert len(gateway.records("baz", "person")) == 120


def test_the_how_tos_name_the_five_commands_in_their_order():
    for name in ("pasang-konektor.md", "install-a-connector.md"):
        text = (ROOT / "docs" / "how-to" / name).read_text(encoding="utf-8")
        found = re.findall(
            r"^[1-5]\. \*\*`titian-connector (?:--lang en )?(\w+)", text, re.MULTILINE
        )
        assert found == ["init", "doctor", "enrol", "preview", "publish"]
