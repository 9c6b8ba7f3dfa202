"""`titian log`: check the log from its entries up, and the records from their signed lines."""

from collections.abc import Callable
from datetime import datetime

import click

from gateway.intake import auditing
from gateway.ledger import query as ledger
from gateway.ledger.model import LogBehind, LogDamaged, LogState
from gateway.settings import Settings
from gateway.storage import deks, engine
from keys.checkpoint import Checkpoint
from keys.errors import TrustError
from keys.vault import Vault


@click.group()
def log() -> None:
    """The transparency log."""


@log.command()
def verify() -> None:
    """Recompute every leaf, tile and the root, and compare with what was signed.

    Exit code 1 and a sentence where anything differs. Anyone else checks the same with
    titian-verify, without this database.
    """
    settings = Settings.from_env()
    signer = Vault.load(settings.vault_file).log_signer(settings.log_origin)
    last = signer.head()  # read first: the log may grow meanwhile, never shrink
    try:
        with engine.opened(settings) as sessions, sessions() as session:
            state = ledger.verify(session, signer.vkey)
        _check_head(state, last)
    except (LogDamaged, LogBehind, TrustError) as err:
        raise click.ClickException(f"the log does not hold: {err}") from err
    click.echo(f"size {state.size}\nroot {state.root.hex()}\nsigned by {signer.vkey}")
    click.echo("all entries agree" if state.size else "nothing is signed yet")


@log.command()
@click.option("--one-in", default=100, show_default=True, help="Look at one in so many batches.")
@click.option("--which", type=int, help="Which share of them, from 0; by default today's.")
@click.pass_obj
def audit(clock: Callable[[], datetime], one_in: int, which: int | None) -> None:
    """Hold records against the signed lines they came from: an edited row is found.

    Run it every night: in as many nights as there are shares every batch has been looked at; with
    --one-in 1 all are, now. Exit code 1 and the places where anything differs. No record is shown.
    """
    settings = Settings.from_env()
    vault = deks.open_vault(settings)
    share = clock().toordinal() if which is None else which
    with engine.opened(settings) as sessions, sessions() as session:
        found = auditing.audit(session, max(one_in, 1), share, vault)
    click.echo(f"{found.batches} batches and {found.records} records looked at")
    for place in found.forged:
        click.echo(f"the lines of {_shown(place)} are not those that the log accepted")
    for place, line in found.differing:
        click.echo(
            f"a record from line {line} of {_shown(place)} says something else than the line"
        )
    if found.forged or found.differing:
        raise click.ClickException(
            "somebody changed the database. Keep a copy of it, change nothing, and call the "
            "oversight body; the signed lines and the log say what is right"
        )
    click.echo("all agree")


def _shown(place: tuple[str, str, int, int]) -> str:
    agency, stream, epoch, seq = place
    return f"{agency} {stream} {epoch}/{seq}"


def _check_head(state: LogState, last: Checkpoint | None) -> None:
    """Return if the database shows what the signer remembers to have signed last, or more."""
    if last is None or last.size < state.size:
        return
    if last.size > state.size:
        raise LogBehind(
            "log.behind",
            f"{last.size} entries were signed, the newest checkpoint here has {state.size}. "
            "Unless the integrator is at work just now, this database is an older copy.",
        )
    if last.root != state.root:
        raise LogDamaged("log.root", "The signer remembers another root for this size.")
