"""What an officer does about keys with the centre: wake one, object, attest; parts of the root."""

import json

import click

from connectors import attesting, waking
from connectors.cli_run import settle, tend, working
from connectors.client import Problem
from connectors.desk import Desk, hands_of
from connectors.errors import FixSettings
from connectors.screen import say


def resume_command(lang: str) -> click.Command:
    @click.command("resume", help=say("keys.resume", lang))
    @click.argument("kid", required=False)
    @click.pass_obj
    def command(desk: Desk, kid: str | None) -> None:
        path = desk.config().places.statement
        with hands_of(desk) as hands:
            named = kid or hands.speaker.kid
            waking.wake(hands, named, path)
        desk.tell("keys.resumed", kid=named)

    return command


def object_command(lang: str) -> click.Command:
    @click.command("object", help=say("keys.object", lang))
    @click.option("--yes", is_flag=True, help=say("keys.yes", lang))
    @click.pass_obj
    def command(desk: Desk, *, yes: bool) -> None:
        with hands_of(desk) as hands:
            version = hands.book().keyset.version + 1
            try:
                told = hands.client.keyset(version)
                if told is None or told.get("state") != "pending":
                    raise FixSettings("keys.nothing_waits")
                desk.tell("keys.waits", version=version, rule=told["rule"])
                if not yes:
                    click.confirm(desk.say("keys.sure_object"), abort=True, err=True)
                hands.client.put_objection(version)
            except Problem as problem:
                raise problem.error() from problem
        desk.tell("keys.objected", version=version)

    return command


def attest_command(lang: str) -> click.Command:
    @click.command("attest", help=say("attest", lang))
    @click.option("--yes", is_flag=True, help=say("keys.yes", lang))
    @click.option("--json", "as_json", is_flag=True, help=say("opt.json", lang))
    @click.pass_obj
    def command(desk: Desk, *, yes: bool, as_json: bool) -> None:
        config = desk.config()
        blocks = {block.stream: block for block in config.publish}
        told = []
        with working(desk, config) as work:
            tend(desk, work)
            for stream, block in blocks.items():
                found = attesting.look(work.hands.client, work.memory, stream)
                facts = {"stream": stream, "ours": len(found.ours), "others": found.others}
                told.append(facts)
                if not as_json:
                    desk.tell("attest.found", **facts)
                if found.ours:
                    if not yes:
                        click.confirm(desk.say("attest.sure", **facts), abort=True, err=True)
                    attesting.attest(work.job, work.courier, block, found)
            settle(work, 15.0)
        if as_json:
            click.echo(json.dumps(told))
            return
        done = "attest.done" if any(each["ours"] for each in told) else "attest.none"
        desk.tell(done)

    return command
