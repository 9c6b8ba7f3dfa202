"""`titian-connector quality`: what is to be mended at the source; a part of the command's root."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from connectors.desk import Desk
from connectors.memory import Memory
from connectors.reports.findings import Line, Report, writer_of
from connectors.screen import meaning, say

TREND = 5
"""Readings that the trend shows."""
_DOUBLE = "K12"


def quality_command(lang: str) -> click.Command:
    @click.command("quality", help=say("quality", lang))
    @click.option("--rows", default=5, help=say("preview.rows", lang))
    @click.option("--report", type=click.Path(path_type=Path), help=say("quality.report", lang))
    @click.option("--json", "as_json", is_flag=True, help=say("opt.json", lang))
    @click.pass_obj
    def command(desk: Desk, rows: int, report: Path | None, *, as_json: bool) -> None:
        write = None if report is None else writer_of(report)
        config = desk.config()
        # Without the lock of those that publish: the service runs on while an officer looks.
        with closing(Memory.open(config.places.memory)) as memory:
            lines = [_line(desk, *row) for row in memory.finding_rows()]
            codes = [_summary(memory, lines, found) for found in memory.findings()]
        if report is not None and write is not None:
            write(_report(desk, config.agency, codes, lines), report)
            desk.tell_aside("preview.reported", path=report)
        if as_json:
            click.echo(json.dumps({"agency": config.agency, "findings": codes}, ensure_ascii=False))
        elif codes:
            Console().print(_table(codes, rows, lang))
        else:
            desk.tell("quality.none")

    return command


def _line(desk: Desk, block: str, own: str, code: str, field: str | None) -> Line:
    if code == _DOUBLE and field is not None:
        own = desk.say("quality.twin", own=own, other=field)
    return Line(block, own, code, meaning(code, desk.lang))


def _summary(
    memory: Memory, lines: Sequence[Line], found: tuple[str, str, int, int]
) -> dict[str, Any]:
    block, code, count, refused = found
    return {
        "block": block,
        "code": code,
        "count": count,
        "refused": refused,
        "trend": memory.finding_counts(block, code, TREND),
        "rows": [each.own for each in lines if (each.block, each.code) == (block, code)],
    }


def _table(codes: Sequence[dict[str, Any]], rows: int, lang: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("block", "code", "count", "trend", "meaning", "keys"):
        table.add_column(say(f"head.{name}", lang), justify="right" if name == "count" else "left")
    for each in codes:
        trend = " → ".join(f"{n:,}" for n in each["trend"])
        keys = ", ".join(each["rows"][:rows])
        meant = meaning(each["code"], lang)
        table.add_row(each["block"], each["code"], f"{each['count']:,}", trend, meant, keys)
    return table


def _report(
    desk: Desk, agency: str, codes: Sequence[dict[str, Any]], lines: Sequence[Line]
) -> Report:
    names = ("block", "code", "count", "trend")
    return Report(
        title=desk.say("quality.title", agency=agency),
        lead=desk.say("quality.lead"),
        heads=tuple(desk.say(f"head.{name}") for name in names),
        counts=tuple(
            (c["block"], c["code"], c["count"], " → ".join(map(str, c["trend"]))) for c in codes
        ),
        finding_heads=tuple(
            desk.say(f"head.{name}") for name in ("block", "keys", "code", "meaning")
        ),
        totals=tuple(
            (c["block"], c["code"], c["count"], meaning(c["code"], desk.lang)) for c in codes
        ),
        lines=tuple(lines),
        sample=(),
    )
