"""`titian-connector keys`: rotate, list, show, suspend; a part of the command's root."""

import json
import time
from dataclasses import replace
from datetime import datetime

import click
from rich.console import Console
from rich.table import Table

from connectors import clocks, keybook, revoking, rotating, silence
from connectors.cli_keyacts import object_command, resume_command
from connectors.client import Problem
from connectors.config import Config
from connectors.desk import Desk, hands_of
from connectors.enrolment import open_keys
from connectors.errors import FixSettings, Wait
from connectors.keystate import KeyLine, key_lines
from connectors.memory import Memory
from connectors.monitor import Log
from connectors.rotating import Hands
from connectors.screen import say
from keys.keystore import KeyStore
from keys.rotation import Rotation, Step
from keys.suspension import Action, Suspension, seal_suspension
from schemas.errors import Unreadable
from schemas.moment import WIB, read_moment

POLL_EVERY = 1.0
LONGEST_WAIT = 60.0


def keys_group(lang: str) -> click.Group:
    """The commands over this connector's keys."""
    group = click.Group("keys", help=say("keys", lang))
    makers = (_rotate, _list, _show, _suspend, _revoke, resume_command, object_command)
    for make in makers:
        group.add_command(make(lang))
    return group


def _rotate(lang: str) -> click.Command:
    @click.command("rotate", help=say("keys.rotate", lang))
    @click.option("--yes", is_flag=True, help=say("keys.yes", lang))
    @click.option("--dry-run", is_flag=True, help=say("keys.dry_run", lang))
    @click.option("--json", "as_json", is_flag=True, help=say("opt.json", lang))
    @click.pass_obj
    def rotate(desk: Desk, *, yes: bool, dry_run: bool, as_json: bool) -> None:
        with hands_of(desk) as hands:
            if dry_run:
                desk.tell("keys.would", kid=hands.speaker.kid)
                return
            if not yes:
                click.confirm(desk.say("keys.sure", kid=hands.speaker.kid), abort=True, err=True)
            _check_clock(hands)
            rotated = rotate_patiently(hands)
            fingerprint = hands.store.public(rotated.new).fingerprint()
        facts = {"old": rotated.old, "new": rotated.new, "fingerprint": fingerprint}
        until = rotated.sign_until.date()
        if as_json:
            told = {**facts, "step": rotated.step.value, "sign_until": until.isoformat()}
            click.echo(json.dumps(told))
            return
        desk.tell("keys.rotated", **facts, until=until)

    return rotate


def _check_clock(hands: Hands) -> None:
    try:
        clocks.check(hands.client)
    except Problem as problem:
        raise problem.error() from problem


def rotate_patiently(hands: Hands) -> Rotation:
    """A rotation up to its switch; waits a minute at most for the log.

    Raises:
        Wait: `keys.unlogged` where the log takes longer; the journal goes on from there.
    """
    until = time.monotonic() + LONGEST_WAIT
    while (rotated := rotating.rotate(hands)).step is not Step.SWITCHED:
        if time.monotonic() >= until:
            raise Wait("keys.unlogged")
        time.sleep(POLL_EVERY)
    return rotated


def _list(lang: str) -> click.Command:
    @click.command("list", help=say("keys.list", lang))
    @click.option("--json", "as_json", is_flag=True, help=say("opt.json", lang))
    @click.pass_obj
    def command(desk: Desk, *, as_json: bool) -> None:
        version, lines = _lines(desk)
        if as_json:
            figures = [line.figures() for line in lines]
            click.echo(json.dumps({"version": version, "keys": figures}))
            return
        table = Table(box=None, pad_edge=False)
        for name in ("kid", "state", "here", "days", "rotation"):
            table.add_column(desk.say(f"head.{name}"), overflow="fold")
        for line in lines:
            due = line.next_rotation
            table.add_row(
                line.entry.kid,
                desk.say(f"state.{line.state}") + (" *" if line.speaks else ""),
                desk.say("yes") if line.is_here else desk.say("no"),
                str(line.days_left),
                "–" if due is None else str(due.date()),
            )
        Console().print(table)
        desk.tell("keys.version", version=version)

    return command


