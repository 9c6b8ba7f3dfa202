"""`titian-connector inbox`: what was asked and answered; a part of the command's root."""

import json
from contextlib import closing
from dataclasses import asdict

import click

from connectors.desk import Desk
from connectors.inboxfile import InboxFile
from connectors.screen import say


def inbox_command(lang: str) -> click.Command:
    @click.command("inbox", help=say("inbox", lang))
    @click.option("--rows", default=20, help=say("inbox.rows", lang))
    @click.option("--json", "as_json", is_flag=True, help=say("opt.json", lang))
    @click.pass_obj
    def command(desk: Desk, rows: int, *, as_json: bool) -> None:
        # Without the lock of those that answer: the service runs on while an officer looks.
        config = desk.config()
        with closing(InboxFile.open(config.places.inbox)) as book:
            lines = book.lines(rows)
        if as_json:
            click.echo(json.dumps([asdict(line) for line in lines]))
            return
        if config.live is None:
            desk.tell("inbox.off")
        if not lines:
            desk.tell("inbox.none")
        for line in lines:
            shown = {name: value or "–" for name, value in asdict(line).items()}
            desk.tell("inbox.line", **shown)

    return command
