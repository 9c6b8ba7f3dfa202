"""`titian-connector status`: how things stand; a part of the command's root."""

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import click
from rich.console import Console

from connectors import alarms, enrolment
from connectors.alarms import Alarm
from connectors.cli_alarms import print_alarms
from connectors.cli_keys import known_keys
from connectors.courier import log_seen
from connectors.desk import Desk
from connectors.errors import CallCentre, FixSettings
from connectors.keystate import key_lines, warnings_of
from connectors.memory import Memory
from connectors.monitor import Log
from connectors.screen import meaning, say, tally_table


def status_command(lang: str) -> click.Command:
    @click.command("status", help=say("status", lang))
    @click.option("--json", "as_json", is_flag=True, help=say("opt.json", lang))
    @click.pass_obj
    def command(desk: Desk, *, as_json: bool) -> None:
        config = desk.config()
        memory = Memory.open(config.places.memory)
        found = known_keys(config)
        lines = [] if found is None else key_lines(*found[:2], desk.clock(), found[2])
        warnings = {} if found is None else warnings_of(*found[:2], desk.clock(), found[2])
        state = enrolment.state_of(config, memory)
        seen = log_seen(memory)
        on, log = alarms.standing(memory), Log.of(memory)
        refused = [row for *_, result in memory.outbox.results() for row in result["rejected"]]
        told: dict[str, Any] = {
            "agency": config.agency,
            "enrolment": state,
            "key": next((line.figures() for line in lines if line.speaks), None),
            "warnings": {name: dict(facts) for name, facts in warnings.items()},
            "alarms": [alarm.figures() for alarm in on],
            "news": list(log.news),
            "outbox": memory.outbox.counts(),
            "log": {"size": seen.size, "root": seen.root.hex(), "read": log.frontier.size},
            "runs": [{"block": b, "started": s, **t} for b, s, t in memory.last_runs()],
            "findings": [
                {"block": b, "code": c, "count": n, "refused": r}
                for b, c, n, r in memory.findings()
            ],
            "rejected": refused,
        }
        memory.close()
        if as_json:
            click.echo(json.dumps(told, ensure_ascii=False))
            sys.exit(_exit_code(warnings, on))
        out = Console()
        out.print(desk.say("status.enrolment", state=state))
        print_alarms(desk, on)
        _print_key(desk, told["key"], warnings)
        _print_news(desk, log.news)
        out.print(desk.say("status.outbox", **told["outbox"], size=seen.size))
        out.print(tally_table(told["runs"], lang))
        _print_findings(desk, out, told)
        sys.exit(_exit_code(warnings, on))

    return command


def _print_news(desk: Desk, news: Sequence[Mapping[str, Any]]) -> None:
    """What the log says of our keys besides their keysets."""
    for said in news:
        if said["kind"] != "keyset":
            desk.tell("status.suspension", **{**said, "by": ", ".join(said["by"])})


def _print_findings(desk: Desk, out: Console, told: Mapping[str, Any]) -> None:
    for finding in told["findings"]:
        text = f"{finding['block']}: {finding['count']:,} × {finding['code']}: "
        out.print(text + meaning(finding["code"], desk.lang), markup=False)
    if told["rejected"]:
        shown = ", ".join(f"{r['row']} ({r['code']})" for r in told["rejected"][:20])
        out.print(desk.say("status.rejected", rows=shown))


def _print_key(
    desk: Desk, key: Mapping[str, Any] | None, warnings: Mapping[str, Mapping[str, object]]
) -> None:
    if key is not None:
        due = key["next_rotation"]
        shown = {**key, "state": desk.say(f"state.{key['state']}"), "next_rotation": due or "–"}
        desk.tell("status.key", **shown)
    for name, facts in warnings.items():
        desk.tell(name, **facts)


def _exit_code(warnings: Collection[str], on: Collection[Alarm]) -> int:
    """6 for an alarm or where no key may speak, 4 where a key ends soon or a clock is wrong."""
    codes = [alarm.exit_code for alarm in on]
    if not {"warn.silent", "warn.suspended"}.isdisjoint(warnings):
        codes.append(CallCentre.exit_code)
    if "warn.ends" in warnings:
        codes.append(FixSettings.exit_code)
    return max(codes, default=0)
