"""`titian log`: check the transparency log from its entries up."""

import click

from gateway.ledger import query as ledger
from gateway.ledger.model import LogBehind, LogDamaged, LogState
from gateway.settings import Settings
from gateway.storage import engine
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
