"""The `titian` command of the centre: serve, work, migrate, administer, check."""

import os
import sys
from datetime import UTC, datetime

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from gateway import cli_keylife
from gateway.cli_agency import agency
from gateway.cli_centre import rotate_receipt
from gateway.cli_jobs import jobs
from gateway.cli_keys import keys
from gateway.cli_link import link
from gateway.cli_log import log
from gateway.cli_officer import officer
from gateway.cli_prove import prove
from gateway.cli_reeval import reeval
from gateway.cli_streams import streams
from gateway.cli_vault import vault
from gateway.errors import GatewayError
from gateway.migrations import schema
from gateway.settings import Settings
from gateway.storage.engine import connect
from keys.errors import TrustError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="titian")
@click.pass_context
def cli(context: click.Context) -> None:
    """Titian, the centre: accepts signed records, keeps evidence, answers the desk.

    Settings come from TITIAN_* variables (docs/reference/settings.md). To begin on an empty
    database: `titian vault init`, `titian db upgrade`, `titian officer add`, then
    `titian serve` and `titian worker`, `titian worker relay`, `titian worker beat`.
    """
    context.obj = lambda: datetime.now(UTC)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option("--workers", default=2, show_default=True, help="Server processes.")
def serve(host: str, port: int, workers: int) -> None:
    """Answer HTTP: the connectors' API, the desk, health and metrics."""
    settings = Settings.from_env()
    connect(settings).dispose()  # say what is wrong before the server starts
    Granian(
        "gateway.app:create_app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=settings.at_once + settings.waiters,
        factory=True,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        websockets=False,
    ).serve()


@cli.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def worker(arguments: tuple[str, ...]) -> None:
    """Run the background side: nothing (a Celery worker), `relay`, `beat` or `health NAME`."""
    os.execv(sys.executable, [sys.executable, "-m", "workers", *arguments])  # noqa: S606  (our own module)


@cli.group()
def db() -> None:
    """The database's schema."""


@db.command()
def upgrade() -> None:
    """Bring the database to the newest schema; safe to run again."""
    engine = connect(Settings.from_env())
    before = schema.current(engine)
    schema.upgrade(engine)
    after = schema.current(engine)
    click.echo(f"schema {after}" if before == after else f"schema {before or 'empty'} -> {after}")


for _command in (*cli_keylife.COMMANDS, rotate_receipt):
    keys.add_command(_command)
for _command in (agency, jobs, keys, link, log, officer, prove, reeval, streams, vault):
    cli.add_command(_command)


def main() -> None:
    """Entry point: a typed refusal is one sentence and exit code 1."""
    try:
        cli(prog_name="titian")
    except (GatewayError, TrustError, ValueError) as err:
        click.echo(f"titian: {err}", err=True)
        sys.exit(1)
