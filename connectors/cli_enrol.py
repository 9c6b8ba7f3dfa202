"""`titian-connector enrol`: the first keys, or new ones that replace them; a part of the root."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from connectors import countersigning, enrolment, recovery, reenrolling
from connectors.assembly import open_hands, passphrase_of
from connectors.client import Client, RequestsTransport
from connectors.config import Config
from connectors.courier import log_seen
from connectors.desk import Desk, memory_of
from connectors.enrolment import Standing
from connectors.errors import FixSettings, Wait
from connectors.memory import Memory
from connectors.screen import say
from keys.enrolment import Ticket
from keys.recovery import public_text

POLL_EVERY = 2.0
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def enrol_command(lang: str) -> click.Command:
    @click.command("enrol", help=say("enrol", lang))
    @click.option(
        "--ticket", type=click.Path(path_type=Path), required=True, help=say("enrol.ticket", lang)
    )
    @click.option("--wait", "seconds", type=float, default=0.0, help=say("enrol.wait", lang))
    @click.option("--again", is_flag=True, help=say("enrol.again", lang))
    @click.option("--recovery", "public", help=say("enrol.recovery", lang))
    @click.option("--yes", is_flag=True, help=say("keys.yes", lang))
    @click.option("--json", "as_json", is_flag=True, help=say("opt.json", lang))
    @click.pass_obj
    def enrol(
        desk: Desk, /, ticket: Path, seconds: float, public: str | None, **flags: bool
    ) -> None:
        config = desk.config()
        if not ticket.is_file():
            raise FixSettings("enrol.ticket", reason=f"{ticket} is not there.")
        text = ticket.read_text(encoding="utf-8")
        with memory_of(config) as memory:
            if flags["again"]:
                _make_room(desk, config, memory, text, yes=flags["yes"])
            read = _ticket(desk, memory, text, enrolment.state_of(config, memory))
            if public is not None:
                _name_recovery(config, memory, public)
            if enrolment.state_of(config, memory) == "active":
                standing = _standing_here(desk, config, memory)
            else:
                standing = _enrol(desk, config, memory, read, seconds)
            _print_standing(desk, standing, as_json=flags["as_json"])
        if standing.state != "active":
            raise Wait("enrol.pending", approvals=standing.approvals)

    return enrol


def _enrol(desk: Desk, config: Config, memory: Memory, read: Ticket, seconds: float) -> Standing:
    store = enrolment.open_keys(config, passphrase_of(config, desk.ask_passphrase))
    url, transport = config.gateway_url or read.gateway, RequestsTransport(config.ca_file)
    client = Client(url, config.agency, transport, None, desk.clock, lambda: log_seen(memory))
    if enrolment.state_of(config, memory) == "-":
        enrolment.name_keeper(memory, config.kept_by)
        enrolment.prepare(read, store, client, memory, desk.clock())
        enrolment.countersign(memory, config.places.statement)
    until = time.monotonic() + seconds
    standing = enrolment.enrol(read, store, client, memory, desk.clock())
    if standing.state != "active" and seconds > 0:
        _print_standing(desk, standing, as_json=False, err=True)
    while standing.state != "active" and time.monotonic() < until:
        time.sleep(min(POLL_EVERY, seconds))
        standing = enrolment.enrol(read, store, client, memory, desk.clock())
    if standing.state == "active":
        enrolment.keep_anchors(config, read)
    return standing


def _make_room(desk: Desk, config: Config, memory: Memory, text: str, *, yes: bool) -> None:
    """Asks before it puts aside the keys of an earlier enrolment."""
    if enrolment.state_of(config, memory) == "-":
        return
    read = enrolment.read_ticket(text, config.agency, _LONG_AGO)
    if _ticket_id(memory) == read.ticket_id:
        return
    enrolment.read_ticket(text, config.agency, desk.clock())
    if not yes:
        click.confirm(desk.say("enrol.sure_again"), abort=True, err=True)
    folder = reenrolling.put_aside(config, memory, desk.clock())
    click.echo(desk.say("enrol.put_aside", folder=folder), err=True)


def _name_recovery(config: Config, memory: Memory, public: str) -> None:
    if enrolment.state_of(config, memory) == "-":
        key = recovery.parse_public(public, config.agency)
        countersigning.name(memory, config.agency, public_text(key, config.agency))


def _standing_here(desk: Desk, config: Config, memory: Memory) -> Standing:
    """How this folder stands, which is enrolled; a memory that was lost is learnt anew."""
    if memory.fact("keyset") is None:
        open_hands(config, memory, desk.outside())
    return enrolment.standing_now(config, memory)


def _ticket(desk: Desk, memory: Memory, text: str, state: str) -> Ticket:
    """The ticket; one that was used in time is still read after it ran out: its keys are needed."""
    moment = desk.clock() if state == "-" else _LONG_AGO
    read = enrolment.read_ticket(text, desk.config().agency, moment)
    if state != "-" and _ticket_id(memory) not in {None, read.ticket_id}:
        raise FixSettings("enrol.again")
    return read


def _ticket_id(memory: Memory) -> Any:
    return (memory.fact("enrolment") or {}).get("ticket_id")


def _print_standing(desk: Desk, standing: Standing, *, as_json: bool, err: bool = False) -> None:
    facts = {name: getattr(standing, name) for name in standing.__slots__}
    click.echo(json.dumps(facts) if as_json else desk.say("enrol.state", **facts), err=err)
