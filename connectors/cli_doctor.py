"""`titian-connector doctor`: is all well, and what to do next where it is not."""

import json
import sys
from typing import Any

import click

from connectors import checkup
from connectors.checkup import Finding, Standing
from connectors.desk import Desk
from connectors.screen import say

_MARKS = {Standing.GOOD: " ok ", Standing.WARN: " !  ", Standing.BAD: "!!! "}
"""Plain letters: the console of an old Windows knows no others."""


def doctor_command(lang: str) -> click.Command:
    @click.command("doctor", help=say("doctor", lang))
    @click.option("--json", "as_json", is_flag=True, help=say("opt.json", lang))
    @click.pass_obj
    def command(desk: Desk, *, as_json: bool) -> None:
        findings = []
        for finding in checkup.examine(desk.config(), desk.outside()):
            findings.append(finding)
            if not as_json:
                click.echo(f"{_MARKS[finding.standing]} {_sentence(desk, finding)}")
        if as_json:
            click.echo(json.dumps([_told(desk, one) for one in findings], ensure_ascii=False))
        code = max(one.exit_code for one in findings)
        if not as_json:
            desk.tell("doctor.well" if code == 0 else "doctor.unwell")
        sys.exit(code)

    return command


def _told(desk: Desk, finding: Finding) -> dict[str, Any]:
    return {
        "what": finding.what,
        "standing": finding.standing.value,
        "sentence": _sentence(desk, finding),
    }


def _sentence(desk: Desk, finding: Finding) -> str:
    if finding.error is not None:
        return finding.error.sentence(desk.lang)
    return desk.say(finding.text, **finding.facts)
