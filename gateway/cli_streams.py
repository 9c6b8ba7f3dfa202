"""`titian streams`: streams that stopped because two histories came, and letting one go on."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.orm import Session

from gateway.intake import query as intake
from gateway.intake import service
from gateway.settings import Settings
from gateway.storage import engine


@click.group()
def streams() -> None:
    """Streams of agencies that stand still."""


@streams.command("list")
def list_() -> None:
    """Streams that stand still, with each piece of evidence that stopped them."""
    with _opened() as session:
        found = intake.stopped(session)
    for row in found:
        since = "" if row.found_at is None else f"{row.found_at:%Y-%m-%d %H:%M} UTC"
        head = f"epoch {row.epoch} seq {row.seq}"
        why = f"{row.suspended} {row.kind or ''} {since}"
        click.echo(f"{row.agency}  {row.stream:<8} {head:<18} {why}")
    if not found:
        click.echo("no stream stands still")


@streams.command()
@click.argument("agency")
@click.argument("stream", type=click.Choice(["target", "program"]))
@click.option("--new-epoch", is_flag=True, help="Its next batch may begin a new epoch.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def resume(agency: str, stream: str, *, new_epoch: bool, yes: bool) -> None:
    """Let STREAM of AGENCY go on from the head that the centre holds.

    First find out which of the two histories is the agency's own: a copied key is revoked, not
    resumed (`titian keys revoke`). The connector then proves the head to itself and sends a full
    snapshot.
    """
    with _opened() as session:
        if not any((r.agency, r.stream) == (agency, stream) for r in intake.stopped(session)):
            click.echo("titian: it does not stand still; see `titian streams list`", err=True)
            sys.exit(1)
        if not yes:
            asked = f"Has {agency} said what happened, and are its keys its own?"
            click.confirm(asked, abort=True)
        service.resume(session, agency, stream, restart=new_epoch)
        session.commit()
    click.echo(f"{agency} {stream} may go on")


@contextmanager
def _opened() -> Iterator[Session]:
    made = engine.connect(Settings.from_env())
    try:
        with engine.sessions(made)() as session:
            yield session
    finally:
        made.dispose()
