"""`titian officer`: who may log in. Used by the operator at the machine, resets by two persons."""

from collections.abc import Callable
from datetime import datetime

import click

from gateway.access import resets, sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.cli_proof import authenticated
from gateway.settings import Settings
from gateway.storage import deks, engine

_ROLES = click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([r.value for r in Role]),
    help="May be given more than once.",
)


@click.group()
def officer() -> None:
    """Officers who may log in to the pages."""


@officer.command()
@click.argument("username")
@click.option("--name", required=True, help="The name shown on screen.")
@click.option("--unit", default="upt-kan", show_default=True, help="Agency or unit code.")
@_ROLES
@click.password_option(help="At least 12 characters; asked for where it is not given.")
def add(username: str, name: str, unit: str, roles: tuple[str, ...], password: str) -> None:
    """Let USERNAME in. The password is good until he chooses his own at his first log-in."""
    with engine.opened(Settings.from_env()) as opened, opened() as session:
        new = NewOfficer(username, name, unit, tuple(Role(r) for r in roles), password)
        sessions.add_officer(session, new, due=True)
        session.commit()
    click.echo(f"{username} may log in as {', '.join(roles)}, and must change his password first")


@officer.command("roles")
@click.argument("username")
@_ROLES
def roles_(username: str, roles: tuple[str, ...]) -> None:
    """Give USERNAME these roles instead of those he has, and end his sessions."""
    with engine.opened(Settings.from_env()) as opened, opened() as session:
        sessions.change_roles(session, username, tuple(Role(r) for r in roles))
        session.commit()
    click.echo(f"{username} is {', '.join(roles)}; his sessions are ended")


@officer.command()
@click.argument("username")
def disable(username: str) -> None:
    """Let USERNAME in no more, and end his sessions."""
    with engine.opened(Settings.from_env()) as opened, opened() as session:
        sessions.disable(session, username)
        session.commit()
    click.echo(f"{username} is disabled; his sessions are ended")


@officer.command()
@click.argument("username")
@click.option("--as", "by", required=True, help="Your user name. Asks for your password.")
@click.pass_obj
def reset(clock: Callable[[], datetime], username: str, by: str) -> None:
    """Give USERNAME, who lost his password or phone, a new login.

    Two other persons must do this within 24 hours. The second one is shown a password, to be handed
    over in person; it must be changed at once. Phone, PIN and recovery codes are taken away.
    """
    settings = Settings.from_env()
    with engine.opened(settings) as opened:
        person = authenticated(opened, settings, by, clock())
        with opened() as session:
            vault = deks.open_vault(settings)
            given = resets.reset(session, username, person, vault, clock())
            session.commit()
    if given is None:
        click.echo("recorded; a second person must do the same within 24 hours")
    else:
        click.echo(f"password, good until he chooses his own: {given}")
