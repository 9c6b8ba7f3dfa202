"""`titian keys rotate-receipt`: the centre replaces the key that signs receipts.

Source: trust.md 1.1 (G-rcpt), "What wave 1 can and cannot prove".
"""

import time
from collections.abc import Callable
from datetime import datetime

import click

from gateway.cli_proof import authenticated
from gateway.settings import Settings
from gateway.storage import deks, engine
from gateway.trust import centre
from gateway.trust.model import SECOND_APPROVERS, Approver

Clock = Callable[[], datetime]
_EVERY = 0.5


@click.command("rotate-receipt")
@click.option("--as", "username", required=True, help="Your user name; asks your password.")
@click.option("--and", "second", required=True, help="The second person; asks his password too.")
@click.option("--wait", default=60.0, show_default=True, help="Seconds to wait for the log.")
@click.pass_obj
def rotate_receipt(clock: Clock, username: str, second: str, wait: float) -> None:
    """Replace the key that signs receipts; two persons decide, each with his password.

    The successor is published in the log first, signed by both keys; connectors learn it there and
    keep both. It signs once a signed checkpoint holds that. May be run again at any time: it goes
    on where it stopped.
    """
    settings = Settings.from_env()
    vault = deks.open_vault(settings)
    with engine.opened(settings) as opened:
        persons = []
        for name in (username, second):
            officer = authenticated(opened, settings, name, clock())
            roles = [role.value for role in officer.roles]
            role = next((role for role in roles if role in SECOND_APPROVERS), roles[0])
            persons.append(Approver(officer.username, role))
        with opened.begin() as session:
            made = centre.name_successor(session, vault, settings.aud, persons, clock())
        click.echo(f"named in version {made.version} of the centre's keyset, signed by both keys")
        until = time.monotonic() + wait
        while True:
            with opened.begin() as session:
                done = centre.switch(session, vault)
            if done or time.monotonic() >= until:
                break
            time.sleep(_EVERY)
    if not done:
        raise click.ClickException(
            "the log holds it in no signed checkpoint yet, so the old key signs on. "
            "Is the relay running? Run the same command again."
        )
    click.echo(
        f"{vault.signer('receipt').kid} signs receipts from now on.\n"
        "Make new recovery shares: titian vault backup. Tickets handed out and not used yet name "
        "the old key, which is good for verifying: they stay good"
    )
