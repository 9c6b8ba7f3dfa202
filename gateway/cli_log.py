"""`titian log`: check the transparency log from its entries up."""

import sys

import click

from gateway.ledger import query as ledger
from gateway.ledger.model import LogDamaged
from gateway.settings import Settings
from gateway.storage import engine
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
    made = engine.connect(settings)
    vkey = Vault.load(settings.vault_file).log_signer(settings.log_origin).vkey
    with engine.sessions(made)() as session:
        try:
            state = ledger.verify(session, vkey)
        except (LogDamaged, TrustError) as err:
            click.echo(f"titian: the log does not hold: {err}", err=True)
            sys.exit(1)
    click.echo(f"size {state.size}\nroot {state.root.hex()}\nsigned by {vkey}\nall entries agree")
