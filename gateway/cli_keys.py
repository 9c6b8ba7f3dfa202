"""`titian keys`: every key as data."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

import click

from gateway.settings import Settings
from gateway.storage import deks, engine
from gateway.trust import inventory as trust
from keys.canonical import to_moment


@click.group()
def keys() -> None:
    """Keys of the centre and of the agencies."""


@keys.command()
@click.option("--json", "as_json", is_flag=True, help="For a program: one JSON array.")
@click.pass_obj
def inventory(clock: Callable[[], datetime], *, as_json: bool) -> None:
    """Every key: kind, holder, state, created, expires, where kept. No secret is shown."""
    settings = Settings.from_env()
    ours = deks.open_vault(settings)
    with engine.opened(settings) as sessions, sessions() as session:
        lines = trust.inventory(session, ours, settings.log_origin, clock())
    if as_json:
        click.echo(json.dumps([asdict(line) for line in lines], default=to_moment, indent=2))
        return
    for line in lines:
        created, expires = (_day(at) for at in (line.created, line.expires))
        click.echo(
            f"{line.kind:<7} {line.holder:<22} {line.state:<9} {created} to {expires}"
            f"  {line.name}{f' ({line.count})' if line.count > 1 else ''}"
        )


def _day(at: datetime | None) -> str:
    return "-".center(10) if at is None else f"{at:%Y-%m-%d}"
