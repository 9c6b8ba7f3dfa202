"""`titian-connector init`: settings, folder and passphrase; a proposed mapping is shown first."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from connectors import sampling, starting
from connectors.assembly import reading
from connectors.config import Config
from connectors.desk import Desk
from connectors.errors import ConnectorError
from connectors.ids import load_secret
from connectors.memory import Memory
from connectors.sampling import Sample
from connectors.screen import masked, say
from connectors.starting import Guess, Proposal, Wanted
from keys.privatefile import write_private

ASKED = ("agency", "profile", "source")
DOUBTFUL = 0.5
"""Below this confidence a column is left out of the settings, and said so."""


def init_command(lang: str) -> click.Command:
    @click.command("init", help=say("init", lang))
    @click.option("--agency", help=say("init.agency", lang))
    @click.option("--profile", help=say("init.profile", lang))
    @click.option("--source", help=say("init.source", lang))
    @click.option("--example", help=say("init.example", lang))
    @click.option("--unattended", is_flag=True, help=say("init.unattended", lang))
    @click.pass_obj
    def init(desk: Desk, /, **given: Any) -> None:
        path = desk.config_path
        if given["example"] and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(starting.example(given["example"]), encoding="utf-8")
        elif not path.exists():
            answers = {n: given[n] or click.prompt(desk.say(f"init.{n}")) for n in ASKED}
            wanted = Wanted(**answers, folder=path.resolve().parent)
            _propose(desk, wanted, asks=not all(given[name] for name in ASKED))
        config = desk.config()
        load_secret(config.places.id_secret)
        secret_file = config.passphrase_file
        if given["unattended"] and secret_file is not None and not secret_file.exists():
            write_private(secret_file, secrets.token_urlsafe(32).encode("ascii"))
        Memory.open(config.places.memory).close()
        click.echo(desk.say("init.done", config=path, state=config.places.state))

    return init


def _propose(desk: Desk, wanted: Wanted, *, asks: bool) -> None:
    """Writes what the names suggest, tries it on the first rows, and writes what fits."""
    path = desk.config_path
    made = starting.propose(wanted)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(made.text, encoding="utf-8")
    try:
        samples = _sampled(desk, desk.config())
        trust = {g: _confidence(g, samples) for g in made.guesses}
        weak = frozenset((g.table, g.field) for g, c in trust.items() if c < DOUBTFUL)
        made = starting.propose(wanted, without=weak)
        path.write_text(made.text, encoding="utf-8")
        _show(desk, trust, samples)
        if asks:
            click.confirm(desk.say("init.sure"), abort=True, default=True, err=True)
    except (ConnectorError, click.Abort):
        path.unlink(missing_ok=True)
        raise
    _tell(desk, path, made)


def _sampled(desk: Desk, config: Config) -> list[Sample]:
    with (
        closing(Memory.open(config.places.memory)) as memory,
        reading(config, memory, desk.outside()) as job,
    ):
        return sampling.sample(job)


def _confidence(guess: Guess, samples: Sequence[Sample]) -> float:
    """How sure the name is, times the share of filled cells that could be read."""
    fits = next((s.fits for s in samples if s.block == guess.table), {})
    return guess.by_name * fits.get(guess.field, 1.0)


def _show(desk: Desk, trust: Mapping[Guess, float], samples: Sequence[Sample]) -> None:
    out = Console()
    table = Table(box=None, pad_edge=False)
    for name in ("block", "column", "field", "confidence"):
        table.add_column(
            desk.say(f"head.{name}"), justify="right" if name == "confidence" else "left"
        )
    for guess, sure in trust.items():
        left = "" if sure >= DOUBTFUL else f" ({desk.say('init.left_out')})"
        table.add_row(guess.table, guess.column, guess.field + left, f"{sure:.0%}")
    out.print(table)
    for one in samples:
        out.print(desk.say("init.rows", block=one.block, count=len(one.rows)), markup=False)
        for values in one.rows:
            shown = ", ".join(f"{name}={masked(value, name)}" for name, value in values.items())
            out.print(f"  {shown}", markup=False)


def _tell(desk: Desk, path: Path, made: Proposal) -> None:
    desk.tell("init.written", config=path, tables=made.tables, mapped=made.mapped)
