"""`titian-connector alarms`: what is not as it should be; a part of the command's root."""

import json
import sys
from collections.abc import Sequence
from contextlib import closing

import click

from connectors import alarms
from connectors.alarms import Alarm
from connectors.desk import Desk
from connectors.errors import FixSettings
from connectors.memory import Memory
from connectors.screen import say


def alarms_command(lang: str) -> click.Command:
    @click.command("alarms", help=say("alarms", lang))
    @click.option("--close", "code", help=say("alarms.close", lang))
    @click.option("--json", "as_json", is_flag=True, help=say("opt.json", lang))
    @click.pass_obj
    def command(desk: Desk, code: str | None, *, as_json: bool) -> None:
        # Without the lock of those that publish: the service runs on while an officer looks.
        with closing(Memory.open(desk.config().places.memory)) as memory:
            if code is not None and not alarms.drop(memory, code):
                raise FixSettings("alarms.unknown", alarm=code)
            on = alarms.standing(memory)
        if as_json:
            click.echo(json.dumps([alarm.figures() for alarm in on]))
        else:
            print_alarms(desk, on)
            if not on:
                desk.tell("alarms.none")
        sys.exit(max((alarm.exit_code for alarm in on), default=0))

    return command


def print_alarms(desk: Desk, on: Sequence[Alarm]) -> None:
    """Each with its code, since when, and its sentence."""
    for alarm in on:
        heading = "alarms.one" if alarm.exit_code else "alarms.warning"
        desk.tell(heading, code=alarm.code, since=alarm.since)
        click.echo(alarm.sentence(desk.lang))