def _show(lang: str) -> click.Command:
    @click.command("show", help=say("keys.show", lang))
    @click.argument("kid", required=False)
    @click.option("--json", "as_json", is_flag=True, help=say("opt.json", lang))
    @click.pass_obj
    def command(desk: Desk, kid: str | None, *, as_json: bool) -> None:
        _, lines = _lines(desk)
        line = next((each for each in lines if each.entry.kid == kid or kid is None), None)
        if line is None:
            raise FixSettings("keys.unknown", kid=kid)
        if as_json:
            click.echo(json.dumps(line.figures()))
            return
        figures = line.figures()
        desk.tell("keys.shown", **{**figures, "state": desk.say(f"state.{line.state}")})

    return command


def _suspend(lang: str) -> click.Command:
    @click.command("suspend", help=say("keys.suspend", lang))
    @click.argument("kid", required=False)
    @click.option("--reason", default="key_suspected", help=say("keys.reason", lang))
    @click.option("--yes", is_flag=True, help=say("keys.yes", lang))
    @click.pass_obj
    def command(desk: Desk, kid: str | None, reason: str, *, yes: bool) -> None:
        with hands_of(desk) as hands:
            named = kid or hands.speaker.kid
            if named not in hands.book().keyset.keys:
                raise FixSettings("keys.unknown", kid=named)
            if not yes:
                click.confirm(desk.say("keys.sure_suspend", kid=named), abort=True, err=True)
            aud, agency = hands.anchors.aud, hands.client.agency
            said = Suspension(aud, agency, named, Action.SUSPEND, desk.clock(), reason)
            sealed = seal_suspension(said, [hands.speaker])
            silence.made(hands.memory, sealed)
            try:
                hands.client.put_suspension(sealed)
            except Problem as problem:
                raise problem.error() from problem
            silence.note(hands.memory, named, desk.clock())
        desk.tell("keys.suspended", kid=named)

    return command


def _revoke(lang: str) -> click.Command:
    @click.command("revoke", help=say("keys.revoke", lang))
    @click.option("--since", required=True, help=say("keys.revoke_since", lang))
    @click.option("--kid", help=say("keys.revoke_kid", lang))
    @click.pass_obj
    def command(desk: Desk, since: str, kid: str | None) -> None:
        with hands_of(desk) as hands:
            path = desk.config().places.statement
            moment = _past(since, hands)
            sent = revoking.revoke(hands, kid or hands.speaker.kid, moment, path)
        told = {"new": sent.kid, "fingerprint": sent.new.fingerprint()}
        by_clock = f"{moment.astimezone(WIB):%Y-%m-%d %H:%M} WIB"
        desk.tell("keys.revoked", state=sent.state, since=by_clock, **told)

    return command


def _past(text: str, hands: Hands) -> datetime:
    try:
        moment = read_moment(text)
    except Unreadable as err:
        raise FixSettings("keys.since", text=text) from err
    if moment > hands.clock():
        raise FixSettings("keys.since", text=text)
    return moment


def _lines(desk: Desk) -> tuple[int, list[KeyLine]]:
    """(version in force, its keys) without opening the key file or asking the gateway."""
    config = desk.config()
    found = known_keys(config)
    if found is None:
        raise FixSettings("enrol.needed", agency=config.agency)
    book, store, silenced = found
    return book.keyset.version, key_lines(book, store, desk.clock(), silenced)


def known_keys(config: Config) -> tuple[keybook.Book, KeyStore, frozenset[str]] | None:
    """The version in force, the closed key file, and suspended kids; None before the enrolment.

    What the log says to be revoked is so, also where this connector follows no newer version yet.
    """
    memory = Memory.open(config.places.memory)
    try:
        book, silenced = keybook.load(memory), frozenset(silence.of(memory))
        logged = Log.of(memory).own
    finally:
        memory.close()
    if book is None:
        return None
    newest = book if logged is None else keybook.read(logged)
    if newest.keyset.version > book.keyset.version:
        book = replace(book, keyset=replace(book.keyset, revoked=newest.keyset.revoked))
    return book, open_keys(config, None), silenced
