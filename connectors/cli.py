"""`titian-connector`: the root of the agency's side; reads the clock, prints, sets exit codes."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from connectors import feedback, results
from connectors.assembly import reading
from connectors.cli_alarms import alarms_command
from connectors.cli_doctor import doctor_command
from connectors.cli_enrol import enrol_command
from connectors.cli_inbox import inbox_command
from connectors.cli_init import init_command
from connectors.cli_keyacts import attest_command
from connectors.cli_keys import keys_group
from connectors.cli_quality import quality_command
from connectors.cli_recovery import recovery_group
from connectors.cli_run import run_command, settle, speaking, tend, working
from connectors.cli_service import service_command
from connectors.cli_status import status_command
from connectors.config import language
from connectors.desk import Desk
from connectors.errors import ConnectorError
from connectors.memory import Memory
from connectors.reports.findings import report_of, writer_of
from connectors.runner import Tally, Wishes, preview, publish
from connectors.screen import findings_table, masked, meaning, progress_bar, say, tally_table


def main() -> None:
    """The command; speaks the language of `--lang` (or TITIAN_LANG), Indonesian by default."""
    lang = language(sys.argv[1:])
    try:
        commands(lang).main(standalone_mode=False)
    except ConnectorError as err:
        click.echo(err.sentence(lang), err=True)
        sys.exit(err.exit_code)
    except click.ClickException as err:
        err.show()
        sys.exit(err.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo(say("stopped", lang), err=True)
        sys.exit(130)


def commands(lang: str) -> click.Group:
    """The whole command tree with its help in one language."""

    @click.group(help=say("cli", lang), context_settings={"help_option_names": ["-h", "--help"]})
    @click.option(
        "--config",
        type=click.Path(path_type=Path),
        default=Path("titian.toml"),
        help=say("opt.config", lang),
    )
    @click.option("--state", type=click.Path(path_type=Path), help=say("opt.state", lang))
    @click.option(
        "--lang", "_lang", type=click.Choice(["id", "en"]), default=lang, help=say("opt.lang", lang)
    )
    @click.pass_context
    def group(context: click.Context, config: Path, state: Path | None, _lang: str) -> None:
        context.obj = Desk(config, state, lang, Console(stderr=True), _now)

    for make in (
        *(
            init_command,
            doctor_command,
            enrol_command,
            _preview,
            _publish,
            run_command,
            service_command,
            status_command,
            alarms_command,
            inbox_command,
            quality_command,
            attest_command,
        ),
    ):
        group.add_command(make(lang))
    group.add_command(keys_group(lang))
    group.add_command(recovery_group(lang))
    return group


def _preview(lang: str) -> click.Command:
    @click.command("preview", help=say("preview", lang))
    @click.option("--block", help=say("publish.block", lang))
    @click.option("--rows", default=5, help=say("preview.rows", lang))
    @click.option("--report", type=click.Path(path_type=Path), help=say("preview.report", lang))
    @click.option("--json", "as_json", is_flag=True, help=say("opt.json", lang))
    @click.pass_obj
    def command(
        desk: Desk, block: str | None, rows: int, report: Path | None, *, as_json: bool
    ) -> None:
        write = None if report is None else writer_of(report)
        config = desk.config()
        memory = Memory.open(config.places.memory)
        with (
            progress_bar(desk.console) as progress,
            reading(config, memory, desk.outside(progress)) as job,
        ):
            tallies = preview(job, Wishes(only=block))
        memory.close()
        if report is not None and write is not None:
            write(report_of(config.agency, tallies, lang), report)
            desk.tell_aside("preview.reported", path=report)
        if as_json:
            click.echo(
                json.dumps([_told(tally, rows, lang) for tally in tallies], ensure_ascii=False)
            )
            return
        out = Console()
        out.print(tally_table([_row(tally) for tally in tallies], lang))
        for tally in tallies:
            if tally.findings:
                out.print(findings_table(tally, lang, rows))
            if tally.sample:
                out.print(desk.say("head.sample"))
                for own, values in tally.sample[:3]:
                    shown = json.dumps(masked(values), ensure_ascii=False)
                    out.print(
                        f"  {masked(own, 'nik') if tally.hides_key else own}: {shown}", markup=False
                    )

    return command


def _publish(lang: str) -> click.Command:
    @click.command("publish", help=say("publish", lang))
    @click.option("--full", is_flag=True, help=say("publish.full", lang))
    @click.option("--block", help=say("publish.block", lang))
    @click.option("--accept-vanished", is_flag=True, help=say("publish.accept_vanished", lang))
    @click.option("--settle", "seconds", type=float, default=15.0, help=say("publish.settle", lang))
    @click.option("--json", "as_json", is_flag=True, help=say("opt.json", lang))
    @click.pass_obj
    def command(desk: Desk, /, block: str | None, seconds: float, **flags: bool) -> None:
        started = time.monotonic()
        config = desk.config()
        wishes = Wishes(flags["full"], flags["accept_vanished"], block)
        with working(desk, config) as work:
            tend(desk, work)
            with speaking(work):
                tallies = publish(work.job, work.courier, wishes)
                settle(work, seconds)
                results.collect(work.courier)
                feedback.collect(work.courier)
            figures = _sums(work.memory, tallies) | {
                "seconds": round(time.monotonic() - started, 3)
            }
        if flags["as_json"]:
            told = {"agency": config.agency, **figures, "blocks": [_row(t) for t in tallies]}
            click.echo(json.dumps(told))
            return
        Console().print(tally_table([_row(tally) for tally in tallies], lang))
        click.echo(desk.say("publish.done", **figures))

    return command


def _sums(memory: Memory, tallies: list[Tally]) -> dict[str, Any]:
    counts = memory.outbox.counts()
    names = ("read", "sent", "deleted", "unchanged", "refused")
    sums: dict[str, Any] = {name: sum(getattr(t, name) for t in tallies) for name in names}
    sums["batches"] = sum(t.batches for t in tallies)
    findings: dict[str, int] = {}
    for tally in tallies:
        for code, count in tally.findings.items():
            findings[code] = findings.get(code, 0) + count
    open_ones = counts["waiting"] + counts["received"]
    return sums | {"findings": findings, "settled": counts["settled"], "open": open_ones}


def _row(tally: Tally) -> dict[str, Any]:
    return {"block": tally.block, "record_type": tally.record_type, **tally.figures()}


def _told(tally: Tally, rows: int, lang: str) -> dict[str, Any]:
    findings = {
        code: {
            "count": count,
            "meaning": meaning(code, lang),
            "rows": tally.examples.get(code, [])[:rows],
        }
        for code, count in tally.findings.items()
    }
    sample = [masked(values) for _, values in tally.sample[:3]]
    return _row(tally) | {"findings": findings, "sample": sample}


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
